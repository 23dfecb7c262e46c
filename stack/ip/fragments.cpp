#include "stack/ip/fragments.h"

#include <algorithm>

#include "stack/wire/checksum.h"

/// Theory of operation. RFC 815 keeps a list of the holes in one buffer; here the pieces are kept,
/// in the order of their offsets, so that memory follows the data that came and not the offsets
/// that an attacker writes. A piece is placed in O(log n) and looks only at its two neighbours. As
/// all datagrams wait equally long, the oldest is also the next to expire: one timer serves all.

namespace tapestry {
namespace {

constexpr u32 kMaxPacket = 65535;

}  // namespace

Fragments::Fragments(Services& services, Listener& listener)
    : services_(services), listener_(listener) {}

std::expected<std::optional<MutableBytes>, Drop> Fragments::add(const Ipv4View& fragment,
                                                                bool link_broadcast,
                                                                TimePoint now) {
    const auto size = static_cast<u32>(fragment.payload().size());
    // RFC 791 3.2: fragments are cut on boundaries of eight octets; only the last may end
    // elsewhere. Empty ones would cost memory and lead nowhere.
    if (size == 0 || (fragment.more_fragments() && size % 8 != 0)) {
        return std::unexpected(Drop::FragmentBadLength);
    }
    const Key key{fragment.source(), fragment.destination(), static_cast<u8>(fragment.protocol()),
                  fragment.identification()};
    auto place = open(key, now);
    if (place == table_.end()) return std::unexpected(Drop::FragmentNoMemory);
    if (place->second.refused) return std::unexpected(Drop::FragmentOverlap);

    if (!make_room(key, size + kFragmentCost, now)) {
        refuse(place);
        return std::unexpected(Drop::FragmentNoMemory);
    }
    Datagram& datagram = place->second;
    datagram.link_broadcast = datagram.link_broadcast || link_broadcast;
    const u32 before = datagram.have;
    if (const auto inserted = insert(datagram, fragment); !inserted) {
        refuse(place);
        return std::unexpected(inserted.error());
    }
    if (datagram.have != before) charge(place, size + kFragmentCost);
    if (!complete(datagram)) return std::nullopt;
    const auto whole = assemble(datagram);
    if (!whole) {
        refuse(place);
        return std::unexpected(whole.error());
    }
    erase(place);
    ++services_.counters.ip_reassembled;
    return *whole;
}

/// The datagram that a fragment belongs to, new if need be; the end when there is no room for one.
Fragments::Table::iterator Fragments::open(const Key& key, TimePoint now) {
    auto place = table_.find(key);
    if (place != table_.end()) return place;
    if (!make_room(key, kDatagramCost, now)) return table_.end();
    place = table_.try_emplace(key).first;
    Datagram& datagram = place->second;
    datagram.number = next_number_++;
    // RFC 1122 3.3.2: "The reassembly timeout value SHOULD be a fixed value, not set from the
    // remaining TTL."
    datagram.expires = now + services_.config.ip.reassembly_timeout;
    by_age_.emplace(datagram.number, place);
    by_source_.emplace(key.source, datagram.number);
    charge(place, kDatagramCost);
    services_.timers.arm(ageing_, by_age_.begin()->second->second.expires);
    return place;
}

/// Drops the oldest datagrams until `needed` bytes fit, but not the one that is being added to.
bool Fragments::make_room(const Key& key, std::size_t needed, TimePoint now) {
    const auto own = table_.find(key);
    const u64 spared = own != table_.end() ? own->second.number : next_number_;
    const auto drop = [&](Table::iterator oldest) {
        services_.refuse(Drop::FragmentNoMemory, oldest->second.header, now);
        erase(oldest);
    };
    const auto used = [&] {
        const auto found = memory_of_.find(key.source);
        return found == memory_of_.end() ? 0 : found->second;
    };
    while (used() + needed > services_.config.ip.reassembly_memory_per_source) {
        auto oldest = by_source_.lower_bound({key.source, 0});
        if (oldest != by_source_.end() && oldest->second == spared) ++oldest;
        if (oldest == by_source_.end() || oldest->first != key.source) return false;
        drop(by_age_.at(oldest->second));
    }
    while (memory_ + needed > services_.config.ip.reassembly_memory) {
        auto oldest = by_age_.begin();
        if (oldest != by_age_.end() && oldest->first == spared) ++oldest;
        if (oldest == by_age_.end()) return false;
        drop(oldest->second);
    }
    return true;
}

/// Places one piece; an exact duplicate changes nothing. An error means that the datagram cannot be
/// believed any more.
std::expected<void, Drop> Fragments::insert(Datagram& datagram, const Ipv4View& fragment) {
    const Bytes data = fragment.payload();
    const u32 begin = fragment.fragment_offset();
    const u32 end = begin + static_cast<u32>(data.size());
    if (fragment.header_size() + end > kMaxPacket) return std::unexpected(Drop::FragmentTooLong);

    auto& pieces = datagram.pieces;
    const u32 furthest =
        pieces.empty() ? 0
                       : pieces.rbegin()->first + static_cast<u32>(pieces.rbegin()->second.size());
    const bool last = !fragment.more_fragments();
    // Nothing may lie beyond the end of the last fragment, of whichever came first.
    if ((datagram.end && end > *datagram.end) || (last && furthest > end)) {
        return std::unexpected(Drop::FragmentOverlap);
    }

    const auto next = pieces.lower_bound(begin);
    if (next != pieces.end() && next->first == begin && std::ranges::equal(next->second, data)) {
        // The last fragment and a middle one may not be the same piece.
        const bool was_last = datagram.end == end;
        if (was_last != last) return std::unexpected(Drop::FragmentOverlap);
        return {};
    }
    // RFC 5722 4 refuses all of a datagram with overlapping fragments, for IPv6; no honest sender
    // makes them in IPv4 either, as it cuts the same datagram in the same way.
    if (next != pieces.end() && next->first < end) return std::unexpected(Drop::FragmentOverlap);
    if (next != pieces.begin()) {
        const auto& [offset, bytes] = *std::prev(next);
        if (offset + bytes.size() > begin) return std::unexpected(Drop::FragmentOverlap);
    }
    if (pieces.size() >= services_.config.ip.max_fragments_per_datagram) {
        return std::unexpected(Drop::FragmentNoMemory);
    }
    pieces.emplace_hint(next, begin, std::vector<u8>(data.begin(), data.end()));
    datagram.have += static_cast<u32>(data.size());
    if (last) datagram.end = end;
    if (begin == 0) {
        const Bytes header = fragment.bytes().first(fragment.header_size());
        datagram.header.assign(header.begin(), header.end());
    }
    return {};
}

bool Fragments::complete(const Datagram& datagram) const {
    // The pieces neither overlap nor pass the end, so that they fill it when their sum does.
    return datagram.end && datagram.have == *datagram.end;
}

std::expected<MutableBytes, Drop> Fragments::assemble(const Datagram& datagram) {
    const std::size_t header_size = datagram.header.size();
    const std::size_t total = header_size + datagram.have;
    if (total > kMaxPacket) return std::unexpected(Drop::FragmentTooLong);
    assembled_.resize(total);
    std::ranges::copy(datagram.header, assembled_.begin());
    for (const auto& [offset, bytes] : datagram.pieces) {
        std::ranges::copy(bytes,
                          assembled_.begin() + static_cast<std::ptrdiff_t>(header_size + offset));
    }
    u8* p = assembled_.data();
    store_be16(p + Ipv4View::kTotalLength, static_cast<u16>(total));
    store_be16(p + Ipv4View::kFlagsAndOffset, 0);
    store_be16(p + Ipv4View::kChecksum, 0);
    store_be16(p + Ipv4View::kChecksum, internet_checksum({p, header_size}));
    return MutableBytes(assembled_);
}

void Fragments::charge(Table::iterator place, std::size_t bytes) {
    place->second.memory += bytes;
    memory_of_[place->first.source] += bytes;
    memory_ += bytes;
}

/// Frees the pieces and remembers the datagram only as one to be refused.
void Fragments::refuse(Table::iterator place) {
    Datagram& datagram = place->second;
    datagram.refused = true;
    datagram.pieces.clear();
    datagram.header.clear();
    const std::size_t freed = datagram.memory - kDatagramCost;
    datagram.memory -= freed;
    memory_of_[place->first.source] -= freed;
    memory_ -= freed;
}

void Fragments::erase(Table::iterator place) {
    const Datagram& datagram = place->second;
    const auto owner = memory_of_.find(place->first.source);
    owner->second -= datagram.memory;
    if (owner->second == 0) memory_of_.erase(owner);
    memory_ -= datagram.memory;
    by_source_.erase({place->first.source, datagram.number});
    by_age_.erase(datagram.number);
    table_.erase(place);
    services_.timers.arm(ageing_,
                         by_age_.empty() ? kNever : by_age_.begin()->second->second.expires);
}

void Fragments::expire(TimePoint now) {
    while (!by_age_.empty() && by_age_.begin()->second->second.expires <= now) {
        const auto place = by_age_.begin()->second;
        const Datagram datagram = std::move(place->second);
        erase(place);
        if (datagram.refused) continue;
        std::vector<u8> first = datagram.header;
        if (!first.empty()) {
            const auto& data = datagram.pieces.begin()->second;
            first.insert(first.end(), data.begin(), data.end());
        }
        services_.refuse(Drop::FragmentTimeout, first, now);
        // RFC 1122 3.3.2: "If this timeout expires, the partially-reassembled datagram MUST be
        // discarded and an ICMP Time Exceeded message sent to the source host (if fragment zero has
        // been received)."
        if (!first.empty()) listener_.reassembly_expired(first, datagram.link_broadcast, now);
    }
}

}  // namespace tapestry
