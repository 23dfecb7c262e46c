#include "stack/tcp/rack.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

TimePoint at_ms(int ms) { return TimePoint(std::chrono::milliseconds(ms)); }
constexpr u32 kMss = 1000;

/// Segments of 1000 bytes, numbered from 0; each leaves one millisecond after the other, and the round
/// trip takes 100 ms.
class RackTest : public testing::TestWithParam<u32> {
protected:
    RackTest() { now = at_ms(100); }
    SeqNum at(u32 segment) const { return SeqNum(GetParam()) + segment * kMss; }
    void send(u32 count) {
        for (u32 i = 0; i < count; ++i, ++next) {
            queue.sent(at(next), at(next + 1), at_ms(static_cast<int>(next)), 4096);
        }
    }
    /// The first `una` segments have arrived.
    void acknowledge(u32 una, TimePoint echoed = {}) {
        Delivered delivered;
        queue.acknowledge(at(una), delivered);
        situation.una = at(una);
        rack.on_delivered(delivered, now, echoed);
    }
    void sack(u32 first, u32 last, TimePoint echoed = {}) {
        Delivered delivered;
        queue.deliver({at(first), at(last + 1)}, delivered);
        rack.on_delivered(delivered, now, echoed);
    }
    Rack::Result detect() {
        situation.now = now;
        situation.srtt = 100ms;
        situation.nxt = at(next);
        return rack.detect_loss(queue, situation);
    }
    bool lost(u32 segment) const {
        for (const Transmission& r : queue.records()) {
            if (!at(segment).before(r.begin) && at(segment).before(r.end)) return r.lost;
        }
        return false;
    }

    RetransmissionQueue queue;
    Rack rack;
    Rack::Situation situation;
    TimePoint now{};
    u32 next = 0;
};

INSTANTIATE_TEST_SUITE_P(Wraps, RackTest, testing::Values(1000U, 0xfffff000U, 0x7ffff000U));

/// Section 6.2 step 5: what was sent before something that has arrived is lost when the reordering
/// window, a quarter of the round trip, is over; not before.
TEST_P(RackTest, WaitsForTheReorderingWindow) {
    send(2);
    now = at_ms(101);
    sack(1, 1);
    Rack::Result result = detect();
    EXPECT_EQ(result.lost, 0U);
    EXPECT_EQ(result.again, at_ms(0 + 100 + 25));
    now = at_ms(124);
    EXPECT_EQ(detect().lost, 0U);
    now = at_ms(125);
    EXPECT_EQ(detect().lost, kMss);
    EXPECT_TRUE(lost(0));
}

/// Without any reordering seen, DupThresh segments SACKed are enough.
TEST_P(RackTest, ThreeSackedSegmentsAreEnoughWhereNothingWasReordered) {
    send(4);
    now = at_ms(103);
    sack(1, 3);
    situation.enough_sacked = true;
    EXPECT_EQ(detect().lost, kMss);
    EXPECT_TRUE(lost(0));
}

TEST_P(RackTest, ReorderingBringsTheWindowBack) {
    send(10);
    now = at_ms(102);
    sack(2, 2);
    now = at_ms(103);
    sack(1, 1);  // sent once, arrived behind 2
    EXPECT_TRUE(rack.reordering_seen());
    situation.enough_sacked = true;
    EXPECT_EQ(detect().lost, 0U);
    now = at_ms(130);
    EXPECT_GT(detect().lost, 0U);
}

TEST_P(RackTest, WhatWasSentLaterIsNotLost) {
    send(4);
    now = at_ms(250);
    situation.enough_sacked = true;
    sack(1, 1);
    detect();
    EXPECT_TRUE(lost(0));
    EXPECT_FALSE(lost(2));
    EXPECT_FALSE(lost(3));
}

/// A lost retransmission: DupThresh cannot see it, time can.
TEST_P(RackTest, FindsALostRetransmission) {
    send(3);
    now = at_ms(102);
    sack(1, 2);
    situation.enough_sacked = true;
    detect();
    ASSERT_TRUE(lost(0));
    queue.sent(at(0), at(1), at_ms(103), 4096);
    queue.sent(at(3), at(4), at_ms(104), 4096);
    next = 4;
    situation.in_recovery = true;
    now = at_ms(204);
    sack(3, 3);
    EXPECT_EQ(detect().lost, kMss);
    EXPECT_TRUE(lost(0));
}

/// New data and then a retransmission leave in one batch, at one time: the data arrive first, and that
/// does not make the retransmission late.
TEST_P(RackTest, TheOrderCountsWhereTheTimeIsTheSame) {
    send(3);
    queue.mark_lost(at(0), at(1));
    queue.sent(at(3), at(4), at_ms(50), 4096);
    queue.sent(at(0), at(1), at_ms(50), 4096);
    next = 4;
    situation.in_recovery = true;
    now = at_ms(150);
    sack(1, 3);
    detect();
    EXPECT_FALSE(lost(0));
}

/// Step 2: the answer to the first transmission says nothing about the second.
TEST_P(RackTest, ASpuriousRetransmissionIsNotTakenForDelivered) {
    send(1);
    now = at_ms(100);
    acknowledge(1);
    send(3);
    queue.mark_lost(at(1), at(2));
    queue.sent(at(1), at(2), at_ms(190), 4096);
    now = at_ms(195);
    acknowledge(2);
    EXPECT_EQ(rack.rtt(), 100ms) << "5 ms are too short a round trip";
    now = at_ms(290);
    queue.mark_lost(at(2), at(3));
    queue.sent(at(2), at(3), at_ms(200), 4096);
    acknowledge(3, at_ms(150));
    EXPECT_EQ(rack.rtt(), 100ms) << "the echo is of the first transmission";
}

/// Step 4: a D-SACK widens the window, once in a round trip, for 16 recoveries.
TEST_P(RackTest, DuplicatesWidenTheWindow) {
    send(2);
    now = at_ms(100);
    acknowledge(1);
    send(8);
    detect();
    EXPECT_EQ(rack.reordering_window(situation), 25ms);
    situation.duplicate = true;
    detect();
    detect();
    EXPECT_EQ(rack.reordering_window(situation), 50ms) << "once in a round trip";
    now = at_ms(110);
    acknowledge(10);
    detect();
    EXPECT_EQ(rack.reordering_window(situation), 75ms);
    for (int i = 0; i < 9; ++i) {
        send(1);
        acknowledge(next);
        detect();
    }
    EXPECT_EQ(rack.reordering_window(situation), 100ms) << "at most SRTT";
    for (int i = 0; i < 15; ++i) rack.on_recovered();
    EXPECT_EQ(rack.reordering_window(situation), 100ms);
    rack.on_recovered();
    EXPECT_EQ(rack.reordering_window(situation), rack.min_rtt() / 4);
}

/// Section 6.3: at a timeout the first segment is lost, and what is older than a round trip; what has
/// just been sent is not.
TEST_P(RackTest, ATimeoutSparesWhatHasJustBeenSent) {
    send(1);
    now = at_ms(100);
    acknowledge(1);
    send(3);
    queue.sent(at(4), at(5), at_ms(1050), 4096);
    situation.now = at_ms(1100);
    situation.srtt = 100ms;
    rack.mark_losses_on_timeout(queue, situation);
    EXPECT_TRUE(lost(1));
    EXPECT_TRUE(lost(3));
    EXPECT_FALSE(lost(4));
}

}  // namespace
}  // namespace tapestry
