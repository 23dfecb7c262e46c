// What a stranger can do who sees nothing of a connection and guesses at its numbers (RFC 5961), and what
// an honest host does with numbers that are wrong.

#include <set>

#include "tests/hostile/tcp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileTcpBlind : public HostileTcpTest {
protected:
    void pass_a_second() { host_.pass(1s); }  // challenges are counted by the second
    u32 window() { return snapshot().rcv_wnd; }
};

/// RFC 5961 3.2: in the window is not enough.
TEST_F(HostileTcpBlind, TST_01_ResetsInTheWindow) {
    ASSERT_TRUE(establish());
    for (const u32 off : {1U, 2U, 1000U, window() - 1}) {
        pass_a_second();
        RawTcp reset = next(kRst);
        reset.seq += off;
        EXPECT_TRUE(refuses(reset, Drop::TcpUnacceptableReset, true)) << off;
    }
    const u32 limit = host_.stack.config().tcp.challenge_acks_per_second;
    pass_a_second();
    (void)host_.port.take();
    for (u32 i = 0; i < 1000; ++i) {
        RawTcp reset = next(kRst);
        reset.seq += 1 + i;
        host_.feed(reset.frame());
    }
    EXPECT_EQ(host_.port.take().size(), limit);
    EXPECT_TRUE(works());
}

TEST_F(HostileTcpBlind, TST_02_TheResetThatIsExact) {
    ASSERT_TRUE(establish());
    EXPECT_TRUE(taken_and_sent(next(kRst).frame()).empty());
    std::array<u8, 10> buffer{};
    EXPECT_TRUE(fails_as(socket_.read(buffer), Errno::ConnectionReset));
    EXPECT_EQ(socket_.state(), TcpState::Closed);
}

/// One octet beyond the edge is where an honest peer's empty segments lie when it has filled the window,
/// so that outside begins behind it.
TEST_F(HostileTcpBlind, TST_03_ResetsOutsideOfTheWindow) {
    ASSERT_TRUE(establish());
    for (const u32 off : {~u32{0}, window() + 1, 0x80000000U, 0xc0000000U}) {
        RawTcp reset = next(kRst);
        reset.seq += off;
        EXPECT_TRUE(refuses(reset, Drop::TcpOutOfWindow, false)) << off;
    }
    EXPECT_TRUE(works());
}

/// RFC 5961 4.2: answered by an ACK, wherever its number is; never a reset.
TEST_F(HostileTcpBlind, TST_04_SynsInAnOpenConnection) {
    ASSERT_TRUE(establish());
    for (const u32 off : {0U, 1U, 1000U, ~u32{0}, 0x80000000U, window() + 5}) {
        pass_a_second();
        RawTcp syn = next(kSyn);
        syn.seq += off;
        const bool inside = off < window();
        EXPECT_TRUE(refuses(syn, inside ? Drop::TcpUnexpectedSyn : Drop::TcpOutOfWindow, true));
    }
    EXPECT_TRUE(works());
}

TEST_F(HostileTcpBlind, TST_05_DataWithAForgedAck) {
    ASSERT_TRUE(establish());
    for (const u32 off : {1U, 100000U, 0x40000000U, 0x80000000U, u32{0} - 70000}) {
        pass_a_second();
        RawTcp data = next(kAck, pattern_bytes(20));
        data.ack += off;
        EXPECT_TRUE(refuses(data, Drop::TcpBadAck, true)) << off;
    }
    EXPECT_EQ(snapshot().receive_queued + snapshot().receive_out_of_order, 0U);
    EXPECT_TRUE(works());
}

/// CVE-2016-5696: one limit for all connections told a stranger of each of them whether his guess was
/// right. Every connection has its own.
TEST_F(HostileTcpBlind, TST_06_ChallengesOfOneConnectionSayNothingOfAnother) {
    ASSERT_TRUE(establish());
    TcpSocket first = std::move(socket_);
    const RawTcp guess = next(kSyn);
    peer_.port = 1001;
    ASSERT_TRUE(establish());
    const u32 limit = host_.stack.config().tcp.challenge_acks_per_second;
    pass_a_second();
    (void)host_.port.take();
    for (int i = 0; i < 1000; ++i) host_.feed(guess.frame());
    EXPECT_EQ(host_.port.take().size(), limit);
    for (int i = 0; i < 1000; ++i) host_.feed(next(kSyn).frame());
    EXPECT_EQ(host_.port.take().size(), limit) << "none of them used up by the first";
    EXPECT_TRUE(works());
}

