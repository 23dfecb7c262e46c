#include "stack/tcp/reno.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

constexpr u16 kMss = 1000;

AckInfo acked(u32 bytes, bool limited = true) {
    return {
        .now = {}, .bytes_acked = bytes, .flight_size = 0, .mss = kMss, .cwnd_limited = limited};
}
LossInfo loss(u32 flight) { return {.now = {}, .flight_size = flight, .mss = kMss}; }

Reno started(u32 window = 10 * kMss) {
    Reno reno;
    reno.start(window, kMss);
    return reno;
}
/// In congestion avoidance with this window.
Reno avoiding(u32 window) {
    Reno reno = started(2 * window);
    reno.on_loss(loss(2 * window));
    return reno;
}

TEST(Reno, BeginsInSlowStart) {
    const Reno reno = started();
    EXPECT_EQ(reno.cwnd(), 10U * kMss);
    EXPECT_GT(reno.ssthresh(), u32{1} << 30);
}

/// RFC 5681 (2): cwnd += min (N, SMSS) for each ACK.
TEST(Reno, DoublesPerRoundTripInSlowStart) {
    Reno reno = started();
    for (int i = 0; i < 10; ++i) reno.on_ack(acked(kMss));
    EXPECT_EQ(reno.cwnd(), 20U * kMss);
}

/// ACK division: a thousand ACKs for one byte each are worth as much as one for a thousand.
TEST(Reno, CountsBytesNotAcks) {
    Reno reno = started();
    for (int i = 0; i < 1000; ++i) reno.on_ack(acked(1));
    EXPECT_EQ(reno.cwnd(), 11U * kMss);
    Reno slow = avoiding(10 * kMss);
    for (int i = 0; i < 9999; ++i) slow.on_ack(acked(1));
    EXPECT_EQ(slow.cwnd(), 10U * kMss);
    slow.on_ack(acked(1));
    EXPECT_EQ(slow.cwnd(), 11U * kMss);
}

TEST(Reno, OneAckForALongStretchGrowsWithinItsLimit) {
    Reno reno = started();
    reno.on_ack(acked(100 * kMss));
    EXPECT_LE(reno.cwnd(), 18U * kMss);
}

TEST(Reno, GrowsByOneSegmentPerWindowInCongestionAvoidance) {
    Reno reno = avoiding(10 * kMss);
    for (int i = 0; i < 9; ++i) reno.on_ack(acked(kMss));
    EXPECT_EQ(reno.cwnd(), 10U * kMss);
    reno.on_ack(acked(kMss));
    EXPECT_EQ(reno.cwnd(), 11U * kMss);
    for (int i = 0; i < 11; ++i) reno.on_ack(acked(kMss));
    EXPECT_EQ(reno.cwnd(), 12U * kMss);
}

TEST(Reno, DoesNotGrowWhileTheWindowIsNotUsed) {
    Reno reno = started();
    for (int i = 0; i < 1000; ++i) reno.on_ack(acked(kMss, false));
    EXPECT_EQ(reno.cwnd(), 10U * kMss);
}

/// RFC 5681 (4): half of what is in flight, which need not be cwnd; at least two segments.
TEST(Reno, HalvesTheFlightNotTheWindow) {
    Reno reno = started(20 * kMss);
    reno.on_loss(loss(12 * kMss));
    EXPECT_EQ(reno.ssthresh(), 6U * kMss);
    EXPECT_EQ(reno.cwnd(), 6U * kMss);
    reno.on_loss(loss(kMss));
    EXPECT_EQ(reno.ssthresh(), 2U * kMss);
}

TEST(Reno, FallsToOneSegmentAfterATimeout) {
    Reno reno = started(20 * kMss);
    reno.on_timeout(loss(20 * kMss), false);
    EXPECT_EQ(reno.cwnd(), kMss);
    EXPECT_EQ(reno.ssthresh(), 10U * kMss);
    // RFC 5681 3.1: the same segment again: ssthresh stays.
    reno.on_timeout(loss(kMss), true);
    EXPECT_EQ(reno.cwnd(), kMss);
    EXPECT_EQ(reno.ssthresh(), 10U * kMss);
    // Then slow start up to ssthresh.
    for (int i = 0; i < 9; ++i) reno.on_ack(acked(kMss));
    EXPECT_EQ(reno.cwnd(), 10U * kMss);
    reno.on_ack(acked(kMss));
    EXPECT_EQ(reno.cwnd(), 10U * kMss) << "congestion avoidance from here on";
}

/// RFC 6582 3.2 (3): no burst when recovery is over.
TEST(Reno, EndsRecoveryWithoutABurst) {
    Reno reno = started(20 * kMss);
    reno.on_loss(loss(20 * kMss));
    reno.on_recovered(loss(3 * kMss));
    EXPECT_EQ(reno.cwnd(), 4U * kMss);
    reno.on_recovered(loss(0));
    EXPECT_EQ(reno.cwnd(), 2U * kMss);
    Reno full = started(20 * kMss);
    full.on_loss(loss(20 * kMss));
    full.on_recovered(loss(50 * kMss));
    EXPECT_EQ(full.cwnd(), 10U * kMss) << "never above ssthresh";
}

TEST(Reno, RestartsFromTheInitialWindowAfterIdleness) {
    Reno reno = started(50 * kMss);
    reno.on_idle(10 * kMss);
    EXPECT_EQ(reno.cwnd(), 10U * kMss);
    reno.on_idle(20 * kMss);
    EXPECT_EQ(reno.cwnd(), 10U * kMss) << "RW is min (IW, cwnd)";
}

TEST(Reno, NeverOverflows) {
    Reno reno = started(1U << 30);
    for (int i = 0; i < 100; ++i) reno.on_ack(acked(~u32{0}));
    EXPECT_LE(reno.cwnd(), 1U << 30);
    EXPECT_GE(reno.cwnd(), 1U << 29);
}

}  // namespace
}  // namespace tapestry
