#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "drivers/sandbox.h"
#include "stack/wire/arp.h"
#include "tests/support/packet_builder.h"

namespace tapestry::test {

/// Our end of a sandbox's cable, with no stack: the test makes every frame and looks at every frame.
/// ARP requests for our address are answered on the way.
class SandboxWire {
public:
    explicit SandboxWire(const SandboxOptions& options = {}) : sandbox(options) {}

    Sandbox sandbox;
    const MacAddress mac{{2, 0, 0, 0, 3, 10}};

    /// Frames to the peer, with what follows Ethernet left to the caller.
    PacketBuilder to_peer() const {
        PacketBuilder builder;
        builder.source_mac = mac;
        builder.destination_mac = sandbox.peer_mac();
        builder.ip.source = sandbox.our_address().address;
        builder.ip.destination = sandbox.peer_address();
        return builder;
    }
    bool send(Bytes bytes, const Offload& offload = {}, std::size_t header_size = 14) {
        return sandbox.device().transmit(frame_of(bytes, header_size, offload, bytes.size() / 3));
    }
    void send_arp(const ArpPacket& arp, MacAddress destination) {
        std::vector<u8> frame(EthernetView::kHeaderSize);
        EthernetHeader{destination, mac, EtherType::Arp}.write(frame.data());
        const auto bytes = arp.to_bytes();
        frame.insert(frame.end(), bytes.begin(), bytes.end());
        (void)send(frame);
    }

    /// Waits for the first frame that `wanted` likes and returns it; the others are lost. False handle
    /// when none comes for a long time.
    Packet wait_for(const std::function<bool(const Packet&)>& wanted) {
        using std::chrono::steady_clock;
        const auto end = steady_clock::now() + std::chrono::seconds(5);
        while (steady_clock::now() < end) {
            if (next_ == count_) {
                next_ = 0;
                count_ = sandbox.device().receive(batch_);
            }
            for (; next_ < count_; ++next_) {
                Packet& packet = batch_[next_];
                if (answered_arp(packet)) continue;
                if (!wanted(packet)) continue;
                ++next_;
                return std::move(packet);
            }
            pollfd poller{sandbox.device().fd(), POLLIN, 0};
            poll(&poller, 1, 100);
        }
        return {};
    }
    /// The TCP segment in a frame to us from a port of the peer, if that is what it is.
    static std::optional<TcpView> tcp_of(const Packet& packet) {
        const auto ip = ip_of(packet);
        if (!ip || ip->protocol() != IpProtocol::Tcp) return std::nullopt;
        const auto tcp = TcpView::parse(ip->payload());
        return tcp ? std::optional(*tcp) : std::nullopt;
    }
    static std::optional<Ipv4View> ip_of(const Packet& packet) {
        const auto ethernet = EthernetView::parse(packet.bytes());
        if (!ethernet || ethernet->type() != EtherType::Ipv4) return std::nullopt;
        const auto ip = Ipv4View::parse(ethernet->payload());
        return ip ? std::optional(*ip) : std::nullopt;
    }

private:
    bool answered_arp(const Packet& packet) {
        const auto ethernet = EthernetView::parse(packet.bytes());
        if (!ethernet || ethernet->type() != EtherType::Arp) return false;
        const auto arp = ArpPacket::parse(ethernet->payload());
        if (!arp || arp->operation != ArpOperation::Request) return false;
        if (arp->target_ip != sandbox.our_address().address) return false;
        send_arp({ArpOperation::Reply, mac, arp->target_ip, arp->sender_mac, arp->sender_ip},
                 arp->sender_mac);
        return true;
    }

    std::vector<Packet> batch_{32};
    std::size_t next_ = 0;
    std::size_t count_ = 0;
};

/// A socket of the kernel's, at the peer. Calls that could wait for ever give up after some seconds.
class KernelSocket {
public:
    explicit KernelSocket(int fd) : fd_(fd) {
        const timeval limit{5, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    /// SOCK_STREAM (listening) or SOCK_DGRAM, on a port of the peer.
    static KernelSocket bound(int type, u16 port) {
        KernelSocket made(socket(AF_INET, type | SOCK_CLOEXEC, 0));
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        made.good_ = bind(made.fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 &&
                     (type != SOCK_STREAM || listen(made.fd_.get(), 8) == 0);
        return made;
    }
    KernelSocket accept() { return KernelSocket(::accept(fd_.get(), nullptr, nullptr)); }
    bool good() const { return good_ && fd_; }
    int fd() const { return fd_.get(); }

    /// n bytes, or fewer when no more come.
    std::vector<u8> receive(std::size_t n) {
        std::vector<u8> bytes(n);
        std::size_t filled = 0;
        while (filled < n) {
            const ssize_t got = recv(fd_.get(), &bytes[filled], n - filled, 0);
            if (got <= 0) break;
            filled += static_cast<std::size_t>(got);
        }
        bytes.resize(filled);
        return bytes;
    }
    bool send(Bytes bytes) {
        return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }

private:
    UniqueFd fd_;
    bool good_ = true;
};

}  // namespace tapestry::test
