#pragma once

#include <list>
#include <optional>
#include <unordered_map>

#include "stack/link/services.h"

namespace tapestry {

/// What is known of the paths' MTUs (RFC 1191): only destinations whose path is narrower than the
/// first link. An entry is forgotten Ipv4Config::path_mtu_lifetime after it was made, so that a
/// wider path is found again (RFC 1191 section 6.3). Bounded; the oldest goes first.
class PathMtuCache {
public:
    /// `services` outlives the cache.
    explicit PathMtuCache(Services& services);
    PathMtuCache(const PathMtuCache&) = delete;
    PathMtuCache& operator=(const PathMtuCache&) = delete;

    std::optional<u32> find(Ipv4Address destination) const;
    /// Takes in what a router reports about a packet of `packet_size` bytes; `reported` is 0 when
    /// it did not say. `current` is the MTU of the path so far. Returns what it is from now on:
    /// never more than before, and not below Ipv4Config::min_path_mtu unless it was before.
    u32 lower(Ipv4Address destination, u32 current, u16 reported, u16 packet_size, TimePoint now);

    std::size_t size() const { return entries_.size(); }
    /// The greatest of the plateaus of RFC 1191 section 7 that is below `packet_size`.
    static u16 plateau_below(u16 packet_size);

private:
    struct Entry {
        Ipv4Address destination;
        u32 mtu = 0;
        TimePoint expires;
    };
    struct Ageing final : Timer {
        explicit Ageing(PathMtuCache& c) : cache(c) {}
        void on_timer(TimePoint now) override { cache.expire(now); }
        PathMtuCache& cache;
    };

    void expire(TimePoint now);
    void forget_first();
    void arm();

    Services& services_;
    std::list<Entry> entries_;  ///< in the order in which they expire
    std::unordered_map<u32, std::list<Entry>::iterator> by_destination_;
    Ageing ageing_{*this};
};

}  // namespace tapestry
