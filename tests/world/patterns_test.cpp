#include <gtest/gtest.h>

#include "tests/support/packet_builder.h"
#include "tests/support/transfer.h"

// How applications use connections, and what happens to them: dialogues, half closes, many at once,
// cables pulled out.

namespace tapestry::test {
namespace {

TEST(Patterns, AHalfClosedSideStillReceives) {
    for (const double drop : {0.0, 5.0}) {
        TransferConfig config = TransferConfig::quick();
        config.link.delay = 5ms;
        config.fault.drop = drop;
        config.answer_at_end = true;
        config.client_bytes = 10000;
        Transfer transfer(config);
        ASSERT_TRUE(transfer.run(std::chrono::minutes(30))) << transfer.report();
        EXPECT_EQ(transfer.client.read, std::size_t{1} << 20U);
        ASSERT_TRUE(transfer.finish()) << transfer.report();
    }
}

/// Two hosts on a cable.
struct Pair {
    explicit Pair(const LinkConfig& config = {.delay = 1ms},
                  const StackConfig& stack = TransferConfig::quick().client)
        : a(world.add_host("a", stack)),
          b(world.add_host("b", stack)),
          link(world.connect(a, {"eth0", MacAddress({2, 0, 0, 0, 0, 1}), {kA, 24}, 0}, b,
                             {"eth0", MacAddress({2, 0, 0, 0, 0, 2}), {kB, 24}, 0}, config)) {
        listener = b.stack().tcp_listener();
        EXPECT_TRUE(listener.listen({Ipv4Address(), 80}, 1024));
    }
    /// An established connection.
    std::pair<TcpSocket, TcpSocket> open() {
        TcpSocket client = a.stack().tcp_socket();
        EXPECT_TRUE(client.connect({kB, 80}));
        EXPECT_TRUE(world.run_until([&] { return listener.acceptable(); }, world.now() + 1min));
        auto server = listener.accept();
        EXPECT_TRUE(server);
        return {std::move(client), std::move(*server)};
    }

