#pragma once

#include <array>
#include <string_view>

#include "stack/base/errno.h"
#include "stack/base/time.h"
#include "stack/wire/address.h"
#include "stack/wire/tcp_options.h"

namespace tapestry {

/// The states of RFC 9293 section 3.3.2. LISTEN is a listener's, never a connection's.
enum class TcpState : u8 {
    Closed,
    Listen,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
};

/// "SYN-RECEIVED", as the RFC writes it.
std::string_view name(TcpState state);

/// The deadlines of a connection.
enum class TcpTimer : u8 {
    LossProbe,    ///< PTO of RFC 8985 7.2; before the RTO, where both come at once
    Reorder,      ///< RFC 8985 6.2 step 5
    Rto,          ///< retransmission (RFC 6298)
    Persist,      ///< zero-window probe (RFC 9293 3.8.6.1)
    DelayedAck,   ///< RFC 9293 3.8.6.3
    KeepAlive,    ///< RFC 9293 3.8.4
    TimeWait,     ///< 2 MSL, or the wait of an orphan in FIN-WAIT-2
    UserTimeout,  ///< RFC 9293 3.8.3, R2
    kCount,
};
inline constexpr std::size_t kTcpTimerCount = static_cast<std::size_t>(TcpTimer::kCount);
/// "rto", "persist", "delack", ...
std::string_view name(TcpTimer timer);

/// A copy of everything that one end of a connection knows, in the RFC's names. Cheap to copy, good
/// for ever.
struct TcpSnapshot {
    TcpState state = TcpState::Closed;
    Endpoint local;
    Endpoint remote;

    // Send sequence variables (RFC 9293 section 3.3.1)
    SeqNum iss;
    SeqNum snd_una;
    SeqNum snd_nxt;
    u32 snd_wnd = 0;  ///< scaled: bytes
    SeqNum snd_wl1;
    SeqNum snd_wl2;
    u8 snd_wind_shift = 0;  ///< Snd.Wind.Shift (RFC 7323 2.3)
    // Receive sequence variables
    SeqNum irs;
    SeqNum rcv_nxt;
    u32 rcv_wnd = 0;  ///< as last advertised, scaled: bytes
    u8 rcv_wind_shift = 0;

    u32 send_queued = 0;           ///< bytes in the send buffer, acknowledged ones excluded
    u32 receive_queued = 0;        ///< bytes that the application can read
    u32 urgent_ahead = 0;          ///< bytes to read until the urgent data end; 0: there are none
    bool snd_urgent = false;       ///< urgent data have not been acknowledged; they end at ...
    SeqNum snd_up;                 ///< SND.UP
    u32 receive_out_of_order = 0;  ///< bytes that wait behind a hole
    u16 mss = 0;                   ///< effective send MSS
    bool timestamps = false;
    u32 ts_recent = 0;

    u32 cwnd = 0;
    u32 ssthresh = 0;
    bool in_recovery = false;
    u8 duplicate_acks = 0;
    SeqNum recovery_point;  ///< in_recovery: it ends when SND.UNA reaches this
    bool sack_permitted = false;
    u32 sacked = 0;     ///< bytes beyond SND.UNA that the peer has SACKed
    u32 pipe = 0;       ///< bytes believed to be in the network (RFC 6675)
    u32 lost = 0;       ///< bytes that count as lost and have not been sent again since
    u8 sack_count = 0;  ///< how many of ...
    std::array<SackBlock, TcpOptions::kMaxSackBlocks> sack_ranges{};  ///< the first that are SACKed
    Duration srtt{};
    Duration rttvar{};
    Duration rto{};
    Duration min_rtt{};            ///< RACK.min_RTT; 0: no sample yet
    bool reordering_seen = false;  ///< RACK.reordering_seen
    u8 backoff = 0;                ///< how often the RTO has been doubled
    u32 retransmissions = 0;

    /// kNever where the timer is off.
    std::array<TimePoint, kTcpTimerCount> deadlines = all_off();
    Errno error = Errno::None;

    static constexpr std::array<TimePoint, kTcpTimerCount> all_off() {
        std::array<TimePoint, kTcpTimerCount> off{};
        off.fill(kNever);
        return off;
    }
    friend bool operator==(const TcpSnapshot&, const TcpSnapshot&) = default;
};

}  // namespace tapestry
