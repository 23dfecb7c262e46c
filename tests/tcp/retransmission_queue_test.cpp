#include "stack/tcp/retransmission_queue.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"

namespace tapestry {
namespace {

constexpr u32 kMany = 4096;

TimePoint at_ms(int ms) { return TimePoint(std::chrono::milliseconds(ms)); }

/// Numbers that count from SND.UNA, with the wraps at 2^32 and 2^31 among them.
class RetransmissionQueueTest : public testing::TestWithParam<u32> {
protected:
    SeqNum at(u32 n) const { return SeqNum(GetParam()) + n; }
    u32 number(SeqNum seq) const { return static_cast<u32>(seq - at(0)); }
    void sent(u32 begin, u32 end, int ms, u32 max = kMany) {
        queue.sent(at(begin), at(end), at_ms(ms), max);
    }
    Delivered acknowledge(u32 una) {
        Delivered delivered;
        queue.acknowledge(at(una), delivered);
        return delivered;
    }
    Delivered deliver(u32 left, u32 right) {
        Delivered delivered;
        queue.deliver({at(left), at(right)}, delivered);
        return delivered;
    }
    /// "0-1000@5 2000-3000@7r", with r for sent again and l for lost.
    std::string text() const {
        std::string all;
        for (const Transmission& r : queue.records()) {
            if (!all.empty()) all += ' ';
            all += std::to_string(number(r.begin)) + "-" + std::to_string(number(r.end)) + "@" +
                   std::to_string(r.sent_at.time_since_epoch() / 1ms) +
                   (r.retransmitted ? "r" : "") + (r.lost ? "l" : "");
        }
        return all;
    }

