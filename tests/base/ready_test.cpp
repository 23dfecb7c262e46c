#include "stack/base/ready.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

TEST(ReadySet, GivesOutWhatHasGatheredOnce) {
    ReadySet set;
    EXPECT_TRUE(set.empty());
    set.add(7);
    set.add(9);
    EXPECT_FALSE(set.empty());
    std::vector<u64> taken{1, 2, 3};
    set.take(taken);
    EXPECT_EQ(taken, (std::vector<u64>{7, 9}));
    EXPECT_TRUE(set.empty());
    set.take(taken);
    EXPECT_TRUE(taken.empty());
}

}  // namespace
}  // namespace tapestry
