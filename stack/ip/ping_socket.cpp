#include "stack/ip/ping_socket.h"

#include <utility>

#include "stack/ip/icmp.h"
#include "stack/ip/ping_port.h"

namespace tapestry {

PingSocket::PingSocket(PingSocket&& other) noexcept
    : icmp_(std::exchange(other.icmp_, nullptr)), port_(std::exchange(other.port_, nullptr)) {}

PingSocket& PingSocket::operator=(PingSocket&& other) noexcept {
    if (this != &other) {
        close();
        icmp_ = std::exchange(other.icmp_, nullptr);
        port_ = std::exchange(other.port_, nullptr);
    }
    return *this;
}

PingSocket::~PingSocket() { close(); }

std::expected<void, Errno> PingSocket::send(Ipv4Address destination, u16 sequence, Bytes data) {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    return icmp_->send_request(*port_, destination, sequence, data);
}

std::expected<PingReply, Errno> PingSocket::receive() {
    if (port_ == nullptr) return std::unexpected(Errno::BadDescriptor);
    if (port_->replies.empty()) return std::unexpected(Errno::Again);
    const PingReply reply = port_->replies.front();
    port_->replies.pop_front();
    return reply;
}

void PingSocket::set_ttl(u8 ttl) {
    if (port_ != nullptr) port_->ttl = ttl;
}

void PingSocket::set_broadcast(bool allowed) {
    if (port_ != nullptr) port_->broadcast = allowed;
}

void PingSocket::set_dont_fragment(bool on) {
    if (port_ != nullptr) port_->dont_fragment = on;
}

void PingSocket::close() {
    if (port_ != nullptr) icmp_->ports_.erase(port_->identifier);
    icmp_ = nullptr;
    port_ = nullptr;
}

u16 PingSocket::identifier() const { return port_ == nullptr ? u16{0} : port_->identifier; }

Readiness PingSocket::readiness() const {
    if (port_ == nullptr) return {.hangup = true};
    return {.readable = !port_->replies.empty(), .writable = true};
}

void PingSocket::watch(ReadySet* set, u64 token) {
    if (port_ == nullptr) return;
    port_->watch.set(set, token);
    if (!port_->replies.empty()) port_->watch.notify();
}

}  // namespace tapestry
