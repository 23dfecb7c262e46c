#include "drivers/memory_link.h"

#include <algorithm>

#include "drivers/wire_frames.h"
#include "stack/wire/ethernet.h"

namespace tapestry {
namespace {

/// A VLAN tag may stand between the Ethernet header and the packet.
constexpr std::size_t kFrameOverhead = EthernetView::kHeaderSize + 4;

Duration time_on_wire(std::size_t bytes, u64 bytes_per_second) {
    if (bytes_per_second == 0) return {};
    return Duration(static_cast<i64>(u64{bytes} * 1'000'000'000 / bytes_per_second));
}

}  // namespace

MemoryLink::MemoryLink(Clock clock, const LinkConfig& config)
    : clock_(std::move(clock)),
      config_(config),
      pool_(PacketPool::kHeadroom + kFrameOverhead + std::max(config.mtu, config.max_super_frame),
            std::size_t{2} * config.max_frames) {
    for (End& end : ends_) end.link = this;
    ends_[0].other = &ends_[1];
    ends_[1].other = &ends_[0];
}

void MemoryLink::reconfigure(const LinkConfig& config) {
    config_.delay = config.delay;
    config_.bytes_per_second = config.bytes_per_second;
    config_.queue_bytes = config.queue_bytes;
    config_.tail_drop = config.tail_drop;
}

bool MemoryLink::fits(const Frame& frame) const {
    const bool super = frame.offload.gso != Offload::Gso::None;
    const u32 limit = super ? std::max(config_.mtu, config_.max_super_frame) : config_.mtu;
    return frame.size() <= kFrameOverhead + limit;
}

bool MemoryLink::transmit(Way& way, const Frame& frame) {
    if (!plugged_) {
        ++way.counters.unplugged_drops;
        return true;
    }
    if (!fits(frame)) {
        ++way.counters.size_drops;
        return true;
    }
    const TimePoint now = clock_();
    const std::size_t wire_size = WireFrames(frame).wire_size();
    const TimePoint start = std::max(now, way.wire_free);
    if (start > now) {
        const Duration capacity = time_on_wire(config_.queue_bytes, config_.bytes_per_second);
        if (start - now + time_on_wire(wire_size, config_.bytes_per_second) > capacity) {
            way.counters.queue_drops += config_.tail_drop ? 1 : 0;
            return config_.tail_drop;
        }
    }
    if (way.flights.size() >= config_.max_frames) return false;
    Packet packet = pool_.take();
    if (!packet) return false;
    packet.resize(frame.size());
    frame.copy_to(packet.mutable_bytes().data());
    packet.offload = frame.offload;
    way.wire_free = start + time_on_wire(wire_size, config_.bytes_per_second);
    TimePoint arrival = way.wire_free + config_.delay;
    // A cable keeps the order even when it has just become shorter.
    if (!way.flights.empty()) arrival = std::max(arrival, way.flights.back().arrival);
    way.flights.push_back({std::move(packet), arrival});
    ++way.counters.sent;
    return true;
}

PortCapabilities MemoryLink::End::capabilities() const {
    return {.mtu = link->config_.mtu, .max_super_frame = link->config_.max_super_frame};
}

bool MemoryLink::End::transmit(const Frame& frame) { return link->transmit(way, frame); }

std::size_t MemoryLink::End::receive(std::span<Packet> batch) {
    Way& in = other->way;
    const TimePoint now = link->clock_();
    std::size_t n = 0;
    while (n < batch.size() && !in.flights.empty() && in.flights.front().arrival <= now) {
        batch[n++] = std::move(in.flights.front().packet);
        in.flights.pop_front();
        ++in.counters.delivered;
    }
    return n;
}

std::optional<TimePoint> MemoryLink::End::next_deadline() const {
    const Way& in = other->way;
    if (in.flights.empty()) return std::nullopt;
    return in.flights.front().arrival;
}

}  // namespace tapestry
