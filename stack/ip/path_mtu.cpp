#include "stack/ip/path_mtu.h"

#include <algorithm>
#include <array>

namespace tapestry {
namespace {

/// RFC 1191 section 7, table 7-1: the MTUs of common links, the steps down when a router does not
/// say its own.
constexpr std::array<u16, 11> kPlateaus = {65535, 32000, 17914, 8166, 4352, 2002,
                                           1492,  1006,  508,   296,  68};

}  // namespace

PathMtuCache::PathMtuCache(Services& services) : services_(services) {}

std::optional<u32> PathMtuCache::find(Ipv4Address destination) const {
    const auto found = by_destination_.find(destination.value());
    if (found == by_destination_.end()) return std::nullopt;
    return found->second->mtu;
}

u16 PathMtuCache::plateau_below(u16 packet_size) {
    const auto found =
        std::ranges::find_if(kPlateaus, [&](u16 plateau) { return plateau < packet_size; });
    return found == kPlateaus.end() ? kPlateaus.back() : *found;
}

u32 PathMtuCache::lower(Ipv4Address destination, u32 current, u16 reported, u16 packet_size,
                        TimePoint now) {
    u32 mtu = reported != 0 ? reported : plateau_below(packet_size);
    mtu = std::max<u32>(mtu, services_.config.ip.min_path_mtu);
    // RFC 1191 section 3: "A host MUST not increase its estimate of the Path MTU in response to the
    // contents of a Datagram Too Big message."
    if (mtu >= current) return current;
    if (const auto found = by_destination_.find(destination.value());
        found != by_destination_.end()) {
        entries_.erase(found->second);
        by_destination_.erase(found);
    }
    const u32 limit = services_.config.ip.max_path_mtu_entries;
    if (limit == 0) return current;
    while (entries_.size() >= limit) forget_first();
    entries_.push_back({destination, mtu, now + services_.config.ip.path_mtu_lifetime});
    by_destination_[destination.value()] = std::prev(entries_.end());
    arm();
    return mtu;
}

void PathMtuCache::expire(TimePoint now) {
    while (!entries_.empty() && entries_.front().expires <= now) forget_first();
    arm();
}

void PathMtuCache::forget_first() {
    by_destination_.erase(entries_.front().destination.value());
    entries_.pop_front();
}

void PathMtuCache::arm() {
    services_.timers.arm(ageing_, entries_.empty() ? kNever : entries_.front().expires);
}

}  // namespace tapestry
