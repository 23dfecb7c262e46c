#pragma once

#include <memory>

#include "stack/tcp/cwnd_validation.h"
#include "stack/tcp/slow_start.h"

namespace tapestry {

/// Reno's window (RFC 5681): slow start and congestion avoidance, by bytes (RFC 3465).
class Reno final : public CongestionControl {
public:
    explicit Reno(const CwndConfig& config) : config_(config), slow_start_(config) {}

    u32 cwnd() const override { return cwnd_; }
    u32 ssthresh() const override { return ssthresh_; }
    void start(u32 window, u32 ssthresh = ~u32{0}) override;
    void on_ack(const AckInfo& info) override;
    void on_loss(const LossInfo& info) override;
    void on_ecn(const LossInfo& info) override;
    void on_recovered(const LossInfo& info) override;
    void on_timeout(const LossInfo& info, bool again) override;
    void on_spurious(const LossInfo& info) override;
    void on_idle(u32 restart_window) override;

private:
    /// What a reduction has taken.
    struct Saved {
        u32 cwnd;
        u32 pipe_prev;  ///< RFC 4015: max (FlightSize, ssthresh)
        SlowStart slow_start;
    };
    void halve(const LossInfo& info);
    void shrink_unused(u32 window);

    const CwndConfig& config_;
    u32 cwnd_ = 0;
    u32 ssthresh_ = ~u32{0};
    u32 initial_window_ = 0;
    u32 bytes_acked_ = 0;  ///< towards the next segment of growth in congestion avoidance
    SlowStart slow_start_;
    CwndValidation validation_;
    std::unique_ptr<Saved> saved_;  ///< null: there is nothing to give back
};

}  // namespace tapestry
