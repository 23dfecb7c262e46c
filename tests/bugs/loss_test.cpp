// Loss, retransmission and congestion: rows 17, 18 and 40 to 48.

#include "tests/bugs/bench.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

constexpr u32 kMss = 1460;

StackConfig plain(bool rack = false) {
    StackConfig config = HostileHost::quiet();
    config.tcp.loss_probe = false;
    config.tcp.rack = rack;
    config.tcp.congestion = Congestion::Reno;
    return config;
}

/// NOP, NOP and a SACK option with these blocks, in numbers of ours.
std::vector<u8> sack(const Bench& t, const std::vector<std::pair<u32, u32>>& blocks) {
    std::vector<u8> option{1, 1, 5, static_cast<u8>(2 + 8 * blocks.size())};
    for (const auto& [left, right] : blocks) {
        option.resize(option.size() + 8);
        store_be32(&option[option.size() - 8], t.our_base + left);
        store_be32(&option[option.size() - 4], t.our_base + right);
    }
    return option;
}
const std::vector<u8> kSackAgreed{2, 4, 5, 180, 4, 2, 1, 1};

/// How often the segment at `seq` is among them.
std::size_t times_sent(const std::vector<SeenSegment>& list, u32 seq) {
    return static_cast<std::size_t>(std::ranges::count_if(
        list, [&](const auto& one) { return !one.text.empty() && one.seq == seq; }));
}

TEST(SubtleBugs, B17_AWindowThatMovesIsNoDuplicate) {
    play(
        kNoTwice,
        [](Bench& t) {
            t.open();
            t.write(5 * kMss);
            (void)t.out();
            for (u16 wide = 2; wide <= 6; ++wide) t.ack(1, static_cast<u16>(10000 * wide));
            EXPECT_EQ(times_sent(t.out(), 1), 0U);
            EXPECT_EQ(t.counters().tcp_fast_retransmits, 0U);
            EXPECT_FALSE(t.know().in_recovery);
            EXPECT_TRUE(t.takes(5 * kMss));
        },
        plain());
}

TEST(SubtleBugs, B18_DataAreNoDuplicatesNorIsAnythingWhenNothingIsInFlight) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            for (int i = 0; i < 5; ++i) t.ack(1);
            t.run();
            const u32 cwnd = t.know().cwnd;
            t.write(5 * kMss);
            (void)t.out();
            for (u32 i = 0; i < 6; ++i) t.data(1 + 100 * i, 100);
            EXPECT_EQ(times_sent(t.out(), 1), 0U);
            EXPECT_EQ(t.counters().tcp_fast_retransmits, 0U);
            EXPECT_EQ(t.know().cwnd, cwnd);
            EXPECT_EQ(t.read(), 600U);
            EXPECT_TRUE(t.takes(5 * kMss));
        },
        plain());
}

TEST(SubtleBugs, B40_ThePartialAckStartsTheTimerAnew) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            const u32 syn_acks = static_cast<u32>(t.counters().tcp_retrans_segs);
            t.write(3 * kMss);
            (void)t.out();
            t.pass(300ms);
            t.ack(1 + kMss / 2);
            t.ack(1 + kMss);
            EXPECT_EQ(t.timer(TcpTimer::Rto), t.host.now + t.know().rto);
            t.pass(300ms);
            t.ack(1 + 2 * kMss);
            EXPECT_EQ(t.timer(TcpTimer::Rto), t.host.now + t.know().rto);
            t.ack(1 + 3 * kMss);
            EXPECT_EQ(t.timer(TcpTimer::Rto), kNever);
            EXPECT_EQ(t.counters().tcp_retrans_segs, syn_acks);
        },
        plain());
}

TEST(SubtleBugs, B41_TheBackOffStaysUntilNewDataAreAcknowledged) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            const Duration rto = t.know().rto;
            t.write(1000);
            (void)t.out();
            for (u32 n = 0; n < 3; ++n) {
                ASSERT_EQ(t.wait_output(20s), rto * (1U << n));
                (void)t.out();
            }
            const Duration srtt = t.know().srtt;
            t.ack(501);
            t.ack(1001);
            EXPECT_EQ(t.know().rto, rto * 8);
            EXPECT_EQ(t.know().srtt, srtt) << "Karn: it may be the ACK of any of the four";
            t.write(1000);
            (void)t.out();
            t.pass(100ms);
            t.ack(2001);
            EXPECT_EQ(t.know().rto, rto);
            EXPECT_EQ(t.know().backoff, 0);
        },
        plain());
}

