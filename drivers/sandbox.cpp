#include "drivers/sandbox.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "drivers/monotonic.h"
#include "drivers/netlink.h"
#include "drivers/packet_socket.h"
#include "drivers/peer_server.h"
#include "drivers/segmenter.h"
#include "drivers/setup_error.h"
#include "drivers/tap.h"

namespace tapestry {
namespace {

constexpr char kTapName[] = "tap0";
constexpr char kOurEnd[] = "tapestry0";
constexpr char kPeerEnd[] = "peer0";

/// The child must not keep our devices, pipes and files open.
void keep_only(std::vector<int> keep) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        for (const int standard : {0, 1, 2}) dup2(null, standard);
    }
    keep.insert(keep.end(), {0, 1, 2});
    std::ranges::sort(keep);
    unsigned first = 0;
    for (const int fd : keep) {
        const auto kept = static_cast<unsigned>(fd);
        if (first < kept) close_range(first, kept - 1, 0);
        first = kept + 1;
    }
    close_range(first, ~0U, 0);
}

/// The life of the peer's process. Ends when `parent` does.
[[noreturn]] void serve_until_killed(PeerServer& server, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);  // it had ended before we said so
    prctl(PR_SET_NAME, "tapestry-peer");
    // Ctrl-C reaches the whole terminal. The stack wants a peer while it says goodbye.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(signal, SIG_IGN);
    keep_only(server.descriptors());
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;  // as many connections as this user may have
    setrlimit(RLIMIT_NOFILE, &files);
    server.run();
    _exit(0);
}

}  // namespace

Sandbox::Sandbox(const SandboxOptions& options) {
    open_cable(options);
    set_up_peer(options.mtu);
    if (options.peer_server) start_server();
}

Sandbox::~Sandbox() {
    if (server_ > 0) {
        kill(server_, SIGKILL);
        while (waitpid(server_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

void Sandbox::open_cable(const SandboxOptions& options) {
    if (options.cable == SandboxOptions::Cable::Veth) return open_veth(options);
    try {
        open_tap(options);
    } catch (const SetupError& error) {
        if (options.cable == SandboxOptions::Cable::Tap) throw;
        open_veth(options);
        const std::string why = error.what();  // what is behind the semicolon is the remedy
        notice_ =
            why.substr(0, why.find(';')) + ": a veth pair and a packet socket take the TAP's place";
    }
}

void Sandbox::open_tap(const SandboxOptions& options) {
    tap_ = std::make_unique<Tap>(TapOptions{kTapName, options.offload, options.mtu});
    device_ = tap_.get();
    peer_interface_ = tap_->name();
    if (tap_->checksum_offload()) return;
    segmenter_ = std::make_unique<Segmenter>(*tap_, monotonic_now);
    device_ = segmenter_.get();
}

/// Both ends of the cable are in the one namespace. Ours has no address and no ARP there, so that the
/// kernel does not answer in our place.
void Sandbox::open_veth(const SandboxOptions& options) {
    Netlink netlink;
    netlink.create_veth(kOurEnd, kPeerEnd);
    netlink.set_arp(kOurEnd, false);
    netlink.set_mtu(kOurEnd, options.mtu);
    netlink.set_up(kOurEnd);
    packet_socket_ =
        std::make_unique<PacketSocket>(PacketSocketOptions{kOurEnd, options.offload, false});
    device_ = packet_socket_.get();
    peer_interface_ = kPeerEnd;
    if (!options.offload) netlink.disable_offloads(kPeerEnd);
    if (packet_socket_->checksum_offload()) return;
    segmenter_ = std::make_unique<Segmenter>(*packet_socket_, monotonic_now);
    device_ = segmenter_.get();
}

void Sandbox::set_up_peer(u32 mtu) {
    Netlink netlink;
    netlink.set_mac(peer_interface_, peer_mac());
    netlink.set_mtu(peer_interface_, mtu);
    netlink.add_address(peer_interface_, {peer_address(), 24});
    netlink.set_up(peer_interface_);
    if (packet_socket_) {
        for (const char* end : {kOurEnd, kPeerEnd}) netlink.wait_until_running(end);
    }
}

void Sandbox::start_server() {
    // It listens before the child is there: whoever connects from now on is served.
    PeerServer server{Ipv4Address()};
    const pid_t parent = getpid();
    server_ = fork();
    if (server_ < 0) throw SetupError("cannot start the peer", errno);
    if (server_ == 0) serve_until_killed(server, parent);
}

InterfaceConfig Sandbox::interface_config() const {
    InterfaceConfig config;
    config.name = "eth0";
    config.mac = MacAddress({2, 0, 0, 0, 3, 10});
    config.address = our_address();
    return config;
}

pid_t Sandbox::run_in_namespace(const std::vector<std::string>& argv) const {
    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string& argument : argv) {
        arguments.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn() only reads
    }
    arguments.push_back(nullptr);
    pid_t pid = -1;
    const int error = argv.empty() ? EINVAL
                                   : posix_spawnp(&pid, arguments[0], nullptr, nullptr,
                                                  arguments.data(), environ);
    if (error != 0) {
        throw SetupError("cannot start " + (argv.empty() ? "nothing" : argv[0]), error);
    }
    return pid;
}

}  // namespace tapestry
