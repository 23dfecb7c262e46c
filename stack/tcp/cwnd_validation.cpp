#include "stack/tcp/cwnd_validation.h"

#include <algorithm>

namespace tapestry {

std::optional<u32> CwndValidation::on_ack(const AckInfo& info, u32 cwnd, u32 initial_window) {
    if (info.cwnd_limited) {
        unused_ = false;
        return std::nullopt;
    }
    if (!unused_) {
        unused_ = true;
        since_ = info.now;
        used_ = 0;
    }
    used_ = std::max(used_, info.flight_size);
    if (info.now - since_ < info.rto) return std::nullopt;
    const u32 used = std::max(used_, initial_window);
    unused_ = false;
    if (used >= cwnd) return std::nullopt;
    return used + (cwnd - used) / 2;
}

u32 CwndValidation::remembered(u32 ssthresh, u32 cwnd) {
    return std::max(ssthresh, cwnd - cwnd / 4);
}

}  // namespace tapestry
