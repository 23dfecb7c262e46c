#pragma once

#include <optional>

#include "stack/tcp/congestion.h"

namespace tapestry {

/// Congestion window validation (RFC 2861 section 3.2): a window that the application, or the peer's
/// window, has not let the sender fill for an RTO has not been tried by the path in that time, and
/// shrinks half of the way to what was used. The threshold keeps the memory of three quarters of it.
class CwndValidation {
public:
    /// The new window, when it decays.
    std::optional<u32> on_ack(const AckInfo& info, u32 cwnd, u32 initial_window);
    /// ssthresh = max (ssthresh, 3/4 cwnd), for a window that is about to shrink unused.
    static u32 remembered(u32 ssthresh, u32 cwnd);

private:
    TimePoint since_{};
    u32 used_ = 0;  ///< the most that was in flight since then
    bool unused_ = false;
};

}  // namespace tapestry
