// How connections end: rows 10, 11 and 33 to 39.

#include "tests/bugs/bench.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

TEST(SubtleBugs, B10_InClosingTheFinIsRepeated) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.shutdown();
        (void)t.out();
        ASSERT_EQ(t.fin_at, 1U);
        t.data(1, 10);
        t.data(11, 0, kFin);  // has not seen ours
        EXPECT_EQ(t.state(), TcpState::Closing);
        (void)t.out();
        for (int again = 0; again < 3; ++again) {
            std::size_t fins = 0;
            for (int turn = 0; turn < 5 && fins == 0; ++turn) {
                ASSERT_TRUE(t.wait_output(100s)) << "nothing is sent again";
                for (const auto& one : t.out()) fins += (one.flags & kFin) != 0 ? 1 : 0;
            }
            EXPECT_GE(fins, 1U);
            EXPECT_EQ(t.state(), TcpState::Closing);
        }
        t.ack(2);
        EXPECT_EQ(t.state(), TcpState::TimeWait);
        EXPECT_EQ(t.read(), 10U);
        t.pass(2min);
        EXPECT_EQ(t.state(), TcpState::Closed);
    });
}

TEST(SubtleBugs, B11_CloseWithUnsentDataWhileAFinArrives) {
    play(kEveryWay, [](Bench& t) {
        t.window = 10;
        t.open();
        t.write(1000);
        t.close();
        (void)t.out();
        ASSERT_LE(t.taken, 10U);
        t.data(1, 0, kFin);
        t.ack(1 + t.taken, 10);
        t.run();
        EXPECT_EQ(t.connections(), 1U);
        t.window = 65535;
        t.ack(1 + t.taken);
        EXPECT_TRUE(t.takes(1000, true));
        t.pass(2min);
        EXPECT_EQ(t.connections(), 0U);
    });
}

/// Each segment that may reach TIME-WAIT, and what becomes of it. An ACK goes with each, so that there is
/// something to change places with.
TEST(SubtleBugs, B33_WhatReachesTimeWait) {
    enum class After : u8 { Stays, Restarts, Gone, NewConnection };
    struct Row {
        const char* what;
        bool stamped;
        Given given;
        After after;
    };
    const std::vector<Row> rows{
        {"a reset elsewhere", false, {.flags = kRst, .seq = 1, .ack = 2}, After::Stays},
        {"the exact reset", false, {.flags = kRst, .seq = 2}, After::Gone},
        {"old data", false, {.seq = 1, .ack = 2, .text = {'x'}}, After::Stays},
        {"the FIN again", false, {.flags = kFin | kAck, .seq = 1, .ack = 2}, After::Restarts},
        {"an older SYN", false, {.flags = kSyn, .seq = 0}, After::Stays},
        {"a newer SYN", false, {.flags = kSyn, .seq = 100000}, After::NewConnection},
        {"an older SYN of an older time",
         true,
         {.flags = kSyn, .seq = 0, .stamp = 500},
         After::Stays},
        {"an older SYN of a newer time",
         true,
         {.flags = kSyn, .seq = 0, .stamp = 900000},
         After::NewConnection},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        play(kEveryWay, [&](Bench& t) {
            t.stamps = row.stamped;
            t.open(row.stamped ? std::vector<u8>{2, 4, 5, 180, 8, 10, 0, 0, 3, 232, 0, 0, 0, 0}
                               : std::vector<u8>{2, 4, 5, 180});
            t.shutdown();
            (void)t.out();
            t.ack(2);
            t.data(1, 0, kFin);
            ASSERT_EQ(t.state(), TcpState::TimeWait);
            t.pass(10s);
            const TimePoint end = t.timer(TcpTimer::TimeWait);
            ASSERT_NE(end, kNever);
            (void)t.out();
            Given given = row.given;
            if (given.flags == kSyn) {
                given.options = {2, 4, 5, 180};
                if (given.stamp) {
                    given.options.insert(given.options.end(),
                                         {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0});
                    store_be32(&given.options[8], *given.stamp);
                }
            }
            t.put(given);
            t.ack(2);
            const auto sent = t.out();
            const bool renewed = std::ranges::any_of(
                sent, [](const auto& one) { return one.flags == (kSyn | kAck); });
            EXPECT_EQ(renewed, row.after == After::NewConnection);
            if (row.after == After::Stays || row.after == After::Restarts) {
                EXPECT_EQ(t.state(), TcpState::TimeWait);
                EXPECT_EQ(t.timer(TcpTimer::TimeWait) > end, row.after == After::Restarts);
            } else {
                EXPECT_EQ(t.state(), TcpState::Closed);
                EXPECT_EQ(t.connections(), renewed ? 2U : 1U) << "one of them is our handle's";
            }
        });
    }
}

