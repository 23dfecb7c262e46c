// What arrives: rows 1 to 4, 50, 51, 54, 55, 57 and 58.

#include "tests/bugs/bench.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

StackConfig with_buffer(u32 bytes) {
    StackConfig config = HostileHost::quiet();
    config.tcp.receive_buffer = bytes;
    config.tcp.receive_buffer_max = 0;
    return config;
}

TEST(SubtleBugs, B01_AFinThatComesFirstIsKeptForItsTurn) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.data(1001, 0, kFin);
        t.data(1, 500);
        t.data(501, 500);
        EXPECT_EQ(t.read(), 1000U);
        EXPECT_TRUE(t.at_end);
        EXPECT_EQ(t.state(), TcpState::CloseWait);
        t.pass(500ms);
        const auto acks = t.out();
        ASSERT_FALSE(acks.empty());
        EXPECT_EQ(acks.back().ack, 1002U);
        t.write(100);
        EXPECT_TRUE(t.takes(100));
    });
}

TEST(SubtleBugs, B02_NothingCountsBehindTheFin) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.data(101, 100);
        t.data(1, 50, kFin);
        EXPECT_EQ(t.read(), 50U);
        EXPECT_TRUE(t.at_end);
        t.data(52, 100);
        t.data(101, 100);
        EXPECT_EQ(t.read(), 50U);
        EXPECT_EQ(t.state(), TcpState::CloseWait);
        EXPECT_EQ(t.know().rcv_nxt.value() - t.peer_base, 52U);
        EXPECT_EQ(t.know().receive_out_of_order, 0U);
    });
    // The FIN is known and waits itself, and bytes come that lie over it and behind it.
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.data(26, 25, kFin);
        t.data(52, 100);
        t.data(40, 100);
        t.data(1, 25);
        EXPECT_EQ(t.read(), 50U);
        EXPECT_TRUE(t.at_end);
        EXPECT_EQ(t.state(), TcpState::CloseWait);
    });
}

TEST(SubtleBugs, B03_WhatIsCutAtTheWindowLosesItsFinToo) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            ASSERT_EQ(t.know().rcv_wnd, 100U);
            t.data(1, 50);
            t.data(51, 100, kFin);  // 50 bytes of it fit
            EXPECT_EQ(t.know().rcv_nxt.value() - t.peer_base, 101U);
            EXPECT_EQ(t.state(), TcpState::Established);
            EXPECT_EQ(t.read(), 100U);
            EXPECT_FALSE(t.at_end);
            t.data(101, 25);
            t.data(126, 25, kFin);
            EXPECT_EQ(t.read(), 150U);
            EXPECT_TRUE(t.at_end);
        },
        with_buffer(100));
}

TEST(SubtleBugs, B04_AFinIsTakenWhereNoByteIs) {
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            t.data(1, 50);
            t.data(51, 50);
            t.run();
            t.data(101, 0, kFin);
            EXPECT_EQ(t.state(), TcpState::CloseWait);
            const auto acks = t.out();
            ASSERT_FALSE(acks.empty());
            EXPECT_EQ(acks.back().ack, 102U);
            EXPECT_EQ(t.read(), 100U);
            EXPECT_TRUE(t.at_end);
        },
        with_buffer(100));
}

TEST(SubtleBugs, B50_EveryNumberOfSegmentsIsAcknowledgedInHalfASecond) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        u32 next = 1;
        for (const u32 count : {1U, 2U, 3U, 5U}) {
            for (u32 i = 0; i < count; ++i, next += 1000) t.data(next, 1000);
            t.pass(500ms);
            const auto acks = t.out();
            ASSERT_FALSE(acks.empty());
            EXPECT_EQ(acks.back().ack, next);
            t.read();
        }
    });
    // And where nobody reads: the window ends in the middle of a segment.
    play(
        kEveryWay,
        [](Bench& t) {
            t.open();
            for (u32 next = 1; next < 4001; next += 1000) t.data(next, 1000);
            t.pass(500ms);
            const auto acks = t.out();
            ASSERT_FALSE(acks.empty());
            EXPECT_EQ(acks.back().ack, 2501U);
            EXPECT_EQ(acks.back().window, 0U);
            EXPECT_EQ(t.read(), 2500U);
        },
        with_buffer(2500));
}

