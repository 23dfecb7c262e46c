#include "apps/inspect/sent_before.h"

#include <gtest/gtest.h>

namespace tapestry::test {
namespace {

constexpr u32 kNone = 0;

class SentBeforeFrom : public testing::TestWithParam<u32> {
protected:
    /// Numbers count from the parameter.
    u32 note(u32 from, u32 to, u32 frame) {
        const SeqNum base(GetParam());
        return sent_.note(base + from, base + to, frame, kNone);
    }
    SentBefore sent_;
};
INSTANTIATE_TEST_SUITE_P(Numbers, SentBeforeFrom, testing::Values(1U, 0x7fffffffU, 0xffffff00U));

TEST_P(SentBeforeFrom, NewNumbersWereNotSent) {
    EXPECT_EQ(note(0, 100, 1), kNone);
    EXPECT_EQ(note(100, 200, 2), kNone);
    EXPECT_EQ(note(300, 400, 3), kNone);
    EXPECT_EQ(note(200, 300, 4), kNone) << "late, but not sent before";
}

TEST_P(SentBeforeFrom, TheLastOneThatCarriedThemIsNamed) {
    note(0, 100, 1);
    EXPECT_EQ(note(0, 100, 2), 1U);
    EXPECT_EQ(note(0, 100, 3), 2U);
}

TEST_P(SentBeforeFrom, RecutTheyAreKnownToo) {
    note(0, 1448, 1);
    EXPECT_EQ(note(0, 536, 2), 1U);
    EXPECT_EQ(note(536, 1072, 3), 1U) << "what is behind a shorter piece was in the longer one";
    EXPECT_EQ(note(1072, 1600, 4), 1U);
    EXPECT_EQ(note(1448, 1600, 5), 4U);
}

TEST_P(SentBeforeFrom, APieceWithinALargerOneHidesNothingOfIt) {
    note(0, 14480, 1);
    EXPECT_EQ(note(1448, 2896, 2), 1U);
    EXPECT_EQ(note(2896, 4344, 3), 1U);
    EXPECT_EQ(note(0, 1448, 4), 1U);
    EXPECT_EQ(note(14479, 14480, 5), 1U);
    EXPECT_EQ(note(14480, 14481, 6), kNone);
}

}  // namespace
}  // namespace tapestry::test
