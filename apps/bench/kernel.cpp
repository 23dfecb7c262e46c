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

/// A child that runs `body` and ends with its parent; the exit status is 0 unless body throws.
pid_t spawn(const std::function<void()>& body) {
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) throw SetupError("cannot start a process", errno);
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    try {
        body();
    } catch (const std::exception& error) {
        [[maybe_unused]] const ssize_t n =
            write(STDERR_FILENO, error.what(), std::char_traits<char>::length(error.what()));
        _exit(1);
    }
    _exit(0);
}

struct Pipe {
    Pipe() {
        if (pipe(fds.data()) != 0) throw SetupError("cannot make a pipe", errno);
        read_end = UniqueFd(fds[0]);
        write_end = UniqueFd(fds[1]);
    }
    std::array<int, 2> fds{};
    UniqueFd read_end;
    UniqueFd write_end;
};

void wait_for_byte(const Pipe& pipe) {
    char byte = 0;
    if (read(pipe.read_end.get(), &byte, 1) != 1) throw SetupError("the other process has ended");
}

void send_byte(const Pipe& pipe) {
    if (write(pipe.write_end.get(), "", 1) != 1) throw SetupError("cannot write to a pipe", errno);
}

/// The far end: its own namespace, one end of the cable, the services.
void run_far_end(const Pipe& entered, const Pipe& cabled, const Pipe& serving) {
    if (unshare(CLONE_NEWNET) != 0) throw SetupError("cannot make a network namespace", errno);
    send_byte(entered);
    wait_for_byte(cabled);
    Netlink netlink;
    netlink.add_address("far", kServer);
    netlink.set_up("far");
    PeerServer server{Ipv4Address()};
    send_byte(serving);
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
    wait_for_byte(entered);
    Netlink netlink;
    netlink.create_veth("near", "far");
    netlink.move_to_namespace_of("far", far);
    netlink.add_address("near", kClient);
    netlink.set_up("near");
    send_byte(cabled);
    wait_for_byte(serving);
    netlink.wait_until_running("near");
    const double figure = run_near_end(workload, time);
    if (write(result.write_end.get(), &figure, sizeof figure) != sizeof figure) {
        throw SetupError("cannot write to a pipe", errno);
    }
    kill(far, SIGKILL);
    waitpid(far, nullptr, 0);
}

}  // namespace

double measure_kernel(Workload workload, Duration time) {
    Pipe result;
    const pid_t child = spawn([&] { run_both_ends(workload, time, result); });
    result.write_end.reset();
    double figure = 0;
    const bool told = read(result.read_end.get(), &figure, sizeof figure) == sizeof figure;
    waitpid(child, nullptr, 0);
    if (!told) throw SetupError("the kernel's own figure could not be measured");
    return figure;
}

}  // namespace tapestry
