#include "drivers/ethernet_switch.h"

#include <algorithm>

#include "drivers/wire_frames.h"
#include "stack/wire/ethernet.h"

namespace tapestry {

EthernetSwitch::EthernetSwitch(Clock clock, const Config& config)
    : clock_(std::move(clock)),
      config_(config),
      pool_(PacketPool::kHeadroom + EthernetView::kHeaderSize + config.mtu, kMaxFrames) {
    for (std::size_t i = 0; i < config.ports; ++i) {
        ports_.push_back(std::make_unique<StationPort>());
        ports_.back()->owner = this;
        ports_.back()->index = i;
    }
}

void EthernetSwitch::learn(MacAddress station, StationPort& port) {
    if (station.is_group()) return;
    for (const auto& other : ports_) std::erase(other->heard, station);
    port.heard.push_back(station);
}

EthernetSwitch::StationPort* EthernetSwitch::port_of(MacAddress station) {
    for (const auto& port : ports_) {
        if (std::ranges::find(port->heard, station) != port->heard.end()) return port.get();
    }
    return nullptr;
}

void EthernetSwitch::deliver(const Packet& frame, StationPort& port) {
    Packet copy = pool_.take();
    // A switch that has no memory left loses frames, as a real one does.
    if (!copy || !copy.assign(frame.bytes())) return;
    TimePoint arrival = clock_() + config_.delay;
    if (!port.arriving.empty()) arrival = std::max(arrival, port.arriving.back().arrival);
    port.arriving.push_back({std::move(copy), arrival});
}

PortCapabilities EthernetSwitch::StationPort::capabilities() const {
    return {.mtu = owner->config_.mtu, .max_super_frame = 0};
}

bool EthernetSwitch::StationPort::transmit(const Frame& frame) {
    if (frame.size() > EthernetView::kHeaderSize + owner->config_.mtu) return true;
    Packet packet = owner->pool_.take();
    if (!packet) return false;
    const WireFrames wire(frame);  // checksums complete: what is copied has no offload
    const Frame whole = wire.at(0);
    packet.resize(whole.size());
    whole.copy_to(packet.mutable_bytes().data());
    const auto ethernet = EthernetView::parse(packet.bytes());
    if (!ethernet) return true;
    owner->learn(ethernet->source(), *this);
    StationPort* known = owner->port_of(ethernet->destination());
    if (known != nullptr) {
        if (known != this) owner->deliver(packet, *known);
        return true;
    }
    for (const auto& port : owner->ports_) {
        if (port.get() != this) owner->deliver(packet, *port);
    }
    return true;
}

std::size_t EthernetSwitch::StationPort::receive(std::span<Packet> batch) {
    const TimePoint now = owner->clock_();
    std::size_t n = 0;
    while (n < batch.size() && !arriving.empty() && arriving.front().arrival <= now) {
        batch[n++] = std::move(arriving.front().packet);
        arriving.pop_front();
    }
    return n;
}

std::optional<TimePoint> EthernetSwitch::StationPort::next_deadline() const {
    if (arriving.empty()) return std::nullopt;
    return arriving.front().arrival;
}

}  // namespace tapestry
