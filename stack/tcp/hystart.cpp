#include "stack/tcp/hystart.h"

#include <algorithm>

namespace tapestry {
namespace {

/// An hour is the longest.
u32 microseconds(Duration time) { return static_cast<u32>(std::min(time, Duration(1h)) / 1us); }

}  // namespace

u32 HyStart::on_ack(const AckInfo& info, const HyStartConfig& config) {
    if (!in_round_) {
        in_round_ = true;
        window_end_ = info.snd_nxt;
    }
    const u32 bytes = growth(info, config);
    if (info.rtt > Duration{}) take_sample(info.rtt, config);
    if (info.snd_una.after_or_at(window_end_)) end_round(info.snd_nxt, config);
    return bytes;
}

/// RFC 9406 4.2: min (N, L * SMSS), and in CSS that divided by CSS_GROWTH_DIVISOR. What the division
/// leaves over is kept for the next acknowledgment.
u32 HyStart::growth(const AckInfo& info, const HyStartConfig& config) {
    u32 bytes = info.bytes_acked;
    if (config.limit > 0) bytes = std::min(bytes, config.limit * info.mss);
    if (phase_ != Phase::Css) return bytes;
    const u32 divisor = std::max(config.css_growth_divisor, 1U);
    const u32 all = css_bytes_ + bytes;
    css_bytes_ = all % divisor;
    return all / divisor;
}

void HyStart::take_sample(Duration rtt, const HyStartConfig& config) {
    current_round_min_rtt_ = std::min(current_round_min_rtt_, microseconds(rtt));
    if (rtt_sample_count_ < 0xffff) ++rtt_sample_count_;
    if (rtt_sample_count_ < config.n_rtt_sample) return;
    if (phase_ == Phase::Css) {
        // The delay has gone again: it was jitter, and slow start goes on.
        if (current_round_min_rtt_ < css_baseline_min_rtt_) {
            css_baseline_min_rtt_ = kNone;
            phase_ = Phase::SlowStart;
        }
        return;
    }
    if (last_round_min_rtt_ == kNone) return;
    const u32 part = last_round_min_rtt_ / std::max(config.min_rtt_divisor, 1U);
    const u32 thresh = std::max(microseconds(config.min_rtt_thresh),
                                std::min(part, microseconds(config.max_rtt_thresh)));
    if (current_round_min_rtt_ < u64{last_round_min_rtt_} + thresh) return;
    css_baseline_min_rtt_ = current_round_min_rtt_;
    css_round_count_ = 0;
    phase_ = Phase::Css;
}

/// The round in whose middle CSS began counts as one of CSS_ROUNDS.
void HyStart::end_round(SeqNum snd_nxt, const HyStartConfig& config) {
    window_end_ = snd_nxt;
    last_round_min_rtt_ = current_round_min_rtt_;
    current_round_min_rtt_ = kNone;
    rtt_sample_count_ = 0;
    if (phase_ == Phase::Css && ++css_round_count_ >= config.css_rounds) phase_ = Phase::Over;
}

}  // namespace tapestry