TEST(SubtleBugs, B42_RoundTripsOfNothingAndOfHalfAMinute) {
    StackConfig config = plain();
    config.tcp.initial_rto = 60s;
    for (const Duration rtt : {Duration{}, Duration{1us}, Duration{30s}}) {
        SCOPED_TRACE(rtt.count());
        play(
            kEveryWay,
            [&](Bench& t) {
                t.connect();
                t.host.pass(rtt);
                t.put_syn_ack();
                for (int round = 0; round < 4; ++round) {
                    EXPECT_GE(t.know().rto, t.host.stack.config().tcp.min_rto);
                    EXPECT_LE(t.know().rto, t.host.stack.config().tcp.max_rto);
                    EXPECT_GE(t.know().rto, rtt);
                    EXPECT_LE(t.know().srtt, rtt + 1ms);
                    t.write(2000);
                    (void)t.out();
                    t.pass(rtt);
                    t.ack(t.acked + 1460);
                    t.ack(t.acked + 540);
                }
                EXPECT_EQ(t.counters().tcp_retrans_segs, 0U);
                EXPECT_TRUE(t.works());
            },
            config);
    }
}

TEST(SubtleBugs, B43_WhatWasSackedAndThenDroppedIsSentAgain) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open(kSackAgreed);
            t.loses = [](const SeenSegment&) { return true; };  // the peer will drop them all
            t.write(5 * kMss);
            ASSERT_EQ(t.out().size(), 5U);
            for (u32 n = 2; n <= 5; ++n) {
                t.ack(1, {}, sack(t, {{1 + kMss, 1 + n * kMss}}));
            }
            ASSERT_EQ(t.know().sacked, 4 * kMss);
            (void)t.out();
            ASSERT_TRUE(t.wait_output(10s));
            t.loses = nullptr;
            (void)t.out();
            EXPECT_TRUE(t.takes(5 * kMss)) << "freed by the SACK";
            EXPECT_TRUE(t.works());
        },
        plain());
}

TEST(SubtleBugs, B44_SackBlocksThatCannotBe) {
    for (const bool rack : {false, true}) {
        play(
            kEveryWay,
            [](Bench& t) {
                t.open(kSackAgreed);
                t.write(10 * kMss);
                (void)t.out();
                SeededRng rng(44);
                const auto number = [&] {
                    switch (rng.below(4)) {
                        case 0:
                            return static_cast<u32>(rng.next());
                        case 1:
                            return u32{0} - rng.below(5000);
                        default:
                            return rng.below(12) * kMss + 1 + (rng.below(8) == 0 ? 7 : 0);
                    }
                };
                for (int i = 0; i < 400; ++i) {
                    std::vector<std::pair<u32, u32>> blocks(rng.below(5));
                    for (auto& block : blocks) block = {number(), number()};
                    t.ack(1, {}, sack(t, blocks));
                    if (i % 3 == 0) t.run();
                    if (i % 50 == 0) t.pass(100ms);
                    const auto known = t.us.snapshot();
                    const u32 flight = known.snd_nxt - known.snd_una;
                    ASSERT_LE(known.sacked, flight);
                    ASSERT_LE(known.lost + known.sacked, flight);
                    ASSERT_LE(known.pipe, 2 * flight);
                }
                EXPECT_EQ(t.state(), TcpState::Established);
                t.pass(1s);
                EXPECT_TRUE(t.takes(10 * kMss));
                EXPECT_TRUE(t.works());
            },
            plain(rack));
    }
}

/// Ten segments, the first and its repetition lost; the peer SACKs the others.
void lose_first_twice(Bench& t) {
    t.open(kSackAgreed);
    int lost = 0;
    t.loses = [&](const SeenSegment& one) { return one.seq == 1 && lost++ < 2; };
    t.write(10 * kMss);
    ASSERT_EQ(t.out().size(), 10U);
    t.pass(100ms);
    for (u32 n = 2; n <= 10; ++n) t.ack(1, {}, sack(t, {{1 + kMss, 1 + n * kMss}}));
    ASSERT_EQ(times_sent(t.out(), 1), 1U) << "the fast retransmission, which is lost";
    t.write(6 * kMss);
    (void)t.out();
    t.pass(100ms);
    for (u32 n = 11; n <= 16; ++n) t.ack(1, {}, sack(t, {{1 + kMss, 1 + n * kMss}}));
    t.run();
    t.pass(300ms);
    (void)t.out();
    t.pass(5s);
    (void)t.out();
    EXPECT_EQ(t.taken, 16 * kMss);
    t.loses = nullptr;
    EXPECT_TRUE(t.takes(16 * kMss));
    EXPECT_TRUE(t.works());
}

