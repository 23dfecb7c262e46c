#pragma once

#include <expected>

#include "stack/base/errno.h"
#include "stack/base/ready.h"
#include "stack/base/time.h"
#include "stack/wire/address.h"

namespace tapestry {

class Udp;
class UdpPort;

/// One datagram as it was received.
struct UdpDatagram {
    Endpoint source;
    Endpoint destination;
    std::size_t size = 0;     ///< bytes copied out
    bool truncated = false;   ///< MSG_TRUNC: the rest did not fit
};

/// A handle on a UDP socket. It never blocks. Unlike TCP it sends at once, at the time that the stack
/// was last told. Must not outlive its stack.
class UdpSocket {
public:
    UdpSocket() = default;
    UdpSocket(UdpSocket&& other) noexcept;
    UdpSocket& operator=(UdpSocket&& other) noexcept;
    ~UdpSocket();

    explicit operator bool() const { return port_ != nullptr; }

    /// Port 0: the stack chooses. EADDRINUSE, EADDRNOTAVAIL, EINVAL when bound already.
    std::expected<void, Errno> bind(const Endpoint& local);
    /// Fixes the peer: only its datagrams and errors are taken from now on.
    std::expected<void, Errno> connect(const Endpoint& remote);
    /// Sends one datagram of at most 65507 bytes. EMSGSIZE, EAGAIN (device full), ENETUNREACH, EACCES
    /// (a broadcast without set_broadcast), ENOTCONN, or a pending error (once).
    std::expected<std::size_t, Errno> send(Bytes data);
    std::expected<std::size_t, Errno> send_to(Bytes data, const Endpoint& remote);
    /// The oldest datagram; EAGAIN when there is none, or a pending error (once).
    std::expected<UdpDatagram, Errno> receive(MutableBytes out);
    void set_broadcast(bool allowed);
    void set_ttl(u8 ttl);
    void close();

    Endpoint local() const;
    Endpoint remote() const;
    Readiness readiness() const;
    void watch(ReadySet* set, u64 token);

private:
    friend class Udp;
    UdpSocket(Udp& udp, UdpPort& port) : udp_(&udp), port_(&port) {}
    Udp* udp_ = nullptr;
    UdpPort* port_ = nullptr;
};

}  // namespace tapestry
