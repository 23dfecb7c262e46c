#include "stack/tcp/recovery.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

using Action = Recovery::Action;

constexpr u16 kMss = 1000;
constexpr u8 kThreshold = 3;

Recovery started() {
    Recovery recovery;
    recovery.start(SeqNum(0xfffffff0));  // near the end of the numbers, so that they wrap
    return recovery;
}
SeqNum seq(u32 n) { return SeqNum(0xfffffff1) + n; }

Action duplicate(Recovery& recovery, u32 una = 0) {
    return recovery.on_duplicate(seq(una), kThreshold, kMss);
}
/// In recovery, with ten segments under way and ssthresh 5.
Recovery entered() {
    Recovery recovery = started();
    for (int i = 0; i < 3; ++i) duplicate(recovery);
    recovery.enter(seq(0), seq(10 * kMss), 5 * kMss, kThreshold, kMss);
    return recovery;
}

TEST(Recovery, EntersAtTheThirdDuplicate) {
    Recovery recovery = started();
    EXPECT_EQ(duplicate(recovery), Action::None);
    EXPECT_EQ(duplicate(recovery), Action::None);
    EXPECT_EQ(duplicate(recovery), Action::Enter);
    EXPECT_EQ(recovery.duplicates(), 3);
}

TEST(Recovery, NewDataStartTheCountAgain) {
    Recovery recovery = started();
    duplicate(recovery);
    duplicate(recovery);
    EXPECT_EQ(recovery.on_advance(seq(1), 1, kMss), Action::None);
    EXPECT_EQ(duplicate(recovery, 1), Action::None);
    EXPECT_EQ(duplicate(recovery, 1), Action::None);
    EXPECT_EQ(duplicate(recovery, 1), Action::Enter);
}

/// RFC 5681 3.2 (3) and (4).
TEST(Recovery, LendsAWindowThatDuplicatesInflate) {
    Recovery recovery = entered();
    EXPECT_TRUE(recovery.active());
    EXPECT_EQ(recovery.window(), 8U * kMss);
    EXPECT_EQ(duplicate(recovery), Action::Inflate);
    EXPECT_EQ(recovery.window(), 9U * kMss);
}

/// RFC 5681 section 5: no more segments can have left the network than were in it.
TEST(Recovery, ForgedDuplicatesInflateNoFurtherThanTheFlight) {
    Recovery recovery = entered();
    for (int i = 0; i < 100; ++i) duplicate(recovery);
    EXPECT_EQ(recovery.window(), 15U * kMss);
}

/// RFC 6582 3.2 (3): a partial ACK retransmits the next hole and deflates.
TEST(Recovery, PartialAckRetransmitsAndDeflates) {
    Recovery recovery = entered();
    EXPECT_EQ(recovery.on_advance(seq(2 * kMss), 2 * kMss, kMss), Action::Retransmit);
    EXPECT_EQ(recovery.window(), 7U * kMss);  // 8 - 2 + 1
    EXPECT_EQ(recovery.on_advance(seq(2 * kMss + 10), 10, kMss), Action::Retransmit);
    EXPECT_EQ(recovery.window(), 7U * kMss - 10) << "less than a segment adds nothing back";
    EXPECT_TRUE(recovery.active());
}

TEST(Recovery, DeflatesToNoLessThanASegment) {
    Recovery recovery = entered();
    EXPECT_EQ(recovery.on_advance(seq(9 * kMss), 9 * kMss, kMss), Action::Retransmit);
    EXPECT_EQ(recovery.window(), kMss);
}

TEST(Recovery, FullAckEndsIt) {
    Recovery recovery = entered();
    EXPECT_EQ(recovery.on_advance(seq(10 * kMss), 10 * kMss, kMss), Action::Finish);
    EXPECT_FALSE(recovery.active());
    EXPECT_EQ(recovery.duplicates(), 0);
}

/// RFC 6582 3.2 (2) and (4): duplicates that a timeout's own retransmissions cause are no new loss.
TEST(Recovery, DoesNotEnterAgainForTheSameWindow) {
    Recovery recovery = entered();
    recovery.on_timeout(seq(10 * kMss));
    EXPECT_FALSE(recovery.active());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(duplicate(recovery, 4 * kMss), Action::None);
    recovery.on_advance(seq(10 * kMss), 6 * kMss, kMss);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(duplicate(recovery, 10 * kMss), Action::None);
    // Beyond recover, losses count again.
    recovery.on_advance(seq(11 * kMss), kMss, kMss);
    duplicate(recovery, 11 * kMss);
    duplicate(recovery, 11 * kMss);
    EXPECT_EQ(duplicate(recovery, 11 * kMss), Action::Enter);
}

/// After 2^31 bytes without a loss the number that recovery remembers lies as far behind as ahead.
TEST(Recovery, EntersAfterAnyNumberOfBytesWithoutLoss) {
    Recovery recovery = started();
    u32 una = 0;
    for (int i = 0; i < 12; ++i) {
        una += 1U << 29U;
        EXPECT_EQ(recovery.on_advance(seq(una), 1U << 29U, kMss), Action::None);
        EXPECT_EQ(duplicate(recovery, una), Action::None);
        EXPECT_EQ(duplicate(recovery, una), Action::None);
        EXPECT_EQ(duplicate(recovery, una), Action::Enter) << i;
    }
}

TEST(Recovery, CountsOnWithoutOverflow) {
    Recovery recovery = started();
    for (int i = 0; i < 3; ++i) duplicate(recovery);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(duplicate(recovery), Action::None);
}

}  // namespace
}  // namespace tapestry
