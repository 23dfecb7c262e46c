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
            ASSERT_TRUE(pair.world.run_until([&] { return client.readable_bytes() == 10; },
                                             began + 1s));
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
    ASSERT_TRUE(pair.world.run_until([&] { return client.state() == TcpState::Closed; },
                                     TimePoint{1h}));
    EXPECT_GE(pair.world.now(), TimePoint{100s}) << "SHLD-11: R2 is at least 100 seconds";
    // The reason is told once, whichever it is: no neighbour, or no answer.
    std::array<u8, 1> byte{};
    const auto error = client.read(byte);
    ASSERT_FALSE(error);
    EXPECT_TRUE(error.error() == Errno::TimedOut || error.error() == Errno::HostUnreachable);
    // The one that only listens finds out by keep-alive.
    ASSERT_TRUE(pair.world.run_until([&] { return server.state() == TcpState::Closed; },
                                     TimePoint{4h}));
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

/// Two stacks that disagree about a connection must not send each other ACKs for ever (RFC 5961 7).
TEST(Patterns, NoStormOfChallenges) {
    Pair pair({.delay = 100us});
    auto [client, server] = pair.open();
    // An ACK for bytes that the server has never sent, and a number far outside, as from the client.
    PacketBuilder builder;
    builder.source_mac = MacAddress({2, 0, 0, 0, 0, 1});
    builder.destination_mac = MacAddress({2, 0, 0, 0, 0, 2});
    builder.ip.source = Pair::kA;
    builder.ip.destination = Pair::kB;
    const TcpSnapshot s = server.snapshot();
    TcpHeader header = tcp_header((s.rcv_nxt + 500000000U).value(), TcpFlags::kAck,
                                  (s.snd_nxt + 500000000U).value());
    header.source_port = s.remote.port;
    header.options.timestamps = TcpTimestamps{s.ts_recent, 0};
    const auto bytes = builder.tcp(header).build();
    const u64 before = pair.link.counters(0).sent + pair.link.counters(1).sent;
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(pair.link.end(0).transmit(frame_of(bytes, bytes.size())));
    }
    pair.world.run_for(1min);
    EXPECT_LT(pair.link.counters(0).sent + pair.link.counters(1).sent - before, 60U);
    EXPECT_EQ(client.state(), TcpState::Established);
    EXPECT_EQ(server.state(), TcpState::Established);
}

}  // namespace
}  // namespace tapestry::test
