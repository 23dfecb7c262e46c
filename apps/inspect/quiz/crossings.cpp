#include "apps/inspect/quiz/crossings.h"

#include <algorithm>
#include <utility>

#include "apps/inspect/observed_packet.h"

namespace tapestry {
namespace {

/// A router passes a packet on within this time; in the capture of the other side, whose clock may be
/// another one, at any.
constexpr Duration kInside = 1s;
/// Of the text as much is compared, and of a packet as much is kept.
constexpr std::size_t kText = 32;
constexpr std::size_t kHeaders = 120;
/// As many packets are remembered; the questions are on the first ones.
constexpr std::size_t kRemembered = 65536;

void append(std::string& key, u64 value) {
    for (unsigned shift = 0; shift < 64; shift += 8)
        key += static_cast<char>(value >> shift & 0xffU);
}

std::string key_of(const Ipv4View& ip, const ObservedPacket& packet) {
    const Segment& seg = packet.segment;
    std::string key;
    append(key, u64{ip.identification()} << 32U | packet.length);
    append(key, u64{seg.seq.value()} << 32U | seg.ack.value());
    append(key, u64{seg.flags.bits} << 16U | seg.wnd);
    if (seg.options.timestamps) append(key, seg.options.timestamps->value);
    const Bytes text = seg.payload.first(std::min(kText, seg.payload.size()));
    key.append(text.begin(), text.end());
    return key;
}

}  // namespace

void Crossings::packet(u64 frame, TimePoint time, Bytes ipv4, std::size_t wire_size, bool other) {
    const auto ip = Ipv4View::parse_quoted(ipv4);
    if (!ip || ip->protocol() != IpProtocol::Tcp || ip->is_fragment()) return;
    const auto packet = observed_packet(*ip, wire_size);
    if (!packet) return;
    const Segment& seg = packet->segment;
    const auto size = static_cast<std::ptrdiff_t>(std::min(kHeaders, ipv4.size()));
    Seen now{frame, time, other, seg.source, seg.destination, {ipv4.begin(), ipv4.begin() + size}};
    const std::string key = key_of(*ip, *packet);
    const auto known = seen_.find(key);
    if (known == seen_.end()) {
        if (seen_.size() < kRemembered) seen_.emplace(key, std::move(now));
        return;
    }
    Seen was = std::exchange(known->second, std::move(now));
    const Seen& is = known->second;
    const bool translated = was.source != is.source || was.destination != is.destination;
    const bool near = was.other != other || time - was.time <= kInside;
    if (!translated || !near) return;
    // Of two captures the one that is read second may have had the packet first; its TTL says so.
    const auto ttl = [](const Seen& seen) { return Ipv4View::parse_quoted(seen.headers)->ttl(); };
    const bool forward = ttl(was) >= ttl(is);
    const auto side = [](Seen seen) {
        return Crossing::Side{seen.frame, seen.other, std::move(seen.headers)};
    };
    const bool opens = seg.flags.syn() && !seg.flags.ack();
    found_.push_back({side(forward ? was : is), side(forward ? is : was), opens});
}

}  // namespace tapestry
