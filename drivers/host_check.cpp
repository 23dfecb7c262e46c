#include "drivers/host_check.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "drivers/netlink.h"
#include "drivers/packet_socket.h"
#include "drivers/private_namespace.h"
#include "drivers/setup_error.h"
#include "drivers/tap.h"

namespace tapestry {
namespace {

/// What a probe found. A child process sends it through a pipe as "ok\0detail\0remedy".
struct Finding {
    bool ok = false;
    std::string detail;
    std::string remedy;
};

/// A SetupError says "what and why; remedy". The command in quotes is the remedy proper.
Finding finding_of(const SetupError& error) {
    const std::string line = error.what();
    const std::size_t cut = line.find("; ");
    Finding finding{false, line.substr(0, cut), {}};
    if (cut == std::string::npos) return finding;
    finding.remedy = line.substr(cut + 2);
    const std::size_t open = finding.remedy.find("\"sudo ");
    if (open == std::string::npos) return finding;
    const std::size_t close = finding.remedy.find('"', open + 1);
    finding.remedy = finding.remedy.substr(open + 1, close - open - 1);
    return finding;
}

void send_all(int fd, const std::string& bytes) {
    // Far below what a pipe holds: one write takes it all.
    if (write(fd, bytes.data(), bytes.size()) < 0) _exit(1);
}

/// Runs `probe` in a child, whose namespaces die with it.
Finding in_child(const std::function<Finding()>& probe) {
    const Finding failed{false, "the probe could not be run", {}};
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) return failed;
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t child = fork();
    if (child < 0) return failed;
    if (child == 0) {
        Finding found;
        try {
            found = probe();
        } catch (const SetupError& error) {
            found = finding_of(error);
        }
        std::string bytes = found.ok ? "1" : "0";
        bytes.append(1, '\0').append(found.detail).append(1, '\0').append(found.remedy);
        send_all(writer.get(), bytes);
        _exit(0);
    }
    writer.reset();
    std::string bytes;
    char buffer[1024];
    ssize_t got = 0;
    while ((got = read(reader.get(), buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0) bytes.append(buffer, static_cast<std::size_t>(got));
    }
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    const std::size_t first = bytes.find('\0');
    const std::size_t second = bytes.find('\0', first + 1);
    if (first == std::string::npos || second == std::string::npos) return failed;
    return {bytes.starts_with("1"), bytes.substr(first + 1, second - first - 1),
            bytes.substr(second + 1)};
}

Finding probe_tun() {
    const UniqueFd fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (fd) return {true, "/dev/net/tun can be opened", {}};
    const int error = errno;
    const bool missing = error == ENOENT || error == ENODEV || error == ENXIO;
    return {false, std::string("/dev/net/tun: ") + std::strerror(error),
            missing ? "sudo modprobe tun" : "sudo chmod 666 /dev/net/tun"};
}

Finding probe_user_namespaces() {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) return {true, "can be made", {}};
    return finding_of(SetupError("cannot be made", errno, user_namespace_remedy()));
}

Finding probe_private_network() {
    const PrivateNamespace home;
    return {true, home.through_user_namespace() ? "through a user namespace" : "as root", {}};
}

Finding probe_packet_socket() {
    const PrivateNamespace home;
    const PacketSocket device({"lo", false});
    return {true, "can be made in a private network", {}};
}

Finding probe_tap_offload() {
    const PrivateNamespace home;
    const Tap tap({"tap0"});
    if (tap.checksum_offload())
        return {true, "virtio-net headers, checksums, TCP super-frames", {}};
    return {false, "the TAP takes none: it will be slow", {}};
}

Finding probe_packet_offload() {
    const PrivateNamespace home;
    const PacketSocket device({"lo"});
    if (device.checksum_offload()) return {true, "virtio-net headers", {}};
    return {false, "the packet socket takes none: it will be slow", {}};
}

/// What the other findings mean together.
HostCheck sandbox_check(const HostCheck& network, const HostCheck& tap, const HostCheck& packet) {
    if (!network.ok) return {"sandbox", false, network.detail, network.remedy};
    if (tap.ok) return {"sandbox", true, "with a TAP", {}};
    if (packet.ok) return {"sandbox", true, "with a veth pair in the TAP's place", {}};
    return {"sandbox", false, tap.detail, tap.remedy};
}

}  // namespace

std::vector<HostCheck> check_host() {
    std::vector<HostCheck> checks;
    const auto check = [&](const char* name, const std::function<Finding()>& probe) {
        Finding found = in_child(probe);
        checks.push_back({name, found.ok, std::move(found.detail), std::move(found.remedy)});
        return checks.back();
    };
    check("tun device", probe_tun);
    check("user namespaces", probe_user_namespaces);
    const HostCheck network = check("private network", probe_private_network);
    const HostCheck packet = check("packet sockets", probe_packet_socket);
    const HostCheck tap = check("tap offload", probe_tap_offload);
    check("packet offload", probe_packet_offload);
    checks.push_back(sandbox_check(network, tap, packet));
    return checks;
}

}  // namespace tapestry
