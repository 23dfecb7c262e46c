#pragma once

#include <algorithm>

#include "stack/base/time.h"

namespace tapestry {

/// So many in a period, after a burst of so many at once: iptables' `-m limit`. Unlike the bucket
/// that bounds our own ICMP errors it is exact, since a person counts along.
class RateLimit {
public:
    /// `count` at least 1.
    RateLimit(u32 count, Duration period, u32 burst)
        : interval_(period / std::max(1U, count)), period_(period), count_(count), burst_(burst) {}

    /// Takes one, if there is one.
    bool take(TimePoint now) {
        const Duration full = interval_ * burst_;
        credit_ = started_ ? std::min(full, credit_ + (now - filled_)) : full;
        filled_ = now;
        started_ = true;
        if (credit_ < interval_) return false;
        credit_ -= interval_;
        return true;
    }

    u32 count() const { return count_; }
    Duration period() const { return period_; }
    u32 burst() const { return burst_; }
    /// The same limit, however much of it is used up.
    friend bool operator==(const RateLimit& a, const RateLimit& b) {
        return a.count_ == b.count_ && a.period_ == b.period_ && a.burst_ == b.burst_;
    }

private:
    Duration interval_;
    Duration period_;
    u32 count_;
    u32 burst_;
    Duration credit_{};
    TimePoint filled_{};
    bool started_ = false;
};

}  // namespace tapestry