    static constexpr Ipv4Address kA{10, 0, 0, 1};
    static constexpr Ipv4Address kB{10, 0, 0, 2};
    World world;
    Host& a;
    Host& b;
    MemoryLink& link;
    Listener listener;
};

/// write-write-read: Nagle holds the second write back until the first is acknowledged, and the peer's
/// ACK may be delayed: 40 ms, not more (RFC 9293 3.7.4 and 3.8.6.3 meet here).
TEST(Patterns, TwoSmallWritesAndAReadStallForOneDelayedAckAtMost) {
    for (const bool no_delay : {false, true}) {
        Pair pair;
        auto [client, server] = pair.open();
        TcpSocketOptions options;
        options.no_delay = no_delay;
        ASSERT_TRUE(client.set_options(options));
        const std::array<u8, 10> ten{};
        std::array<u8, 100> buffer{};
        for (int round = 0; round < 20; ++round) {
            const TimePoint began = pair.world.now();
            ASSERT_TRUE(client.write(ten));
            ASSERT_TRUE(client.write(ten));
            std::size_t asked = 0;
            ASSERT_TRUE(pair.world.run_until(
                [&] {
                    if (const auto n = server.read(buffer)) asked += *n;
                    return asked == 20;
                },
                began + 1s));
            ASSERT_TRUE(server.write(ten));
            ASSERT_TRUE(
                pair.world.run_until([&] { return client.readable_bytes() == 10; }, began + 1s));
            ASSERT_TRUE(client.read(buffer));
            const Duration took = pair.world.now() - began;
            EXPECT_LE(took, no_delay ? Duration{2ms} : Duration{44ms}) << "round " << round;
        }
    }
}

TEST(Patterns, ManyConnectionsAtOnce) {
    constexpr std::size_t kCount = 300;
    constexpr std::size_t kBytes = 20000;
    Pair pair({.delay = 5ms, .bytes_per_second = 10'000'000, .queue_bytes = 100'000});
    std::vector<TcpSocket> clients;
    std::vector<TcpSocket> servers;
    std::vector<std::size_t> sent(kCount);
    std::vector<std::size_t> received(kCount);
    std::vector<u8> data(kBytes, 3);
    std::vector<u8> buffer(kBytes);
    for (std::size_t i = 0; i < kCount; ++i) {
        clients.push_back(pair.a.stack().tcp_socket());
        ASSERT_TRUE(clients.back().connect({Pair::kB, 80}));
    }
    std::size_t finished = 0;
    pair.a.add_program([&] {
        for (std::size_t i = 0; i < kCount; ++i) {
            if (!clients[i] || sent[i] == kBytes) continue;
            if (const auto n = clients[i].write(Bytes(data).subspan(sent[i]))) sent[i] += *n;
            if (sent[i] == kBytes) clients[i].close();
        }
    });
    pair.b.add_program([&] {
        while (auto accepted = pair.listener.accept()) servers.push_back(std::move(*accepted));
        for (std::size_t i = 0; i < servers.size(); ++i) {
            while (const auto n = servers[i].read(buffer)) {
                received[i] += *n;
                if (*n > 0) continue;
                ++finished;
                servers[i].close();
                break;
            }
        }
    });
    ASSERT_TRUE(pair.world.run_until([&] { return finished == kCount; }, TimePoint{10min}))
        << finished << " of " << servers.size();
    for (const std::size_t n : received) EXPECT_EQ(n, kBytes);
    EXPECT_GT(pair.link.counters(0).queue_drops, 0U) << "the queue was meant to overflow";
    pair.world.run_for(5min);
    EXPECT_EQ(pair.a.stack().tcp().connection_count(), 0U);
    EXPECT_EQ(pair.b.stack().tcp().connection_count(), 0U);
}

/// A cable that is out for half a minute in the middle: the transfer goes on by itself.
TEST(Patterns, APulledCableIsSurvived) {
    TransferConfig config = TransferConfig::quick();
    config.link = {.delay = 1ms, .bytes_per_second = 1'000'000};
    Transfer transfer(config);
    transfer.world.at(TimePoint{200ms}, [&] { transfer.link.set_plugged(false); });
    transfer.world.at(TimePoint{30s}, [&] { transfer.link.set_plugged(true); });
    ASSERT_TRUE(transfer.run(std::chrono::minutes(5))) << transfer.report();
    // The back-off has grown to at most twice the time that the cable was out.
    EXPECT_LT(transfer.world.now(), TimePoint{95s});
    ASSERT_TRUE(transfer.finish()) << transfer.report();
}

TEST(Patterns, ACablePulledForEverEndsBothSides) {
    Pair pair;
    auto [client, server] = pair.open();
    const std::vector<u8> data(10000, 1);
    ASSERT_TRUE(client.write(data));
    TcpSocketOptions keep;
    keep.keep_alive = true;
    ASSERT_TRUE(server.set_options(keep));
    pair.link.set_plugged(false);
    ASSERT_TRUE(
        pair.world.run_until([&] { return client.state() == TcpState::Closed; }, TimePoint{1h}));
    EXPECT_GE(pair.world.now(), TimePoint{100s}) << "SHLD-11: R2 is at least 100 seconds";
    // The reason is told once, whichever it is: no neighbour, or no answer.
    std::array<u8, 1> byte{};
    const auto error = client.read(byte);
    ASSERT_FALSE(error);
    EXPECT_TRUE(error.error() == Errno::TimedOut || error.error() == Errno::HostUnreachable);
    // The one that only listens finds out by keep-alive.
    ASSERT_TRUE(
        pair.world.run_until([&] { return server.state() == TcpState::Closed; }, TimePoint{4h}));
}

/// One side has forgotten the connection: the other's next segment gets a reset, and both are rid of it.
TEST(Patterns, AForgottenConnectionIsReset) {
    Pair pair;
    auto [client, server] = pair.open();
    pair.link.set_plugged(false);
    TcpSocketOptions options;
    options.linger = Duration{};
    ASSERT_TRUE(server.set_options(options));
    server.close();  // the reset is lost
    pair.world.run_for(1s);
    EXPECT_EQ(pair.b.stack().tcp().connection_count(), 0U);
    pair.link.set_plugged(true);
    const std::array<u8, 10> ten{};
    ASSERT_TRUE(client.write(ten));
    ASSERT_TRUE(pair.world.run_until([&] { return client.state() == TcpState::Closed; },
                                     pair.world.now() + 1min));
    std::array<u8, 1> byte{};
    EXPECT_EQ(client.read(byte).error(), Errno::ConnectionReset);
}

/// Opening and closing again and again, either side first, leaves nothing behind.
TEST(Patterns, ManyShortConnectionsLeaveNothing) {
    Pair pair;
    std::array<u8, 10> ten{};
    for (int round = 0; round < 200; ++round) {
        auto [client, server] = pair.open();
        ASSERT_TRUE(client.write(ten));
        pair.world.run_for(100ms);
        ASSERT_EQ(server.read(ten).value_or(0), 10U);
        TcpSocket& first = round % 2 == 0 ? client : server;
        TcpSocket& second = round % 2 == 0 ? server : client;
        first.close();
        if (round % 3 != 0) pair.world.run_for(100ms);
        second.close();
        pair.world.run_for(100ms);
    }
    pair.world.run_for(2min);
    EXPECT_EQ(pair.a.stack().tcp().connection_count(), 0U);
    EXPECT_EQ(pair.b.stack().tcp().connection_count(), 0U);
    EXPECT_EQ(pair.a.stack().counters().tcp_out_rsts, 0U);
    EXPECT_EQ(pair.b.stack().counters().tcp_out_rsts, 0U);
}

/// A segment that a stranger makes up for one of two connected hosts.
std::vector<u8> forged(const TcpSnapshot& victim, SeqNum seq, SeqNum ack, u32 stamp, u32 length) {
    PacketBuilder builder;
    const bool to_b = victim.local.address == Pair::kB;
    builder.source_mac = MacAddress({2, 0, 0, 0, 0, static_cast<u8>(to_b ? 1 : 2)});
    builder.destination_mac = MacAddress({2, 0, 0, 0, 0, static_cast<u8>(to_b ? 2 : 1)});
    builder.ip.source = victim.remote.address;
    builder.ip.destination = victim.local.address;
    TcpHeader header = tcp_header(seq.value(), TcpFlags::kAck, ack.value());
    header.source_port = victim.remote.port;
    header.destination_port = victim.local.port;
    header.options.timestamps = TcpTimestamps{stamp, 0};
    return builder.tcp(header).payload(std::vector<u8>(length, 1)).build();
}

/// Two stacks that a stranger has made to disagree about their connection must not send each other
/// ACKs for ever, each refusing the other's (RFC 5961 section 7).
class Storm : public testing::Test {
protected:
    /// Hands each side its forged segment and counts what crosses the cable in the next ten seconds.
    u64 frames_after(const std::vector<u8>& for_client, const std::vector<u8>& for_server) {
        pair.world.run_for(1s);
        const u64 before = pair.link.counters(0).sent + pair.link.counters(1).sent;
        EXPECT_TRUE(pair.link.end(1).transmit(frame_of(for_client, for_client.size())));
        EXPECT_TRUE(pair.link.end(0).transmit(frame_of(for_server, for_server.size())));
        pair.world.run_for(10s);
        return pair.link.counters(0).sent + pair.link.counters(1).sent - before;
    }
    Pair pair{LinkConfig{.delay = 100us}};
    std::pair<TcpSocket, TcpSocket> sockets = pair.open();
    TcpSnapshot client() const { return sockets.first.snapshot(); }
    TcpSnapshot server() const { return sockets.second.snapshot(); }
};
constexpr u64 kFewFrames = 2 + 2 * 11 * 10;  // ten challenges a second from each side

TEST_F(Storm, OfNumbersFarAway) {
    const TcpSnapshot c = client();
    const TcpSnapshot s = server();
    EXPECT_LE(frames_after(forged(c, c.rcv_nxt + 500000000U, c.snd_nxt, c.ts_recent, 0),
                           forged(s, s.rcv_nxt + 500000000U, s.snd_nxt, s.ts_recent, 0)),
              kFewFrames);
}

/// One byte too many on both sides: each then takes the other's ACKs for keep-alive probes.
TEST_F(Storm, OfOneByteTooMany) {
    const TcpSnapshot c = client();
    const TcpSnapshot s = server();
    EXPECT_LE(frames_after(forged(c, c.rcv_nxt, c.snd_nxt, c.ts_recent, 1),
                           forged(s, s.rcv_nxt, s.snd_nxt, s.ts_recent, 1)),
              kFewFrames);
}

/// A timestamp from the future on both sides: each then refuses the other's as old (PAWS).
TEST_F(Storm, OfTimestampsFromTheFuture) {
    const TcpSnapshot c = client();
    const TcpSnapshot s = server();
    EXPECT_LE(frames_after(forged(c, c.rcv_nxt, c.snd_nxt, c.ts_recent + 1000000000U, 1),
                           forged(s, s.rcv_nxt, s.snd_nxt, s.ts_recent + 1000000000U, 1)),
              kFewFrames);
}

TEST_F(Storm, OfAcksOfTheUnsent) {
    const TcpSnapshot c = client();
    const TcpSnapshot s = server();
    EXPECT_LE(frames_after(forged(c, c.rcv_nxt, c.snd_nxt + 1000U, c.ts_recent, 0),
                           forged(s, s.rcv_nxt, s.snd_nxt + 1000U, s.ts_recent, 0)),
              kFewFrames);
    EXPECT_EQ(client().state, TcpState::Established);
    EXPECT_EQ(server().state, TcpState::Established);
}

}  // namespace
}  // namespace tapestry::test