TEST(SubtleBugs, B51_ManyIslandsDoNotKeepTheMissingByteOut) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        for (u32 i = 1; i <= 1000; ++i) t.data(2 * i, 1);
        EXPECT_LE(t.know().receive_out_of_order, 1000U);
        t.data(1, 1);
        EXPECT_GE(t.read(), 2U);
        for (u32 next = 1; next < 2001; next += 500) t.data(next, 500);
        EXPECT_EQ(t.read(), 2000U);
        EXPECT_EQ(t.know().receive_out_of_order, 0U);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B54_TimestampsWrapAndGrowOldAndAreNotTakenFromForgeries) {
    play(kEveryWay, [](Bench& t) {
        t.stamps = true;
        t.stamp_base = 0xfffffff0;
        t.open({2, 4, 5, 180, 8, 10, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0});
        ASSERT_TRUE(t.know().timestamps);
        EXPECT_TRUE(t.works()) << "100 ms later the clock has wrapped";
        EXPECT_LT(t.know().ts_recent, 1000U);

        // RFC 5961 5.2, RFC 7323 4.3: what it says of the time is not believed either.
        const u32 recent = t.know().ts_recent;
        t.put({.seq = t.sent, .ack = 1000000, .stamp = t.clock() + 1000000});
        t.put({.seq = t.sent + 1000000, .ack = t.acked, .stamp = t.clock() + 1000000});
        EXPECT_EQ(t.know().ts_recent, recent);
        EXPECT_TRUE(t.works());

        // RFC 7323 5.5: after 24 days the memory of the peer's clock says nothing any more.
        t.pass(std::chrono::hours(25 * 24));
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B55_WhichTimestampIsEchoed) {
    play(kNumbers, [](Bench& t) {
        t.stamps = true;
        t.open({2, 4, 5, 180, 8, 10, 0, 0, 0, 90, 0, 0, 0, 0});
        const auto echoed = [&] {
            t.pass(40ms);
            const auto acks = t.out();
            return acks.empty() ? 0 : acks.back().options.timestamps->echo_reply;
        };
        const auto segment = [&](u32 seq, u32 stamp) {
            t.put({.seq = seq, .text = Bench::stream(seq, 100, false), .stamp = stamp});
        };
        t.stamp_base = 2000;
        segment(1, 2101);
        segment(101, 2102);
        EXPECT_EQ(echoed(), 2101U) << "a delayed ACK speaks of the earliest";
        segment(301, 2203);
        EXPECT_EQ(echoed(), 2101U) << "behind a hole: the last that moved the left edge";
        segment(401, 2204);
        EXPECT_EQ(echoed(), 2101U);
        segment(201, 2202);
        EXPECT_EQ(echoed(), 2202U) << "the one that fills the hole";
        EXPECT_EQ(t.read(), 500U);
    });
}

TEST(SubtleBugs, B57_UrgentPointersThatPointAnywhere) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        const auto urgent = [&](u32 seq, u32 size, u16 pointer) {
            t.put({.flags = kAck | kUrg,
                   .seq = seq,
                   .text = Bench::stream(seq, size, false),
                   .urgent = pointer});
            t.sent = std::max(t.sent, seq + size);
        };
        urgent(1, 100, 65535);
        urgent(101, 100, 0);
        urgent(1, 100, 1);   // all of it old
        urgent(201, 0, 50);  // nothing behind it
        urgent(201, 100, 100);
        urgent(301, 100, 0x8000);
        EXPECT_EQ(t.read(), 400U);
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B58_AProbeOfThePeersIsAnsweredAndItsByteIsNoData) {
    play(kEveryWay, [](Bench& t) {
        t.open();
        for (int round = 0; round < 2; ++round) {
            t.put({.seq = t.sent - 1});
            t.put({.seq = t.sent - 1, .text = {0x55}});
            const auto answers = t.out();
            EXPECT_GE(answers.size(), 2U);
            for (const auto& one : answers) {
                EXPECT_EQ(one.flags, kAck);
                EXPECT_EQ(one.ack, t.sent);
            }
            EXPECT_EQ(t.read(), t.sent - 1);
            EXPECT_TRUE(t.works());
        }
    });
}

}  // namespace
}  // namespace tapestry
