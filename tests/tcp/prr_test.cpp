#include "stack/tcp/prr.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

constexpr u16 kMss = 1000;

/// A flight of so many segments; recovery to `ssthresh` of them. Every acknowledgment delivers one
/// segment, and all that may leave leaves.
struct Bench {
    Bench(u32 flight, u32 lost, u32 target) : ssthresh(target * kMss) {
        in_flight = (flight - lost) * kMss;
        prr.enter(flight * kMss, in_flight, kMss);
    }
    /// How many segments leave upon it.
    u32 ack(bool safe = true) {
        in_flight -= kMss;
        prr.on_ack({.delivered = kMss,
                    .in_flight = in_flight,
                    .ssthresh = ssthresh,
                    .smss = kMss,
                    .safe = safe});
        u32 sent = 0;
        for (; in_flight + kMss <= prr.window(); in_flight += kMss, ++sent) prr.sent(kMss);
        return sent;
    }
    Prr prr;
    u32 in_flight = 0;
    u32 ssthresh = 0;
};

/// One of twenty is lost, and the window is to be halved: one segment leaves for every second that
/// arrives, after the fast retransmit; no silence, no burst.
TEST(Prr, ReducesInProportion) {
    Bench b(20, 1, 10);
    EXPECT_EQ(b.ack(), 1U) << "the fast retransmit";
    u32 sent = 1;
    for (int i = 2; i <= 19; ++i) {
        const u32 now = b.ack();
        EXPECT_LE(now, 1U);
        sent += now;
        EXPECT_NEAR(sent, i / 2.0, 1.0) << "after " << i;
    }
    EXPECT_EQ(b.in_flight, 10U * kMss);
}

/// More is lost than the window was to be reduced by: PRR-SSRB lets it grow back to ssthresh, one segment
/// more than arrives for each acknowledgment.
TEST(Prr, GrowsBackToSsthreshBySlowStart) {
    Bench b(20, 15, 10);
    EXPECT_EQ(b.ack(), 2U);
    EXPECT_EQ(b.ack(), 2U);
    EXPECT_EQ(b.ack(), 2U);
    EXPECT_EQ(b.ack(), 2U);
    EXPECT_EQ(b.in_flight, 9U * kMss);
    EXPECT_EQ(b.ack(), 2U);
    EXPECT_EQ(b.in_flight, 10U * kMss);
    EXPECT_EQ(b.ack(), 1U) << "and no further";
}

/// PRR-CRB: while losses go on being found, only as much leaves as arrives.
TEST(Prr, KeepsToWhatArrivesWhileLossesGoOn) {
    Bench b(20, 15, 10);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(b.ack(false), 1U);
    EXPECT_EQ(b.in_flight, 5U * kMss);
}

TEST(Prr, AnAcknowledgmentOfNothingChangesNothing) {
    Bench b(20, 1, 10);
    b.ack();
    const u32 window = b.prr.window();
    b.prr.on_ack(
        {.delivered = 0, .in_flight = 0, .ssthresh = 10 * kMss, .smss = kMss, .safe = true});
    EXPECT_EQ(b.prr.window(), window);
}

TEST(Prr, OneSegmentMayAlwaysLeaveWhenNothingIsInTheNetwork) {
    Prr prr;
    prr.enter(10 * kMss, 0, kMss);
    prr.sent(5 * kMss);
    prr.on_ack(
        {.delivered = 10, .in_flight = 0, .ssthresh = 5 * kMss, .smss = kMss, .safe = false});
    EXPECT_GE(prr.window(), u32{kMss});
}

/// Sizes near 2^32 do not overflow.
TEST(Prr, LargeWindows) {
    Prr prr;
    prr.enter(1U << 30U, 1U << 30U, kMss);
    prr.on_ack({.delivered = 1U << 29U,
                .in_flight = (1U << 30U) + (1U << 29U),
                .ssthresh = 1U << 30U,
                .smss = kMss,
                .safe = true});
    EXPECT_EQ(prr.window(), (1U << 30U) + (1U << 30U));
}

}  // namespace
}  // namespace tapestry
