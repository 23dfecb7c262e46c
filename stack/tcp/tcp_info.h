#pragma once

#include "stack/trace/tcp_snapshot.h"

namespace tapestry {

/// What the congestion control is about, with Linux's numbers (TCP_CA_*).
enum class CaState : u8 {
    Open,      ///< nothing is amiss
    Disorder,  ///< duplicate ACKs, fewer than prove a loss
    Cwr,       ///< the window has been reduced without a loss (ECN)
    Recovery,  ///< fast recovery
    Loss,      ///< after a retransmission timeout
};

/// TCPI_OPT_*: what both ends have agreed on.
struct TcpInfoOptions {
    static constexpr u8 kTimestamps = 1;
    static constexpr u8 kSack = 2;
    static constexpr u8 kWindowScale = 4;
    static constexpr u8 kEcn = 8;
    static constexpr u8 kEcnSeen = 16;
};

/// What Linux's TCP_INFO tells, by value, under its names. Times are durations, windows of the
/// congestion control are segments, as there; the rest is bytes or segments as the name says. What
/// this stack has no variable for is 0.
struct TcpInfo {
    TcpState state = TcpState::Closed;
    CaState ca_state = CaState::Open;
    u8 retransmits = 0;  ///< timeouts since SND.UNA moved
    u8 probes = 0;       ///< keep-alive and window probes that have not been answered
    u8 backoff = 0;      ///< how often the RTO has been doubled
    u8 options = 0;      ///< TcpInfoOptions
    u8 snd_wscale = 0;
    u8 rcv_wscale = 0;

    Duration rto{};
    Duration ato{};   ///< how long an acknowledgment may be delayed
    u32 snd_mss = 0;  ///< text of a full segment of ours, options taken off
    u32 rcv_mss = 0;  ///< the largest segment that has come

    u32 unacked = 0;  ///< segments between SND.UNA and SND.NXT
    u32 sacked = 0;
    u32 lost = 0;
    u32 retrans = 0;  ///< retransmitted segments under way

    Duration last_data_sent{};  ///< how long ago; 0 before the first
    Duration last_data_recv{};
    Duration last_ack_recv{};

    u32 pmtu = 0;
    u32 rcv_ssthresh = 0;  ///< the largest window that will be offered
    Duration rtt{};
    Duration rttvar{};
    u32 snd_ssthresh = 0;  ///< segments; kInfinite before the first loss
    u32 snd_cwnd = 0;      ///< segments
    u32 advmss = 0;        ///< the MSS that we advertise
    u32 reordering = 0;    ///< duplicate ACKs that prove a loss

    Duration rcv_rtt{};
    u32 rcv_space = 0;
    u32 total_retrans = 0;  ///< segments

    u64 bytes_acked = 0;     ///< text
    u64 bytes_received = 0;  ///< text, in order
    u64 bytes_sent = 0;      ///< text, retransmissions included
    u64 bytes_retrans = 0;
    u32 segs_out = 0;  ///< a super-frame is as many as it will be cut into
    u32 segs_in = 0;
    u32 data_segs_out = 0;
    u32 data_segs_in = 0;
    u32 notsent_bytes = 0;
    Duration min_rtt{};
    u32 delivered = 0;
    u32 snd_wnd = 0;  ///< bytes
    u32 rcv_wnd = 0;  ///< bytes

    static constexpr u32 kInfinite = 0x7fffffff;
    friend bool operator==(const TcpInfo&, const TcpInfo&) = default;
};

/// "open", "disorder", ...
std::string_view name(CaState state);

}  // namespace tapestry
