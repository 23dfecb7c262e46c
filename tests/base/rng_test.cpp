#include "stack/base/rng.h"

#include <gtest/gtest.h>

#include <array>

namespace tapestry {
namespace {

/// Says what it was told to say, again and again.
class ConstantRng final : public Rng {
public:
    explicit ConstantRng(u64 value) : value_(value) {}
    u64 next() override { return value_; }

private:
    u64 value_;
};

// The published sequence of xoshiro256** whose state is filled by splitmix64 from 0.
TEST(SeededRng, GivesTheReferenceSequence) {
    SeededRng rng(0);
    EXPECT_EQ(rng.next(), 0x99ec5f36cb75f2b4ULL);
    EXPECT_EQ(rng.next(), 0xbf6e1f784956452aULL);
    EXPECT_EQ(rng.next(), 0x1a5f849d4933e6e0ULL);
    EXPECT_EQ(rng.next(), 0x6aa594f1262d2d2cULL);
}

TEST(SeededRng, EqualSeedsGiveEqualSequencesAndOthersDoNot) {
    SeededRng a(42);
    SeededRng b(42);
    SeededRng c(43);
    int same = 0;
    for (int i = 0; i < 1000; ++i) {
        const u64 value = a.next();
        EXPECT_EQ(value, b.next());
        if (value == c.next()) ++same;
    }
    EXPECT_EQ(same, 0);
}

TEST(Rng, BelowStaysBelowAtBothEnds) {
    ConstantRng highest(~u64{0});
    ConstantRng lowest(0);
    for (const u32 bound : {1U, 2U, 10U, 65536U, 0xffffffffU}) {
        EXPECT_EQ(highest.below(bound), bound - 1);
        EXPECT_EQ(lowest.below(bound), 0U);
    }
    EXPECT_EQ(highest.below(0), 0U);
}

TEST(Rng, BelowIsUniform) {
    SeededRng rng(7);
    std::array<int, 10> seen{};
    for (int i = 0; i < 100000; ++i) ++seen.at(rng.below(10));
    for (const int count : seen) {
        EXPECT_GT(count, 9500);
        EXPECT_LT(count, 10500);
    }
}

TEST(Rng, UnitIsFromZeroToBelowOne) {
    EXPECT_EQ(ConstantRng(0).unit(), 0.0);
    const double highest = ConstantRng(~u64{0}).unit();
    EXPECT_LT(highest, 1.0);
    EXPECT_GT(highest, 0.999999);
}

}  // namespace
}  // namespace tapestry
