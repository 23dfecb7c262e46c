// The peer's window: rows 12 to 15, 19, 21, 23 and 24.

#include "tests/bugs/bench.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// Of the two timers that keep data moving.
int moving_timers(Bench& t) {
    return (t.timer(TcpTimer::Rto) != kNever ? 1 : 0) +
           (t.timer(TcpTimer::Persist) != kNever ? 1 : 0);
}

TEST(SubtleBugs, B12_AWindowTooSmallForTheFirstSegmentIsProbedOrFilled) {
    play(kEveryWay, [](Bench& t) {
        t.window = 10;
        t.open();
        t.write(1000);
        (void)t.out();
        if (t.taken == 0) {
            ASSERT_TRUE(t.wait_output(2s)) << "nothing is in flight, and no timer runs";
        }
        (void)t.out();
        ASSERT_GE(t.taken, 1U);
        ASSERT_LE(t.taken, 10U);
        t.ack(1 + t.taken, 0);  // closed with data waiting
        t.data(1, 10);
        t.run();
        (void)t.out();
        EXPECT_EQ(moving_timers(t), 1);
        ASSERT_TRUE(t.wait_output(5s));
        (void)t.out();
        t.window = 65535;
        EXPECT_TRUE(t.takes(1000));
    });
    // A peer that has offered more before: ten bytes are not worth a segment, until the timer says so.
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.window = 10;
        t.ack(1);
        t.data(1, 10);
        t.pass(50ms);
        (void)t.out();
        t.write(1000);
        (void)t.out();
        EXPECT_EQ(t.taken, 0U);
        EXPECT_EQ(moving_timers(t), 1);
        ASSERT_TRUE(t.wait_output(2s)) << "nothing is in flight, and no timer runs";
        (void)t.out();
        EXPECT_GE(t.taken, 1U);
        EXPECT_LE(t.taken, 10U);
        t.window = 65535;
        EXPECT_TRUE(t.takes(1000));
    });
}

TEST(SubtleBugs, B13_LossMeetsAClosedWindow) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.loses = [](const SeenSegment&) { return true; };
        t.write(3000);
        (void)t.out();
        t.ack(1, 0);
        t.data(1, 10);
        t.window = 0;
        t.run();
        EXPECT_EQ(moving_timers(t), 1);
        std::size_t sent = 0;
        for (int second = 0; second < 20; ++second) {
            t.pass(1s);
            sent += t.out().size();
            EXPECT_EQ(moving_timers(t), 1);
        }
        EXPECT_GE(sent, 2U);
        EXPECT_LE(sent, 12U) << "a loop";
        t.loses = nullptr;
        t.window = 65535;
        t.ack(1, 65535);
        EXPECT_TRUE(t.takes(3000));
        EXPECT_EQ(moving_timers(t), 0);
    });
}

TEST(SubtleBugs, B14_ProbesGrowRareAndAnOrphanEnds) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.window = 0;
        t.ack(1);
        t.data(1, 10);
        t.pass(50ms);  // the delayed ACK
        t.write(100);
        (void)t.out();
        Duration last{};
        for (int probe = 0; probe < 12; ++probe) {
            const auto waited = t.wait_output(2min);
            ASSERT_TRUE(waited);
            (void)t.out();
            EXPECT_GE(*waited + 1ms, std::min<Duration>(60s, 2 * last)) << "probe " << probe;
            EXPECT_LE(*waited, 60s);
            last = *waited;
            t.put({.seq = t.sent, .ack = 1});
            t.put({.seq = t.sent - 1, .ack = 1});
            t.run();
            (void)t.out();
        }
        EXPECT_EQ(last, 60s);
        t.close();
        const TimePoint closed = t.host.now;
        while (t.connections() > 0 && t.host.now < closed + std::chrono::hours(1)) {
            ASSERT_TRUE(t.wait_output(2min) || t.connections() == 0);
            (void)t.out();
            t.put({.seq = t.sent, .ack = 1});
            t.run();
            if (t.connections() > 0) (void)t.host.port.take();
        }
        EXPECT_EQ(t.connections(), 0U) << "an orphan lives for ever";
    });
}

