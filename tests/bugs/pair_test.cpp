// What needs our own stack on both sides: rows 16, 22, 25 and 49.

#include "tests/bugs/pair.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// A stream of bytes from one socket to another.
struct Stream {
    TcpSocket* from;
    TcpSocket* to;
    u32 size;
    u32 written = 0;
    u32 read = 0;

    void write() {
        if (written == size) return;
        const auto bytes = Bench::stream(1 + written, std::min(size - written, 20000U), true);
        written += static_cast<u32>(from->write(bytes).value_or(0));
    }
    void take() {
        std::array<u8, 20000> buffer;  // NOLINT: filled by read()
        const auto more = to->read(buffer);
        if (!more || *more == 0) return;
        const auto count = static_cast<u32>(*more);
        EXPECT_EQ(std::vector<u8>(buffer.begin(), buffer.begin() + count),
                  Bench::stream(1 + read, count, true));
        read += count;
    }
    bool done() const { return read == size; }
};

TEST(SubtleBugs, B16_TheAckThatOpensTheWindowIsLost) {
    StackConfig small = HostileHost::quiet();
    small.tcp.receive_buffer = 3000;
    small.tcp.receive_buffer_max = 0;
    play_pair(
        kEveryWay,
        [](Pair& p) {
            Stream stream{&p.client, &p.server, 20000};
            stream.write();
            int closed = 0;
            int lost = 0;
            bool shut = false;
            p.loses = [&](bool from_here, const TcpView& tcp) {
                if (!from_here) return false;
                if (tcp.window() == 0) {
                    closed += shut ? 0 : 1;
                    shut = true;
                    return false;
                }
                if (!shut || lost >= 3) return false;
                ++lost;
                return true;  // says that there is room again
            };
            for (int turn = 0; turn < 200 && !stream.done(); ++turn) {
                p.pass(500ms);
                stream.take();
                stream.write();
            }
            EXPECT_TRUE(stream.done()) << "stuck after " << stream.read;
            EXPECT_GE(closed, 1);
            EXPECT_EQ(lost, 3);
        },
        small, HostileHost::quiet());
}

TEST(SubtleBugs, B22_NumbersThatWrapInEverythingThatComparesThem) {
    for (const bool sack : {true, false}) {
        StackConfig config = HostileHost::quiet();
        config.tcp.sack = sack;
        play_pair(
            kEveryWay,
            [](Pair& p) {
                Stream there{&p.client, &p.server, 200000};
                Stream back{&p.server, &p.client, 200000};
                u32 count = 0;
                p.loses = [&](bool, const TcpView& tcp) {
                    return !tcp.payload().empty() && ++count % 23 == 1;  // the very first
                };
                const bool arrived = p.until(
                    [&] {
                        for (Stream* one : {&there, &back}) {
                            one->write();
                            one->take();
                        }
                        return there.done() && back.done();
                    },
                    10min);
                EXPECT_TRUE(arrived) << there.read << " and " << back.read;
                EXPECT_GE(p.here.stack.counters().tcp_retrans_segs, 5U);
                EXPECT_TRUE(p.client.shutdown(Shutdown::Send));
                EXPECT_TRUE(p.server.shutdown(Shutdown::Send));
                EXPECT_TRUE(p.until(
                    [&] {
                        return p.client.state() == TcpState::Closed &&
                               p.server.state() == TcpState::Closed;
                    },
                    10min));
            },
            config, config);
    }
}

TEST(SubtleBugs, B25_ChallengesDoNotChallengeEachOtherForEver) {
    play_pair(kNoSwap, [](Pair& p) {
        // A stranger's byte on each side, and each takes the other's numbers for wrong.
        const auto forge = [&](TcpSocket& at, Pair::End& end, bool to_here) {
            const auto known = at.snapshot();
            const RawTcp raw{.source_port = known.remote.port,
                             .destination_port = known.local.port,
                             .seq = known.rcv_nxt.value(),
                             .ack = known.snd_nxt.value(),
                             .flags = kAck,
                             .text = {'x'}};
            const auto packet = to_here ? raw.packet() : raw.packet(kUs, kPeer);
            PacketPool pool(PacketPool::kSuperFrameSlot, 2);
            Packet one = pool.copy(
                ethernet_frame(EtherType::Ipv4, packet, to_here ? kOurMac : kPeerMac, kPeerMac));
            end.stack.receive(*end.interface, std::span(&one, 1), p.now);
        };
        forge(p.server, p.here, true);
        forge(p.client, p.there, false);
        p.frames = 0;
        p.pass(10s);
        EXPECT_GE(p.frames, 10U) << "they do disagree";
        EXPECT_LE(p.frames, 500U) << "in ten seconds";
    });
}

TEST(SubtleBugs, B49_NagleAndDelayedAcksDoNotWaitForEachOther) {
    play_pair(kEveryWay, [](Pair& p) {
        std::array<u8, 1000> buffer{};
        for (int round = 0; round < 10; ++round) {
            // Write, write, read: the second waits for the ACK of the first.
            const TimePoint begin = p.now;
            ASSERT_TRUE(p.client.write(pattern_bytes(50)));
            (void)p.until([] { return false; }, 1ms);
            ASSERT_TRUE(p.client.write(pattern_bytes(50)));
            std::size_t asked = 0;
            ASSERT_TRUE(p.until(
                [&] {
                    asked += p.server.read(buffer).value_or(0);
                    return asked == 100;
                },
                1s));
            ASSERT_TRUE(p.server.write(pattern_bytes(100)));
            std::size_t answered = 0;
            ASSERT_TRUE(p.until(
                [&] {
                    answered += p.client.read(buffer).value_or(0);
                    return answered == 100;
                },
                1s));
            EXPECT_LE(p.now - begin, 200ms);
        }
        // The end does not wait for an ACK.
        ASSERT_TRUE(p.client.write(pattern_bytes(3000)));
        (void)p.until([] { return false; }, 1ms);
        const TimePoint begin = p.now;
        ASSERT_TRUE(p.client.write(pattern_bytes(30)));
        p.client.close();
        std::size_t last = 0;
        ASSERT_TRUE(p.until(
            [&] {
                last += p.server.read(buffer).value_or(0);
                return p.server.state() == TcpState::CloseWait && last == 3030;
            },
            1s));
        EXPECT_LE(p.now - begin, 10ms);
    });
}

}  // namespace
}  // namespace tapestry
