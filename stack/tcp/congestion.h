#pragma once

#include <memory>

#include "stack/base/time.h"

namespace tapestry {

/// What an acknowledgment of new data tells the congestion control.
struct AckInfo {
    TimePoint now;
    u32 bytes_acked = 0;       ///< newly acknowledged
    u32 flight_size = 0;       ///< FlightSize before this acknowledgment, bytes
    u16 mss = 0;               ///< SMSS
    bool cwnd_limited = true;  ///< the window was what kept the sender back
    Duration rtt{};            ///< the latest sample; 0: none
};

/// What a detected loss tells it.
struct LossInfo {
    TimePoint now;
    u32 flight_size = 0;
    u16 mss = 0;
};

/// Congestion control (RFC 5681): numbers in, a window out. It never sees the connection, so a
/// student tests one without any TCP. Recovery's own window (RFC 6582) is not its business.
class CongestionControl {
public:
    virtual ~CongestionControl() = default;
    /// The congestion window in bytes.
    virtual u32 cwnd() const = 0;
    virtual u32 ssthresh() const = 0;
    /// The handshake is done. `initial_window` is IW in bytes.
    virtual void start(u32 initial_window, u16 mss) = 0;
    /// New data were acknowledged outside of recovery.
    virtual void on_ack(const AckInfo& info) = 0;
    /// Duplicate ACKs say that a segment was lost: once per window of data.
    virtual void on_loss(const LossInfo& info) = 0;
    /// Recovery is over; everything outstanding at its start has arrived.
    virtual void on_recovered(const LossInfo& info) = 0;
    /// The retransmission timer expired; `again`: for the same segment as the last time.
    virtual void on_timeout(const LossInfo& info, bool again) = 0;
    /// Nothing was sent for longer than an RTO (RFC 5681 4.1). `restart_window` is RW in bytes.
    virtual void on_idle(u32 restart_window) = 0;
};

std::unique_ptr<CongestionControl> make_reno();

}  // namespace tapestry
