#pragma once

#include <memory>

#include "stack/base/cwnd_config.h"
#include "stack/wire/seq_num.h"

namespace tapestry {

/// What an acknowledgment of new data tells the congestion control.
struct AckInfo {
    TimePoint now;
    u32 bytes_acked = 0;       ///< newly acknowledged
    u32 flight_size = 0;       ///< FlightSize before this acknowledgment, bytes
    u16 mss = 0;               ///< SMSS
    bool cwnd_limited = true;  ///< the window was what kept the sender back
    Duration rtt{};            ///< the latest sample; 0: none
    Duration srtt{};           ///< SRTT (RFC 6298); 0: unknown
    Duration rto{};            ///< RTO
    SeqNum snd_una{};          ///< after this acknowledgment
    SeqNum snd_nxt{};
};

/// What a detected loss tells it.
struct LossInfo {
    TimePoint now;
    u32 flight_size = 0;
    u16 mss = 0;
    u32 bytes_acked = 0;  ///< of on_spurious: what the acknowledgment that proves it covers
};

/// Congestion control (RFC 5681): numbers in, a window out. It never sees the connection, so a
/// student tests one without any TCP. Recovery's own window (RFC 6582) is not its business.
class CongestionControl {
public:
    /// A larger window only adds to what a burst can do wrong; and twice as much is still an u32.
    static constexpr u32 kMaxWindow = 1U << 30;

    virtual ~CongestionControl() = default;
    /// The congestion window in bytes.
    virtual u32 cwnd() const = 0;
    virtual u32 ssthresh() const = 0;
    /// The handshake is done: `window` is IW in bytes. Or this one takes over from another, whose
    /// window and threshold these are.
    virtual void start(u32 window, u32 ssthresh = ~u32{0}) = 0;
    /// New data were acknowledged outside of recovery.
    virtual void on_ack(const AckInfo& info) = 0;
    /// A segment was lost: once per window of data.
    virtual void on_loss(const LossInfo& info) = 0;
    /// The peer echoes a mark of congestion (RFC 3168 6.1.2): once per window of data.
    virtual void on_ecn(const LossInfo& info) = 0;
    /// Recovery is over; everything outstanding at its start has arrived.
    virtual void on_recovered(const LossInfo& info) = 0;
    /// The retransmission timer expired; `again`: for the same segment as the last time.
    virtual void on_timeout(const LossInfo& info, bool again) = 0;
    /// The last on_loss or on_timeout was none (RFC 4015, RFC 9438 4.9): what it took is given back.
    virtual void on_spurious(const LossInfo& info) = 0;
    /// Nothing was sent for longer than an RTO (RFC 5681 4.1). `restart_window` is RW in bytes.
    virtual void on_idle(u32 restart_window) = 0;
};

/// The configuration must outlive what these make.
std::unique_ptr<CongestionControl> make_reno(const CwndConfig& config);
std::unique_ptr<CongestionControl> make_cubic(const CwndConfig& config);
std::unique_ptr<CongestionControl> make_congestion(Congestion which, const CwndConfig& config);

}  // namespace tapestry
