#include "stack/tcp/reno.h"

#include <algorithm>

namespace tapestry {
namespace {

/// Beyond this the window only adds to what a burst can do wrong.
constexpr u32 kMaxWindow = 1U << 30;

}  // namespace

std::unique_ptr<CongestionControl> make_reno() { return std::make_unique<Reno>(); }

void Reno::start(u32 initial_window, u16 /*mss*/) { cwnd_ = initial_window; }

void Reno::on_ack(const AckInfo& info) {
    // RFC 7661, RFC 2861: a window that was not used says nothing about the path.
    if (!info.cwnd_limited) return;
    if (cwnd_ < ssthresh_) {
        // RFC 5681 (2): cwnd += min (N, SMSS) for each ACK. An ACK of ours or of a peer that answers
        // a super-frame stands for many; RFC 3465 2.3 lets it count for up to L segments.
        cwnd_ += std::min<u32>(info.bytes_acked, u32{abc_limit_} * info.mss);
    } else {
        // RFC 3465 2.1: one segment when a whole window of bytes has been acknowledged.
        bytes_acked_ += info.bytes_acked;
        if (bytes_acked_ >= cwnd_) {
            bytes_acked_ -= cwnd_;
            cwnd_ += info.mss;
        }
    }
    cwnd_ = std::min(cwnd_, kMaxWindow);
}

/// RFC 5681 (4): ssthresh = max (FlightSize / 2, 2*SMSS)
void Reno::halve(const LossInfo& info) {
    ssthresh_ = std::max<u32>(info.flight_size / 2, 2U * info.mss);
    bytes_acked_ = 0;
}

void Reno::on_loss(const LossInfo& info) {
    halve(info);
    cwnd_ = ssthresh_;
}

void Reno::on_recovered(const LossInfo& info) {
    // RFC 6582 3.2 (3) (1): min (ssthresh, max(FlightSize, SMSS) + SMSS), which avoids a burst.
    cwnd_ = std::min<u32>(ssthresh_, std::max<u32>(info.flight_size, info.mss) + info.mss);
}

void Reno::on_timeout(const LossInfo& info, bool again) {
    // RFC 5681 3.1: ssthresh keeps its value when the same segment times out again; cwnd becomes the
    // loss window, one full-sized segment.
    if (!again) halve(info);
    cwnd_ = info.mss;
    bytes_acked_ = 0;
}

void Reno::on_idle(u32 restart_window) { cwnd_ = std::min(cwnd_, restart_window); }

}  // namespace tapestry
