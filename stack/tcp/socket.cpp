#include "stack/tcp/socket.h"

#include <algorithm>
#include <utility>

#include "stack/tcp/tcp.h"

namespace tapestry {
namespace {

constexpr auto kBadDescriptor = std::unexpected(Errno::BadDescriptor);

}  // namespace

TcpSocket::TcpSocket(TcpSocket&& other) noexcept
    : tcp_(std::exchange(other.tcp_, nullptr)),
      connection_(std::exchange(other.connection_, nullptr)) {}

TcpSocket& TcpSocket::operator=(TcpSocket&& other) noexcept {
    TcpSocket moved(std::move(other));
    std::swap(tcp_, moved.tcp_);
    std::swap(connection_, moved.connection_);
    return *this;
}

TcpSocket::~TcpSocket() { close(); }

std::expected<void, Errno> TcpSocket::bind(const Endpoint& local) {
    if (connection_ == nullptr) return kBadDescriptor;
    if (connection_->state() != TcpState::Closed || connection_->local().port != 0) {
        return std::unexpected(Errno::InvalidArgument);
    }
    if (!local.address.is_unspecified() && !tcp_->ip_.is_local(local.address)) {
        return std::unexpected(Errno::AddressNotAvailable);
    }
    if (local.port != 0 && !tcp_->port_free(local, nullptr)) {
        return std::unexpected(Errno::AddressInUse);
    }
    connection_->bind(local);
    return {};
}

std::expected<void, Errno> TcpSocket::connect(const Endpoint& remote) {
    if (connection_ == nullptr) return kBadDescriptor;
    if (connection_->state() != TcpState::Closed || connection_->opened_) {
        return std::unexpected(Errno::IsConnected);
    }
    // MUST-46: "An open request with an invalid [...] remote IP address [...] must be rejected".
    if (remote.port == 0) return std::unexpected(Errno::InvalidArgument);
    if (tcp_->ip_.is_broadcast(remote.address) || !remote.address.is_unicast()) {
        return std::unexpected(Errno::AccessDenied);
    }
    const auto local = tcp_->choose_local(*connection_, remote);
    if (!local) return std::unexpected(local.error());
    const TimePoint now = tcp_->services_.last_now;
    TcpTraceGuard guard(*connection_, Stimulus::User, now);
    connection_->open_active(*local, remote, now);
    tcp_->register_tuple(*connection_);
    tcp_->touch(*connection_);
    guard.decided(Verdict::UserOpen);
    return {};
}

std::expected<std::size_t, Errno> TcpSocket::write(Bytes data) {
    if (connection_ == nullptr) return kBadDescriptor;
    TcpTraceGuard guard(*connection_, Stimulus::User, tcp_->services_.last_now);
    guard.decided(Verdict::UserSend);
    return connection_->write(data);
}

std::expected<std::size_t, Errno> TcpSocket::write_urgent(Bytes data) {
    if (connection_ == nullptr) return kBadDescriptor;
    TcpTraceGuard guard(*connection_, Stimulus::User, tcp_->services_.last_now);
    guard.decided(Verdict::UserSend);
    return connection_->write(data, true);
}

std::size_t TcpSocket::urgent_ahead() const {
    return connection_ == nullptr ? 0 : connection_->urgent_ahead();
}

std::expected<std::size_t, Errno> TcpSocket::read(MutableBytes out) {
    if (connection_ == nullptr) return kBadDescriptor;
    TcpTraceGuard guard(*connection_, Stimulus::User, tcp_->services_.last_now);
    guard.decided(Verdict::UserReceive);
    return connection_->read(out);
}

std::expected<std::array<Bytes, 2>, Errno> TcpSocket::peek(std::size_t max) const {
    if (connection_ == nullptr) return kBadDescriptor;
    return connection_->peek(static_cast<u32>(std::min<std::size_t>(max, u32{1} << 30)));
}

void TcpSocket::consume(std::size_t n) {
    if (connection_ == nullptr || n == 0) return;
    TcpTraceGuard guard(*connection_, Stimulus::User, tcp_->services_.last_now);
    guard.decided(Verdict::UserReceive);
    connection_->consume(static_cast<u32>(n));
}

std::expected<void, Errno> TcpSocket::shutdown(Shutdown how) {
    if (connection_ == nullptr) return kBadDescriptor;
    TcpTraceGuard guard(*connection_, Stimulus::User, tcp_->services_.last_now);
    guard.decided(Verdict::UserShutdown);
    return connection_->shutdown(how);
}

void TcpSocket::close() {
    if (connection_ == nullptr) return;
    TcpTraceGuard guard(*connection_, Stimulus::User, tcp_->services_.last_now);
    guard.decided(Verdict::UserClose);
    std::exchange(connection_, nullptr)->close();
}

void TcpSocket::abort() {
    if (connection_ == nullptr) return;
    TcpTraceGuard guard(*connection_, Stimulus::User, tcp_->services_.last_now);
    guard.decided(Verdict::UserAbort);
    std::exchange(connection_, nullptr)->abort();
}

std::expected<void, Errno> TcpSocket::set_options(const TcpSocketOptions& options) {
    if (connection_ == nullptr) return kBadDescriptor;
    return connection_->set_options(options);
}

TcpSocketOptions TcpSocket::options() const {
    return connection_ == nullptr ? TcpSocketOptions{} : connection_->options();
}

TcpInfo TcpSocket::info() const { return connection_ == nullptr ? TcpInfo{} : connection_->info(); }

TcpState TcpSocket::state() const {
    return connection_ == nullptr ? TcpState::Closed : connection_->state();
}

Readiness TcpSocket::readiness() const {
    return connection_ == nullptr ? Readiness{} : connection_->readiness();
}

Endpoint TcpSocket::local() const {
    return connection_ == nullptr ? Endpoint{} : connection_->local();
}

Endpoint TcpSocket::remote() const {
    return connection_ == nullptr ? Endpoint{} : connection_->remote();
}

Errno TcpSocket::take_error() {
    return connection_ == nullptr ? Errno::BadDescriptor : connection_->take_error();
}

std::size_t TcpSocket::writable_bytes() const {
    return connection_ == nullptr ? 0 : connection_->writable_bytes();
}

std::size_t TcpSocket::readable_bytes() const {
    return connection_ == nullptr ? 0 : connection_->readable_bytes();
}

TcpSnapshot TcpSocket::snapshot() const {
    return connection_ == nullptr ? TcpSnapshot{} : connection_->snapshot();
}

void TcpSocket::watch(ReadySet* set, u64 token) {
    if (connection_ != nullptr) connection_->watch(set, token);
}

}  // namespace tapestry