    RetransmissionQueue queue;
};

INSTANTIATE_TEST_SUITE_P(Wraps, RetransmissionQueueTest,
                         testing::Values(1000U, 0xfffff000U, 0x7ffff000U));

TEST_P(RetransmissionQueueTest, WhatLeavesAtOnceIsOneRecord) {
    sent(0, 1000, 1);
    sent(1000, 2000, 1);
    sent(2000, 3000, 2);
    EXPECT_EQ(text(), "0-2000@1 2000-3000@2");
    EXPECT_EQ(queue.pipe(), 3000U);
}

TEST_P(RetransmissionQueueTest, AnAcknowledgmentTakesTheFront) {
    sent(0, 2000, 1);
    sent(2000, 4000, 2);
    const Delivered first = acknowledge(1500);
    EXPECT_EQ(first.bytes, 1500U);
    EXPECT_EQ(number(first.highest), 1500U);
    ASSERT_TRUE(first.newest);
    EXPECT_EQ(first.newest->sent_at, at_ms(1));
    EXPECT_EQ(text(), "1500-2000@1 2000-4000@2");
    const Delivered second = acknowledge(4000);
    EXPECT_EQ(second.newest->sent_at, at_ms(2));
    EXPECT_EQ(number(second.lowest_once), 2000U) << "the lower of the two records ends there";
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.pipe(), 0U);
}

TEST_P(RetransmissionQueueTest, ABlockTakesTheMiddle) {
    sent(0, 5000, 1);
    EXPECT_EQ(deliver(1000, 2000).bytes, 1000U);
    EXPECT_EQ(text(), "0-1000@1 2000-5000@1");
    EXPECT_EQ(deliver(500, 2500).bytes, 1000U) << "500 on each side are new";
    EXPECT_EQ(text(), "0-500@1 2500-5000@1");
    EXPECT_EQ(deliver(600, 700).bytes, 0U);
    EXPECT_EQ(queue.pipe(), 3000U);
}

TEST_P(RetransmissionQueueTest, LostNumbersAreOutOfThePipeUntilTheyAreSentAgain) {
    sent(0, 5000, 1);
    queue.mark_lost(at(1000), at(2000));
    queue.mark_lost(at(2000), at(3000));
    EXPECT_EQ(queue.pipe(), 3000U);
    EXPECT_EQ(queue.lost(), 2000U);
    ASSERT_TRUE(queue.first_lost());
    EXPECT_EQ(number(queue.first_lost()->left), 1000U);
    EXPECT_EQ(number(queue.first_lost()->right), 3000U) << "neighbours are one range";
    sent(1000, 1500, 7);
    sent(1500, 2000, 7);
    EXPECT_EQ(text(), "0-1000@1 1000-2000@7r 2000-3000@1l 3000-5000@1");
    EXPECT_EQ(number(queue.first_lost()->left), 2000U);
    const Delivered again = deliver(1000, 2000);
    EXPECT_FALSE(again.newest);
    EXPECT_EQ(again.newest_again->sent_at, at_ms(7));
    queue.mark_none_lost();
    EXPECT_EQ(queue.pipe(), 4000U);
    EXPECT_FALSE(queue.first_lost());
}

TEST_P(RetransmissionQueueTest, WhatIsSentAgainMayHaveGrown) {
    sent(0, 10, 1);
    queue.mark_all_lost();
    sent(0, 30, 5);
    EXPECT_EQ(text(), "0-30@5r");
    EXPECT_EQ(queue.pipe(), 30U);
    EXPECT_FALSE(queue.has_lost());
}

TEST_P(RetransmissionQueueTest, WhatThePeerDroppedIsPutBack) {
    sent(0, 4000, 1);
    deliver(1000, 2000);
    deliver(3000, 4000);
    queue.put_back({at(1000), at(2000)}, at_ms(9));
    queue.put_back({at(3000), at(4000)}, at_ms(9));
    EXPECT_EQ(text(), "0-1000@1 1000-2000@9r 2000-3000@1 3000-4000@9r");
    EXPECT_EQ(queue.pipe(), 4000U);
}

TEST_P(RetransmissionQueueTest, MemoryIsBounded) {
    for (u32 i = 0; i < 100; ++i) sent(i, i + 1, static_cast<int>(i), 10);
    EXPECT_EQ(queue.records().size(), 10U);
    EXPECT_EQ(queue.records().back().sent_at, at_ms(99)) << "too late is better than too early";
    EXPECT_TRUE(queue.records().back().retransmitted) << "nothing is timed by it";
    EXPECT_EQ(queue.pipe(), 100U);
}

/// Random calls, against a list with one place for each number.
TEST_P(RetransmissionQueueTest, KeepsWhatAListOfNumbersKeeps) {
    enum class Is : u8 { Gone, There, Lost };
    for (u64 seed = 1; seed <= 50; ++seed) {
        SeededRng rng(seed);
        queue.clear();
        std::vector<Is> list;
        u32 una = 0;
        for (int step = 0; step < 400; ++step) {
            const u32 size = static_cast<u32>(list.size());
            const u32 left = size > una ? una + rng.below(size - una) : una;
            const u32 right = size > left ? left + 1 + rng.below(size - left) : left;
            const u32 kind = rng.below(10);
            if (kind < 3) {
                sent(size, size + 1 + rng.below(50), step / 3);
                list.resize(number(queue.records().back().end), Is::There);
            } else if (kind < 5) {
                deliver(left, right);
                std::fill(list.begin() + left, list.begin() + right, Is::Gone);
            } else if (kind < 6) {
                acknowledge(right);
                std::fill(list.begin() + una, list.begin() + right, Is::Gone);
                una = right;
            } else if (kind < 8) {
                queue.mark_lost(at(left), at(right));
                for (u32 i = left; i < right; ++i) {
                    if (list[i] == Is::There) list[i] = Is::Lost;
                }
            } else if (const auto lost = queue.first_lost()) {
                const u32 begin = number(lost->left);
                const u32 end = begin + 1 + rng.below(number(lost->right) - begin);
                ASSERT_EQ(std::find(list.begin(), list.end(), Is::Lost) - list.begin(), begin);
                sent(begin, end, step / 3);
                std::fill(list.begin() + begin, list.begin() + end, Is::There);
            }
            const auto count = [&](Is what) {
                return static_cast<u32>(std::count(list.begin(), list.end(), what));
            };
            ASSERT_EQ(queue.pipe(), count(Is::There)) << "seed " << seed << ": " << text();
            ASSERT_EQ(queue.lost(), count(Is::Lost)) << "seed " << seed << ": " << text();
        }
    }
}

}  // namespace
}  // namespace tapestry
