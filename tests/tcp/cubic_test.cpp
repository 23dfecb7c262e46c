#include "stack/tcp/cubic.h"

#include <gtest/gtest.h>

#include <cmath>

// CUBIC against the formulas of RFC 9438, which are written down here a second time, in segments and
// seconds, as the RFC has them.

namespace tapestry {
namespace {

constexpr u16 kMss = 1000;
constexpr double kC = 0.4;
constexpr double kBeta = 0.7;

CwndConfig plain() {
    CwndConfig config;
    config.hystart.on = false;
    config.abc_limit = 0;
    return config;
}
const CwndConfig kPlain = plain();

LossInfo loss(u32 flight) { return {.now = {}, .flight_size = flight, .mss = kMss}; }

/// A path with one round-trip time, on which every window is used and acknowledged in full.
struct Path {
    explicit Path(Duration round_trip, const CwndConfig& config = kPlain)
        : rtt(round_trip), cubic(config) {}

    /// One acknowledgment, after the part of the RTT that its bytes took to arrive.
    void ack(u32 bytes = kMss, bool limited = true) {
        const double seconds = to_seconds(rtt) * bytes / cubic.cwnd();
        now += Duration(static_cast<i64>(seconds * 1e9));
        cubic.on_ack(info(bytes, limited));
    }
    AckInfo info(u32 bytes = kMss, bool limited = true) const {
        return {.now = now,
                .bytes_acked = bytes,
                .flight_size = limited ? cubic.cwnd() : cubic.cwnd() / 4,
                .mss = kMss,
                .cwnd_limited = limited,
                .rtt = rtt,
                .srtt = rtt,
                .rto = 1s};
    }
    /// In congestion avoidance after a loss at a window of so many segments.
    void lose_at(u32 segments) {
        cubic.start(segments * kMss);
        lose();
    }
    void lose() { cubic.on_loss(loss(cubic.cwnd())); }
    double window() const { return cubic.cwnd() / double{kMss}; }

