#pragma once

#include <expected>

#include "stack/base/cwnd_config.h"
#include "stack/base/errno.h"
#include "stack/base/ready.h"
#include "stack/tcp/socket_options.h"
#include "stack/tcp/tcp_info.h"
#include "stack/wire/address.h"

namespace tapestry {

class Connection;
class ListenQueue;
class Tcp;

enum class Shutdown : u8 { Receive, Send, Both };

/// A handle on one end of a TCP connection (RFC 9293 section 3.9.1). It never blocks: what cannot be
/// done now is EAGAIN. A call changes state only; what it causes to be sent leaves with the stack's
/// next receive() or advance(). Destroying the handle closes: the connection finishes by itself.
/// A socket must not outlive its stack.
class TcpSocket {
public:
    /// No socket: every call gives EBADF.
    TcpSocket() = default;
    TcpSocket(TcpSocket&& other) noexcept;
    TcpSocket& operator=(TcpSocket&& other) noexcept;
    ~TcpSocket();

    explicit operator bool() const { return connection_ != nullptr; }

    /// Fixes the local address, the port, or both (0 and 0.0.0.0: left to the stack).
    /// EINVAL when open already, EADDRINUSE, EADDRNOTAVAIL.
    std::expected<void, Errno> bind(const Endpoint& local);
    /// Starts the handshake; the socket becomes writable when it is done, or an error appears.
    /// EINVAL, EISCONN, EACCES (a broadcast or multicast address, MUST-46), ENETUNREACH,
    /// EADDRNOTAVAIL (no free port).
    std::expected<void, Errno> connect(const Endpoint& remote);
    /// Queues as much of `data` as there is room for, at least one byte. EAGAIN, EPIPE, ENOTCONN, or
    /// the error that ended the connection (once).
    std::expected<std::size_t, Errno> write(Bytes data);
    /// As write(), and the peer is told at once that urgent data reach up to its end: MSG_OOB (RFC 9293
    /// 3.8.5). New applications should not (SHLD-13, RFC 6093): middleboxes clear the mark.
    std::expected<std::size_t, Errno> write_urgent(Bytes data);
    /// How many bytes have to be read to be past the urgent data (SIOCATMARK's question); 0: there are
    /// none. They stay in the stream, as with SO_OOBINLINE.
    std::size_t urgent_ahead() const;
    /// Reads at most out.size() bytes; 0 at the end of the stream. EAGAIN, ENOTCONN, or the error that
    /// ended the connection (once).
    std::expected<std::size_t, Errno> read(MutableBytes out);
    /// Readable bytes where they lie, for reading without a copy, or for looking at what comes
    /// (MSG_PEEK); good until the stack's next call. Empty at the end of the stream. Errors as read().
    std::expected<std::array<Bytes, 2>, Errno> peek(std::size_t max) const;
    /// Takes n peeked bytes away.
    void consume(std::size_t n);
    /// Send: the FIN goes out after what is queued. Receive: later data are thrown away. ENOTCONN.
    std::expected<void, Errno> shutdown(Shutdown how);
    /// Gives the connection up to the stack, which finishes it; with unread data, or linger 0, by a
    /// reset (RFC 9293 3.6.1). The handle is empty afterwards.
    void close();
    /// Reset, at once (RFC 9293 3.10.5). The handle is empty afterwards.
    void abort();

    /// EINVAL for a value out of range (see check_options); nothing is changed then.
    std::expected<void, Errno> set_options(const TcpSocketOptions& options);
    TcpSocketOptions options() const;
    /// TCP_INFO.
    TcpInfo info() const;

    TcpState state() const;
    Readiness readiness() const;
    Endpoint local() const;
    Endpoint remote() const;
    /// The pending error, which is cleared: SO_ERROR.
    Errno take_error();
    /// Room in the send buffer, bytes.
    std::size_t writable_bytes() const;
    std::size_t readable_bytes() const;
    /// Everything that this end knows: tcp_info's big brother.
    TcpSnapshot snapshot() const;
    /// Adds `token` to `set` whenever the readiness may have changed; null: no more.
    void watch(ReadySet* set, u64 token);

private:
    friend class Tcp;
    friend class Listener;
    TcpSocket(Tcp& tcp, Connection& connection) : tcp_(&tcp), connection_(&connection) {}
    Tcp* tcp_ = nullptr;
    Connection* connection_ = nullptr;
};

/// A handle on a listening port (passive OPEN). Must not outlive its stack.
class Listener {
public:
    Listener() = default;
    Listener(Listener&& other) noexcept;
    Listener& operator=(Listener&& other) noexcept;
    ~Listener();

    explicit operator bool() const { return queue_ != nullptr; }

    /// Listens on a port; address 0.0.0.0 means all of ours, port 0 lets the stack choose. `backlog`
    /// bounds the connections not yet accepted; 0: the configuration's. EADDRINUSE, EADDRNOTAVAIL.
    std::expected<void, Errno> listen(const Endpoint& local, u32 backlog = 0);
    /// The next established connection, or EAGAIN.
    std::expected<TcpSocket, Errno> accept();
    /// Resets what was not accepted. The handle is empty afterwards.
    void close();
    bool acceptable() const;
    Endpoint local() const;
    /// Options that accepted sockets start with. EINVAL for a value out of range, EBADF before
    /// listen(); nothing is changed then.
    std::expected<void, Errno> set_options(const TcpSocketOptions& options);
    void watch(ReadySet* set, u64 token);

private:
    friend class Tcp;
    explicit Listener(Tcp& tcp) : tcp_(&tcp) {}
    Tcp* tcp_ = nullptr;
    ListenQueue* queue_ = nullptr;
};

}  // namespace tapestry
