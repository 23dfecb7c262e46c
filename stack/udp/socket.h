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
    std::size_t size = 0;    ///< bytes copied out
    bool truncated = false;  ///< MSG_TRUNC: the rest did not fit
};

/// A handle on a UDP socket. It never blocks. Unlike TCP it sends at once, at the time that the
/// stack was last told. Must not outlive its stack.
class UdpSocket {
public:
    UdpSocket() = default;
    UdpSocket(UdpSocket&& other) noexcept;
    UdpSocket& operator=(UdpSocket&& other) noexcept;
    ~UdpSocket();

    explicit operator bool() const { return port_ != nullptr; }

    /// Port 0: the stack chooses. Address 0.0.0.0: any of ours, and broadcasts, which a socket
    /// bound to one address does not get. EADDRINUSE, EADDRNOTAVAIL, EINVAL when bound already,
    /// EBADF.
    std::expected<void, Errno> bind(const Endpoint& local);
    /// Fixes the peer: only its datagrams and errors are taken from now on. May be called again.
    /// EINVAL, ENETUNREACH, EACCES (a broadcast), EADDRINUSE, EADDRNOTAVAIL, EBADF.
    std::expected<void, Errno> connect(const Endpoint& remote);
    /// Sends one datagram of at most 65507 bytes. EMSGSIZE, EAGAIN (device full), ENETUNREACH,
    /// EACCES (a broadcast without set_broadcast), ENOTCONN, EINVAL (port 0), EBADF, or a pending
    /// error (once). A socket that is not bound gets a port first.
    std::expected<std::size_t, Errno> send(Bytes data);
    std::expected<std::size_t, Errno> send_to(Bytes data, const Endpoint& remote);
    /// The oldest datagram; EAGAIN when there is none, or a pending error (once).
    std::expected<UdpDatagram, Errno> receive(MutableBytes out);
    void set_broadcast(bool allowed);
    /// SO_REUSEADDR: sockets that all allow it may share a port and address. A datagram goes to the
    /// one that is connected to its sender, else to the one that was bound first.
    void set_reuse_address(bool allowed);
    /// MSG_PEEK: as receive(), but the datagram stays.
    std::expected<UdpDatagram, Errno> peek(MutableBytes out);
    /// IP_TTL. 0: the stack's default.
    void set_ttl(u8 ttl);
    /// IP_TOS, with the two bits of ECN, which are the user's here (RFC 8085 3.1.7).
    void set_tos(u8 tos);
    /// SO_RCVBUF: bytes of datagrams that may wait, to 2^30 (EINVAL); 0: the stack's default. EBADF.
    std::expected<void, Errno> set_receive_buffer(u32 bytes);
    void close();

    Endpoint local() const;
    Endpoint remote() const;
    /// The pending error, which is cleared: SO_ERROR.
    Errno take_error();
    Readiness readiness() const;
    void watch(ReadySet* set, u64 token);

private:
    friend class Udp;
    UdpSocket(Udp& udp, UdpPort& port) : udp_(&udp), port_(&port) {}
    Udp* udp_ = nullptr;
    UdpPort* port_ = nullptr;
};

}  // namespace tapestry
