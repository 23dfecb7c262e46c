#pragma once

#include <string_view>
#include <variant>

#include "drivers/runner.h"

namespace tapestry {

enum class SocketType : u8 { Stream, Datagram };

/// A blocking socket with the calls that everybody knows, on top of the stack's own handles. While a
/// call waits, the thread that made it drives the Runner: frames move, timers run, and in a World
/// virtual time passes.
///
///     Socket socket(runner, SocketType::Stream);
///     socket.connect({Ipv4Address(192, 168, 3, 1), 80});
///     socket.send("GET / HTTP/1.1\r\nHost: 192.168.3.1\r\nConnection: close\r\n\r\n");
///     std::array<u8, 4096> buffer;
///     while (const auto n = socket.recv(buffer).value_or(0)) print(buffer, n);
///     socket.close();
///
/// What a call causes to be sent leaves at once; what has to happen later (retransmissions, the rest
/// of a close) needs the runner to run. Errors are those of the handles (see TcpSocket, UdpSocket) and
/// of the system calls of the same names. EAGAIN: the socket is non-blocking, its timeout has passed,
/// or the runner has stopped: a loop was told to, or in a world nothing is left that could happen.
/// Must not outlive the runner's stack.
class Socket {
public:
    /// No socket: every call gives EBADF.
    Socket() = default;
    Socket(Runner& runner, SocketType type);
    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    ~Socket() { close(); }

    explicit operator bool() const { return !std::holds_alternative<std::monostate>(handle_); }

    /// 0.0.0.0 and port 0 leave the choice to the stack.
    std::expected<void, Errno> bind(const Endpoint& local);
    /// Stream: returns when the connection is established; EINPROGRESS when non-blocking or timed out:
    /// the handshake goes on, poll() for writable. Datagram: fixes the peer.
    std::expected<void, Errno> connect(const Endpoint& remote);
    /// Makes a stream socket that is bound a listening one; `backlog` 0: the configuration's. A
    /// socket whose listen() has failed is as it was, bound.
    std::expected<void, Errno> listen(u32 backlog = 0);
    /// The next connection, with the listener's options.
    std::expected<Socket, Errno> accept();

    /// Sends everything, and returns how much that was: less than everything after a timeout or an
    /// error, which the next call tells.
    std::expected<std::size_t, Errno> send(Bytes data);
    std::expected<std::size_t, Errno> send(std::string_view text);
    /// At least one byte, at most out.size(); 0: the peer has closed. A datagram that is longer is cut.
    std::expected<std::size_t, Errno> recv(MutableBytes out);
    /// MSG_PEEK: as recv(), but what is read stays to be read again.
    std::expected<std::size_t, Errno> peek(MutableBytes out);
    std::expected<std::size_t, Errno> send_to(Bytes data, const Endpoint& remote);
    std::expected<UdpDatagram, Errno> receive_from(MutableBytes out);
    std::expected<void, Errno> shutdown(Shutdown how);
    /// Does not wait, unless SO_LINGER asks for it: then until everything is acknowledged or the time
    /// is over. With unread data, or linger 0, the peer is told by a reset.
    void close();

    /// EINVAL: a value out of range; or, on a datagram socket, another option than ttl, tos and
    /// receive_buffer. Nothing is changed then.
    std::expected<void, Errno> set_options(const TcpSocketOptions& options);
    TcpSocketOptions options() const { return options_; }
    /// SO_RCVTIMEO, for recv, receive_from and accept. Nothing: forever.
    void set_receive_timeout(std::optional<Duration> timeout) { receive_timeout_ = timeout; }
    /// SO_SNDTIMEO, for send and connect.
    void set_send_timeout(std::optional<Duration> timeout) { send_timeout_ = timeout; }
    /// O_NONBLOCK: what cannot be done at once is EAGAIN.
    void set_non_blocking(bool on) { non_blocking_ = on; }
    /// SO_BROADCAST, of a datagram socket.
    void set_broadcast(bool allowed);

    /// TCP_INFO; of what is no connection, all 0.
    TcpInfo info() const;

    Readiness readiness() const;
    Endpoint local() const;
    Endpoint remote() const;
    /// SO_ERROR: the pending error, which is cleared.
    Errno take_error();

    /// The handle inside; null when this is none of that kind.
    TcpSocket* tcp() { return std::get_if<TcpSocket>(&handle_); }
    const TcpSocket* tcp() const { return std::get_if<TcpSocket>(&handle_); }
    UdpSocket* udp() { return std::get_if<UdpSocket>(&handle_); }
    Listener* listener() { return std::get_if<Listener>(&handle_); }
    Runner* runner() { return runner_; }

private:
    template <typename Call>
    auto retry(Call call, bool Readiness::*event, TimePoint deadline) -> decltype(call());
    TimePoint deadline_of(const std::optional<Duration>& timeout) const;
    /// Lets the stack learn the time and send what is to be sent.
    void settle();
    std::expected<void, Errno> connect_stream(const Endpoint& remote);
    void renew();
    std::expected<void, Errno> set_datagram_options(const TcpSocketOptions& options);
    void linger(TcpSocket& socket, Duration limit);

    Runner* runner_ = nullptr;
    std::variant<std::monostate, TcpSocket, Listener, UdpSocket> handle_;
    TcpSocketOptions options_;
    std::optional<Duration> receive_timeout_;
    std::optional<Duration> send_timeout_;
    bool non_blocking_ = false;
    Errno pending_ = Errno::None;  ///< ended a send that had sent something
};

/// One line of poll(2)'s table, with Linux's meanings; see Readiness.
struct PollEntry {
    Socket* socket = nullptr;
    Readiness events;   ///< what is asked for; error and hangup always are, read_hangup is not
    Readiness revents;  ///< what of it holds
};

/// Waits until something that was asked for holds, and returns for how many sockets; 0 when the time
/// is over (nothing: wait forever). The sockets have one runner, or live in one world. EINVAL: an
/// empty table without a time; EBADF: a closed socket.
std::expected<std::size_t, Errno> poll(std::span<PollEntry> entries,
                                       std::optional<Duration> timeout = std::nullopt);

}  // namespace tapestry
