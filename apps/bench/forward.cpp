#include "apps/bench/forward.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "apps/bench/spawn.h"
#include "drivers/monotonic.h"
#include "drivers/netlink.h"
#include "drivers/peer_server.h"
#include "drivers/private_namespace.h"
#include "drivers/setup_error.h"

/// Theory of operation. For each figure a process (the middle) makes a namespace, and two children of
/// it one each: the client and the server, both Linux. The middle makes devices and gives one to each;
/// then the client loads the way to the server through the middle. What arrived is counted where it
/// arrives: TCP at its reader, datagrams at the server.

namespace tapestry {
namespace {

constexpr u16 kUdpPort = 4000;
/// Datagrams that one system call sends or takes.
constexpr std::size_t kBurst = 64;
/// 64 bytes of Ethernet frame: 14 + 20 + 8 + 18, and 4 of check sequence on a wire.
constexpr std::size_t kSmallPayload = 18;

sockaddr_in server_address(u16 port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(kForwardServer.value());
    return address;
}

UniqueFd connected(int type, u16 port) {
    UniqueFd fd(socket(AF_INET, type, 0));
    const sockaddr_in to = server_address(port);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        throw SetupError("cannot connect through the middle", errno);
    }
    return fd;
}

/// Gbit/s, written or read in blocks. The first second is not counted: windows open, caches warm up.
double run_tcp(ForwardLoad load, Duration time) {
    static std::array<char, kBenchBlock> block{};
    const PeerPorts ports;
    const bool up = load == ForwardLoad::TcpUp;
    const UniqueFd fd = connected(SOCK_STREAM, up ? ports.discard : ports.chargen);
    constexpr Duration kWarmUp = 500ms;
    const TimePoint start = monotonic_now() + kWarmUp;
    u64 bytes = 0;
    TimePoint now = monotonic_now();
    while (now < start + time) {
        const ssize_t n = up ? write(fd.get(), block.data(), block.size())
                             : read(fd.get(), block.data(), block.size());
        if (n <= 0) throw SetupError("the connection through the middle broke", errno);
        now = monotonic_now();
        if (now >= start) bytes += static_cast<u64>(n);
    }
    return 8e-9 * static_cast<double>(bytes) / to_seconds(now - start);
}

/// Sends small datagrams as fast as it can.
void flood(Duration time) {
    const UniqueFd fd = connected(SOCK_DGRAM, kUdpPort);
    std::array<char, kSmallPayload> payload{};
    iovec piece{payload.data(), payload.size()};
    std::array<mmsghdr, kBurst> burst{};
    for (mmsghdr& message : burst) {
        message.msg_hdr.msg_iov = &piece;
        message.msg_hdr.msg_iovlen = 1;
    }
    const TimePoint end = monotonic_now() + time;
    while (monotonic_now() < end) {
        // What does not fit is lost, as on any network.
        static_cast<void>(sendmmsg(fd.get(), burst.data(), kBurst, 0));
    }
}

/// Datagrams that arrive, per second of the time for which they are sent.
double count_datagrams(Duration time) {
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
    const sockaddr_in at = server_address(kUdpPort);
    const timeval patience{.tv_sec = 0, .tv_usec = 500'000};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
        throw SetupError("cannot bind a UDP socket", errno);
    }
    std::array<char, 256> data{};
    iovec piece{data.data(), data.size()};
    std::array<mmsghdr, kBurst> burst{};
    for (mmsghdr& message : burst) {
        message.msg_hdr.msg_iov = &piece;
        message.msg_hdr.msg_iovlen = 1;
    }
    u64 count = 0;
    for (int silent = 0; silent < 20;) {
        const int n = recvmmsg(fd.get(), burst.data(), kBurst, MSG_WAITFORONE, nullptr);
        if (n <= 0) {
            if (count > 0) break;
            ++silent;
            continue;
        }
        count += static_cast<u64>(n);
    }
    return static_cast<double>(count) / to_seconds(time);
}

struct Signals {
    Pipe client_entered, server_entered, client_cabled, server_cabled, serving, go, result;
};

void enter_namespace(const Pipe& entered, const Pipe& cabled) {
    if (unshare(CLONE_NEWNET) != 0) throw SetupError("cannot make a network namespace", errno);
    entered.send_byte();
    cabled.wait_for_byte();
}

void run_client(Middle middle, ForwardLoad load, Duration time, const Signals& signals) {
    enter_namespace(signals.client_entered, signals.client_cabled);
    if (middle != Middle::Slirp) {  // which sets the address up by itself
        Netlink netlink;
        netlink.add_address(kForwardInterface, {kForwardClient, 24});
        netlink.set_up(kForwardInterface);
        if (middle == Middle::CopyLoop) netlink.set_arp(kForwardInterface, false);
        netlink.add_default_route(kForwardInside);
    }
    signals.go.wait_for_byte();
    if (load == ForwardLoad::SmallUdp) {
        flood(time);
    } else {
        signals.result.send(run_tcp(load, time));
    }
}

void run_server(Middle middle, ForwardLoad load, Duration time, const Signals& signals) {
    enter_namespace(signals.server_entered, signals.server_cabled);
    Netlink netlink;
    netlink.add_address(kForwardInterface, {kForwardServer, 24});
    netlink.set_up(kForwardInterface);
    if (middle == Middle::CopyLoop) netlink.set_arp(kForwardInterface, false);
    netlink.add_default_route(kForwardOutside);
    if (load == ForwardLoad::SmallUdp) {
        signals.serving.send_byte();
        signals.result.send(count_datagrams(time));
        return;
    }
    PeerServer server{Ipv4Address()};
    signals.serving.send_byte();
    server.run();
}

void run_middle(Middle middle, ForwardLoad load, Duration time, const Pipe& figure) {
    const PrivateNamespace home;
    const auto box = make_middle_box(middle);
    const Signals signals;
    const pid_t client = spawn([&] { run_client(middle, load, time, signals); });
    const pid_t server = spawn([&] { run_server(middle, load, time, signals); });
    signals.client_entered.wait_for_byte();
    signals.server_entered.wait_for_byte();
    box->cable(client, server);
    signals.server_cabled.send_byte();
    signals.serving.wait_for_byte();
    signals.client_cabled.send_byte();
    signals.go.send_byte();
    box->run(signals.result.read_end.get());
    figure.send(signals.result.wait_for_figure());
    end_child(client);
    end_child(server);
}

double measure(Middle middle, ForwardLoad load, Duration time) {
    Pipe figure;
    const pid_t child = spawn([&] { run_middle(middle, load, time, figure); });
    figure.write_end.reset();
    const double result = figure.wait_for_figure();
    waitpid(child, nullptr, 0);
    return result;
}

struct Named {
    Middle middle;
    const char* name;
};

}  // namespace

