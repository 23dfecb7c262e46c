#include "stack/tcp/syn_cookie.h"

#include <algorithm>
#include <array>

namespace tapestry {
namespace {

/// What three bits can say of an MSS: the smallest that is believed, those that are common (RFC 4987
/// 3.6), and one of large frames. The peer's own is at least the one that is taken for it.
constexpr std::array<u16, 8> kSizes{88, 536, 1024, 1220, 1360, 1440, 1460, 8960};

constexpr u32 kSumMask = (u32{1} << 24) - 1;
constexpr u32 kCountMask = 31;
constexpr u32 kOptionMask = 63;
constexpr u32 kNoWindowScale = 15;
constexpr u32 kSack = 16;
constexpr u32 kEcn = 32;

u64 count_at(TimePoint now) {
    return static_cast<u64>(now.time_since_epoch() / SynCookie::kPeriod);
}

u32 size_index(u16 mss) {
    const auto* above = std::upper_bound(kSizes.begin() + 1, kSizes.end(), mss);
    return static_cast<u32>(above - kSizes.begin()) - 1;
}

}  // namespace

Segment SynCookie::kept_of(const Segment& syn) {
    Segment kept = syn;
    kept.payload = {};
    if (syn.options.timestamps) return kept;
    kept.options.window_scale.reset();
    kept.options.sack_permitted = false;
    kept.flags = {TcpFlags::kSyn};
    return kept;
}

/// F of the peer's SYN at a time.
u32 SynCookie::sum(const Segment& syn, u64 count, u32 mss_index) const {
    std::array<u8, 25> bytes{};
    syn.destination.address.store(&bytes[0]);
    syn.source.address.store(&bytes[4]);
    store_be16(&bytes[8], syn.destination.port);
    store_be16(&bytes[10], syn.source.port);
    store_be32(&bytes[12], syn.seq.value());
    store_be32(&bytes[16], static_cast<u32>(count >> 32));
    store_be32(&bytes[20], static_cast<u32>(count));
    bytes[24] = static_cast<u8>(mss_index);
    return static_cast<u32>(siphash(secret_, bytes)) & kSumMask;
}

SeqNum SynCookie::iss(const Segment& syn, TimePoint now) const {
    const u64 count = count_at(now);
    const u32 index = size_index(syn.options.mss.value_or(536));
    const u32 period = static_cast<u32>(count) & kCountMask;
    return SeqNum(period << 27 | index << 24 | sum(syn, count, index));
}

u32 SynCookie::timestamp(const Segment& kept, u32 clock) {
    u32 options = kNoWindowScale;
    // RFC 7323 2.3: a shift above 14 is taken as 14.
    if (kept.options.window_scale) options = std::min<u32>(*kept.options.window_scale, 14);
    if (kept.options.sack_permitted) options |= kSack;
    if (kept.flags.ece() && kept.flags.cwr()) options |= kEcn;
    const u32 stamp = (clock & ~kOptionMask) | options;
    return static_cast<i32>(stamp - clock) > 0 ? stamp - (kOptionMask + 1) : stamp;
}

std::optional<Segment> SynCookie::syn_of(const Segment& ack, TimePoint now) const {
    Segment syn{.source = ack.source,
                .destination = ack.destination,
                .seq = ack.seq - 1U,
                .wnd = ack.wnd,
                .flags = {TcpFlags::kSyn}};
    const u32 cookie = (ack.ack - 1U).value();
    const u32 index = cookie >> 24 & 7;
    const u64 age = (count_at(now) - (cookie >> 27)) & kCountMask;
    if (age >= kPeriods || age > count_at(now)) return std::nullopt;
    if (sum(syn, count_at(now) - age, index) != (cookie & kSumMask)) return std::nullopt;

    syn.options.mss = kSizes.at(index);
    if (!ack.options.timestamps) return syn;
    const u32 options = ack.options.timestamps->echo_reply;
    syn.options.timestamps = ack.options.timestamps;
    syn.options.sack_permitted = (options & kSack) != 0;
    const u32 shift = options & kNoWindowScale;
    if (shift != kNoWindowScale) syn.options.window_scale = static_cast<u8>(shift);
    if ((options & kEcn) != 0) syn.flags.bits |= TcpFlags::kEce | TcpFlags::kCwr;
    return syn;
}

}  // namespace tapestry
