#include "stack/tcp/receive_tuning.h"

#include <gtest/gtest.h>

#include "tests/tcp/connected_host.h"

// Receive and send buffers that grow with what goes through them.

namespace tapestry::test {
namespace {

constexpr TimePoint kStart{1s};
constexpr u16 kMss = 1000;
constexpr u32 kCeiling = 1U << 20U;

TEST(ReceiveTuning, AsksForTwiceWhatARoundTripTakes) {
    ReceiveTuning tuning;
    tuning.taken(500, kStart, 100ms, kMss, kCeiling);
    EXPECT_EQ(tuning.need(), 0U) << "one reading is no rate";
    tuning.taken(30000, kStart + 50ms, 100ms, kMss, kCeiling);
    EXPECT_EQ(tuning.need(), 0U);
    tuning.taken(30000, kStart + 100ms, 100ms, kMss, kCeiling);
    EXPECT_EQ(tuning.space(), 60000U);
    EXPECT_EQ(tuning.need(), 120000U + 16 * kMss);
}

TEST(ReceiveTuning, ASlowStreamOrAPauseAsksForNoMore) {
    ReceiveTuning tuning;
    tuning.taken(1, kStart, 100ms, kMss, kCeiling);
    tuning.taken(60000, kStart + 10s, 100ms, kMss, kCeiling);
    EXPECT_EQ(tuning.space(), 600U) << "60000 bytes in 100 round trips";
    EXPECT_EQ(tuning.need(), 1200U + 16 * kMss);
}

TEST(ReceiveTuning, NeverFallsAndHasACeiling) {
    ReceiveTuning tuning;
    tuning.taken(1, kStart, 100ms, kMss, kCeiling);
    tuning.taken(~u32{0} / 2, kStart + 100ms, 100ms, kMss, kCeiling);
    EXPECT_EQ(tuning.need(), kCeiling);
    tuning.taken(10, kStart + 200ms, 100ms, kMss, kCeiling);
    EXPECT_EQ(tuning.need(), kCeiling);
    EXPECT_EQ(tuning.space(), 10U);
}

/// A round trip of nothing, as in a test, is no division by nothing.
TEST(ReceiveTuning, TakesAnyRoundTrip) {
    ReceiveTuning tuning;
    tuning.taken(1, kStart, 0s, kMss, kCeiling);
    tuning.taken(1, kStart, 0s, kMss, kCeiling);
    tuning.taken(1, kStart + 1ns, 0s, kMss, kCeiling);
    EXPECT_LE(tuning.need(), 16U * kMss);
}

}  // namespace
}  // namespace tapestry::test
