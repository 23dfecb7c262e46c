#include "stack/tcp/assembler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "stack/base/rng.h"

namespace tapestry {
namespace {

using Pair = std::pair<u32, u32>;

std::vector<Pair> islands(const Assembler& assembler) {
    std::vector<Pair> pairs;
    for (const auto& island : assembler.islands()) pairs.emplace_back(island.begin, island.end);
    return pairs;
}

TEST(Assembler, KeepsIslandsInOrder) {
    Assembler assembler;
    EXPECT_TRUE(assembler.empty());
    EXPECT_TRUE(assembler.add(30, 40, 8));
    EXPECT_TRUE(assembler.add(10, 20, 8));
    EXPECT_TRUE(assembler.add(50, 60, 8));
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{10, 20}, {30, 40}, {50, 60}}));
    EXPECT_EQ(assembler.bytes(), 30U);
}

TEST(Assembler, JoinsWhatOverlapsOrTouches) {
    Assembler assembler;
    for (const auto& [begin, end] : {Pair{10, 20}, {30, 40}, {50, 60}}) {
        ASSERT_TRUE(assembler.add(begin, end, 8));
    }
    ASSERT_TRUE(assembler.add(20, 30, 8));  // touches both neighbours
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{10, 40}, {50, 60}}));
    ASSERT_TRUE(assembler.add(15, 35, 8));  // nothing new
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{10, 40}, {50, 60}}));
    ASSERT_TRUE(assembler.add(5, 70, 8));  // swallows all
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{5, 70}}));
}

TEST(Assembler, RefusesAnIslandTooManyAndChangesNothing) {
    Assembler assembler;
    ASSERT_TRUE(assembler.add(10, 11, 2));
    ASSERT_TRUE(assembler.add(20, 21, 2));
    EXPECT_FALSE(assembler.add(30, 31, 2));
    EXPECT_FALSE(assembler.add(5, 6, 2));
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{10, 11}, {20, 21}}));
    // What makes no more islands is taken.
    EXPECT_TRUE(assembler.add(21, 30, 2));
    EXPECT_TRUE(assembler.add(9, 10, 2));
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{9, 11}, {20, 30}}));
}

TEST(Assembler, AdvanceJoinsWhatItReaches) {
    Assembler assembler;
    ASSERT_TRUE(assembler.add(10, 20, 8));
    ASSERT_TRUE(assembler.add(30, 40, 8));
    EXPECT_EQ(assembler.advance(5), 0U);
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{5, 15}, {25, 35}}));
    EXPECT_EQ(assembler.advance(5), 10U);  // exactly to the first island: 15 bytes on
    EXPECT_EQ(islands(assembler), (std::vector<Pair>{{10, 20}}));
    EXPECT_EQ(assembler.advance(15), 5U);  // into the middle of the last
    EXPECT_TRUE(assembler.empty());
    EXPECT_EQ(assembler.bytes(), 0U);
}

TEST(Assembler, AdvanceSwallowsIslandsThatAreBehindIt) {
    Assembler assembler;
    ASSERT_TRUE(assembler.add(10, 20, 8));
    ASSERT_TRUE(assembler.add(30, 40, 8));
    EXPECT_EQ(assembler.advance(100), 0U);
    EXPECT_TRUE(assembler.empty());
}

/// Against a bitmap: the same bytes are there after any sequence of calls.
TEST(Assembler, AgreesWithABitmap) {
    constexpr u32 kSize = 400;
    constexpr u32 kMaxIslands = 6;
    SeededRng rng(11);
    for (int round = 0; round < 300; ++round) {
        Assembler assembler;
        std::vector<bool> have(kSize);  // relative to RCV.NXT
        for (int step = 0; step < 60; ++step) {
            if (rng.below(4) == 0) {
                const u32 n = 1 + rng.below(40);
                u32 reach = n;
                while (reach < kSize && have[reach]) ++reach;
                ASSERT_EQ(assembler.advance(n), reach - n);
                have.erase(have.begin(), have.begin() + reach);
                have.resize(kSize);
            } else {
                const u32 begin = 1 + rng.below(kSize - 60);
                const u32 end = begin + 1 + rng.below(50);
                auto after = have;
                std::fill(after.begin() + begin, after.begin() + end, true);
                u32 runs = 0;
                for (u32 i = 1; i < kSize; ++i) runs += after[i] && !after[i - 1] ? 1 : 0;
                const bool grows = runs > assembler.islands().size();
                ASSERT_EQ(assembler.add(begin, end, kMaxIslands), !grows || runs <= kMaxIslands);
                if (!grows || runs <= kMaxIslands) have = after;
            }
            std::vector<Pair> expected;
            for (u32 i = 1; i < kSize; ++i) {
                if (!have[i]) continue;
                if (!have[i - 1]) expected.emplace_back(i, i);
                expected.back().second = i + 1;
            }
            ASSERT_EQ(islands(assembler), expected);
        }
    }
}

}  // namespace
}  // namespace tapestry
