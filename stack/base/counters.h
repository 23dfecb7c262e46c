#pragma once

#include <array>

#include "stack/base/drop.h"

namespace tapestry {

/// What a stack has counted since it was made. The names are those of the MIB (RFC 4293, RFC 4022,
/// RFC 4113) where it has one. Plain values: copy them to compare two moments.
struct Counters {
    /// One counter per reason of refusal.
    std::array<u64, kDropCount> drops{};

    u64 frames_in = 0;
    u64 frames_out = 0;
    u64 bytes_in = 0;
    u64 bytes_out = 0;
    u64 arp_requests_out = 0;
    u64 arp_replies_out = 0;
    u64 ip_in_delivers = 0;
    u64 ip_out_requests = 0;
    u64 ip_forwarded = 0;
    u64 ip_reassembled = 0;
    u64 ip_fragments_created = 0;
    u64 icmp_in_msgs = 0;
    u64 icmp_out_msgs = 0;
    u64 icmp_out_rate_limited = 0;
    u64 udp_in_datagrams = 0;
    u64 udp_out_datagrams = 0;
    u64 tcp_active_opens = 0;
    u64 tcp_passive_opens = 0;
    u64 tcp_attempt_fails = 0;
    u64 tcp_syn_cookies_sent = 0;
    u64 tcp_syn_cookies_received = 0;
    u64 tcp_syn_cookies_failed = 0;  ///< an ACK at a listener that was none
    u64 tcp_estab_resets = 0;
    u64 tcp_in_segs = 0;
    u64 tcp_out_segs = 0;
    u64 tcp_retrans_segs = 0;
    u64 tcp_out_rsts = 0;
    u64 tcp_challenge_acks = 0;
    u64 tcp_timeouts = 0;
    u64 tcp_fast_retransmits = 0;
    u64 tcp_spurious_recoveries = 0;  ///< RFC 3522, RFC 3708
    u64 tcp_ecn_marks = 0;            ///< data with CE
    u64 tcp_ecn_reductions = 0;       ///< windows reduced for ECE
    u64 tcp_loss_probes = 0;          ///< RFC 8985 7.3
    u64 tcp_sack_reneged = 0;         ///< a peer has dropped what it had SACKed
    u64 tcp_sack_nonsense = 0;        ///< SACK blocks that cannot be true
    u64 tcp_dsacks_received = 0;      ///< a segment of ours came twice

    void count(Drop drop) { ++drops.at(static_cast<std::size_t>(drop)); }
    u64 of(Drop drop) const { return drops.at(static_cast<std::size_t>(drop)); }
};

}  // namespace tapestry
