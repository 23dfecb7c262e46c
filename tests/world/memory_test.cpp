#include <gtest/gtest.h>

#include "drivers/world.h"
#include "tests/support/packet_builder.h"

// Memory that is short, and strangers who try to make it so: the streams get through, and what a
// stranger can cost is bounded.

namespace tapestry::test {
namespace {

constexpr Ipv4Address kA{10, 0, 0, 1};
constexpr Ipv4Address kB{10, 0, 0, 2};
const MacAddress kMacA({2, 0, 0, 0, 0, 1});
const MacAddress kMacB({2, 0, 0, 0, 0, 2});

struct Pair {
    explicit Pair(const StackConfig& config)
        : a(world.add_host("a", config)),
          b(world.add_host("b", config)),
          link(world.connect(a, {"eth0", kMacA, {kA, 24}, 0}, b, {"eth0", kMacB, {kB, 24}, 0},
                             {.delay = 1ms, .bytes_per_second = 10'000'000})) {
        listener = b.stack().tcp_listener();
        EXPECT_TRUE(listener.listen({Ipv4Address(), 80}));
    }
    World world;
    Host& a;
    Host& b;
    MemoryLink& link;
    Listener listener;
};

/// One direction of a stream: what one socket still has to write, and another has read.
struct Stream {
    TcpSocket from;
    TcpSocket to;
    std::size_t written = 0;
    std::size_t read = 0;
};

/// All buffers of all connections together may not be larger than a few blocks: ENOBUFS now and then,
/// segments that are refused and come again, but no standstill and not one byte too much.
TEST(Memory, ALowCeilingSlowsDownButStopsNothing) {
    constexpr std::size_t kBytes = 60000;
    StackConfig config;
    config.tcp.min_rto = 200ms;
    config.tcp.memory_ceiling = 64U << 10U;
    Pair pair(config);
    std::vector<Stream> streams(12);
    for (Stream& stream : streams) {
        stream.from = pair.a.stack().tcp_socket();
        ASSERT_TRUE(stream.from.connect({kB, 80}));
        ASSERT_TRUE(pair.world.run_until([&] { return pair.listener.acceptable(); },
                                         pair.world.now() + 10s));
        stream.to = std::move(*pair.listener.accept());
    }
    const std::vector<u8> data(kBytes, 9);
    std::vector<u8> buffer(3000);
    u64 refused = 0;
    std::size_t finished = 0;
    for (int round = 0; round < 20000 && finished < streams.size(); ++round) {
        finished = 0;
        for (Stream& stream : streams) {
            const auto n = stream.from.write(Bytes(data).subspan(stream.written));
            if (n) stream.written += *n;
            if (!n && n.error() == Errno::NoBuffers) ++refused;
            ASSERT_TRUE(n || n.error() == Errno::NoBuffers || n.error() == Errno::Again);
            if (const auto got = stream.to.read(buffer)) stream.read += *got;
            finished += stream.read == kBytes ? 1 : 0;
        }
        pair.world.run_for(5ms);
    }
    EXPECT_EQ(finished, streams.size()) << "after " << to_seconds(pair.world.now() - TimePoint{});
    EXPECT_GT(refused, 0U) << "memory was meant to be short";
}

/// The n-th SYN of a flood: another stranger's each time.
void send_syn(Pair& pair, u32 n) {
    PacketBuilder builder;
    builder.source_mac = kMacA;
    builder.destination_mac = kMacB;
    builder.ip.source = Ipv4Address(10, 0, 0, static_cast<u8>(3 + n % 200));
    builder.ip.destination = kB;
    TcpHeader syn = tcp_header(n, TcpFlags::kSyn, 0);
    syn.source_port = static_cast<u16>(1024 + n / 200);
    const auto bytes = builder.tcp(syn).build();
    EXPECT_TRUE(pair.link.end(0).transmit(frame_of(bytes, bytes.size())));
}

/// 20000 SYNs a second from everywhere: half-open connections stay few, those who talk are not
/// disturbed, and when it is over the door is open again.
TEST(Memory, AFloodOfSynsIsBounded) {
    StackConfig config;
    config.tcp.min_rto = 200ms;
    Pair pair(config);
    TcpSocket client = pair.a.stack().tcp_socket();
    ASSERT_TRUE(client.connect({kB, 80}));
    ASSERT_TRUE(pair.world.run_until([&] { return pair.listener.acceptable(); }, TimePoint{10s}));
    TcpSocket server = std::move(*pair.listener.accept());

    u32 n = 0;
    const std::vector<u8> data(1000, 5);
    std::vector<u8> buffer(5000);
    std::size_t read = 0;
    for (int millisecond = 0; millisecond < 2000; ++millisecond) {
        for (int i = 0; i < 20; ++i) send_syn(pair, n++);
        static_cast<void>(client.write(data));
        pair.world.run_for(1ms);
        if (const auto got = server.read(buffer)) read += *got;
        ASSERT_LE(pair.b.stack().tcp().connection_count(), 1U + config.tcp.default_backlog);
    }
    EXPECT_GT(read, std::size_t{1} << 20U) << "the connection beside it goes on";
    EXPECT_GT(pair.b.stack().counters().tcp_syn_cookies_sent, 30000U);
    pair.world.run_for(2min);
    EXPECT_EQ(pair.b.stack().tcp().connection_count(), 1U);
    TcpSocket late = pair.a.stack().tcp_socket();
    ASSERT_TRUE(late.connect({kB, 80}));
    EXPECT_TRUE(
        pair.world.run_until([&] { return pair.listener.acceptable(); }, pair.world.now() + 1s));
}

/// A client that comes in the middle of a flood gets in by a cookie, with the options that it asked for,
/// because its timestamps carry them.
TEST(Memory, ADownloadInAFloodOfSynsHasItsOptions) {
    constexpr std::size_t kBytes = 1U << 20U;
    Pair pair(StackConfig{});
    auto flood = [&pair, n = 0U]() mutable {
        for (int i = 0; i < 5; ++i) send_syn(pair, n++);
        pair.world.run_for(1ms);
    };
    for (int i = 0; i < 100; ++i) flood();
    TcpSocket client = pair.a.stack().tcp_socket();
    ASSERT_TRUE(client.connect({kB, 80}));
    for (int i = 0; i < 10 && !pair.listener.acceptable(); ++i) flood();
    auto server = pair.listener.accept();
    ASSERT_TRUE(server) << "within ten milliseconds";
    EXPECT_EQ(pair.b.stack().counters().tcp_syn_cookies_received, 1U);
    for (const TcpInfo& info : {client.info(), server->info()}) {
        EXPECT_EQ(info.options, TcpInfoOptions::kTimestamps | TcpInfoOptions::kSack |
                                    TcpInfoOptions::kWindowScale);
        EXPECT_GE(info.snd_mss, 1428U);
    }
    const std::vector<u8> data(kBytes, 7);
    std::vector<u8> buffer(kBytes);
    std::size_t written = 0;
    std::size_t got = 0;
    for (int i = 0; i < 2000 && got < kBytes; ++i) {
        if (const auto n = server->write(Bytes(data).subspan(written))) written += *n;
        flood();
        if (const auto n = client.read(buffer)) got += *n;
    }
    EXPECT_EQ(got, kBytes);
}

/// Islands without their hole, as far apart as possible: each costs a place in a list with a limit and
/// no more memory than the window; the stream goes on when the hole is filled.
TEST(Memory, AFloodOfIslandsIsBounded) {
    StackConfig config;
    config.tcp.max_out_of_order_blocks = 16;
    Pair pair(config);
    TcpSocket client = pair.a.stack().tcp_socket();
    ASSERT_TRUE(client.connect({kB, 80}));
    ASSERT_TRUE(pair.world.run_until([&] { return pair.listener.acceptable(); }, TimePoint{10s}));
    TcpSocket server = std::move(*pair.listener.accept());
    const TcpSnapshot s = server.snapshot();
    for (u32 i = 0; i < 1000; ++i) {
        PacketBuilder builder;
        builder.source_mac = kMacA;
        builder.destination_mac = kMacB;
        builder.ip.source = kA;
        builder.ip.destination = kB;
        TcpHeader header =
            tcp_header((s.rcv_nxt + 10 + 50 * i).value(), TcpFlags::kAck, s.snd_nxt.value());
        header.source_port = s.remote.port;
        header.options.timestamps = TcpTimestamps{s.ts_recent, 0};
        const auto bytes = builder.tcp(header).payload({7}).build();
        ASSERT_TRUE(pair.link.end(0).transmit(frame_of(bytes, bytes.size())));
        pair.world.run_for(1ms);
        ASSERT_LE(server.snapshot().receive_out_of_order, 16U);
    }
    pair.world.run_for(10ms);
    EXPECT_EQ(pair.b.stack().counters().of(Drop::TcpNoMemory), 1000U - 16U);
    const std::vector<u8> data(100000, 7);
    std::vector<u8> buffer(200000);
    std::size_t read = 0;
    std::size_t written = 0;
    pair.world.run_until(
        [&] {
            if (const auto n = client.write(Bytes(data).subspan(written))) written += *n;
            if (const auto n = server.read(buffer)) read += *n;
            return read >= data.size();
        },
        pair.world.now() + 10s);
    EXPECT_EQ(read, data.size());
}

}  // namespace
}  // namespace tapestry::test
