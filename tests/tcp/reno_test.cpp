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

const CwndConfig kDefaults;

Reno started(u32 window = 10 * kMss, const CwndConfig& config = kDefaults) {
    Reno reno(config);
    reno.start(window);
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

TEST(Reno, RemembersThreeQuartersOfTheWindowThatIdlenessTook) {
    Reno reno = avoiding(10 * kMss);
    for (int i = 0; i < 200; ++i) reno.on_ack(acked(10 * kMss));
    const u32 before = reno.cwnd();
    ASSERT_GT(before, 20U * kMss);
    reno.on_idle(10 * kMss);
    EXPECT_EQ(reno.ssthresh(), before - before / 4);
}

/// RFC 3465 2.3: L segments for one acknowledgment; one after a timeout; 0: no limit.
TEST(Reno, SlowStartCountsUpToLSegments) {
    CwndConfig config;
    config.hystart.on = false;
    const auto growth = [&](bool timeout) {
        Reno reno = started(100 * kMss, config);
        if (timeout) reno.on_timeout(loss(100 * kMss), false);
        const u32 before = reno.cwnd();
        reno.on_ack(acked(40 * kMss));
        return (reno.cwnd() - before) / kMss;
    };
    EXPECT_EQ(growth(false), 2U);
    EXPECT_EQ(growth(true), 1U);
    config.abc_limit = config.abc_limit_after_timeout = 0;
    EXPECT_EQ(growth(false), 40U);
    EXPECT_EQ(growth(true), 40U);
}

TEST(Reno, SlowStartEndsAtSsthreshExactly) {
    Reno reno = started(20 * kMss);
    reno.on_timeout(loss(20 * kMss), false);
    for (int i = 0; i < 8; ++i) reno.on_ack(acked(kMss));
    reno.on_ack(acked(kMss / 2));
    reno.on_ack(acked(kMss));
    EXPECT_EQ(reno.cwnd(), 10U * kMss);
}

/// RFC 3168 6.1.2.
TEST(Reno, HalvesAtAMarkOfCongestion) {
    Reno reno = started(20 * kMss);
    reno.on_ecn(loss(20 * kMss));
    EXPECT_EQ(reno.cwnd(), 10U * kMss);
    EXPECT_EQ(reno.ssthresh(), 10U * kMss);
    reno.on_spurious(loss(10 * kMss));
    EXPECT_EQ(reno.cwnd(), 10U * kMss) << "a mark is never a false alarm";
}

/// RFC 4015 3.2: ssthresh is max (FlightSize, ssthresh) of before; cwnd FlightSize + min (bytes_acked, IW).
TEST(Reno, GivesBackWhatAFalseAlarmTook) {
    Reno reno = avoiding(40 * kMss);
    reno.on_timeout(loss(40 * kMss), false);
    reno.on_timeout(loss(40 * kMss), true);
    ASSERT_EQ(reno.cwnd(), kMss);
    LossInfo proof = loss(15 * kMss);
    proof.bytes_acked = 2 * kMss;
    reno.on_spurious(proof);
    EXPECT_EQ(reno.ssthresh(), 40U * kMss);
    EXPECT_EQ(reno.cwnd(), 17U * kMss) << "no burst";
    reno.on_spurious(loss(40 * kMss));
    EXPECT_EQ(reno.cwnd(), 17U * kMss) << "only once";

    Reno full = avoiding(40 * kMss);
    full.on_loss(loss(40 * kMss));
    proof.flight_size = 40 * kMss;
    full.on_spurious(proof);
    EXPECT_EQ(full.cwnd(), 40U * kMss) << "not more than there was";
}

/// RFC 2861 3.2: after an RTO half of the way to what was used, but not below IW; and ssthresh remembers.
TEST(Reno, AWindowThatIsNotUsedDecays) {
    CwndConfig off;
    off.validation = false;
    for (const CwndConfig& config : {kDefaults, off}) {
        Reno grown = started(10 * kMss, config);
        while (grown.cwnd() < 80 * kMss) grown.on_ack(acked(kMss));
        grown.on_loss(loss(160 * kMss));
        ASSERT_EQ(grown.cwnd(), 80U * kMss);
        for (const auto& [flight, at] : {std::pair{20U, 0ms}, {10U, 999ms}, {5U, 1000ms}}) {
            AckInfo info = acked(kMss, false);
            info.now = TimePoint{} + at;
            info.flight_size = flight * kMss;
            info.rto = 1s;
            EXPECT_EQ(grown.cwnd(), 80U * kMss);
            grown.on_ack(info);
        }
        EXPECT_EQ(grown.cwnd(), (config.validation ? 50U : 80U) * kMss);
        EXPECT_EQ(grown.ssthresh(), 80U * kMss);
    }
}

TEST(Reno, BetaIsAnOption) {
    CwndConfig config;
    config.reno.beta = 0.8;
    Reno reno = started(20 * kMss, config);
    reno.on_loss(loss(20 * kMss));
    EXPECT_EQ(reno.cwnd(), 16U * kMss);
}

TEST(Reno, NeverOverflows) {
    Reno reno = started(1U << 30);
    for (int i = 0; i < 100; ++i) reno.on_ack(acked(~u32{0}));
    EXPECT_LE(reno.cwnd(), 1U << 30);
    EXPECT_GE(reno.cwnd(), 1U << 29);
}

}  // namespace
}  // namespace tapestry
