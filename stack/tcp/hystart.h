#pragma once

#include "stack/tcp/congestion.h"

namespace tapestry {

/// HyStart++ (RFC 9406): looks at the round-trip times of the first slow start, and ends it when they
/// show that a queue builds up, before the queue overflows. Not at once: in Conservative Slow Start the
/// window goes on growing, more slowly, until the delay has turned out to be real or not.
class HyStart {
public:
    enum class Phase : u8 {
        SlowStart,  ///< looks for a delay that has grown
        Css,        ///< Conservative Slow Start: has seen one
        Over,       ///< the slow start is over; there is no second one for HyStart++
    };

    explicit HyStart(const HyStartConfig& config)
        : phase_(config.on ? Phase::SlowStart : Phase::Over) {}

    /// An acknowledgment in slow start. Gives the bytes by which the window may grow. When the phase is
    /// Over afterwards, ssthresh is to become cwnd.
    u32 on_ack(const AckInfo& info, const HyStartConfig& config);
    /// Slow start has ended in another way: a loss, a mark of congestion, ssthresh.
    void stop() { phase_ = Phase::Over; }
    Phase phase() const { return phase_; }

private:
    /// Round-trip times in microseconds: every connection has one of these, so it is small.
    static constexpr u32 kNone = ~u32{0};

    u32 growth(const AckInfo& info, const HyStartConfig& config);
    void take_sample(Duration rtt, const HyStartConfig& config);
    void end_round(SeqNum snd_nxt, const HyStartConfig& config);

    u32 last_round_min_rtt_ = kNone;
    u32 current_round_min_rtt_ = kNone;
    u32 css_baseline_min_rtt_ = kNone;
    u32 css_bytes_ = 0;  ///< acknowledged, and too few for a byte of growth
    SeqNum window_end_;  ///< the round is over when this is acknowledged
    u16 rtt_sample_count_ = 0;
    u16 css_round_count_ = 0;
    Phase phase_;
    bool in_round_ = false;  ///< the first round has begun
};

}  // namespace tapestry
