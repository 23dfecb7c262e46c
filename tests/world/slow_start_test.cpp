#include <gtest/gtest.h>

#include "tests/support/bulk.h"

// Slow start on a path with a queue: without HyStart++ (RFC 9406) it ends when the queue has overflowed,
// with it when the queue has been long for a while, if that is not too late.

namespace tapestry::test {
namespace {

struct Outcome {
    u64 retransmissions;
    u64 arrived;  ///< in the first seconds
};

Outcome slow_start(Congestion congestion, bool hystart, u32 queue) {
    BulkConfig config;
    config.stack.tcp.congestion = congestion;
    config.stack.tcp.cwnd.hystart.on = hystart;
    config.stack.tcp.send_buffer = config.stack.tcp.receive_buffer = 8U << 20U;
    config.stack.tcp.send_buffer_max = config.stack.tcp.receive_buffer_max = 0;
    config.link.delay = 50ms;
    config.link.bytes_per_second = 2'500'000;
    config.link.queue_bytes = queue;
    Bulk bulk(config);
    bulk.run_until(TimePoint{} + 6s);
    return {bulk.retransmissions(), bulk.arrived()};
}

TEST(SlowStart, HyStartEndsItBeforeALongQueueOverflows) {
    for (const Congestion congestion : {Congestion::Reno, Congestion::Cubic}) {
        SCOPED_TRACE(name(congestion));
        const Outcome without = slow_start(congestion, false, 2'250'000);
        const Outcome with = slow_start(congestion, true, 2'250'000);
        EXPECT_GT(without.retransmissions, 100U);
        EXPECT_EQ(with.retransmissions, 0U);
        EXPECT_GE(with.arrived, without.arrived);
    }
}

/// A queue of one bandwidth-delay product overflows in Conservative Slow Start, but by less. The losses are
/// repaired while the link stays full (RFC 8985, RFC 9937), so that no more arrives than without.
TEST(SlowStart, HyStartLosesLessInAShortQueue) {
    for (const Congestion congestion : {Congestion::Reno, Congestion::Cubic}) {
        SCOPED_TRACE(name(congestion));
        const Outcome without = slow_start(congestion, false, 250'000);
        const Outcome with = slow_start(congestion, true, 250'000);
        EXPECT_LT(with.retransmissions, without.retransmissions);
        EXPECT_GE(with.arrived, without.arrived);
    }
}

}  // namespace
}  // namespace tapestry::test
