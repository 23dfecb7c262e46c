// Many of everything: what one stranger, or a thousand, may cost us.

#include "tests/hostile/tcp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileTcpFlood : public HostileTcpTest {
protected:
    explicit HostileTcpFlood(const StackConfig& config = HostileHost::quiet())
        : HostileTcpTest(config) {}
    std::size_t connections() { return host_.stack.tcp().connection_count(); }
    /// The n-th of many strangers; all of them have one hardware address.
    TcpPeer stranger(u32 n, u16 server = 80) {
        const Ipv4Address address(10, 0, 0, static_cast<u8>(100 + n % 100));
        host_.interface->arp().add_static(address, kPeerMac, host_.now);
        return {.host = host_,
                .address = address,
                .port = static_cast<u16>(1024 + n / 100),
                .server = server};
    }
};

/// 5,000 SYNs a second in the names of others, and an honest client ten times a second. The table of
/// half-open connections stays as small as it is, and every client is served at once.
TEST_F(HostileTcpFlood, DOS_01_AFloodOfSyns) {
    Rng& rng = host_.rng;
    u32 forged = 0;
    for (u16 client = 0; client < 100; ++client) {
        for (int i = 0; i < 500; ++i, ++forged) {
            TcpPeer one = stranger(rng.below(6000000));
            one.seq = static_cast<u32>(rng.next());
            one.send(kSyn);
            if (i % 50 == 49) (void)host_.take_segments();
        }
        TcpPeer honest{.host = host_, .port = static_cast<u16>(2000 + client)};
        (void)host_.take_segments();
        ASSERT_TRUE(honest.open()) << client;
        ASSERT_TRUE(honest.get(1000)) << client;
        ASSERT_LE(connections(), host_.stack.config().tcp.default_backlog + 101U);
        host_.pass(100ms);
    }
    EXPECT_EQ(forged, 50000U);
    EXPECT_GT(host_.stack.counters().tcp_syn_cookies_sent, 49000U);
    EXPECT_EQ(host_.stack.counters().tcp_syn_cookies_received, 100U);
    host_.pass(600s);
    (void)host_.port.take();
    EXPECT_EQ(connections(), 0U);
}

/// Blind guesses at a cookie: each is a chance of one in 2^24, and costs a reset. That the sum is not
/// guessed in a million is shown by SynCookie.IsNotGuessed.
TEST_F(HostileTcpFlood, DOS_03_ForgedCookies) {
    for (u32 n = 0; n < host_.stack.config().tcp.default_backlog + 1; ++n) stranger(n).send(kSyn);
    (void)host_.take_segments();
    ASSERT_GT(host_.stack.counters().tcp_syn_cookies_sent, 0U);
    const std::size_t before = connections();
    for (u32 i = 0; i < 20000; ++i) {
        peer_.server = 80;
        peer_.send(kAck, {}, {}, static_cast<u32>(host_.rng.next()));
        const auto answer = peer_.hear();
        ASSERT_EQ(answer.size(), 1U);
        ASSERT_EQ(answer[0].flags, kRst);
    }
    EXPECT_EQ(connections(), before);
    EXPECT_EQ(host_.stack.counters().tcp_syn_cookies_failed, 20000U);
    EXPECT_EQ(host_.stack.counters().tcp_syn_cookies_received, 0U);
}

/// One SYN in another's name has him get so many answers: one and five more (Linux sends as many).
TEST_F(HostileTcpFlood, DOS_02_AnswersToAForgedSyn) {
    peer_.send(kSyn);
    std::size_t answers = 0;
    for (int i = 0; i < 600; ++i) {
        answers += host_.take_segments().size();
        host_.pass(1s);
    }
    EXPECT_EQ(answers, 1 + host_.stack.config().tcp.syn_ack_retries);
    EXPECT_EQ(connections(), 0U);
    // The other says that he knows nothing of it.
    peer_.port = 1001;
    peer_.send(kSyn);
    (void)peer_.hear();
    peer_.send(kRst);
    host_.pass(600s);
    EXPECT_TRUE(host_.port.take().empty());
    EXPECT_EQ(connections(), 0U);
}

TEST_F(HostileTcpFlood, DOS_05_AServerThatDoesNotAccept) {
    host_.serving = false;
    const u32 backlog = host_.stack.config().tcp.default_backlog;
    for (u32 n = 0; n < 1000; ++n) {
        TcpPeer one = stranger(n);
        one.send(kSyn);
        (void)one.hear();
        if (one.ack != 0) one.send(kAck);
        ASSERT_LE(connections(), 2 * backlog);
    }
    EXPECT_GE(host_.drops(Drop::TcpBacklogFull) + host_.drops(Drop::TcpAcceptQueueFull), 700U);
    host_.serving = true;
    host_.settle();
    host_.pass(120s);
}