TEST(SubtleBugs, B15_TheBytesOfProbesCount) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.window = 0;
        t.ack(1);
        t.data(1, 10);
        t.run();
        t.pass(50ms);  // the delayed ACK
        (void)t.out();
        t.write(100);
        ASSERT_TRUE(t.wait_output(10s));
        (void)t.out();
        ASSERT_EQ(t.taken, 1U);
        t.ack(2, 65535);  // the probe's byte was taken
        const auto rest = t.out();
        ASSERT_FALSE(rest.empty());
        EXPECT_EQ(rest[0].seq, 2U);
        EXPECT_EQ(t.taken, 100U);
        t.ack(101, 0);
        t.shutdown();
        for (int turn = 0; turn < 3 && !t.fin_at; ++turn) {
            ASSERT_TRUE(t.wait_output(70s)) << "the FIN is not probed with";
            (void)t.out();
        }
        EXPECT_EQ(t.fin_at, 101U);
        t.ack(102, 0);
        t.data(11, 10);
        EXPECT_EQ(t.state(), TcpState::FinWait2);
        EXPECT_EQ(t.know().snd_nxt.value() - t.our_base, 102U);
        EXPECT_EQ(t.read(), 20U);
        EXPECT_EQ(moving_timers(t), 0);
    });
    // A FIN that is queued is not a probe's as long as it is not its turn.
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.window = 0;
        t.ack(1);
        t.data(1, 10);
        t.pass(50ms);
        (void)t.out();
        t.write(100);
        t.shutdown();
        ASSERT_TRUE(t.wait_output(10s));
        (void)t.out();
        EXPECT_EQ(t.taken, 1U);
        EXPECT_FALSE(t.fin_at);
        t.window = 65535;
        t.ack(2);
        EXPECT_TRUE(t.takes(100, true));
        EXPECT_EQ(t.state(), TcpState::FinWait2);
    });
}

TEST(SubtleBugs, B19_OnlyNewerSegmentsSayHowWideTheWindowIs) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.write(3 * 1460);
        ASSERT_EQ(t.out().size(), 3U);
        t.ack(2921, 30000);
        t.put({.seq = 1, .ack = 1461, .window = 100});  // sent before it
        EXPECT_EQ(t.know().snd_wnd, 30000U);
        t.put({.seq = 1, .ack = 4381, .window = 20000});
        EXPECT_EQ(t.know().snd_wnd, 20000U);
        t.acked = 4381;
        t.data(1, 10);
        t.put({.seq = 1, .ack = 4381, .window = 100});  // older by its number
        EXPECT_EQ(t.read(), 10U);
        EXPECT_EQ(t.know().snd_wnd, t.window);
        // Older by its number, and yet in the window: it fills a hole.
        t.window = 40000;
        t.data(21, 10);
        t.window = 100;
        t.data(11, 10);
        EXPECT_EQ(t.read(), 30U);
        EXPECT_EQ(t.know().snd_wnd, 40000U);
        t.window = 65535;
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B21_AWindowTakenBackLeavesNothingToUse) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.write(5840);
        (void)t.out();
        ASSERT_EQ(t.taken, 5840U);
        t.window = 1000;
        t.ack(1);
        t.data(1, 10);
        (void)t.out();
        t.write(20000);
        (void)t.out();
        EXPECT_EQ(t.taken, 5840U) << "beyond the window";
        t.put({.seq = t.sent, .ack = 1461});
        t.put({.seq = t.sent, .ack = 2921});
        (void)t.out();
        EXPECT_EQ(t.taken, 5840U) << "beyond the window";
        t.window = 65535;
        EXPECT_TRUE(t.takes(25840));
    });
}

TEST(SubtleBugs, B23_AcksOfTheFutureAndOfThePastAreChallenged) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.write(1000);
        EXPECT_TRUE(t.takes(1000));
        t.put({.ack = 1002});
        t.put({.ack = u32{1001} - 65535U - 1461U});
        const auto challenges = t.out();
        EXPECT_GE(challenges.size(), 2U);
        for (const auto& one : challenges) {
            EXPECT_EQ(one.flags, kAck);
            EXPECT_EQ(one.seq, 1001U);
            EXPECT_EQ(one.ack, 1U);
        }
        EXPECT_GE(t.host.drops(Drop::TcpBadAck), 2U);
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_EQ(t.know().snd_una.value() - t.our_base, 1001U);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B24_AResetMustHitTheExactNumberAndASynDoesNothing) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.put({.flags = kRst, .seq = 2});
        t.put({.flags = kSyn, .seq = 1});
        t.put({.flags = kSyn, .seq = 0x80000000});
        t.put({.flags = kSyn | kAck, .seq = 5000});
        const auto challenges = t.out();
        EXPECT_GE(challenges.size(), 4U);
        for (const auto& one : challenges) {
            EXPECT_EQ(one.flags, kAck);
            EXPECT_EQ(one.seq, 1U);
            EXPECT_EQ(one.ack, 1U);
        }
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_TRUE(t.works());
        t.put({.flags = kRst, .seq = t.sent + 65536});
        EXPECT_EQ(t.state(), TcpState::Established);
        t.put({.flags = kRst, .seq = t.sent});
        EXPECT_EQ(t.state(), TcpState::Closed);
        EXPECT_EQ(t.us.take_error(), Errno::ConnectionReset);
    });
}

}  // namespace
}  // namespace tapestry
