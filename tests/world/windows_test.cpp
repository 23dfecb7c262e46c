#include <gtest/gtest.h>

#include "tests/support/transfer.h"

// Windows of all sizes, readers of all speeds: the stream neither stops nor crawls.

namespace tapestry::test {
namespace {

TransferConfig windows(u32 receive, u32 send, std::size_t bytes) {
    TransferConfig config = TransferConfig::quick();
    config.link.delay = 2ms;
    config.client_bytes = config.server_bytes = bytes;
    for (StackConfig* stack : {&config.client, &config.server}) {
        stack->tcp.receive_buffer = receive;
        stack->tcp.send_buffer = send;
        stack->tcp.receive_buffer_max = stack->tcp.send_buffer_max = 0;
    }
    return config;
}

void expect_all(const TransferConfig& config, Duration limit) {
    Transfer transfer(config);
    ASSERT_TRUE(transfer.run(limit)) << transfer.report();
    ASSERT_TRUE(transfer.finish()) << transfer.report();
}

/// Receive and send buffers of any size against each other. The slowest pair moves a few bytes per
/// round trip of 4 ms, and may wait 40 ms for a delayed ACK or 200 ms for the override timer.
TEST(Windows, BuffersOfAnySizeWork) {
    for (const u32 receive : {1U, 100U, 1000U, 1460U, 3000U, 65535U, 65536U, 1U << 22U}) {
        for (const u32 send : {1U, 500U, 1460U, 5000U, 1U << 20U}) {
            const bool tiny = receive <= 100 || send <= 1;
            const TransferConfig config = windows(receive, send, tiny ? 300 : 60000);
            SCOPED_TRACE("receive " + std::to_string(receive) + " send " + std::to_string(send));
            expect_all(config, std::chrono::minutes(10));
        }
    }
}

TEST(Windows, BuffersOfAnySizeWorkWithLoss) {
    for (const u32 receive : {100U, 1000U, 3000U, 1U << 20U}) {
        for (const u32 send : {500U, 5000U, 1U << 20U}) {
            TransferConfig config = windows(receive, send, receive < 1000 ? 2000 : 30000);
            config.fault = {.drop = 10, .duplicate = 2, .reorder = 5, .corrupt = 0, .delay = {}};
            SCOPED_TRACE("receive " + std::to_string(receive) + " send " + std::to_string(send));
            expect_all(config, std::chrono::hours(1));
        }
    }
}

/// Readers who come once in a while: windows close and open, updates and probes are lost.
TEST(Windows, SlowReadersGetEverything) {
    for (const double drop : {0.0, 10.0, 30.0}) {
        for (const Duration interval : {Duration{50ms}, Duration{700ms}, Duration{5s}}) {
            for (const u32 receive : {4000U, 30000U}) {
                TransferConfig config = windows(receive, 1U << 18U, 100000);
                config.fault.drop = drop;
                config.read_interval = interval;
                config.read_size = receive;
                SCOPED_TRACE("drop " + std::to_string(drop) + " every " +
                             std::to_string(interval / 1ms) + " ms, buffer " +
                             std::to_string(receive));
                expect_all(config, std::chrono::hours(2));
            }
        }
    }
}

/// A reader of small pieces must not make the sender send small segments (RFC 9293 3.8.6.2).
TEST(Windows, SmallReadsMakeNoSmallSegments) {
    TransferConfig config = windows(20000, 1U << 20U, 400000);
    config.server_bytes = 0;
    config.read_size = 100;
    config.read_interval = 100us;
    Transfer transfer(config);
    ASSERT_TRUE(transfer.run(std::chrono::minutes(10))) << transfer.report();
    // 400000 / 1448 is 277; the ACKs of the other direction are counted at the other host.
    EXPECT_LT(transfer.client_host.stack().counters().tcp_out_segs, 340U);
}

/// A long fat pipe: 100 Mbit/s and 100 ms are 1.25 MB under way.
TEST(Windows, ALongFatPipeIsFilled) {
    TransferConfig config = windows(4U << 20U, 4U << 20U, 30U << 20U);
    config.server_bytes = 0;
    config.batch = 16;
    config.link = {.delay = 50ms, .bytes_per_second = 12'500'000, .queue_bytes = 2U << 20U};
    Transfer transfer(config);
    ASSERT_TRUE(transfer.run(std::chrono::minutes(1))) << transfer.report();
    const double seconds = to_seconds(transfer.world.now() - transfer.started);
    // 2.5 s at the rate of the wire; slow start and one overflowing queue may cost as much again.
    EXPECT_LT(seconds, 6) << transfer.report();
}

/// A device that says "full" is no loss: nothing is sent twice.
TEST(Windows, AFullDeviceCostsNothingButTime) {
    TransferConfig config = windows(1U << 20U, 1U << 20U, 2U << 20U);
    config.link = {
        .delay = 1ms, .bytes_per_second = 1'250'000, .queue_bytes = 10000, .tail_drop = false};
    Transfer transfer(config);
    ASSERT_TRUE(transfer.run(std::chrono::minutes(1))) << transfer.report();
    EXPECT_EQ(transfer.client_host.stack().counters().tcp_retrans_segs, 0U);
    EXPECT_EQ(transfer.server_host.stack().counters().tcp_retrans_segs, 0U);
}

}  // namespace
}  // namespace tapestry::test
