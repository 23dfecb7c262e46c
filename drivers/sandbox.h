#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/device.h"
#include "drivers/private_namespace.h"
#include "stack/link/interface.h"

namespace tapestry {

class PacketSocket;
class Tap;

struct SandboxOptions {
    /// Which cable leads to the peer. Best: a TAP where the system lets us, else a veth pair.
    enum class Cable { Best, Tap, Veth };

    Cable cable = Cable::Best;
    bool offload = true;      ///< false: frames as an old network card would see them
    u32 mtu = 1500;           ///< 68 to 65535, of both ends
    bool peer_server = true;  ///< services at the peer: see PeerServer
};

/// A little network of our own, in which nothing outside is touched: a private network namespace, a
/// cable, and the Linux kernel at its other end.
///
///    our stack  192.168.3.10/24 ----- cable ----- 192.168.3.1/24  Linux, PeerServer
///
/// The calling process enters the namespace (see PrivateNamespace about the way back); the peer's
/// services run in a child, which ends with the sandbox or with this process. One at a time.
class Sandbox {
public:
    /// Throws SetupError: the system forbids it, and what to do.
    explicit Sandbox(const SandboxOptions& options = {});
    ~Sandbox();
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    /// Our end of the cable: a complete device, whatever the cable is.
    Device& device() { return *device_; }
    /// What to give to Stack::add_interface for that device.
    InterfaceConfig interface_config() const;
    Ipv4Prefix our_address() const { return {Ipv4Address(192, 168, 3, 10), 24}; }
    Ipv4Address peer_address() const { return {192, 168, 3, 1}; }
    /// Where our default route leads: the peer.
    Ipv4Address gateway() const { return peer_address(); }
    /// The peer's interface, as Linux calls it.
    const std::string& peer_interface() const { return peer_interface_; }
    MacAddress peer_mac() const { return MacAddress({2, 0, 0, 0, 3, 1}); }

    /// One line for the user when a veth pair has taken the TAP's place, and why; else empty.
    const std::string& notice() const { return notice_; }
    /// A process of the namespace: this one.
    pid_t namespace_pid() const { return namespace_.pid(); }
    /// What to put before a command so that it runs at the peer, from any terminal of the same user.
    std::string enter_command() const { return namespace_.enter_command(); }
    /// The child that runs the peer's services; -1: there is none.
    pid_t server_pid() const { return server_; }
    /// Starts a program at the peer and returns its process id, for the caller to wait for; the
    /// program's name is looked up in PATH. Throws SetupError.
    pid_t run_in_namespace(const std::vector<std::string>& argv) const;

private:
    void open_cable(const SandboxOptions& options);
    void open_tap(const SandboxOptions& options);
    void open_veth(const SandboxOptions& options);
    void set_up_peer(u32 mtu);
    void start_server();

    PrivateNamespace namespace_;
    std::string peer_interface_;
    std::string notice_;
    std::unique_ptr<Tap> tap_;
    std::unique_ptr<PacketSocket> packet_socket_;
    std::unique_ptr<Device> segmenter_;  ///< in front of a device without offload
    Device* device_ = nullptr;
    pid_t server_ = -1;
};

}  // namespace tapestry
