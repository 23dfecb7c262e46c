#pragma once

#include "stack/tcp/hystart.h"

namespace tapestry {

/// How a window grows in slow start (RFC 5681 3.1): by the bytes that are acknowledged (RFC 3465), so
/// that many small acknowledgments are worth no more than one large; the first time with HyStart++.
class SlowStart {
public:
    explicit SlowStart(const CwndConfig& config) : hystart_(config.hystart) {}

    /// The new window after an acknowledgment while cwnd < ssthresh. `ssthresh` is lowered to it where
    /// HyStart++ says that slow start is over.
    u32 on_ack(const AckInfo& info, const CwndConfig& config, u32 cwnd, u32& ssthresh);
    /// A loss, or a mark of congestion.
    void on_congestion() { hystart_.stop(); }
    void on_timeout() {
        hystart_.stop();
        after_timeout_ = true;
    }
    /// The window has reached ssthresh.
    void end() {
        hystart_.stop();
        after_timeout_ = false;
    }
    HyStart::Phase phase() const { return hystart_.phase(); }

private:
    HyStart hystart_;
    bool after_timeout_ = false;
};

}  // namespace tapestry