TEST(SubtleBugs, B34_LastAckWaitsForTheAckOfTheFin) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.data(1, 0, kFin);
        t.write(10);
        t.shutdown();
        (void)t.out();
        ASSERT_EQ(t.fin_at, 11U);
        t.ack(6);
        t.ack(11);
        EXPECT_EQ(t.state(), TcpState::LastAck);
        t.ack(12);
        EXPECT_EQ(t.state(), TcpState::Closed);
        EXPECT_EQ(t.us.take_error(), Errno::None);
    });
}

TEST(SubtleBugs, B35_HalfClosedAMegabyteStillComes) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.shutdown();
        (void)t.out();
        t.ack(2);
        ASSERT_EQ(t.state(), TcpState::FinWait2);
        u32 next = 1;
        while (next < (1U << 20U)) {
            for (int i = 0; i < 40; ++i, next += 1400) t.data(next, 1400);
            ASSERT_EQ(t.read(), next - 1);
            t.pass(50ms);
            const auto acks = t.out();
            ASSERT_FALSE(acks.empty());
            ASSERT_EQ(acks.back().ack, next);
            ASSERT_GE(acks.back().window, 56000U);
        }
        t.data(next, 0, kFin);
        t.read();
        EXPECT_TRUE(t.at_end);
        EXPECT_EQ(t.state(), TcpState::TimeWait);
    });
}

TEST(SubtleBugs, B36_AnOrphanInFinWait2IsFreed) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.write(10);
        t.close();
        (void)t.out();
        t.ack(6);
        t.ack(12);
        EXPECT_EQ(t.connections(), 1U);
        t.pass(t.host.stack.config().tcp.fin_wait_2_timeout + 1s);
        EXPECT_EQ(t.connections(), 0U);
        (void)t.out();
        t.data(1, 10);
        for (const auto& one : t.out()) EXPECT_EQ(one.flags, kRst);
    });
}

TEST(SubtleBugs, B37_CloseSaysWhetherBytesWereLost) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.data(1, 50);
        t.data(51, 50);
        t.close();
        EXPECT_NE(t.last_out().flags & kRst, 0) << "unread bytes: the peer must know";
        EXPECT_FALSE(t.fin_at);
        EXPECT_EQ(t.connections(), 0U);
    });
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.data(1, 50);
        t.data(51, 50);
        t.read();
        t.close();
        (void)t.out();
        EXPECT_EQ(t.fin_at, 1U);
        t.data(1, 50);
        t.data(51, 50);  // the peer has missed our ACK: nothing is lost
        for (const auto& one : t.out()) EXPECT_EQ(one.flags & kRst, 0);
        EXPECT_EQ(t.connections(), 1U);
        t.data(101, 50);
        EXPECT_NE(t.last_out(kRst).flags & kRst, 0) << "nobody will read these";
        EXPECT_EQ(t.connections(), 0U);
    });
}

TEST(SubtleBugs, B38_AFinWithAnOldAckIsAFin) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.write(100);
        t.shutdown();
        (void)t.out();
        t.ack(102);
        t.put({.flags = kFin | kAck, .seq = 1, .ack = 51});
        if (t.exact()) {
            EXPECT_EQ(t.state(), TcpState::TimeWait);
        }
        EXPECT_EQ(t.last_out().ack, 2U);
        // Swapped, the ACK came from before RCV.NXT and did not count; the peer would repeat it.
        t.sent = 2;
        t.ack(102);
        EXPECT_EQ(t.state(), TcpState::TimeWait);
    });
    play(kNoSwap, [](Bench& t) {
        t.open();
        t.write(100);
        t.shutdown();
        (void)t.out();
        t.put({.flags = kFin | kAck, .seq = 1, .ack = 51});
        EXPECT_EQ(t.state(), TcpState::Closing);
        t.sent = 2;
        t.ack(102);
        EXPECT_EQ(t.state(), TcpState::TimeWait);
    });
}

TEST(SubtleBugs, B39_WhatGrewSinceItWasLostGoesOutRight) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        bool lost = true;
        t.loses = [&](const SeenSegment&) { return lost; };
        t.write(10);
        (void)t.out();
        t.write(10);
        t.write(10);
        t.shutdown();
        (void)t.out();
        t.pass(2500ms);
        (void)t.out();
        lost = false;
        ASSERT_EQ(t.taken, 0U);
        EXPECT_TRUE(t.takes(30, true));
        EXPECT_EQ(t.state(), TcpState::FinWait2);
        t.data(1, 10);
        t.data(11, 0, kFin);
        EXPECT_EQ(t.read(), 10U);
        EXPECT_EQ(t.state(), TcpState::TimeWait);
    });
}

}  // namespace
}  // namespace tapestry
