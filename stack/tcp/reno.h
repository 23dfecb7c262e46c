#pragma once

#include "stack/tcp/congestion.h"

namespace tapestry {

/// Reno's window (RFC 5681): slow start and congestion avoidance, with appropriate byte counting
/// (RFC 3465), so that many small acknowledgments are worth no more than one large.
class Reno final : public CongestionControl {
public:
    u32 cwnd() const override { return cwnd_; }
    u32 ssthresh() const override { return ssthresh_; }
    void start(u32 initial_window, u16 mss) override;
    void on_ack(const AckInfo& info) override;
    void on_loss(const LossInfo& info) override;
    void on_recovered(const LossInfo& info) override;
    void on_timeout(const LossInfo& info, bool again) override;
    void on_idle(u32 restart_window) override;

private:
    void halve(const LossInfo& info);

    u32 cwnd_ = 0;
    u32 ssthresh_ = ~u32{0};
    u32 bytes_acked_ = 0;  ///< towards the next segment of growth in congestion avoidance
    u16 abc_limit_ = 8;    ///< RFC 3465 L, in segments: one super-frame's ACK counts for several
};

}  // namespace tapestry
