#include "stack/tcp/rtt.h"

#include <algorithm>

namespace tapestry {

void RttEstimator::sample(Duration rtt, const TcpConfig& config) {
    rtt = std::max(rtt, Duration{1});
    if (!has_sample()) {
        // 2.2: SRTT <- R, RTTVAR <- R/2
        srtt_ = rtt;
        rttvar_ = rtt / 2;
    } else {
        // 2.3: RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|, with beta = 1/4, and only then
        // SRTT <- (1 - alpha) * SRTT + alpha * R', with alpha = 1/8
        rttvar_ = rttvar_ * 3 / 4 + std::chrono::abs(srtt_ - rtt) / 4;
        srtt_ = std::max(srtt_ * 7 / 8 + rtt / 8, Duration{1});
    }
    // 2.3: RTO <- SRTT + max (G, K*RTTVAR), with K = 4; 2.4 and 2.5 bound it.
    rto_ = std::clamp(srtt_ + std::max(config.clock_granularity, 4 * rttvar_), config.min_rto,
                      config.max_rto);
    // Section 5, at its end: a new measurement may collapse the RTO after it has been backed off.
    backoff_ = 0;
}

void RttEstimator::back_off(const TcpConfig& config) {
    if (rto(config) < config.max_rto) ++backoff_;
}

void RttEstimator::syn_was_lost(const TcpConfig& config) {
    // RFC 6298 5.7: the RTO is re-initialized to 3 seconds when data transmission begins.
    rto_ = std::max(rto_, config.rto_after_syn_loss);
    backoff_ = 0;
}

Duration RttEstimator::rto(const TcpConfig& config) const {
    // back_off() stops at max_rto, so the shift stays far below the width of the type.
    return std::min(rto_ * (i64{1} << backoff_), config.max_rto);
}

}  // namespace tapestry