/// RFC 6528: a clock and a keyed hash of the four-tuple. That the parts are what they should be is
/// tests/tcp/isn_test.cpp's; here what a stranger sees who collects them.
TEST_F(HostileTcpBlind, TST_07_InitialNumbersCannotBeGuessed) {
    std::set<u32> numbers;
    std::array<u32, 16> buckets{};
    std::set<u32> steps;
    u32 last = 0;
    for (u32 i = 0; i < 4000; ++i) {
        RawTcp syn{.source_port = static_cast<u16>(1000 + i % 100), .seq = i};
        (void)host_.port.take();
        host_.feed(syn.frame());
        const auto answer = host_.take_segments();
        ASSERT_EQ(answer.size(), 1U);
        const u32 isn = answer[0].seq;
        EXPECT_TRUE(numbers.insert(isn).second);
        ++buckets.at(isn >> 28);
        steps.insert((isn - last) >> 8);
        last = isn;
        syn.seq += 1;
        syn.flags = kRst;
        host_.feed(syn.frame());
        host_.pass(1ms);
    }
    EXPECT_GT(steps.size(), 90U) << "the step from one to the next tells nothing";
    for (const u32 count : buckets) EXPECT_LT(count, 1200U);
    // The same four-tuple a second later: 250,000 a second, by the clock of RFC 9293 3.4.1.
    RawTcp syn{.source_port = 999};
    host_.feed(syn.frame());
    const u32 first = host_.take_segments().back().seq;
    syn.seq = 1;
    syn.flags = kRst;
    host_.feed(syn.frame());
    host_.pass(1s);
    host_.feed(RawTcp{.source_port = 999}.frame());
    EXPECT_EQ(host_.take_segments().back().seq - first, 250000U);
}

/// RFC 6056 3.3.3: who sees the ports of connections to himself knows nothing of those to others.
TEST_F(HostileTcpBlind, TST_09_PortsCannotBeGuessed) {
    const auto port_to = [&](Ipv4Address address, u16 number) {
        TcpSocket socket = host_.stack.tcp_socket();
        EXPECT_TRUE(socket.connect({address, number}));
        const u16 port = socket.local().port;
        socket.abort();
        return port;
    };
    host_.stack.add_route({Ipv4Address(), 0}, *host_.interface, kPeer);
    u32 near = 0;
    std::array<u32, 16> buckets{};
    for (u32 i = 0; i < 1000; ++i) {
        const u16 to_the_stranger = port_to(kPeer, 80);
        const u16 to_another = port_to(Ipv4Address(0x14000000 + i * 977), 80);
        if (static_cast<u16>(to_another - to_the_stranger) < 16) ++near;
        ++buckets.at((to_another - 49152U) / 1024);
    }
    EXPECT_LT(near, 20U);
    for (const u32 count : buckets) EXPECT_NEAR(count, 62, 40);
    // To one destination a port comes again as late as possible (RFC 6056 2.3).
    std::set<u16> ports;
    for (u32 i = 0; i < 2000; ++i) EXPECT_TRUE(ports.insert(port_to(kPeer, 81)).second);
}

/// Two ends that disagree would answer each other for ever. Empty segments, which may be such answers, are
/// counted: ten a second (RFC 5961 section 7 leaves the number open; Linux sends two).
TEST_F(HostileTcpBlind, TST_10_AckStorm) {
    ASSERT_TRUE(establish());
    pass_a_second();
    (void)host_.port.take();
    for (u32 i = 0; i < 1000; ++i) {
        RawTcp old = next();
        old.seq -= 100;
        host_.feed(old.frame());
        host_.pass(1ms);
    }
    EXPECT_LE(host_.port.take().size(), 2 * host_.stack.config().tcp.challenge_acks_per_second);
    EXPECT_EQ(host_.drops(Drop::TcpOutOfWindow), 1000U);
    EXPECT_TRUE(works());
}

TEST_F(HostileTcpBlind, TST_11_AcksOfWhatWasNeverSent) {
    ASSERT_TRUE(establish());
    write(pattern_bytes(100));
    const auto una = snapshot().snd_una;
    (void)host_.port.take();
    for (const u32 off : {1U, 2U, 1000000U, 0x7fffffffU}) {
        pass_a_second();
        RawTcp ack = next();
        ack.ack = snapshot().snd_nxt.value() + off;
        const u64 before = host_.drops(Drop::TcpBadAck);
        host_.feed(ack.frame());
        EXPECT_EQ(host_.drops(Drop::TcpBadAck), before + 1);
        EXPECT_EQ(snapshot().snd_una, una);
    }
}

TEST_F(HostileTcpBlind, TST_12_OldAcks) {
    ASSERT_TRUE(establish());
    write(pattern_bytes(100));
    (void)peer_.hear();
    peer_.send(kAck);
    const auto before = snapshot();
    ASSERT_EQ(before.snd_una, before.snd_nxt);
    RawTcp ack = next();
    ack.ack -= 1;
    host_.feed(ack.frame());
    ack.ack -= 0x40000000;
    host_.feed(ack.frame());
    EXPECT_EQ(host_.drops(Drop::TcpBadAck), 1U) << "the second is older than any window";
    EXPECT_EQ(snapshot().snd_una, before.snd_una);
    EXPECT_EQ(snapshot().cwnd, before.cwnd);
    EXPECT_TRUE(works());
}

}  // namespace
}  // namespace tapestry
