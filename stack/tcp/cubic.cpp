#include "stack/tcp/cubic.h"

#include <algorithm>
#include <cmath>

namespace tapestry {

std::unique_ptr<CongestionControl> make_cubic(const CwndConfig& config) {
    return std::make_unique<Cubic>(config);
}

void Cubic::start(u32 window, u32 ssthresh) {
    // RFC 9406 4.3: HyStart++ is for the first slow start only.
    if (ssthresh != ~u32{0}) slow_start_.on_congestion();
    initial_window_ = window;
    vars_.cwnd = window;
    vars_.cwnd_prior = window;
    vars_.ssthresh = ssthresh;
}

void Cubic::on_ack(const AckInfo& info) {
    if (config_.validation) {
        if (const auto decayed = validation_.on_ack(info, cwnd(), initial_window_)) {
            shrink_unused(*decayed);
        }
    }
    if (vars_.cwnd >= vars_.ssthresh) return avoid(info);
    vars_.cwnd = slow_start_.on_ack(info, config_, cwnd(), vars_.ssthresh);
}

/// Sections 4.2 and 4.3: the first acknowledgment in congestion avoidance. Where W_max is not known,
/// after a timeout (4.8) or a slow start without a loss (4.10), or has been passed already, the curve
/// begins at its flat middle: K = 0. (Where there was no loss cwnd_prior is still IW, so that alpha_cubic
/// is 1 from the beginning, as 4.10 wants it.)
void Cubic::begin_stage(const AckInfo& info) {
    vars_.in_stage = true;
    vars_.paused = false;
    vars_.t = {};
    vars_.counted = info.now;
    vars_.k = {};
    vars_.w_est = vars_.cwnd;
    if (vars_.cwnd >= vars_.w_max) {
        vars_.w_max = cwnd();
    } else if (config_.cubic.c > 0) {
        // In whole nanoseconds: the last bit of cbrt(), which is not the same everywhere, is lost.
        const double segments = (vars_.w_max - vars_.cwnd) / info.mss;
        const double seconds = std::cbrt(segments / config_.cubic.c);
        vars_.k = Duration(static_cast<i64>(seconds * 1e9 + 0.5));
    }
}

/// W_cubic(t) = C * (t - K)^3 + W_max, with C in segments.
double Cubic::w_cubic(Duration t, u16 mss) const {
    const double d = to_seconds(t - vars_.k);
    return config_.cubic.c * mss * (d * d * d) + vars_.w_max;
}

/// Section 4.3: grows as much as Reno on the average, having lost less; once it is where it was before
/// the loss there is nothing to make up for.
double Cubic::alpha() const {
    const double beta = config_.cubic.beta;
    return vars_.w_est >= vars_.cwnd_prior ? 1.0 : 3.0 * (1.0 - beta) / (1.0 + beta);
}

void Cubic::avoid(const AckInfo& info) {
    slow_start_.end();
    if (!vars_.in_stage) begin_stage(info);
    // Section 4.2, 5.8: t does not count the time in which the window was not used, so the curve goes on
    // where it was.
    if (!info.cwnd_limited) {
        vars_.paused = true;
        return;
    }
    if (!vars_.paused) vars_.t += info.now - vars_.counted;
    vars_.paused = false;
    vars_.counted = info.now;

    const double cwnd = vars_.cwnd;
    const double part = std::min(info.bytes_acked / cwnd, 1.0);  // of a window
    vars_.w_est += alpha() * info.mss * part;
    if (w_cubic(vars_.t, info.mss) < vars_.w_est) {
        vars_.cwnd = std::max(cwnd, vars_.w_est);
    } else {
        // Sections 4.4 and 4.5: on the way to where the curve is one RTT later; never back, and never
        // faster than half a window per RTT.
        const double target = std::clamp(w_cubic(vars_.t + info.srtt, info.mss), cwnd,
                                         std::max(config_.cubic.max_target, 1.0) * cwnd);
        vars_.cwnd = cwnd + (target - cwnd) * part;
    }
    vars_.cwnd = std::min(vars_.cwnd, std::max<double>(cwnd, kMaxWindow));
}

/// Sections 4.6 and 4.7.
void Cubic::reduce(const LossInfo& info, u32 min_segments) {
    saved_ = std::make_unique<Saved>(vars_, slow_start_);
    slow_start_.on_congestion();
    const double beta = config_.cubic.beta;
    // Fast convergence: less than the last time, so others have come, and room is made for them.
    const bool others = config_.cubic.fast_convergence && cwnd() < vars_.w_max;
    vars_.w_max = static_cast<u32>(others ? vars_.cwnd * (1.0 + beta) / 2.0 : vars_.cwnd);
    vars_.cwnd_prior = cwnd();
    const u32 window = static_cast<u32>(info.flight_size * beta);
    vars_.cwnd = std::max(window, min_segments * info.mss);
    vars_.ssthresh = std::max(window, 2U * info.mss);
    vars_.in_stage = false;
}

void Cubic::on_loss(const LossInfo& info) { reduce(info, 2); }

void Cubic::on_ecn(const LossInfo& info) {
    reduce(info, 1);
    saved_.reset();
}

void Cubic::on_recovered(const LossInfo& info) {
    // RFC 6582 3.2 (3) (1): min (ssthresh, max(FlightSize, SMSS) + SMSS), which avoids a burst.
    vars_.cwnd =
        std::min<u32>(vars_.ssthresh, std::max<u32>(info.flight_size, info.mss) + info.mss);
}

/// Section 4.8: cwnd as Reno has it, ssthresh by beta_cubic, and what W_max was is forgotten.
void Cubic::on_timeout(const LossInfo& info, bool again) {
    if (!again) reduce(info, 1);
    slow_start_.on_timeout();
    vars_.cwnd = info.mss;
    vars_.w_max = 0;
    vars_.in_stage = false;
}

/// Section 4.9: everything is as it was, the curve too; a window that has grown beyond since stays.
void Cubic::on_spurious(const LossInfo& /*info*/) {
    if (!saved_) return;
    const double cwnd = vars_.cwnd;
    vars_ = saved_->vars;
    vars_.cwnd = std::max(vars_.cwnd, cwnd);
    slow_start_ = saved_->slow_start;
    saved_.reset();
}

void Cubic::on_idle(u32 restart_window) {
    if (restart_window < cwnd()) {
        shrink_unused(restart_window);
    } else {
        vars_.paused = true;
    }
}

/// The next stage begins when slow start has come back to ssthresh.
void Cubic::shrink_unused(u32 window) {
    vars_.ssthresh = CwndValidation::remembered(vars_.ssthresh, cwnd());
    vars_.cwnd = window;
    vars_.in_stage = false;
    saved_.reset();
}

}  // namespace tapestry
