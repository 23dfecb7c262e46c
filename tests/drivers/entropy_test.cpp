#include "drivers/entropy.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

TEST(Entropy, NumbersDiffer) {
    EXPECT_NE(entropy_seed(), entropy_seed());
    SystemRng rng;
    u64 all_or = 0;
    u64 all_and = ~u64{0};
    u64 last = 0;
    for (int i = 0; i < 1000; ++i) {
        const u64 value = rng.next();
        EXPECT_NE(value, last);
        all_or |= last = value;
        all_and &= value;
    }
    EXPECT_EQ(all_or, ~u64{0});
    EXPECT_EQ(all_and, 0U);
}

}  // namespace
}  // namespace tapestry
