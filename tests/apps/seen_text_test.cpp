#include "apps/inspect/seen_text.h"

#include <gtest/gtest.h>

namespace tapestry::test {
namespace {

TEST(SeenText, CountsEveryByteOnce) {
    SeenText text;
    EXPECT_EQ(text.take(1, 10), 10U);
    EXPECT_EQ(text.take(5, 10), 4U);
    EXPECT_EQ(text.take(20, 5), 5U);
    EXPECT_EQ(text.take(30, 5), 5U);
    EXPECT_EQ(text.contiguous(), 15U);
    EXPECT_EQ(text.missing_before(35), 10U);
    EXPECT_EQ(text.take(18, 14), 7U) << "18, 19 and 25 to 29";
    EXPECT_EQ(text.take(1, 40), 9U);
    EXPECT_EQ(text.contiguous(), 41U);
    EXPECT_EQ(text.missing_before(41), 0U);
}

TEST(SeenText, PositionsGoOnWhereNumbersWrap) {
    SeenText text;
    u64 position = 1;
    for (int i = 0; i < 6; ++i) {
        const auto relative = static_cast<u32>(position);
        EXPECT_EQ(text.position_of(relative), position);
        text.take(position, u64{1} << 30);
        position += u64{1} << 30;
    }
    EXPECT_EQ(text.contiguous(), position);
    EXPECT_EQ(text.position_of(static_cast<u32>(position - 5)), position - 5);
}

TEST(SeenText, BeyondItsMemoryTheLowestHoleIsGivenUp) {
    SeenText text;
    for (u64 i = 0; i <= SeenText::kMaxPieces; ++i) text.take(10 + i * 10, 1);
    EXPECT_EQ(text.contiguous(), 11U);
    EXPECT_EQ(text.missing_before(11), 9U);
    EXPECT_EQ(text.take(1, 9), 0U) << "too late";
}

}  // namespace
}  // namespace tapestry::test
