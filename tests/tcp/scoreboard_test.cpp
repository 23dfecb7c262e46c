#include "stack/tcp/scoreboard.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"

namespace tapestry {
namespace {

using Block = Scoreboard::Block;

constexpr u16 kMss = 1000;
constexpr LossRule kRule{3, kMss};

/// Numbers that count from SND.UNA, once with the wrap at 2^32 among them and once with that at 2^31.
class ScoreboardTest : public testing::TestWithParam<u32> {
protected:
    SeqNum at(u32 n) const { return SeqNum(GetParam()) + n; }
    u32 number(SeqNum seq) const { return static_cast<u32>(seq - at(0)); }
    Block add(u32 left, u32 right, u32 max = 256) {
        return board.add({at(left), at(right)}, at(una), at(nxt), max);
    }
    using Pair = std::pair<u32, u32>;
    std::optional<Pair> pair(const std::optional<SackBlock>& hole) const {
        if (!hole) return std::nullopt;
        return Pair{number(hole->left), number(hole->right)};
    }

    Scoreboard board;
    u32 una = 0;
    u32 nxt = 10000;
};

INSTANTIATE_TEST_SUITE_P(Wraps, ScoreboardTest, testing::Values(1000U, 0xffffe000U, 0x7fffe000U));

TEST_P(ScoreboardTest, JoinsWhatOverlapsOrTouches) {
    EXPECT_EQ(add(5000, 6000), Block::New);
    EXPECT_EQ(add(2000, 3000), Block::New);
    EXPECT_EQ(add(2000, 3000), Block::Known);
    EXPECT_EQ(add(2500, 2600), Block::Known);
    EXPECT_EQ(board.ranges().size(), 2U);
    EXPECT_EQ(add(3000, 5000), Block::New);
    ASSERT_EQ(board.ranges().size(), 1U);
    EXPECT_EQ(pair(board.ranges()[0]), (Pair{2000, 6000}));
    EXPECT_EQ(board.bytes(), 4000U);
    EXPECT_EQ(number(board.highest()), 6000U);
}

TEST_P(ScoreboardTest, RefusesWhatCannotBeTrue) {
    una = 1000;
    EXPECT_EQ(add(3000, 3000), Block::Nonsense) << "empty";
    EXPECT_EQ(add(3000, 2000), Block::Nonsense) << "turned round";
    EXPECT_EQ(add(9000, 10001), Block::Nonsense) << "never sent";
    EXPECT_EQ(add(1000, 2000), Block::Nonsense) << "that would have been acknowledged";
    EXPECT_EQ(add(500, 2000), Block::Nonsense);
    EXPECT_EQ(add(0, 1000), Block::Duplicate) << "D-SACK";
    EXPECT_TRUE(board.empty());
    EXPECT_EQ(add(9000, 10000), Block::New);
}

TEST_P(ScoreboardTest, KeepsNoMoreRangesThanAllowed) {
    for (u32 i = 1; i <= 4; ++i) EXPECT_EQ(add(i * 1000, i * 1000 + 10, 4), Block::New);
    EXPECT_EQ(add(6000, 6010, 4), Block::Known);
    EXPECT_EQ(board.ranges().size(), 4U);
    EXPECT_EQ(add(4010, 4020, 4), Block::New) << "what joins a range needs no place";
}

TEST_P(ScoreboardTest, AcknowledgmentsSettleAndFindOutReneging) {
    add(2000, 3000);
    add(5000, 6000);
    EXPECT_FALSE(board.reneged(at(1500)));
    EXPECT_FALSE(board.reneged(at(3000)));
    board.acknowledge(at(3000));
    EXPECT_EQ(board.ranges().size(), 1U);
    EXPECT_TRUE(board.reneged(at(5000))) << "5000 to 6000 had been reported";
    EXPECT_TRUE(board.reneged(at(5500)));
    EXPECT_FALSE(board.reneged(at(6000)));
    board.acknowledge(at(6000));
    EXPECT_TRUE(board.empty());
}

/// RFC 6675 section 4, IsLost(): three sequences, or more than two segments' bytes.
TEST_P(ScoreboardTest, LostIsWhatHasEnoughBeyondIt) {
    add(1000, 1010);
    add(2000, 2010);
    EXPECT_FALSE(board.is_lost(at(0), kRule));
    add(3000, 3010);
    EXPECT_TRUE(board.is_lost(at(0), kRule));
    EXPECT_FALSE(board.is_lost(at(1010), kRule)) << "only two are beyond";
    board = {};
    add(1000, 3000);
    EXPECT_FALSE(board.is_lost(at(0), kRule)) << "two segments are not more than two";
    add(3000, 3001);
    EXPECT_TRUE(board.is_lost(at(0), kRule));
}

/// Random blocks, good and bad, against a list with one place for each number.
TEST_P(ScoreboardTest, KeepsWhatAListOfNumbersKeeps) {
    for (u64 seed = 1; seed <= 30; ++seed) {
        SeededRng rng(seed);
        board = {};
        una = 0;
        nxt = 500;
        std::vector<bool> sacked(nxt);
        for (int step = 0; step < 300; ++step) {
            const u32 left = rng.below(510);
            const u32 right = rng.below(510);
            const Block block = add(left, right);
            if (block == Block::New) std::fill(sacked.begin() + left, sacked.begin() + right, true);
            u32 count = 0;
            for (u32 i = una; i < nxt; ++i) {
                count += sacked[i] ? 1 : 0;
                ASSERT_EQ(board.reneged(at(i)), sacked[i]) << "seed " << seed;
            }
            ASSERT_EQ(board.bytes(), count);
            if (!sacked[una] && rng.below(20) == 0) {
                while (una + 1 < nxt && !sacked[una]) ++una;
                while (una + 1 < nxt && sacked[una]) ++una;
                if (sacked[una]) break;
                board.acknowledge(at(una));
            }
        }
    }
}

}  // namespace
}  // namespace tapestry
