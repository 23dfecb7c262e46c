#pragma once

#include <memory>

#include "stack/tcp/cwnd_validation.h"
#include "stack/tcp/slow_start.h"

namespace tapestry {

/// CUBIC's window (RFC 9438): after a reduction it grows along a cubic curve of the time, steeply back
/// to where the loss was (W_max), flatly around it, steeply beyond. On short or slow paths, where Reno
/// would grow faster, it grows as Reno does on the average (the Reno-friendly region).
///
/// Windows are doubles of bytes here, so that an acknowledgment of one byte adds its part of a byte;
/// time is whole nanoseconds.
class Cubic final : public CongestionControl {
public:
    explicit Cubic(const CwndConfig& config) : config_(config), slow_start_(config) {}

    u32 cwnd() const override { return static_cast<u32>(vars_.cwnd); }
    u32 ssthresh() const override { return vars_.ssthresh; }
    void start(u32 window, u32 ssthresh = ~u32{0}) override;
    void on_ack(const AckInfo& info) override;
    void on_loss(const LossInfo& info) override;
    void on_ecn(const LossInfo& info) override;
    void on_recovered(const LossInfo& info) override;
    void on_timeout(const LossInfo& info, bool again) override;
    void on_spurious(const LossInfo& info) override;
    void on_idle(u32 restart_window) override;

    /// K of the current stage (section 4.2).
    Duration k() const { return vars_.k; }
    double w_max() const { return vars_.w_max; }
    double w_est() const { return vars_.w_est; }

private:
    /// The variables of section 4.1.2, bytes; those of the stage are valid while in_stage.
    struct Vars {
        double cwnd = 0;
        double w_est = 0;
        Duration k{};
        Duration t{};  ///< since the stage began, without the time in which cwnd was not used
        TimePoint counted{};  ///< up to when `t` is counted
        u32 cwnd_prior = 0;   ///< cwnd when ssthresh was set the last time
        u32 w_max = 0;        ///< 0: unknown
        u32 ssthresh = ~u32{0};
        bool in_stage = false;  ///< congestion avoidance has begun since the last reduction
        bool paused = false;    ///< the last acknowledgment came while cwnd was not used
    };
    struct Saved {
        Vars vars;
        SlowStart slow_start;
    };

    void begin_stage(const AckInfo& info);
    void avoid(const AckInfo& info);
    void reduce(const LossInfo& info, u32 min_segments);
    void shrink_unused(u32 window);
    double w_cubic(Duration t, u16 mss) const;
    double alpha() const;

    const CwndConfig& config_;
    Vars vars_;
    u32 initial_window_ = 0;
    SlowStart slow_start_;
    CwndValidation validation_;
    std::unique_ptr<Saved> saved_;  ///< null: there is nothing to give back
};

}  // namespace tapestry
