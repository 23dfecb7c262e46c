#pragma once

#include <optional>

#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/wire/segment.h"

namespace tapestry {

/// SYN cookies (RFC 4987 section 3.6): a listener whose queue is full remembers nothing of a SYN. The
/// SYN-ACK itself does, and whoever answers it brings that back:
///
///     ISS    t mod 32 (5 bits) | which MSS (3) | F(addresses, ports, IRS, t, MSS, secret) (24)
///     TSval  our clock, but the low 6 bits:   ECN (1) | SACK (1) | window scale, 15: none (4)
///
/// t counts 64 seconds. A peer without timestamps loses its options but the MSS; a stranger who has
/// not seen the SYN-ACK hits one ISS in 2^24.
class SynCookie {
public:
    explicit SynCookie(const SipKey& secret) : secret_(secret) {}

    /// An answer is believed in this and in the next period: after 64 to 128 seconds no more.
    static constexpr Duration kPeriod = 64s;
    static constexpr u32 kPeriods = 2;
    static constexpr Duration kLifetime = kPeriods * kPeriod;

    /// What of a SYN comes back with a cookie.
    static Segment kept_of(const Segment& syn);
    /// The ISS of the answer.
    SeqNum iss(const Segment& syn, TimePoint now) const;
    /// TSval of the answer: at most 63 ticks before the clock, so that it never runs ahead.
    static u32 timestamp(const Segment& kept, u32 clock);

    /// The SYN that led to this ACK of a cookie; nothing where there was no cookie of ours.
    std::optional<Segment> syn_of(const Segment& ack, TimePoint now) const;

private:
    u32 sum(const Segment& syn, u64 count, u32 mss_index) const;
    SipKey secret_;
};

}  // namespace tapestry
