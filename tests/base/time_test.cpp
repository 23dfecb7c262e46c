#include "stack/base/time.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

template <typename Clock>
concept TellsTheTime = requires {
    Clock::now();
};

// Time is an argument: the stack's clock cannot be asked.
static_assert(!TellsTheTime<StackClock>);
static_assert(TellsTheTime<std::chrono::steady_clock>);

TEST(Time, IsInNanosecondsAndNeverIsLast) {
    EXPECT_EQ(Duration(200ms).count(), 200'000'000);
    EXPECT_GT(kNever, TimePoint{} + 24h * 365 * 200);
    EXPECT_DOUBLE_EQ(to_seconds(1500ms), 1.5);
}

}  // namespace
}  // namespace tapestry
