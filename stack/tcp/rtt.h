#pragma once

#include "stack/base/config.h"

namespace tapestry {

/// The retransmission timeout (RFC 6298): SRTT and RTTVAR from samples, doubled when the timer
/// expires.
class RttEstimator {
public:
    explicit RttEstimator(const TcpConfig& config) : rto_(config.initial_rto) {}

    /// One measured round trip, of a segment that was sent once (Karn's rule is the caller's). Ends the
    /// back-off.
    void sample(Duration rtt, const TcpConfig& config);
    /// The timer expired (5.5).
    void back_off(const TcpConfig& config);
    /// The SYN was lost: 5.7 sets the RTO for the data to 3 seconds.
    void syn_was_lost(const TcpConfig& config);

    /// With the back-off in it.
    Duration rto(const TcpConfig& config) const;
    Duration srtt() const { return srtt_; }
    Duration rttvar() const { return rttvar_; }
    bool has_sample() const { return srtt_ != Duration{}; }
    u8 backoff() const { return backoff_; }

private:
    Duration srtt_{};
    Duration rttvar_{};
    Duration rto_;
    u8 backoff_ = 0;
};

}  // namespace tapestry
