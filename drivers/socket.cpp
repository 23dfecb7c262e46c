#include "drivers/socket.h"

#include <algorithm>
#include <utility>

/// How it works. Each call is tried on the stack's handle; EAGAIN makes it wait for the handle to
/// become ready and try again. settle() before a call tells the stack the time, for what it sends at
/// once (UDP); after a call it sends what the call has left to be sent.

namespace tapestry {
namespace {

constexpr auto kBadDescriptor = std::unexpected(Errno::BadDescriptor);
constexpr auto kInvalid = std::unexpected(Errno::InvalidArgument);

}  // namespace

Socket::Socket(Runner& runner, SocketType type) : runner_(&runner) {
    if (type == SocketType::Stream) {
        handle_ = runner.stack().tcp_socket();
    } else {
        handle_ = runner.stack().udp_socket();
    }
}

Socket::Socket(Socket&& other) noexcept { *this = std::move(other); }

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this == &other) return *this;
    close();
    runner_ = std::exchange(other.runner_, nullptr);
    handle_ = std::exchange(other.handle_, std::monostate());
    options_ = other.options_;
    receive_timeout_ = other.receive_timeout_;
    send_timeout_ = other.send_timeout_;
    non_blocking_ = other.non_blocking_;
    pending_ = std::exchange(other.pending_, Errno::None);
    return *this;
}

TimePoint Socket::deadline_of(const std::optional<Duration>& timeout) const {
    if (!timeout) return kNever;
    const TimePoint now = runner_->now();
    return *timeout < kNever - now ? now + *timeout : kNever;
}

void Socket::settle() { runner_->stack().advance(runner_->now()); }

/// Calls until it says something else than EAGAIN, and waits in between for `event`. What happens
/// meanwhile may close this socket: EBADF.
template <typename Call>
auto Socket::retry(Call call, bool Readiness::*event, TimePoint deadline) -> decltype(call()) {
    while (true) {
        auto result = call();
        if (result || result.error() != Errno::Again || non_blocking_) return result;
        const auto ready = [&] { return !*this || readiness().*event; };
        if (ready()) {
            // A full device looks writable: it says nothing when it has room again.
            constexpr Duration kRetry = 1ms;
            const TimePoint retry_at = std::min(deadline, runner_->now() + kRetry);
            runner_->run_until([] { return false; }, retry_at);
            if (!*this) return kBadDescriptor;
            const TimePoint now = runner_->now();
            if (now < retry_at || now >= deadline) return call();  // stopped, or too late
        } else if (!runner_->run_until(ready, deadline)) {
            return result;
        }
        if (!*this) return kBadDescriptor;
    }
}

std::expected<void, Errno> Socket::bind(const Endpoint& local) {
    if (TcpSocket* socket = tcp()) return socket->bind(local);
    if (UdpSocket* socket = udp()) return socket->bind(local);
    return *this ? std::expected<void, Errno>(kInvalid) : kBadDescriptor;
}

std::expected<void, Errno> Socket::connect(const Endpoint& remote) {
    if (tcp() != nullptr) return connect_stream(remote);
    if (UdpSocket* socket = udp()) return socket->connect(remote);
    return *this ? std::expected<void, Errno>(kInvalid) : kBadDescriptor;
}

std::expected<void, Errno> Socket::connect_stream(const Endpoint& remote) {
    settle();
    if (const auto started = tcp()->connect(remote); !started) return started;
    settle();
    const auto decided = [&] { return tcp() == nullptr || readiness().writable; };
    if (!decided()) {
        if (non_blocking_) return std::unexpected(Errno::InProgress);
        if (!runner_->run_until(decided, deadline_of(send_timeout_))) {
            return std::unexpected(Errno::InProgress);
        }
    }
    if (tcp() == nullptr) return kBadDescriptor;  // closed meanwhile
    const Errno error = tcp()->take_error();
    if (error == Errno::None) return {};
    // As on other systems the socket may be used for another attempt.
    renew();
    return std::unexpected(error);
}

/// A fresh socket inside, with the options that the last one had.
void Socket::renew() {
    handle_ = runner_->stack().tcp_socket();
    if (!tcp()->set_options(options_)) options_ = {};
}

