#include "stack/tcp/slow_start.h"

#include <algorithm>

namespace tapestry {

u32 SlowStart::on_ack(const AckInfo& info, const CwndConfig& config, u32 cwnd, u32& ssthresh) {
    u32 growth = info.bytes_acked;
    const bool first = hystart_.phase() != HyStart::Phase::Over;
    if (first) {
        growth = hystart_.on_ack(info, config.hystart);
    } else {
        // RFC 3465 2.3: L * SMSS at most, since an ACK for very much sets off a burst; after a timeout
        // one SMSS, since the ACK may cover what has arrived long ago, and says nothing of the path.
        const u32 limit = after_timeout_ ? config.abc_limit_after_timeout : config.abc_limit;
        if (limit > 0) growth = std::min(growth, limit * info.mss);
    }
    // RFC 7661: a window that was not used says nothing about the path.
    if (info.cwnd_limited) {
        const u32 ceiling = std::min(ssthresh, CongestionControl::kMaxWindow);
        cwnd = std::max(cwnd, static_cast<u32>(std::min<u64>(u64{cwnd} + growth, ceiling)));
    }
    if (first && hystart_.phase() == HyStart::Phase::Over) ssthresh = cwnd;
    return cwnd;
}

}  // namespace tapestry