TEST(SubtleBugs, B45_ARepetitionThatIsLostToo) {
    play(
        kEveryWay,
        [](Bench& t) {
            lose_first_twice(t);
            EXPECT_EQ(t.counters().tcp_timeouts, 0U) << "RACK needs no timeout";
        },
        plain(true));
    play(
        kEveryWay, [](Bench& t) { lose_first_twice(t); }, plain());
}

TEST(SubtleBugs, B46_NeitherNagleNorTheWindowHoldsARepetitionBack) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            t.write(500);  // small, and lost
            ASSERT_EQ(t.out().size(), 1U);
            t.write(3 * kMss);
            (void)t.out();
            const u32 end = t.written;
            t.data(1, 10);
            t.ack(1);
            t.ack(1);
            t.ack(1);
            EXPECT_EQ(times_sent(t.out(), 1), 1U) << "at once";
            t.ack(1 + end);
            EXPECT_EQ(t.know().snd_una, t.know().snd_nxt);
            EXPECT_EQ(t.counters().tcp_timeouts, 0U);
            // Three in a window of nothing are no reason to send.
            t.write(1000);
            (void)t.out();
            t.window = 0;
            t.ack(1 + end);
            (void)t.out();
            for (int i = 0; i < 4; ++i) t.ack(1 + end);
            EXPECT_LE(t.out().size(), 1U);
            t.window = 65535;
            t.ack(1 + end);
            EXPECT_TRUE(t.takes(end + 1000));
        },
        plain());
}

TEST(SubtleBugs, B47_TwoLossesOfOneWindowAreOneReduction) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            t.write(10 * kMss);
            ASSERT_EQ(t.out().size(), 10U);
            t.pass(100ms);
            for (int i = 0; i < 4; ++i) t.ack(1);
            t.data(1, 10);
            EXPECT_EQ(times_sent(t.out(), 1), 1U);
            ASSERT_TRUE(t.know().in_recovery);
            const u32 ssthresh = t.know().ssthresh;
            EXPECT_GE(ssthresh, 2 * kMss);
            EXPECT_LE(ssthresh, 6 * kMss);
            t.ack(1 + 4 * kMss);  // and the fifth was lost as well
            EXPECT_EQ(times_sent(t.out(), 1 + 4 * kMss), 1U);
            EXPECT_TRUE(t.know().in_recovery);
            for (int i = 0; i < 5; ++i) t.ack(1 + 4 * kMss);
            (void)t.out();
            EXPECT_EQ(t.know().ssthresh, ssthresh);
            t.ack(1 + 10 * kMss);
            EXPECT_FALSE(t.know().in_recovery);
            EXPECT_EQ(t.know().ssthresh, ssthresh);
            EXPECT_GE(t.know().cwnd, kMss);
            EXPECT_LE(t.know().cwnd, ssthresh + kMss);
            EXPECT_EQ(t.counters().tcp_fast_retransmits, 1U);
            EXPECT_TRUE(t.works());
        },
        plain());
}

TEST(SubtleBugs, B48_TheWindowDoesNotGrowByIdlingNorByManySmallAcks) {
    for (const Congestion congestion : {Congestion::Reno, Congestion::Cubic}) {
        StackConfig config = plain();
        config.tcp.congestion = congestion;
        play(
            kEveryWay,
            [](Bench& t) {
                t.open();
                const u32 first = t.know().cwnd;
                for (int round = 0; round < 100; ++round) {
                    t.write(10);
                    (void)t.out();
                    t.pass(100ms);
                    t.ack(t.acked + 5);
                    t.ack(t.acked + 5);
                    t.run();
                }
                EXPECT_EQ(t.know().cwnd, first) << "ten bytes fill no window";
                const u32 before = t.know().cwnd;
                t.write(before);
                (void)t.out();
                for (int i = 0; i < 1000; ++i) {
                    t.ack(t.acked + 1);
                    if (i % 2 == 1) (void)t.out();
                }
                EXPECT_LE(t.know().cwnd, before + 1000 + kMss) << "bytes count, not ACKs";
            },
            config);
    }
}

}  // namespace
}  // namespace tapestry