std::expected<void, Errno> Socket::listen(u32 backlog) {
    if (listener() != nullptr) return {};
    TcpSocket* socket = tcp();
    if (socket == nullptr) return *this ? std::expected<void, Errno>(kInvalid) : kBadDescriptor;
    if (socket->state() != TcpState::Closed || socket->remote().port != 0) return kInvalid;
    const Endpoint local = socket->local();
    // The port is given up so that the listener can have it.
    socket->close();
    settle();
    Listener listening = runner_->stack().tcp_listener();
    const auto result = listening.listen(local, backlog);
    if (result) {
        listening.set_options(options_);  // there is nothing to set them on before
        handle_ = std::move(listening);
        return {};
    }
    renew();
    const auto bound = tcp()->bind(local);
    return bound ? result : bound;
}

std::expected<Socket, Errno> Socket::accept() {
    if (!*this) return kBadDescriptor;
    if (listener() == nullptr) return kInvalid;
    auto accepted = retry([&] { return listener()->accept(); }, &Readiness::readable,
                          deadline_of(receive_timeout_));
    if (!accepted) return std::unexpected(accepted.error());
    Socket socket;
    socket.runner_ = runner_;
    socket.options_ = accepted->options();
    socket.handle_ = std::move(*accepted);
    return socket;
}

std::expected<std::size_t, Errno> Socket::send(std::string_view text) {
    return send(Bytes(reinterpret_cast<const u8*>(text.data()), text.size()));
}

std::expected<std::size_t, Errno> Socket::send(Bytes data) {
    if (pending_ != Errno::None) return std::unexpected(std::exchange(pending_, Errno::None));
    const TimePoint deadline = runner_ != nullptr ? deadline_of(send_timeout_) : kNever;
    if (udp() != nullptr) {
        settle();
        return retry([&] { return udp()->send(data); }, &Readiness::writable, deadline);
    }
    if (tcp() == nullptr) {
        return *this ? std::expected<std::size_t, Errno>(std::unexpected(Errno::NotConnected))
                     : kBadDescriptor;
    }
    std::size_t sent = 0;
    do {
        const auto n =
            retry([&] { return tcp()->write(data.subspan(sent)); }, &Readiness::writable, deadline);
        settle();
        if (!n) {
            if (sent == 0) return n;
            if (n.error() != Errno::Again) pending_ = n.error();
            break;
        }
        sent += *n;
    } while (sent < data.size() && !non_blocking_);
    return sent;
}

std::expected<std::size_t, Errno> Socket::recv(MutableBytes out) {
    if (udp() != nullptr) {
        const auto datagram = receive_from(out);
        if (!datagram) return std::unexpected(datagram.error());
        return datagram->size;
    }
    if (tcp() == nullptr) {
        return *this ? std::expected<std::size_t, Errno>(std::unexpected(Errno::NotConnected))
                     : kBadDescriptor;
    }
    if (out.empty()) return 0;
    const auto n = retry([&] { return tcp()->read(out); }, &Readiness::readable,
                         deadline_of(receive_timeout_));
    if (n && *n > 0) settle();  // the window may have opened
    return n;
}

std::expected<std::size_t, Errno> Socket::peek(MutableBytes out) {
    if (!*this) return kBadDescriptor;
    const TimePoint deadline = deadline_of(receive_timeout_);
    if (udp() != nullptr) {
        const auto datagram =
            retry([&] { return udp()->peek(out); }, &Readiness::readable, deadline);
        if (!datagram) return std::unexpected(datagram.error());
        return datagram->size;
    }
    if (tcp() == nullptr) return std::unexpected(Errno::NotConnected);
    const auto pieces =
        retry([&] { return tcp()->peek(out.size()); }, &Readiness::readable, deadline);
    if (!pieces) return std::unexpected(pieces.error());
    u8* end = std::ranges::copy((*pieces)[0], out.data()).out;
    end = std::ranges::copy((*pieces)[1], end).out;
    return static_cast<std::size_t>(end - out.data());
}

std::expected<std::size_t, Errno> Socket::send_to(Bytes data, const Endpoint& remote) {
    if (!*this) return kBadDescriptor;
    if (udp() == nullptr) return kInvalid;
    settle();
    return retry([&] { return udp()->send_to(data, remote); }, &Readiness::writable,
                 deadline_of(send_timeout_));
}

std::expected<UdpDatagram, Errno> Socket::receive_from(MutableBytes out) {
    if (!*this) return kBadDescriptor;
    if (udp() == nullptr) return kInvalid;
    return retry([&] { return udp()->receive(out); }, &Readiness::readable,
                 deadline_of(receive_timeout_));
}

std::expected<void, Errno> Socket::shutdown(Shutdown how) {
    if (!*this) return kBadDescriptor;
    if (tcp() == nullptr) return std::unexpected(Errno::NotConnected);
    const auto result = tcp()->shutdown(how);
    settle();
    return result;
}

