#include "stack/tcp/receive_tuning.h"

#include <algorithm>

namespace tapestry {

void ReceiveTuning::taken(u32 n, TimePoint now, Duration rtt, u16 mss, u32 ceiling) {
    if (since_ == TimePoint{}) {
        since_ = now;
        return;
    }
    taken_ += n;
    const Duration passed = now - since_;
    if (passed < std::max(rtt, Duration{1})) return;
    // A few segments more, so that a window that was full to the last byte is seen to be too small.
    constexpr u32 kMore = 16;
    const double in_round_trip = static_cast<double>(taken_) * static_cast<double>(rtt.count()) /
                                 static_cast<double>(passed.count());
    const double wish = 2 * in_round_trip + double{kMore} * mss;
    need_ = std::max(need_, static_cast<u32>(std::min<double>(wish, ceiling)));
    space_ = static_cast<u32>(in_round_trip);
    taken_ = 0;
    since_ = now;
}

}  // namespace tapestry