std::vector<Figure> measure_forward(Duration time) {
    constexpr std::array<std::pair<ForwardLoad, const char*>, 3> kLoads{
        {{ForwardLoad::TcpUp, "forward, TCP up"},
         {ForwardLoad::TcpDown, "forward, TCP down"},
         {ForwardLoad::SmallUdp, "forward, 64-byte UDP"}}};
    constexpr std::array<Named, 4> kMiddles{{{Middle::CopyLoop, "copy loop"},
                                             {Middle::Tapestry, "tapestry"},
                                             {Middle::Kernel, "kernel nft"},
                                             {Middle::Slirp, "slirp4netns"}}};
    if (geteuid() != 0) throw SetupError("bench forward needs root, for network namespaces");
    std::vector<Figure> figures;
    for (const auto& [load, load_name] : kLoads) {
        const char* unit = load == ForwardLoad::SmallUdp ? "packets/s" : "Gbit/s";
        std::array<double, kMiddles.size()> values{};
        for (std::size_t i = 0; i < kMiddles.size(); ++i) {
            if (make_middle_box(kMiddles[i].middle) == nullptr) {
                std::fprintf(stderr, "tapestry: bench: %s is not installed, left out\n",
                             kMiddles[i].name);
                continue;
            }
            values[i] = measure(kMiddles[i].middle, load, time);
            figures.push_back({std::string(load_name) + ", " + kMiddles[i].name, values[i], unit});
        }
        for (std::size_t i = 0; i < kMiddles.size(); ++i) {
            if (kMiddles[i].middle == Middle::Tapestry || values[i] <= 0) continue;
            figures.push_back({std::string(load_name) + ", ratio to " + kMiddles[i].name,
                               values[1] / values[i], ""});
        }
    }
    return figures;
}

}  // namespace tapestry