    Duration rtt;
    Cubic cubic;
    TimePoint now{};
};

double k_of(double w_max, double cwnd_epoch) { return std::cbrt((w_max - cwnd_epoch) / kC); }
double w_cubic(double t, double k, double w_max) { return kC * std::pow(t - k, 3) + w_max; }

/// Section 4.2: 25 points before K (concave, section 4.4) and 25 after it (convex, 4.5), each within
/// one segment of the curve.
void expect_curve(Path& path, double w_max, double cwnd_epoch) {
    const double k = k_of(w_max, cwnd_epoch);
    path.ack();
    const TimePoint epoch = path.now;
    for (int point = 1; point <= 50; ++point) {
        const double t = k * point / 25;
        while (to_seconds(path.now - epoch) < t) path.ack();
        const double elapsed = to_seconds(path.now - epoch);
        EXPECT_NEAR(path.window(), w_cubic(elapsed, k, w_max), 1.0)
            << "at t = K * " << point / 25.0;
    }
    EXPECT_GT(path.window(), w_max) << "far in the convex region";
}

TEST(Cubic, FollowsTheCurveOfTheRfc) {
    Path path(100ms);
    path.lose_at(1000);
    expect_curve(path, 1000, 700);
}

TEST(Cubic, FollowsTheCurveWithTinyAcknowledgments) {
    Path path(200ms);
    path.lose_at(100);
    const double k = k_of(100, 70);
    path.ack(1);
    const TimePoint epoch = path.now;
    for (int point = 1; point <= 4; ++point) {
        while (to_seconds(path.now - epoch) < k * point / 2) path.ack(7);
        const double elapsed = to_seconds(path.now - epoch);
        EXPECT_NEAR(path.window(), w_cubic(elapsed, k, 100), 1.0);
    }
}

/// 2^30 bytes in 36-byte segments, and round trips of ten seconds.
TEST(Cubic, FollowsTheCurveAtItsLargest) {
    constexpr u16 kSmall = 36;
    Cubic cubic(kPlain);
    cubic.start(u32{1} << 30);
    cubic.on_loss({.now = {}, .flight_size = u32{1} << 30, .mss = kSmall});
    const double w_max = std::pow(2, 30);
    const double epoch_window = cubic.cwnd();
    EXPECT_NEAR(epoch_window, w_max * kBeta, 1);
    const double k = std::cbrt((w_max - epoch_window) / kSmall / kC);
    TimePoint now{};
    for (int i = 0; i <= 1000; ++i, now += 10s) {
        cubic.on_ack({.now = now,
                      .bytes_acked = cubic.cwnd(),
                      .flight_size = cubic.cwnd(),
                      .mss = kSmall,
                      .rtt = 10s,
                      .srtt = 10s,
                      .rto = 30s});
        if (i == 0) continue;  // the stage begins
        // A window in one acknowledgment: cwnd is at its target, one RTT ahead.
        const double t = to_seconds(now.time_since_epoch()) + 10;
        if (t > k) break;
        const double curve = kC * kSmall * std::pow(t - k, 3) + w_max;
        EXPECT_NEAR(cubic.cwnd(), std::max(curve, epoch_window), 2.0) << i;
    }
    EXPECT_NEAR(to_seconds(cubic.k()), k, 1e-6);
    for (int i = 0; i < 1000; ++i) {
        now += 10s;
        cubic.on_ack({.now = now, .bytes_acked = ~u32{0}, .mss = 65535, .srtt = 10s, .rto = 30s});
        EXPECT_LE(cubic.cwnd(), u32{1} << 30);
    }
}

/// ... and the smallest: a microsecond, one segment.
TEST(Cubic, StaysSaneAtItsSmallest) {
    Path path(1us);
    path.cubic.start(kMss);
    path.cubic.on_loss(loss(1));
    EXPECT_EQ(path.cubic.cwnd(), 2U * kMss) << "at least two segments (4.6)";
    for (int i = 0; i < 100; ++i) path.ack();
    EXPECT_GT(path.window(), 2.0);
    EXPECT_LT(path.window(), 40.0) << "no more than a Reno, which grows by one in an RTT";
}

/// Section 4.2: target is at most 1.5 cwnd, so the window takes as much as an RTT for that.
TEST(Cubic, GrowsByHalfAWindowPerRoundTripAtMost) {
    Path path(10s);
    path.lose_at(100);
    path.ack();
    double before = path.window();
    bool bounded = false;
    for (int round = 0; round < 10; ++round) {
        const TimePoint end = path.now + path.rtt;
        while (path.now < end) path.ack();
        EXPECT_LE(path.window(), before * std::exp(0.5) + 1) << round;
        bounded |= path.window() > before * 1.5;
        before = path.window();
    }
    EXPECT_TRUE(bounded) << "the bound was never reached";
}

TEST(Cubic, NeverShrinksWithoutACongestionEvent) {
    Path path(200ms);
    path.lose_at(300);
    u32 before = 0;
    for (int i = 0; i < 20000; ++i) {
        path.ack(i % 3 * 500);
        EXPECT_GE(path.cubic.cwnd(), before);
        before = path.cubic.cwnd();
    }
}

/// Section 4.3: where the RTT is short, the curve is slower than Reno; W_est is not. alpha_cubic is
/// 3 * (1 - beta) / (1 + beta) up to cwnd_prior, then 1: one segment per RTT.
TEST(Cubic, IsAsFastAsRenoWhereTheRoundTripIsShort) {
    Path path(1ms);
    path.lose_at(20);
    const double alpha = 3 * (1 - kBeta) / (1 + kBeta);
    double w_est = 14;
    for (int i = 0; i < 1000; ++i) {
        const double cwnd = path.window();
        path.ack();
        w_est += (w_est >= 20 ? 1 : alpha) / cwnd;
        EXPECT_NEAR(path.window(), w_est, 0.5) << i;
    }
    EXPECT_GT(path.window(), 30) << "beyond cwnd_prior";
}

TEST(Cubic, GoesByBetaAndByTheFlight) {
    Path path(100ms);
    path.cubic.start(100 * kMss);
    path.cubic.on_loss(loss(80 * kMss));
    EXPECT_EQ(path.cubic.ssthresh(), 56U * kMss) << "of what is in flight (4.6)";
    EXPECT_EQ(path.cubic.cwnd(), 56U * kMss);
    EXPECT_EQ(path.cubic.w_max(), 100.0 * kMss) << "of the window (4.7)";
}

/// Section 4.7: a loss below the last W_max means that others have come.
TEST(Cubic, LeavesRoomForOthersBySteppingDownFaster) {
    Path path(100ms);
    path.lose_at(100);
    EXPECT_EQ(path.cubic.w_max(), 100.0 * kMss);
    path.lose();  // at 70
    EXPECT_NEAR(path.cubic.w_max(), 70 * (1 + kBeta) / 2 * kMss, 1);
    CwndConfig off = plain();
    off.cubic.fast_convergence = false;
    Path alone(100ms, off);
    alone.lose_at(100);
    alone.lose();
    EXPECT_NEAR(alone.cubic.w_max(), 70.0 * kMss, 1);
}

TEST(Cubic, AfterALossAboveTheLastOneTheMaximumIsTheWindow) {
    Path path(100ms);
    path.lose_at(100);
    while (path.window() < 120) path.ack();
    path.lose();
    EXPECT_NEAR(path.cubic.w_max(), 120.0 * kMss, kMss);
}

/// Section 4.8: cwnd is one segment, ssthresh by beta_cubic; the first congestion avoidance afterwards
/// begins in the middle of the curve, at the window that it begins with.
TEST(Cubic, BeginsAnewAfterATimeout) {
    Path path(100ms);
    path.lose_at(1000);
    path.cubic.on_timeout(loss(600 * kMss), false);
    EXPECT_EQ(path.cubic.cwnd(), kMss);
    EXPECT_EQ(path.cubic.ssthresh(), 420U * kMss);
    path.cubic.on_timeout(loss(kMss), true);
    EXPECT_EQ(path.cubic.ssthresh(), 420U * kMss) << "the same segment again (RFC 5681 3.1)";
    while (path.cubic.cwnd() < path.cubic.ssthresh()) path.ack();
    EXPECT_EQ(path.cubic.cwnd(), 420U * kMss) << "slow start ends exactly there";
    path.ack();
    EXPECT_EQ(path.cubic.k(), Duration{});
    EXPECT_NEAR(path.cubic.w_max(), 420.0 * kMss, 1);
    const TimePoint epoch = path.now;
    while (path.now - epoch < 8s) path.ack();
    EXPECT_NEAR(path.window(), w_cubic(8, 0, 420), 1);
}

/// Section 4.10: HyStart++ has ended slow start without a loss.
TEST(Cubic, BeginsInTheMiddleOfTheCurveAfterASlowStartWithoutLoss) {
    CwndConfig config;
    config.hystart.css_rounds = 1;
    Path path(100ms, config);
    path.cubic.start(100 * kMss);
    const auto round = [&](u32 begin, Duration rtt) {
        for (u32 i = 1; i <= 20; ++i) {
            AckInfo info = path.info();
            info.rtt = rtt;
            info.snd_una = SeqNum(begin + i);
            info.snd_nxt = SeqNum(begin + 20 + i);
            info.now = path.now;
            path.cubic.on_ack(info);
        }
    };
    AckInfo first = path.info();
    first.rtt = {};
    first.snd_nxt = SeqNum(20);
    path.cubic.on_ack(first);
    round(0, 100ms);
    round(20, 130ms);
    EXPECT_LT(path.cubic.ssthresh(), 200U * kMss);
    const double w_max = path.window();
    EXPECT_NEAR(path.cubic.ssthresh(), path.cubic.cwnd(), 2);
    path.ack();
    const TimePoint epoch = path.now;
    while (path.now - epoch < 5s) path.ack();
    EXPECT_NEAR(path.window(), std::max(w_cubic(5, 0, w_max), w_max + 50), 5);
}

/// Sections 4.2 and 5.8: the time in which the window was not used is not on the curve.
TEST(Cubic, TheCurveWaitsForTheApplication) {
    Path path(100ms);
    path.lose_at(1000);
    path.ack();
    TimePoint epoch = path.now;
    while (path.now - epoch < 3s) path.ack();
    const u32 before = path.cubic.cwnd();
    const TimePoint paused = path.now;
    for (int i = 0; i < 9; ++i) {
        path.now += 100ms;
        path.cubic.on_ack(path.info(kMss, false));
        EXPECT_EQ(path.cubic.cwnd(), before);
    }
    path.now += 60s;
    path.cubic.on_ack(path.info());
    EXPECT_LE(path.cubic.cwnd(), before + kMss) << "no jump";
    epoch += path.now - paused;
    while (path.now - epoch < 15s) path.ack();
    EXPECT_NEAR(path.window(), w_cubic(15, k_of(1000, 700), 1000), 1.0);
}

/// RFC 5681 4.1 and RFC 2861: restarts from RW, slow start comes back to three quarters, and there a new
/// stage begins, for the same W_max.
TEST(Cubic, BeginsANewStageAfterIdleness) {
    Path path(100ms);
    path.lose_at(1000);
    path.ack();
    while (path.window() < 800) path.ack();
    path.cubic.on_idle(10 * kMss);
    EXPECT_EQ(path.cubic.cwnd(), 10U * kMss);
    EXPECT_NEAR(path.cubic.ssthresh(), 700.0 * kMss, 1) << "ssthresh is above 3/4 of 800";
    path.now += 3600s;
    while (path.cubic.cwnd() < path.cubic.ssthresh()) path.ack();
    expect_curve(path, 1000, 700);
}

TEST(Cubic, RemembersThreeQuartersOfTheWindowThatIdlenessTook) {
    Path path(100ms);
    path.lose_at(1000);
    while (path.window() < 1200) path.ack();
    const u32 before = path.cubic.cwnd();
    path.cubic.on_idle(10 * kMss);
    EXPECT_EQ(path.cubic.ssthresh(), before - before / 4);
}

TEST(Cubic, AWindowThatIsNotUsedDecays) {
    Path path(100ms);
    path.cubic.start(10 * kMss);
    while (path.window() < 1000) path.ack();
    path.lose();
    path.ack();
    const u32 before = path.cubic.cwnd();
    for (int i = 0; i <= 10; ++i, path.now += 100ms) {
        AckInfo info = path.info(kMss, false);
        info.flight_size = 100 * kMss;
        path.cubic.on_ack(info);
    }
    EXPECT_NEAR(path.cubic.cwnd(), (before + 100 * kMss) / 2.0, 1) << "half of the way in one RTO";
    EXPECT_EQ(path.cubic.ssthresh(), 700U * kMss);
    while (path.cubic.cwnd() < path.cubic.ssthresh()) path.ack();
    expect_curve(path, 1000, 700);
}

/// Section 4.9: window, threshold and curve as before, as if nothing had happened.
TEST(Cubic, GivesBackWhatAFalseAlarmTook) {
    for (const bool timeout : {false, true}) {
        Path path(100ms);
        path.lose_at(1000);
        path.ack();
        const TimePoint epoch = path.now;
        while (path.now - epoch < 4s) path.ack();
        const u32 window = path.cubic.cwnd();
        const u32 ssthresh = path.cubic.ssthresh();
        if (timeout) {
            path.cubic.on_timeout(loss(window), false);
            path.cubic.on_timeout(loss(window), true);
        } else {
            path.lose();
        }
        EXPECT_LT(path.cubic.cwnd(), window);
        path.cubic.on_spurious(loss(window));
        EXPECT_EQ(path.cubic.cwnd(), window);
        EXPECT_EQ(path.cubic.ssthresh(), ssthresh);
        EXPECT_EQ(path.cubic.w_max(), 1000.0 * kMss);
        while (path.now - epoch < 12s) path.ack();
        EXPECT_NEAR(path.window(), w_cubic(12, k_of(1000, 700), 1000), 1.0);
        path.cubic.on_recovered(loss(9 * kMss));
        path.cubic.on_spurious(loss(window));
        EXPECT_EQ(path.cubic.cwnd(), 10U * kMss) << "only once";
    }
}

/// ... and a window that has grown beyond that in the meantime neither falls nor shrinks afterwards.
TEST(Cubic, TakesNothingAwayWhenItGivesBack) {
    Path path(1ms);
    path.lose_at(1000);
    path.ack();
    path.lose();
    while (path.window() < 900) path.ack();
    u32 before = path.cubic.cwnd();
    path.cubic.on_spurious(loss(before));
    EXPECT_EQ(path.cubic.cwnd(), before);
    for (int i = 0; i < 100; ++i) {
        path.ack();
        EXPECT_GE(path.cubic.cwnd(), before);
        before = path.cubic.cwnd();
    }
}

TEST(Cubic, GivesNothingBackAfterIdleness) {
    Path path(100ms);
    path.lose_at(1000);
    path.cubic.on_idle(10 * kMss);
    path.cubic.on_spurious(loss(10 * kMss));
    EXPECT_EQ(path.cubic.cwnd(), 10U * kMss);
}

TEST(Cubic, OneAcknowledgmentIsWorthOneWindowAtMost) {
    Path path(1s);
    path.lose_at(100);
    path.ack();
    path.now += 100s;
    const u32 before = path.cubic.cwnd();
    path.cubic.on_ack(path.info(20 * before));
    EXPECT_NEAR(path.cubic.cwnd(), before * 1.5, 1);
}

/// Section 4.6: as for a loss, down to one segment; and there is nothing to give back.
TEST(Cubic, AnswersAMarkOfCongestionByBeta) {
    Path path(100ms);
    path.cubic.start(100 * kMss);
    path.cubic.on_ecn(loss(100 * kMss));
    EXPECT_EQ(path.cubic.cwnd(), 70U * kMss);
    EXPECT_EQ(path.cubic.ssthresh(), 70U * kMss);
    path.cubic.on_spurious(loss(70 * kMss));
    EXPECT_EQ(path.cubic.cwnd(), 70U * kMss);
    path.cubic.on_ecn(loss(kMss));
    EXPECT_EQ(path.cubic.cwnd(), kMss);
    EXPECT_EQ(path.cubic.ssthresh(), 2U * kMss);
}

TEST(Cubic, EndsRecoveryWithoutABurst) {
    Path path(100ms);
    path.lose_at(20);
    path.cubic.on_recovered(loss(3 * kMss));
    EXPECT_EQ(path.cubic.cwnd(), 4U * kMss);
    path.cubic.on_recovered(loss(50 * kMss));
    EXPECT_EQ(path.cubic.cwnd(), 14U * kMss) << "never above ssthresh";
}

TEST(Cubic, SlowStartIsRenos) {
    Path path(100ms);
    path.cubic.start(10 * kMss);
    for (int i = 0; i < 1000; ++i) path.cubic.on_ack(path.info(1));
    EXPECT_EQ(path.cubic.cwnd(), 11U * kMss);
    for (int i = 0; i < 10; ++i) path.cubic.on_ack(path.info(kMss, false));
    EXPECT_EQ(path.cubic.cwnd(), 11U * kMss) << "not while the window is not used";
}

TEST(Cubic, ConstantsAreOptions) {
    CwndConfig config = plain();
    config.cubic.beta = 0.5;
    config.cubic.c = 4;
    Path path(100ms, config);
    path.lose_at(1000);
    EXPECT_EQ(path.cubic.cwnd(), 500U * kMss);
    path.ack();
    EXPECT_NEAR(to_seconds(path.cubic.k()), std::cbrt(500 / 4.0), 1e-6);
}

}  // namespace
}  // namespace tapestry
