#pragma once

#include <algorithm>

#include "stack/base/rng.h"
#include "stack/base/time.h"

namespace tapestry {

/// A rate limit that lets short bursts pass: `burst` at once, `rate` a second for long. A rate of 0
/// lets nothing pass.
///
/// How deep a full bucket is varies by up to a quarter, by chance: a stranger who counts what comes
/// through must not learn exactly how much of it others have used up (the side channel of
/// CVE-2020-25705).
class TokenBucket {
public:
    /// `rng` outlives the bucket.
    TokenBucket(u32 rate, u32 burst, Rng& rng) : rate_(rate), burst_(burst), rng_(rng) {}

    /// Takes one token, if there is one.
    bool take(TimePoint now) {
        if (rate_ == 0 || burst_ == 0) return false;
        refill(now);
        if (credit_ < kToken) return false;
        credit_ -= kToken;
        return true;
    }

private:
    static constexpr u64 kToken = 1'000'000'000;  // a nanosecond brings `rate` of this

    void refill(TimePoint now) {
        const auto elapsed = static_cast<u64>(std::max<i64>(0, (now - filled_).count()));
        const u64 full = burst_ * kToken;
        const bool partly = started_ && elapsed < full / rate_;
        credit_ = partly ? credit_ + elapsed * rate_ : full;
        if (credit_ >= full) credit_ = full - rng_.below(burst_ / 4 + 1) * kToken;
        filled_ = now;
        started_ = true;
    }

    u64 rate_;
    u32 burst_;
    Rng& rng_;
    u64 credit_ = 0;
    TimePoint filled_{};
    bool started_ = false;
};

}  // namespace tapestry
