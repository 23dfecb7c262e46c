#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>

#include "apps/bench/spawn.h"
#include "apps/bench/workload.h"
#include "drivers/monotonic.h"
#include "drivers/netlink.h"
#include "drivers/peer_server.h"
#include "drivers/private_namespace.h"
#include "drivers/setup_error.h"

/// Theory of operation. A child makes a network namespace and a veth pair, its own child makes another
/// and takes one end of the pair, where the same PeerServer runs that a sandbox has. So both figures of
/// a benchmark have the same peer, and the measuring process keeps its own namespace.

namespace tapestry {
namespace {

const Ipv4Prefix kClient{Ipv4Address(198, 51, 100, 1), 24};
const Ipv4Prefix kServer{Ipv4Address(198, 51, 100, 2), 24};

/// The far end: its own namespace, one end of the cable, the services.
void run_far_end(const Pipe& entered, const Pipe& cabled, const Pipe& serving) {
    if (unshare(CLONE_NEWNET) != 0) throw SetupError("cannot make a network namespace", errno);
    entered.send_byte();
    cabled.wait_for_byte();
    Netlink netlink;
    netlink.add_address("far", kServer);
    netlink.set_up("far");
    PeerServer server{Ipv4Address()};
    serving.send_byte();
    server.run();
}

UniqueFd connect_to(u16 port) {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(kServer.address.value());
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw SetupError("cannot connect to the kernel's peer", errno);
    }
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/// How many units a workload does per call of its step, for `time`; units per second.
double rate(Duration time, const std::function<u64()>& step) {
    const TimePoint start = monotonic_now();
    TimePoint now = start;
    u64 done = 0;
    while (now - start < time) {
        done += step();
        now = monotonic_now();
    }
    return static_cast<double>(done) / to_seconds(now - start);
}

double run_near_end(Workload workload, Duration time) {
    static std::array<char, kBenchBlock> block{};
    const PeerPorts ports;
    const auto moved = [](ssize_t n) {
        if (n <= 0) throw SetupError("the kernel's peer has gone", errno);
        return static_cast<u64>(n);
    };
    switch (workload) {
        case Workload::BulkSend: {
            const UniqueFd fd = connect_to(ports.discard);
            return 8e-9 *
                   rate(time, [&] { return moved(write(fd.get(), block.data(), block.size())); });
        }
        case Workload::BulkReceive: {
            const UniqueFd fd = connect_to(ports.chargen);
            return 8e-9 *
                   rate(time, [&] { return moved(read(fd.get(), block.data(), block.size())); });
        }
        case Workload::RoundTrips: {
            const UniqueFd fd = connect_to(ports.echo);
            return rate(time, [&] {
                moved(write(fd.get(), block.data(), 1));
                return moved(read(fd.get(), block.data(), 1));
            });
        }
        case Workload::Connect:
            return rate(time, [&] {
                connect_to(ports.discard);
                return u64{1};
            });
    }
    return 0;
}

void run_both_ends(Workload workload, Duration time, const Pipe& result) {
    const PrivateNamespace home;
    const Pipe entered;
    const Pipe cabled;
    const Pipe serving;
    const pid_t far = spawn([&] { run_far_end(entered, cabled, serving); });
    entered.wait_for_byte();
    Netlink netlink;
    netlink.create_veth("near", "far");
    netlink.move_to_namespace_of("far", far);
    netlink.add_address("near", kClient);
    netlink.set_up("near");
    cabled.send_byte();
    serving.wait_for_byte();
    netlink.wait_until_running("near");
    result.send(run_near_end(workload, time));
    end_child(far);
}

}  // namespace

double measure_kernel(Workload workload, Duration time) {
    Pipe result;
    const pid_t child = spawn([&] { run_both_ends(workload, time, result); });
    result.write_end.reset();
    const double figure = result.wait_for_figure();
    waitpid(child, nullptr, 0);
    return figure;
}

}  // namespace tapestry