/// Sockstress: connections that offer no window and are never heard of again. Nothing is kept for them
/// but themselves, and those that owe them an answer give up.
TEST_F(HostileTcpFlood, DOS_06_WindowsOfZero) {
    for (u32 n = 0; n < 2000; ++n) {
        TcpPeer one = stranger(n);
        one.window = 0;
        ASSERT_TRUE(one.open());
        one.send(kAck, text_bytes("GET /2000 HTTP/1.1\r\n\r\n"));
    }
    EXPECT_EQ(connections(), 2000U);
    host_.pass(600s);
    (void)host_.port.take();
    EXPECT_EQ(connections(), 0U) << "the server has closed, and nobody takes what is left";
}

TEST_F(HostileTcpFlood, DOS_07_WhoAsksForMuchAndTakesNothing) {
    ASSERT_TRUE(establish());
    peer_.window = 4;
    peer_.send(kAck);
    const auto chunk = pattern_bytes(65536);
    std::size_t written = 0;
    for (int i = 0; i < 100; ++i) {
        const auto done = socket_.write(chunk);
        if (!done) break;
        written += *done;
        host_.settle();
    }
    EXPECT_LE(written, host_.stack.config().tcp.send_buffer + 64U);
    EXPECT_TRUE(fails_as(socket_.write(chunk), Errno::Again));
    peer_.window = 0;
    peer_.send(kAck);
    host_.pass(600s);
    EXPECT_LE(snapshot().send_queued, host_.stack.config().tcp.send_buffer);
    socket_.abort();
    host_.settle();
    EXPECT_EQ(connections(), 0U);
}

/// The server has closed; the other end takes no data, and its FIN never comes.
TEST_F(HostileTcpFlood, DOS_09_OrphansInFinWait1) {
    for (u32 n = 0; n < 1000; ++n) {
        TcpPeer one = stranger(n);
        ASSERT_TRUE(one.open());
        one.window = 0;
        one.send(kAck, text_bytes("GET /10 HTTP/1.1\r\n\r\n"));
    }
    EXPECT_EQ(connections(), 1000U);
    host_.pass(host_.stack.config().tcp.linger_timeout +
               host_.stack.config().tcp.fin_wait_2_timeout + 5s);
    (void)host_.port.take();
    EXPECT_EQ(connections(), 0U);
}

/// Acknowledged before it was received: nothing is believed beyond what was sent, so that the window
/// grows by no more than what has left.
TEST_F(HostileTcpFlood, DOS_10_OptimisticAcks) {
    ASSERT_TRUE(establish());
    write(pattern_bytes(100000));
    (void)host_.port.take();
    const auto before = snapshot();
    const u32 sent = static_cast<u32>(before.snd_nxt - before.snd_una);
    for (u32 beyond = 1; beyond < 20; ++beyond) {
        RawTcp ack = next();
        ack.ack = snapshot().snd_nxt.value() + beyond * 1460;
        host_.feed(ack.frame());
    }
    EXPECT_EQ(host_.drops(Drop::TcpBadAck), 19U);
    EXPECT_EQ(snapshot().snd_una, before.snd_una);
    EXPECT_EQ(snapshot().cwnd, before.cwnd);
    RawTcp all = next();
    all.ack = before.snd_nxt.value();
    host_.feed(all.frame());
    EXPECT_LE(snapshot().cwnd, before.cwnd + sent);
}

/// RFC 5681 3.1 (RFC 3465): it is octets that count, so that to acknowledge one by one gains nothing.
TEST_F(HostileTcpFlood, DOS_11_AnAckForEveryOctet) {
    ASSERT_TRUE(establish());
    write(pattern_bytes(14600));
    (void)host_.port.take();
    const auto before = snapshot();
    RawTcp ack = next();
    ack.ack = before.snd_una.value();
    for (u32 i = 0; i < 1460; ++i) {
        ++ack.ack;
        host_.feed(ack.frame());
    }
    EXPECT_LE(snapshot().cwnd, before.cwnd + 1460);
}

TEST_F(HostileTcpFlood, DOS_14_ConnectionsInARow) {
    for (u32 n = 0; n < 5000; ++n) {
        TcpPeer one = stranger(n);
        ASSERT_TRUE(one.open()) << n;
        ASSERT_TRUE(one.get(10)) << n;
    }
    EXPECT_LE(connections(), 5000U) << "in TIME-WAIT, all of them";
    host_.pass(2 * host_.stack.config().tcp.msl + 1s);
    EXPECT_EQ(connections(), 0U);
}

