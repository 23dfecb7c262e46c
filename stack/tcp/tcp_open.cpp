// Ports and passive opens: which local endpoint a connection gets, and the listeners' handles.

#include <algorithm>

#include "stack/tcp/tcp.h"

namespace tapestry {

TcpSocket Tcp::socket() {
    Connection& connection = create();
    connection.adopt();
    return {*this, connection};
}

/// No listener and no socket holds this port for this address; with `remote`, no connection to it.
bool Tcp::port_free(const Endpoint& local, const Endpoint* remote) const {
    if (remote != nullptr) return !tuples_.contains({local, *remote});
    const auto clashes = [&](const Endpoint& other) {
        return other.port == local.port &&
               (other.address == local.address || other.address.is_unspecified() ||
                local.address.is_unspecified());
    };
    const auto listener_clashes = [&](const auto& queue) { return clashes(queue->local()); };
    const auto socket_clashes = [&](const auto& c) {
        return clashes(c->local()) && c->parent() == nullptr && c->state() != TcpState::TimeWait &&
               !(c->state() == TcpState::Closed && c->opened_);
    };
    return std::none_of(listeners_.begin(), listeners_.end(), listener_clashes) &&
           std::none_of(connections_.begin(), connections_.end(), socket_clashes);
}

/// MUST-44: the source address is the one by which IP would send; an unbound port is ephemeral
/// (RFC 6056 3.3.3: from a start that nobody can guess, another one for each destination, the next that
/// is free).
std::expected<Endpoint, Errno> Tcp::choose_local(const Connection& connection,
                                                 const Endpoint& remote) {
    const auto route = ip_.route(remote.address);
    if (!route) return std::unexpected(Errno::NetworkUnreachable);
    Endpoint local = connection.local();
    if (local.address.is_unspecified()) local.address = route->source;
    if (local.port != 0) {
        if (!port_free(local, &remote)) return std::unexpected(Errno::AddressNotAvailable);
        return local;
    }
    const TcpConfig& config = services_.config.tcp;
    const u32 count = u32{config.ephemeral_last} - config.ephemeral_first + 1;
    const u32 offset = isn_.port_offset(local.address, remote) % count;
    for (u32 tries = 0; tries < count; ++tries) {
        next_ephemeral_ = (next_ephemeral_ + 1) % count;
        local.port = static_cast<u16>(config.ephemeral_first + (offset + next_ephemeral_) % count);
        if (port_free(local, &remote) && find_listener(local) == nullptr) return local;
    }
    return std::unexpected(Errno::AddressNotAvailable);
}

void Tcp::take_options(Connection& connection, const ListenQueue& queue) {
    if (queue.options == TcpSocketOptions{}) return;
    static_cast<void>(connection.set_options(queue.options));  // they were checked by the listener
}

/// RFC 4987 3.6: there is no room to remember one more handshake, so the answer does it. The connection
/// that writes it is forgotten at once.
void Tcp::answer_with_cookie(ListenQueue& queue, const Segment& seg, TimePoint now) {
    Segment asked = seg;
    // A timestamp that we do not send cannot bring the other options back.
    if (!services_.config.tcp.timestamps) asked.options.timestamps.reset();
    const Segment syn = SynCookie::kept_of(asked);
    Connection forgotten(*this, services_);
    take_options(forgotten, queue);
    forgotten.open_with_cookie(syn, cookies_.iss(syn, now), now);
    TcpHeader answer = forgotten.header_of_syn_ack(now);
    if (auto& stamps = answer.options.timestamps) {
        stamps->value = SynCookie::timestamp(syn, stamps->value);
    }
    send_reply(seg, answer, now, forgotten.options_.get());
    queue.cookie_sent(now + SynCookie::kLifetime);
    ++services_.counters.tcp_syn_cookies_sent;
}

/// The third step of a handshake of which we remember nothing, if what it acknowledges is a cookie.
std::expected<void, Drop> Tcp::take_cookie(ListenQueue& queue, const Segment& seg, TimePoint now) {
    const auto syn = cookies_.syn_of(seg, now);
    if (!syn) {
        ++services_.counters.tcp_syn_cookies_failed;
        answer_nobody(seg, now);
        return std::unexpected(Drop::TcpListenNotSyn);
    }
    // The peer believes that it is connected, and will come again with what it sends.
    if (!queue.can_finish()) return std::unexpected(Drop::TcpAcceptQueueFull);
    if (connections_.size() >= services_.config.tcp.max_connections) {
        return std::unexpected(Drop::TcpNoMemory);
    }
    Connection& connection = create();
    {
        TcpTraceGuard guard(connection, Stimulus::Segment, now);
        guard.segment(seg);
        take_options(connection, queue);
        connection.open_with_cookie(*syn, seg.ack - 1U, now);
        connection.wait_at(queue);
        connection.cookie_was_sent(now);
        register_tuple(connection);
        guard.decided(Verdict::ListenCookie);
    }
    ++services_.counters.tcp_syn_cookies_received;
    const SegmentResult result = input(connection, seg, now);
    if (result.drop) return std::unexpected(*result.drop);
    return {};
}

/// The listener's own connections that nobody has accepted are reset.
void Tcp::close_listener(ListenQueue& queue) {
    for (const auto& connection : connections_) {
        if (connection->parent() == &queue) connection->abort();
    }
    // The connections are still its children until their resets have left; then they would call a
    // queue that is gone, so they are cut loose here.
    for (const auto& connection : connections_) {
        if (connection->parent() == &queue) connection->leave_parent();
    }
    std::erase_if(listeners_, [&](const auto& q) { return q.get() == &queue; });
}

Listener::Listener(Listener&& other) noexcept
    : tcp_(std::exchange(other.tcp_, nullptr)), queue_(std::exchange(other.queue_, nullptr)) {}

Listener& Listener::operator=(Listener&& other) noexcept {
    Listener moved(std::move(other));
    std::swap(tcp_, moved.tcp_);
    std::swap(queue_, moved.queue_);
    return *this;
}

Listener::~Listener() { close(); }

std::expected<void, Errno> Listener::listen(const Endpoint& local, u32 backlog) {
    if (tcp_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    if (queue_ != nullptr) return std::unexpected(Errno::InvalidArgument);
    if (!local.address.is_unspecified() && !tcp_->ip_.is_local(local.address)) {
        return std::unexpected(Errno::AddressNotAvailable);
    }
    const TcpConfig& config = tcp_->services_.config.tcp;
    Endpoint chosen = local;
    const u32 count = u32{config.ephemeral_last} - config.ephemeral_first + 1;
    for (u32 tries = 0; chosen.port == 0 && tries < count; ++tries) {
        Endpoint candidate = local;
        candidate.port = static_cast<u16>(config.ephemeral_first + tcp_->next_ephemeral_++ % count);
        if (tcp_->port_free(candidate, nullptr)) chosen = candidate;
    }
    if (chosen.port == 0 || !tcp_->port_free(chosen, nullptr)) {
        return std::unexpected(Errno::AddressInUse);
    }
    tcp_->listeners_.push_back(
        std::make_unique<ListenQueue>(chosen, backlog != 0 ? backlog : config.default_backlog));
    queue_ = tcp_->listeners_.back().get();
    return {};
}

std::expected<TcpSocket, Errno> Listener::accept() {
    if (queue_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    Connection* connection = queue_->take();
    if (connection == nullptr) return std::unexpected(Errno::Again);
    connection->adopt();
    return TcpSocket(*tcp_, *connection);
}

void Listener::close() {
    if (queue_ != nullptr) tcp_->close_listener(*queue_);
    queue_ = nullptr;
    tcp_ = nullptr;
}

bool Listener::acceptable() const { return queue_ != nullptr && !queue_->empty(); }

Endpoint Listener::local() const { return queue_ != nullptr ? queue_->local() : Endpoint{}; }

std::expected<void, Errno> Listener::set_options(const TcpSocketOptions& options) {
    if (queue_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    const auto right = check_options(options, tcp_->services_.config.tcp);
    if (right) queue_->options = options;
    return right;
}

void Listener::watch(ReadySet* set, u64 token) {
    if (queue_ != nullptr) queue_->watch(set, token);
}

}  // namespace tapestry
