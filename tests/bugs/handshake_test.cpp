// How connections begin: rows 5 to 9, 20, 26 to 32, 52, 53, 56 and 59.

#include <set>

#include "tests/bugs/bench.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

TEST(SubtleBugs, B05_OnlyAResetThatAcknowledgesOurSynRefuses) {
    play(kEveryWay, [](Bench& t) {
        t.connect();
        t.put({.flags = kRst, .seq = 0});
        t.put({.flags = kRst | kAck, .seq = 0, .ack = 0});
        t.put({.flags = kRst | kAck, .seq = 0, .ack = 2});
        t.put({.flags = kRst, .seq = 1});
        ASSERT_EQ(t.state(), TcpState::SynSent);
        EXPECT_TRUE(t.out().empty()) << "a reset is not answered";
        t.put({.flags = kRst | kAck, .seq = 0, .ack = 1});
        EXPECT_EQ(t.state(), TcpState::Closed);
        EXPECT_EQ(t.us.take_error(), Errno::ConnectionRefused);
    });
}

TEST(SubtleBugs, B06_ASynAckOfWhatWasNotSentIsRefusedByItsOwnNumber) {
    play(kEveryWay, [](Bench& t) {
        t.connect();
        t.put({.flags = kSyn | kAck, .seq = 0, .ack = 0});
        t.put({.flags = kSyn | kAck, .seq = 0, .ack = 2});
        std::set<u32> refused;
        for (const auto& one : t.out()) {
            EXPECT_EQ(one.flags, kRst);
            refused.insert(one.seq);
        }
        EXPECT_EQ(refused, (std::set<u32>{0, 2}));
        ASSERT_EQ(t.state(), TcpState::SynSent);
        ASSERT_EQ(t.wait_output(10s), 1s);
        EXPECT_EQ(t.last_out(kSyn).flags, kSyn) << "the SYN goes out again";
        t.put_syn_ack();
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B07_AFinOrTextWithoutASynIsNothingWhileWeConnect) {
    play(kEveryWay, [](Bench& t) {
        t.connect();
        t.put({.flags = kFin | kAck, .seq = 1});
        t.put({.flags = kAck, .seq = 1, .text = pattern_bytes(10)});
        t.put({.flags = kFin, .seq = 0});
        EXPECT_TRUE(t.out().empty());
        ASSERT_EQ(t.state(), TcpState::SynSent);
        t.put_syn_ack();
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_EQ(t.read(), 0U);
        EXPECT_FALSE(t.at_end);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B08_AcksAroundTheLastNumberInSynReceived) {
    play(kEveryWay, [](Bench& t) {
        if (t.exact()) t.peer_base += 15;  // near 2^32: the SYN has the very last number
        t.put({.flags = kSyn, .seq = 0});
        ASSERT_EQ(t.last_out(kSyn).flags, kSyn | kAck);
        t.put({.ack = 0});
        t.put({.ack = 2});
        t.put({.ack = 0x80000001});
        std::set<u32> refused;
        for (const auto& one : t.out()) {
            EXPECT_EQ(one.flags, kRst);
            refused.insert(one.seq);
        }
        EXPECT_EQ(refused, (std::set<u32>{0, 2, 0x80000001}));
        t.put({});
        t.accept();
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B09_TwoSynsThatCrossMakeOneConnection) {
    play(kEveryWay, [](Bench& t) {
        t.connect();
        t.put({.flags = kSyn, .seq = 0});
        t.put_syn_ack();
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_EQ(t.connections(), 1U);
        EXPECT_TRUE(t.works());
    });
    play(kNoSwap, [](Bench& t) {
        t.connect();
        t.put({.flags = kSyn, .seq = 0});
        EXPECT_EQ(t.last_out(kSyn).flags, kSyn | kAck);
        EXPECT_EQ(t.state(), TcpState::SynReceived);
        ASSERT_TRUE(t.wait_output(10s)) << "the peer's SYN-ACK is lost: ours goes out again";
        EXPECT_EQ(t.last_out(kSyn).flags, kSyn | kAck);
        t.put({});
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_EQ(t.connections(), 1U);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B20_TheWindowOfASynIsNotScaled) {
    play(kEveryWay, [](Bench& t) {
        t.window = 1000;
        t.connect();
        t.put_syn_ack({2, 4, 5, 180, 3, 3, 7, 0});
        ASSERT_EQ(t.know().snd_wind_shift, 7);
        EXPECT_EQ(t.know().snd_wnd, 1000U);
        t.write(5000);
        t.host.pass(1ms);
        (void)t.out();
        EXPECT_LE(t.taken, 1000U);
        t.pass(1s);
        (void)t.out();
        ASSERT_EQ(t.taken, 1000U);
        t.ack(501, 8);
        t.ack(1001, 40);
        EXPECT_EQ(t.know().snd_wnd, 40U << 7U);
        t.window = 40;
        EXPECT_TRUE(t.takes(5000));
    });
}

/// Strays for a port where nobody is, one from each port, and the answer to each.
TEST(SubtleBugs, B26_StraysAreAnsweredByTheRightNumbersAndPortsOrNotAtAll) {
    play(kEveryWay, [](Bench& t) {
        struct Stray {
            Given given;
            std::optional<u8> answer;
            u32 seq = 0;  ///< on the wire
            u32 ack = 0;
        };
        const u32 base = t.peer_base;
        const std::vector<Stray> strays{
            {{.flags = kSyn, .seq = 5}, kRst | kAck, 0, base + 6},
            {{.flags = kAck, .seq = 5, .ack = 77}, kRst, 77, 0},
            {{.flags = kSyn | kAck, .seq = 5, .ack = 78}, kRst, 78, 0},
            {{.flags = kFin, .seq = 5, .text = pattern_bytes(10)}, kRst | kAck, 0, base + 16},
            {{.flags = kRst, .seq = 5}, {}},
            {{.flags = kRst | kAck, .seq = 5, .ack = 79}, {}},
            {{.flags = kSyn, .seq = 5, .from = Ipv4Address()}, {}},
            {{.flags = kSyn, .seq = 5, .to = Ipv4Address(10, 0, 0, 255)}, {}},
        };
        for (std::size_t i = 0; i < strays.size(); ++i) {
            Given given = strays[i].given;
            given.port = static_cast<u16>(3000 + i);
            given.to_port = static_cast<u16>(9000 + i);
            t.put(given);
        }
        t.run();
        std::set<u16> answered;
        for (const auto& one : t.host.take_segments()) {
            ASSERT_GE(one.destination_port, 3000);
            const std::size_t i = one.destination_port - 3000U;
            const Stray& stray = strays.at(i);
            SCOPED_TRACE("stray " + std::to_string(i));
            EXPECT_EQ(one.source_port, 9000 + i);
            EXPECT_EQ(one.flags, stray.answer);
            EXPECT_EQ(one.seq, stray.seq);
            EXPECT_EQ(one.ack, stray.ack);
            answered.insert(one.destination_port);
        }
        EXPECT_EQ(answered, (std::set<u16>{3000, 3001, 3002, 3003}));
    });
}

TEST(SubtleBugs, B27_AListenerWantsASynAndNothingElse) {
    play(kEveryWay, [](Bench& t) {
        t.put({.flags = kRst, .seq = 5});
        t.put({.flags = kRst | kAck, .seq = 5, .ack = 9});
        t.put({.flags = kSyn | kFin, .seq = 5});
        t.put({.flags = kSyn, .seq = 5, .from = Ipv4Address()});
        t.put({.flags = kSyn, .seq = 5, .from = Ipv4Address::broadcast()});
        t.put({.flags = kSyn, .seq = 5, .from = Ipv4Address(10, 0, 0, 255)});
        EXPECT_TRUE(t.out().empty());
        t.put({.flags = kAck, .seq = 5, .ack = 77});
        for (const auto& one : t.out()) {
            EXPECT_EQ(one.flags, kRst);
            EXPECT_EQ(one.seq, 77U);
        }
        EXPECT_EQ(t.connections(), 0U);
        t.open();
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B28_ASynThatComesAgainGetsTheSameAnswer) {
    play(kNoSwap, [](Bench& t) {
        t.put({.flags = kSyn, .seq = 0});
        const auto first = t.out();
        ASSERT_FALSE(first.empty());
        ASSERT_EQ(first[0].flags, kSyn | kAck);
        const u32 iss = t.our_base;
        t.put({.flags = kSyn, .seq = 0});
        EXPECT_EQ(t.last_out(kSyn).flags, kSyn | kAck);
        EXPECT_EQ(t.our_base, iss);
        ASSERT_TRUE(t.wait_output(10s)) << "without an ACK it goes out again by itself";
        EXPECT_EQ(t.last_out(kSyn).ack, 1U);
        EXPECT_EQ(t.our_base, iss);
        EXPECT_EQ(t.connections(), 1U);
        // RFC 9293 3.10.7.4, fourth: another SYN is a new beginning.
        t.put({.flags = kSyn, .seq = 5000});
        t.put({.flags = kSyn, .seq = 5000});
        EXPECT_EQ(t.last_out(kSyn).ack, 5001U);
        EXPECT_EQ(t.connections(), 1U);
        t.peer_base += 5000;
        t.put({});
        t.accept();
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B29_TextInASynIsReadOnce) {
    play(kEveryWay, [](Bench& t) {
        t.put({.flags = kSyn, .seq = 0, .text = Bench::stream(1, 10, false)});
        ASSERT_EQ(t.last_out(kSyn).flags, kSyn | kAck);
        t.put({});
        t.data(1, 10);
        t.data(11, 10);
        t.accept();
        EXPECT_EQ(t.read(), 20U);
        EXPECT_EQ(t.know().rcv_nxt.value() - t.peer_base, 21U);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B30_DataWithAnAckEndTheHandshakeToo) {
    play(kEveryWay, [](Bench& t) {
        t.put({.flags = kSyn, .seq = 0});
        (void)t.out();
        t.data(1, 50);
        t.data(51, 50);
        t.accept();
        EXPECT_EQ(t.read(), 100U);
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_TRUE(t.works());
    });
}

TEST(SubtleBugs, B31_AFullBacklogForgetsNobodyWhoComesAgain) {
    play(kEveryWay, [](Bench& t) {
        Listener small = t.host.stack.tcp_listener();
        ASSERT_TRUE(small.listen({Ipv4Address(), 82}, 2));
        t.to_port = 82;
        std::map<u16, u32> waiting;  // port to our first number
        std::vector<TcpSocket> accepted;
        const auto syns = [&] {
            for (u16 p = 2000; p < 2010; ++p) t.put({.flags = kSyn, .seq = 0, .port = p});
            t.run();
            for (const auto& one : t.host.take_segments()) {
                if ((one.flags & kSyn) != 0) waiting[one.destination_port] = one.seq;
            }
        };
        std::set<u16> done;
        for (int round = 0; round < 40 && done.size() < 10; ++round) {
            syns();
            EXPECT_LE(t.connections(), 2U + 2U + accepted.size());
            const auto finish = [&](u16 p) {
                t.our_base = waiting[p];
                t.put({.text = {'x'}, .port = p});
            };
            // One is done, which makes room for another to begin; then all want to be done.
            if (!waiting.empty()) finish(waiting.begin()->first);
            t.run();
            syns();
            for (const auto& [p, iss] : waiting) finish(p);
            t.run();
            std::size_t now = 0;
            for (auto one = small.accept(); one; one = small.accept()) {
                done.insert(one->remote().port);
                waiting.erase(one->remote().port);
                accepted.push_back(std::move(*one));
                ++now;
            }
            EXPECT_LE(now, 2U) << "more than the backlog waited";
            t.pass(1s);
        }
        EXPECT_EQ(done.size(), 10U) << "somebody was forgotten";
        accepted.clear();
        t.pass(std::chrono::minutes(10));
        EXPECT_EQ(t.connections(), 0U) << "nothing half open is left";
    });
}

TEST(SubtleBugs, B32_AListenerThatClosesTakesItsChildrenAlong) {
    play(kEveryWay, [](Bench& t) {
        t.put({.flags = kSyn, .seq = 0, .port = 2000});
        t.put({.flags = kSyn, .seq = 0, .port = 2001});
        std::map<u16, u32> first;
        t.run();
        for (const auto& one : t.host.take_segments()) first[one.destination_port] = one.seq;
        ASSERT_EQ(first.size(), 2U);
        t.our_base = first[2000];
        t.put({.port = 2000});  // waits to be accepted; the other is half open
        t.run();
        ASSERT_TRUE(t.listener.acceptable());
        (void)t.host.take_segments();
        t.listener.close();
        t.host.settle();
        std::set<u16> reset;
        for (const auto& one : t.host.take_segments()) {
            EXPECT_NE(one.flags & kRst, 0);
            reset.insert(one.destination_port);
        }
        EXPECT_TRUE(reset.contains(2000)) << "whose user believes to be connected";
        EXPECT_EQ(t.connections(), 0U);
        for (const u16 p : {u16{2000}, u16{2001}}) {
            t.our_base = first[p];
            t.put({.port = p});
            t.run();
            for (const auto& one : t.host.take_segments()) {
                EXPECT_EQ(one.flags, kRst);
                EXPECT_EQ(one.seq, t.our_base + 1);
            }
        }
    });
}

TEST(SubtleBugs, B52_ATinyMssIsRaisedAndEverythingArrives) {
    for (const u8 mss : {u8{0}, u8{1}, u8{10}}) {
        SCOPED_TRACE(mss);
        play(kEveryWay, [&](Bench& t) {
            t.open({2, 4, 0, mss, 1, 1, 8, 10, 0, 0, 3, 232, 0, 0, 0, 0});
            ASSERT_TRUE(t.know().timestamps);
            t.stamps = true;
            t.write(3000);
            EXPECT_TRUE(t.takes(3000));
            EXPECT_LE(t.largest, 88U);
            EXPECT_GE(t.largest, 48U);
        });
    }
}

TEST(SubtleBugs, B53_OptionsCountAgainstTheLargestSegment) {
    play(kEveryWay, [](Bench& t) {
        t.put({.flags = kSyn,
               .seq = 0,
               .options = {2, 4, 3, 232, 4, 2, 8, 10, 0, 0, 3, 232, 0, 0, 0, 0}});
        const auto syn_ack = t.last_out(kSyn);
        EXPECT_EQ(syn_ack.options.mss, 1460) << "what we can take, not what the peer can";
        t.stamps = true;
        t.put({});
        t.accept();
        t.data(2001, 100);  // so that our segments carry SACK blocks
        t.data(3001, 100);
        t.data(5001, 100);
        (void)t.out();
        t.write(5000);
        std::size_t blocks = 0;
        for (const auto& one : t.out()) {
            EXPECT_LE(one.text.size() + one.options.size(), 1000U);
            blocks += one.options.sack_count;
        }
        EXPECT_GT(blocks, 0U);
        EXPECT_TRUE(t.takes(5000));
        EXPECT_GE(t.largest, 1000U - 40U);
        EXPECT_LE(t.largest, 988U);
    });
}

TEST(SubtleBugs, B56_WindowScalesBeyondTheLastAndUnasked) {
    play(kNoSwap, [](Bench& t) {
        t.open({2, 4, 5, 180, 3, 3, 15, 0});
        EXPECT_EQ(t.know().snd_wind_shift, 14);
        EXPECT_TRUE(t.works());
    });
    play(kNoSwap, [](Bench& t) {
        t.put({.flags = kSyn, .seq = 0, .options = {2, 4, 5, 180}});
        EXPECT_FALSE(t.last_out(kSyn).options.window_scale) << "an answer to no offer";
        t.put({});
        t.accept();
        EXPECT_EQ(t.know().snd_wind_shift, 0);
        EXPECT_EQ(t.know().rcv_wind_shift, 0);
    });
    StackConfig unscaled = HostileHost::quiet();
    unscaled.tcp.window_scaling = false;
    play(
        kNoSwap,
        [](Bench& t) {
            t.connect();
            t.put_syn_ack({2, 4, 5, 180, 3, 3, 7, 0});
            EXPECT_EQ(t.know().snd_wind_shift, 0) << "we have not offered it";
            EXPECT_EQ(t.know().rcv_wind_shift, 0);
            EXPECT_EQ(t.know().snd_wnd, 65535U);
        },
        unscaled);
}

TEST(SubtleBugs, B59_ASynAckAfterTheHandshakeIsAnswered) {
    play(kEveryWay, [](Bench& t) {
        t.connect();
        t.put_syn_ack();
        EXPECT_EQ(t.last_out().ack, 1U);
        t.put_syn_ack();  // our ACK was lost
        const auto answer = t.last_out();
        EXPECT_EQ(answer.flags, kAck);
        EXPECT_EQ(answer.seq, 1U);
        EXPECT_EQ(answer.ack, 1U);
        t.data(1, 10);
        t.put_syn_ack();
        EXPECT_EQ(t.read(), 10U);
        EXPECT_EQ(t.state(), TcpState::Established);
        EXPECT_TRUE(t.works());
    });
}

}  // namespace
}  // namespace tapestry