TEST_F(HostileTcpFlood, DOS_15_AFloodOfResets) {
    ASSERT_TRUE(establish());
    const auto before = snapshot();
    SeededRng rng(5);
    for (u32 i = 0; i < 50000; ++i) {
        RawTcp reset{.source_port = static_cast<u16>(rng.next()),
                     .destination_port = static_cast<u16>(i % 3 == 0 ? rng.next() : 79 + i % 3),
                     .seq = static_cast<u32>(rng.next()),
                     .ack = static_cast<u32>(rng.next()),
                     .flags = static_cast<u8>(kRst | (i % 2 == 0 ? kAck : 0))};
        if (reset.destination_port == 81 && reset.source_port == peer_.port) continue;
        host_.feed(reset.frame());
    }
    EXPECT_GT(host_.drops(Drop::TcpListenReset), 30000U);
    EXPECT_GT(host_.drops(Drop::TcpNoConnection), 10000U);
    EXPECT_TRUE(host_.port.take().empty());
    EXPECT_EQ(snapshot(), before);
    EXPECT_EQ(connections(), 1U);
    EXPECT_TRUE(works());
}

/// What is accounted for is memory: a ring holds one octet in the place of one octet.
TEST_F(HostileTcpFlood, DOS_16_SegmentsOfOneOctet) {
    ASSERT_TRUE(establish());
    const auto text = pattern_bytes(32768);
    std::vector<u8> got;
    for (std::size_t i = 0; i < text.size(); ++i) {
        peer_.send(kAck, {text[i]});
        if (i % 8192 == 8191) {
            const auto part = read();
            got.insert(got.end(), part.begin(), part.end());
        }
    }
    EXPECT_EQ(got, text);
    EXPECT_LE(host_.port.take().size(), text.size() / 2) << "not one answer for each";
}

TEST_F(HostileTcpFlood, DOS_17_IdleForAnHour) {
    std::vector<TcpSocket> sockets;
    for (u32 n = 0; n < 3000; ++n) {
        TcpPeer one = stranger(n, 81);
        ASSERT_TRUE(one.open());
        auto accepted = listener_.accept();
        ASSERT_TRUE(accepted);
        sockets.push_back(std::move(*accepted));
    }
    (void)host_.port.take();
    host_.pass(1h);
    EXPECT_EQ(connections(), 3000U);
    EXPECT_TRUE(host_.port.take().empty()) << "nothing is said when there is nothing to say";
}

/// Addresses that fall together under one key are far apart under another, and the key is chance.
TEST_F(HostileTcpFlood, DOS_18_ChosenCollisions) {
    const FourTupleHash ours{{1, 2}};
    const FourTupleHash theirs{{3, 4}};
    std::vector<FourTuple> chosen;
    for (u32 i = 0; chosen.size() < 200; ++i) {
        const FourTuple tuple{{kUs, 80}, {Ipv4Address(0x0b000000 + i), static_cast<u16>(i)}};
        if (theirs(tuple) % 64 == 0) chosen.push_back(tuple);
    }
    const auto together = std::ranges::count_if(
        chosen, [&](const FourTuple& tuple) { return ours(tuple) % 64 == 0; });
    EXPECT_LT(together, 20) << "200 in one of 64 buckets, and now 3 or so";
}

class HostileTcpHoles : public HostileTcpFlood {
protected:
    HostileTcpHoles() : HostileTcpFlood(small()) {}
    static StackConfig small() {
        StackConfig config = HostileHost::quiet();
        config.tcp.memory_ceiling = 16U << 20;
        return config;
    }
};

/// One octet at the far end of each of a thousand windows: memory is taken for the hole before it.
TEST_F(HostileTcpHoles, DOS_08_AHoleInEveryWindow) {
    std::vector<TcpSocket> sockets;
    for (u32 n = 0; n < 1000; ++n) {
        TcpPeer one = stranger(n, 81);
        ASSERT_TRUE(one.open({2, 4, 5, 180, 3, 3, 7, 0}));
        auto accepted = listener_.accept();
        ASSERT_TRUE(accepted);
        sockets.push_back(std::move(*accepted));
        const u32 window = sockets.back().snapshot().rcv_wnd;
        one.send(kAck, {1}, one.seq + window - 2);
    }
    EXPECT_GE(host_.drops(Drop::TcpNoMemory), 1000U - 128) << "half of the memory is not for holes";
}

}  // namespace
}  // namespace tapestry