void Socket::close() {
    if (!*this) return;
    if (TcpSocket* socket = tcp()) {
        const bool waits = options_.linger && *options_.linger > Duration{} && !non_blocking_;
        if (waits && socket->readable_bytes() == 0) linger(*socket, *options_.linger);
    }
    handle_ = std::monostate();
    settle();
}

/// Sends the FIN and waits for everything, it included, to be acknowledged.
void Socket::linger(TcpSocket& socket, Duration limit) {
    if (!socket.shutdown(Shutdown::Send)) return;
    settle();
    const auto acknowledged = [&] {
        if (tcp() == nullptr) return true;  // closed meanwhile
        const TcpState state = socket.state();
        return state != TcpState::FinWait1 && state != TcpState::Closing &&
               state != TcpState::LastAck;
    };
    runner_->run_until(acknowledged, deadline_of(limit));
}

std::expected<void, Errno> Socket::set_options(const TcpSocketOptions& options) {
    if (!*this) return kBadDescriptor;
    std::expected<void, Errno> set;
    if (TcpSocket* socket = tcp()) {
        set = socket->set_options(options);
        if (set) settle();
    } else if (Listener* listening = listener()) {
        set = listening->set_options(options);
    } else {
        set = set_datagram_options(options);
    }
    if (set) options_ = tcp() != nullptr ? tcp()->options() : options;
    return set;
}

std::expected<void, Errno> Socket::set_datagram_options(const TcpSocketOptions& options) {
    TcpSocketOptions understood;
    understood.ttl = options.ttl;
    understood.tos = options.tos;
    understood.receive_buffer = options.receive_buffer;
    if (!(options == understood)) return kInvalid;
    if (const auto set = udp()->set_receive_buffer(options.receive_buffer); !set) return set;
    udp()->set_ttl(options.ttl);
    udp()->set_tos(options.tos);
    return {};
}

TcpInfo Socket::info() const { return tcp() != nullptr ? tcp()->info() : TcpInfo{}; }

void Socket::set_broadcast(bool allowed) {
    if (UdpSocket* socket = udp()) socket->set_broadcast(allowed);
}

Readiness Socket::readiness() const {
    if (const auto* socket = std::get_if<TcpSocket>(&handle_)) return socket->readiness();
    if (const auto* socket = std::get_if<UdpSocket>(&handle_)) return socket->readiness();
    if (const auto* listening = std::get_if<Listener>(&handle_)) {
        return {.readable = listening->acceptable()};
    }
    return {};
}

Endpoint Socket::local() const {
    if (const auto* socket = std::get_if<TcpSocket>(&handle_)) return socket->local();
    if (const auto* socket = std::get_if<UdpSocket>(&handle_)) return socket->local();
    if (const auto* listening = std::get_if<Listener>(&handle_)) return listening->local();
    return {};
}

Endpoint Socket::remote() const {
    if (const auto* socket = std::get_if<TcpSocket>(&handle_)) return socket->remote();
    if (const auto* socket = std::get_if<UdpSocket>(&handle_)) return socket->remote();
    return {};
}

Errno Socket::take_error() {
    if (pending_ != Errno::None) return std::exchange(pending_, Errno::None);
    if (TcpSocket* socket = tcp()) return socket->take_error();
    if (UdpSocket* socket = udp()) return socket->take_error();
    return *this ? Errno::None : Errno::BadDescriptor;
}

std::expected<std::size_t, Errno> poll(std::span<PollEntry> entries,
                                       std::optional<Duration> timeout) {
    if (entries.empty()) return kInvalid;
    for (const PollEntry& entry : entries) {
        if (entry.socket == nullptr || !*entry.socket) return kBadDescriptor;
    }
    std::size_t count = 0;
    const auto look = [&] {
        count = 0;
        for (PollEntry& entry : entries) {
            const Readiness now = entry.socket->readiness();
            entry.revents = {.readable = now.readable && entry.events.readable,
                             .writable = now.writable && entry.events.writable,
                             .hangup = now.hangup,
                             .error = now.error,
                             .priority = now.priority && entry.events.priority,
                             .read_hangup = now.read_hangup && entry.events.read_hangup};
            count += entry.revents == Readiness{} ? 0 : 1;
        }
        return count > 0;
    };
    Runner& runner = *entries.front().socket->runner();
    const TimePoint now = runner.now();
    const bool forever = !timeout || *timeout >= kNever - now;
    runner.run_until(look, forever ? kNever : now + *timeout);
    return count;
}

}  // namespace tapestry
