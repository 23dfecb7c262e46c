#include "stack/udp/socket.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "stack/udp/udp.h"
#include "stack/udp/udp_port.h"

namespace tapestry {

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : udp_(std::exchange(other.udp_, nullptr)), port_(std::exchange(other.port_, nullptr)) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
    if (this != &other) {
        close();
        udp_ = std::exchange(other.udp_, nullptr);
        port_ = std::exchange(other.port_, nullptr);
    }
    return *this;
}

UdpSocket::~UdpSocket() { close(); }

std::expected<void, Errno> UdpSocket::bind(const Endpoint& local) {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    return udp_->bind(*port_, local);
}

std::expected<void, Errno> UdpSocket::connect(const Endpoint& remote) {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    return udp_->connect(*port_, remote);
}

std::expected<std::size_t, Errno> UdpSocket::send(Bytes data) {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    if (!port_->remote) return std::unexpected(Errno::NotConnected);
    return send_to(data, *port_->remote);
}

std::expected<std::size_t, Errno> UdpSocket::send_to(Bytes data, const Endpoint& remote) {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    const Errno pending = std::exchange(port_->error, Errno::None);
    if (pending != Errno::None) return std::unexpected(pending);
    return udp_->send(*port_, remote, data);
}

std::expected<UdpDatagram, Errno> UdpSocket::receive(MutableBytes out) {
    const auto datagram = peek(out);
    if (!datagram) return datagram;
    port_->waiting_bytes -= port_->waiting.front().data.size() + UdpPort::kDatagramCost;
    port_->waiting.pop_front();
    return datagram;
}

std::expected<UdpDatagram, Errno> UdpSocket::peek(MutableBytes out) {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    const Errno pending = std::exchange(port_->error, Errno::None);
    if (pending != Errno::None) return std::unexpected(pending);
    if (port_->waiting.empty()) return std::unexpected(Errno::Again);
    const UdpPort::Waiting& first = port_->waiting.front();
    const std::size_t size = std::min(out.size(), first.data.size());
    if (size > 0) std::memcpy(out.data(), first.data.data(), size);
    return UdpDatagram{first.source, first.destination, size, size < first.data.size()};
}

void UdpSocket::set_broadcast(bool allowed) {
    if (port_ != nullptr) port_->broadcast = allowed;
}

void UdpSocket::set_reuse_address(bool allowed) {
    if (port_ != nullptr) port_->reuse_address = allowed;
}

void UdpSocket::set_ttl(u8 ttl) {
    if (port_ != nullptr) port_->ttl = ttl;
}

void UdpSocket::set_tos(u8 tos) {
    if (port_ != nullptr) port_->tos = tos;
}

std::expected<void, Errno> UdpSocket::set_receive_buffer(u32 bytes) {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    if (bytes > u32{1} << 30) return std::unexpected(Errno::InvalidArgument);
    port_->receive_buffer = bytes;
    return {};
}

Errno UdpSocket::take_error() {
    return port_ == nullptr ? Errno::BadDescriptor : std::exchange(port_->error, Errno::None);
}

void UdpSocket::close() {
    if (port_ != nullptr) udp_->close(*port_);
    udp_ = nullptr;
    port_ = nullptr;
}

Endpoint UdpSocket::local() const { return port_ == nullptr ? Endpoint() : port_->local; }

Endpoint UdpSocket::remote() const {
    return port_ == nullptr ? Endpoint() : port_->remote.value_or(Endpoint());
}

Readiness UdpSocket::readiness() const {
    if (port_ == nullptr) return {.hangup = true};
    const bool error = port_->error != Errno::None;
    return {.readable = error || !port_->waiting.empty(), .writable = true, .error = error};
}

void UdpSocket::watch(ReadySet* set, u64 token) {
    if (port_ == nullptr) return;
    port_->watch.set(set, token);
    if (readiness().readable) port_->watch.notify();
}

}  // namespace tapestry
