#include <gtest/gtest.h>

#include "stack/tcp/sender.h"

// What hostile SACK blocks can cost the sender: CVE-2019-11477 and CVE-2019-11478.

namespace tapestry {
namespace {

constexpr u32 kFlight = 1U << 20;
constexpr u32 kMaxRanges = 256;

/// A megabyte in flight, in segments of 88 bytes, the smallest that a peer can make us send.
struct Bench {
    Bench() {
        sender.start(SeqNum(kIss));
        sender.sent(*sender.next_segment(limits), {}, 4096);
        Delivered delivered;
        sender.acknowledge(first(), {}, delivered);
        sender.update_window(kFlight, SeqNum(1), first());
        limits = {.window = kFlight, .mss = 88, .max_burst = 88, .no_delay = true};
        EXPECT_TRUE(sender.append(std::vector<u8>(kFlight)));
        for (int ms = 1; const auto plan = sender.next_segment(limits); ++ms) {
            sender.sent(*plan, TimePoint(ms * 1ms), 4096);
        }
    }
    u32 sack(u32 left, u32 right) {
        const SackBlock block{first() + left, first() + right};
        Delivered delivered;
        sender.take_sack({&block, 1}, kMaxRanges, delivered);
        return delivered.bytes;
    }
    static constexpr u32 kIss = 0xfffff000;
    static SeqNum first() { return SeqNum(kIss) + 1; }

    BlockPool pool{1 << 23};
    Sender sender{pool};
    SendLimits limits{.window = 88, .mss = 88, .max_burst = 88};
};

/// Every other eight octets: what is remembered of it is bounded, and nothing is counted twice.
TEST(SenderSack, EveryOtherEightOctetsCostABoundedAmount) {
    Bench b;
    ASSERT_EQ(b.sender.pipe(), kFlight);
    const std::size_t before = b.sender.queue().records().size();
    EXPECT_LE(before, 4096U);
    u32 delivered = 0;
    for (int round = 0; round < 3; ++round) {
        for (u32 left = 8; left + 8 < kFlight; left += 16) delivered += b.sack(left, left + 8);
    }
    EXPECT_EQ(b.sender.scoreboard()->ranges().size(), kMaxRanges);
    EXPECT_LE(b.sender.queue().records().size(), before + 2U * kMaxRanges);
    EXPECT_EQ(delivered, kMaxRanges * 8U);
    EXPECT_EQ(b.sender.pipe() + b.sender.sacked(), kFlight);
}

/// Eight octets after eight octets, from the end on, so that every block joins its neighbours.
TEST(SenderSack, MergingDoesNotOverflow) {
    Bench b;
    for (u32 right = kFlight; right > 8; right -= 8) ASSERT_EQ(b.sack(right - 8, right), 8U);
    EXPECT_EQ(b.sender.scoreboard()->ranges().size(), 1U);
    EXPECT_EQ(b.sender.pipe(), 8U);
    EXPECT_EQ(b.sender.sacked(), kFlight - 8);
    EXPECT_EQ(b.sender.queue().records().size(), 1U);
    Delivered delivered;
    const Acknowledged acked = b.sender.acknowledge(Bench::first() + kFlight, {}, delivered);
    EXPECT_EQ(acked.text, kFlight);
    EXPECT_EQ(delivered.bytes, 8U);
    EXPECT_EQ(b.sender.scoreboard(), nullptr);
}

}  // namespace
}  // namespace tapestry
