#include "stack/tcp/reno.h"

#include <algorithm>

namespace tapestry {

std::unique_ptr<CongestionControl> make_reno(const CwndConfig& config) {
    return std::make_unique<Reno>(config);
}

void Reno::start(u32 window, u32 ssthresh) {
    // RFC 9406 4.3: HyStart++ is for the first slow start only.
    if (ssthresh != ~u32{0}) slow_start_.on_congestion();
    cwnd_ = initial_window_ = window;
    ssthresh_ = ssthresh;
}

void Reno::on_ack(const AckInfo& info) {
    if (config_.validation) {
        if (const auto decayed = validation_.on_ack(info, cwnd_, initial_window_)) {
            shrink_unused(*decayed);
        }
    }
    if (cwnd_ < ssthresh_) {
        cwnd_ = slow_start_.on_ack(info, config_, cwnd_, ssthresh_);
        return;
    }
    slow_start_.end();
    // RFC 7661, RFC 2861: a window that was not used says nothing about the path.
    if (!info.cwnd_limited) return;
    // RFC 3465 2.1: one segment when a whole window of bytes has been acknowledged. An acknowledgment
    // for more than a window is worth one window.
    bytes_acked_ += std::min(info.bytes_acked, cwnd_);
    if (bytes_acked_ < cwnd_) return;
    bytes_acked_ -= cwnd_;
    cwnd_ = std::min(cwnd_ + info.mss, std::max(cwnd_, kMaxWindow));
}

/// RFC 5681 (4): ssthresh = max (FlightSize / 2, 2*SMSS)
void Reno::halve(const LossInfo& info) {
    saved_ = std::make_unique<Saved>(cwnd_, std::max(info.flight_size, ssthresh_), slow_start_);
    ssthresh_ = std::max(static_cast<u32>(info.flight_size * config_.reno.beta), 2U * info.mss);
    bytes_acked_ = 0;
    slow_start_.on_congestion();
}

void Reno::on_loss(const LossInfo& info) {
    halve(info);
    cwnd_ = ssthresh_;
}

/// RFC 3168 6.1.2: as if one segment had been lost, except that nothing is to be sent again.
void Reno::on_ecn(const LossInfo& info) {
    on_loss(info);
    saved_.reset();
}

void Reno::on_recovered(const LossInfo& info) {
    // RFC 6582 3.2 (3) (1): min (ssthresh, max(FlightSize, SMSS) + SMSS), which avoids a burst.
    cwnd_ = std::min<u32>(ssthresh_, std::max<u32>(info.flight_size, info.mss) + info.mss);
}

void Reno::on_timeout(const LossInfo& info, bool again) {
    // RFC 5681 3.1: ssthresh keeps its value when the same segment times out again; cwnd becomes the
    // loss window, one full-sized segment.
    if (!again) halve(info);
    slow_start_.on_timeout();
    cwnd_ = info.mss;
    bytes_acked_ = 0;
}

/// RFC 4015 3.2, step 7: ssthresh is pipe_prev again; cwnd is as much as is in flight and what may be
/// sent at once without a burst. From there slow start finds its way back to where it was.
void Reno::on_spurious(const LossInfo& info) {
    if (!saved_) return;
    const u32 room = info.flight_size + std::min(info.bytes_acked, initial_window_);
    cwnd_ = std::max(cwnd_, std::min(saved_->cwnd, room));
    ssthresh_ = saved_->pipe_prev;
    slow_start_ = saved_->slow_start;
    saved_.reset();
}

void Reno::on_idle(u32 restart_window) {
    if (restart_window < cwnd_) shrink_unused(restart_window);
}

void Reno::shrink_unused(u32 window) {
    ssthresh_ = CwndValidation::remembered(ssthresh_, cwnd_);
    cwnd_ = window;
    saved_.reset();
}

}  // namespace tapestry
