#include <gtest/gtest.h>

#include "tests/support/bulk.h"

// Buffers that grow: a long fat path is filled without anybody setting a size, and who does not read
// gets no more room.

namespace tapestry::test {
namespace {

/// 200 ms and 10 MB/s: 2 MB are under way.
BulkConfig long_fat_path() {
    BulkConfig config;
    config.link.delay = 100ms;
    config.link.bytes_per_second = 10'000'000;
    config.link.queue_bytes = 2'000'000;
    config.link.max_frames = 4000;
    config.stack.tcp.receive_buffer = config.stack.tcp.send_buffer = 65536;
    return config;
}

Duration time_for(const BulkConfig& config, u64 bytes) {
    Bulk bulk(config);
    EXPECT_TRUE(bulk.run_until_bytes(bytes, TimePoint{1h}));
    return bulk.now().time_since_epoch();
}

TEST(BufferTuning, FillsALongFatPath) {
    constexpr u64 kBytes = 40'000'000;
    BulkConfig fixed = long_fat_path();
    fixed.stack.tcp.receive_buffer_max = fixed.stack.tcp.send_buffer_max = 0;
    // A window of 64 KB every 200 ms is 320 KB/s; the path alone would take 4 s.
    EXPECT_GT(time_for(fixed, kBytes), 110s);
    EXPECT_LT(time_for(long_fat_path(), kBytes), 10s);
    // Either end alone can hold it back.
    BulkConfig sender = long_fat_path();
    sender.stack.tcp.send_buffer_max = 0;
    EXPECT_GT(time_for(sender, kBytes), 100s);
    BulkConfig receiver = long_fat_path();
    receiver.stack.tcp.receive_buffer_max = 0;
    EXPECT_GT(time_for(receiver, kBytes), 100s);
}

TEST(BufferTuning, StopsAtTheCeiling) {
    BulkConfig config = long_fat_path();
    config.stack.tcp.receive_buffer_max = 300'000;
    Bulk bulk(config);
    ASSERT_TRUE(bulk.run_until_bytes(10'000'000, TimePoint{1h}));
    const TcpSnapshot sender = bulk.sender(0);
    EXPECT_LE(sender.snd_wnd, 300'000U + 1024U);
    EXPECT_GT(sender.snd_wnd, 150'000U);
}

/// What is not read counts for nothing, however much comes.
TEST(BufferTuning, WhoDoesNotReadGetsNoMore) {
    World world;
    const MacAddress mac_a({2, 0, 0, 0, 0, 1});
    const MacAddress mac_b({2, 0, 0, 0, 0, 2});
    StackConfig config;
    config.tcp.receive_buffer = 65536;
    Host& a = world.add_host("a", config);
    Host& b = world.add_host("b", config);
    world.connect(a, {"eth0", mac_a, {Ipv4Address(10, 0, 0, 1), 24}, 0}, b,
                  {"eth0", mac_b, {Ipv4Address(10, 0, 0, 2), 24}, 0}, {.delay = 1ms});
    Listener listener = b.stack().tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), 80}));
    TcpSocket client = a.stack().tcp_socket();
    ASSERT_TRUE(client.connect({Ipv4Address(10, 0, 0, 2), 80}));
    ASSERT_TRUE(world.run_until([&] { return listener.acceptable(); }, TimePoint{1s}));
    TcpSocket server = std::move(*listener.accept());
    const std::vector<u8> data(1U << 20U, 1);
    ASSERT_TRUE(client.write(data));
    world.run_for(5s);
    EXPECT_LE(server.info().rcv_ssthresh, 65536U);
    // A window is a multiple of 128 bytes here, and never too small.
    EXPECT_LE(server.snapshot().receive_queued, 65536U + 128U);
    // One byte now and then neither.
    std::array<u8, 1> one{};
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(server.read(one));
        world.run_for(10ms);
    }
    EXPECT_LE(server.info().rcv_ssthresh, 65536U);
}

}  // namespace
}  // namespace tapestry::test
