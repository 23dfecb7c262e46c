#include "stack/wire/seq_num.h"

#include <gtest/gtest.h>

#include <limits>

namespace tapestry {
namespace {

template <typename T>
concept Ordered = requires(T a, T b) {
    a < b;
};
static_assert(!Ordered<SeqNum>, "on a circle there is no less-than");

TEST(SeqNum, ComparesOnACircle) {
    for (const u32 base : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xfffffff0U, 0xffffffffU}) {
        const SeqNum a(base);
        for (const u32 distance : {1U, 100U, 0x7fffffffU}) {
            const SeqNum b = a + distance;
            EXPECT_TRUE(a.before(b)) << base << '+' << distance;
            EXPECT_TRUE(a.before_or_at(b));
            EXPECT_TRUE(b.after(a));
            EXPECT_TRUE(b.after_or_at(a));
            EXPECT_FALSE(b.before(a));
            EXPECT_FALSE(b.before_or_at(a));
            EXPECT_FALSE(a.after(b));
            EXPECT_FALSE(a.after_or_at(b));
            EXPECT_EQ(b - a, static_cast<i32>(distance));
            EXPECT_EQ(a - b, -static_cast<i32>(distance));
            EXPECT_EQ(b - distance, a);
            EXPECT_EQ(later(a, b), b);
            EXPECT_EQ(later(b, a), b);
            EXPECT_EQ(earlier(a, b), a);
            EXPECT_EQ(earlier(b, a), a);
        }
        EXPECT_FALSE(a.before(a));
        EXPECT_FALSE(a.after(a));
        EXPECT_TRUE(a.before_or_at(a));
        EXPECT_TRUE(a.after_or_at(a));
    }
}

TEST(SeqNum, WindowAcrossTheWrap) {
    const SeqNum left(0xfffffffe);
    EXPECT_FALSE(SeqNum(0xfffffffd).in_window(left, 4));
    EXPECT_TRUE(SeqNum(0xfffffffe).in_window(left, 4));
    EXPECT_TRUE(SeqNum(0xffffffff).in_window(left, 4));
    EXPECT_TRUE(SeqNum(0).in_window(left, 4));
    EXPECT_TRUE(SeqNum(1).in_window(left, 4));
    EXPECT_FALSE(SeqNum(2).in_window(left, 4));
    EXPECT_FALSE(left.in_window(left, 0));
    EXPECT_TRUE((left + 0xfffffffe).in_window(left, 0xffffffff));
    EXPECT_FALSE((left + 0xffffffff).in_window(left, 0xffffffff));
}

TEST(SeqNum, AddsAcrossTheWrap) {
    SeqNum a(0xffffffff);
    a += 2;
    EXPECT_EQ(a.value(), 1U);
    EXPECT_EQ((a - 3U).value(), 0xfffffffeU);
    EXPECT_EQ((SeqNum(0xfffffff0) + 0x20).value(), 0x10U);
    // Exactly half a circle away: the way counts as negative, whichever one starts from.
    EXPECT_EQ(SeqNum(0x80000000) - SeqNum(0), std::numeric_limits<i32>::min());
    EXPECT_EQ(SeqNum(0) - SeqNum(0x80000000), std::numeric_limits<i32>::min());
}

}  // namespace
}  // namespace tapestry
