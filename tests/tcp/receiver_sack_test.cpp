#include <gtest/gtest.h>

#include "stack/tcp/receiver.h"

// What the receiver reports: the examples of RFC 2018 section 4 and the cases of RFC 2883 section 4.

namespace tapestry {
namespace {

using Blocks = std::vector<std::pair<u32, u32>>;

struct Bench {
    /// The next number that is expected.
    explicit Bench(u32 next) {
        receiver.start(SeqNum(next) - 1U);
        receiver.advertised(60000, false);
    }
    /// Segments as the RFCs write them: first and last number.
    Blocks take(u32 first, u32 last) {
        const std::vector<u8> text(last - first + 1, 7);
        receiver.accept(SeqNum(first), text, false, 64);
        return report();
    }
    Blocks report() {
        TcpOptions options;
        receiver.sack_blocks(options);
        receiver.duplicate_reported();
        Blocks blocks;
        for (std::size_t i = 0; i < options.sack_count; ++i) {
            const SackBlock& block = options.sack_blocks.at(i);
            blocks.emplace_back(block.left.value(), block.right.value());
        }
        return blocks;
    }
    u32 ack() const { return receiver.rcv().nxt.value(); }

    BlockPool pool{1 << 22};
    Receiver receiver{pool};
};

TEST(ReceiverSack, FirstFourOfEightArrive) {
    Bench b(5000);
    for (u32 n = 5000; n < 7000; n += 500) EXPECT_EQ(b.take(n, n + 499), Blocks{});
    EXPECT_EQ(b.ack(), 7000U);
}

TEST(ReceiverSack, OnlyTheFirstIsLost) {
    Bench b(5000);
    for (u32 n = 5500; n < 9000; n += 500) {
        EXPECT_EQ(b.take(n, n + 499), (Blocks{{5500, n + 500}}));
        EXPECT_EQ(b.ack(), 5000U);
    }
}

TEST(ReceiverSack, EverySecondIsLostAndComesLater) {
    Bench b(5000);
    EXPECT_EQ(b.take(5000, 5499), Blocks{});
    EXPECT_EQ(b.take(6000, 6499), (Blocks{{6000, 6500}}));
    EXPECT_EQ(b.take(7000, 7499), (Blocks{{7000, 7500}, {6000, 6500}}));
    EXPECT_EQ(b.take(8000, 8499), (Blocks{{8000, 8500}, {7000, 7500}, {6000, 6500}}));
    EXPECT_EQ(b.take(6500, 6999), (Blocks{{6000, 7500}, {8000, 8500}}));
    EXPECT_EQ(b.take(5500, 5999), (Blocks{{8000, 8500}}));
    EXPECT_EQ(b.ack(), 7500U);
}

/// Three blocks fit beside timestamps; the fourth is for a connection without them.
TEST(ReceiverSack, ReportsTheLatestOfMany) {
    Bench b(0);
    for (u32 n = 1000; n <= 6000; n += 1000) b.take(n, n + 99);
    EXPECT_EQ(b.report(), (Blocks{{6000, 6100}, {5000, 5100}, {4000, 4100}, {3000, 3100}}));
    EXPECT_EQ(b.take(1100, 1199), (Blocks{{1000, 1200}, {6000, 6100}, {5000, 5100}, {4000, 4100}}));
}

TEST(ReceiverSack, ASegmentBelowTheAcknowledgment) {
    Bench b(3000);
    b.take(3000, 3499);
    b.take(3500, 3999);
    b.receiver.note_duplicate(SeqNum(3000), 500);
    EXPECT_EQ(b.report(), (Blocks{{3000, 3500}}));
    EXPECT_EQ(b.report(), Blocks{}) << "reported once";
}

TEST(ReceiverSack, ADuplicateBesideAHole) {
    Bench b(3000);
    b.take(3000, 3999);
    EXPECT_EQ(b.take(4500, 4999), (Blocks{{4500, 5000}}));
    EXPECT_EQ(b.take(3000, 3499), (Blocks{{3000, 3500}, {4500, 5000}}));
}

TEST(ReceiverSack, ADuplicateWithinABlock) {
    Bench b(4000);
    b.take(4500, 4999);
    EXPECT_EQ(b.take(5000, 5499), (Blocks{{4500, 5500}}));
    EXPECT_EQ(b.take(5000, 5499), (Blocks{{5000, 5500}, {4500, 5500}}));
}

TEST(ReceiverSack, APartOfASegmentIsADuplicate) {
    Bench b(1000);
    b.take(1000, 1499);
    EXPECT_EQ(b.take(1000, 1999), (Blocks{{1000, 1500}}));
    EXPECT_EQ(b.ack(), 2000U);
    b.take(3000, 3499);
    EXPECT_EQ(b.take(2000, 3999), (Blocks{{3000, 3500}})) << "the hole is filled";
    EXPECT_EQ(b.ack(), 4000U);
}

TEST(ReceiverSack, OfTwoDuplicateParts) {
    Bench b(1000);
    b.take(1500, 1999);
    b.take(2500, 2999);
    EXPECT_EQ(b.take(1400, 3099), (Blocks{{1500, 2000}, {1400, 3100}})) << "the first";
}

}  // namespace
}  // namespace tapestry
