#include "stack/tcp/hystart.h"

#include <gtest/gtest.h>

// HyStart++ by the rules of RFC 9406, section 4.2. Rounds here are a hundred sequence numbers long.

namespace tapestry {
namespace {

using Phase = HyStart::Phase;
constexpr u16 kMss = 1000;
const HyStartConfig kDefaults;

struct Rounds {
    explicit Rounds(const HyStartConfig& configured = kDefaults, u32 from = 0)
        : config(configured), hystart(configured), una(from), nxt(from + 100) {}

    /// One acknowledgment of a part of the round.
    u32 ack(Duration rtt, u32 bytes = kMss) {
        una += 1;
        return hystart.on_ack({.now = {},
                               .bytes_acked = bytes,
                               .mss = kMss,
                               .rtt = rtt,
                               .snd_una = una,
                               .snd_nxt = nxt},
                              config);
    }
    /// A round of so many samples, and its end.
    void round(Duration rtt, int samples = 8) {
        for (int i = 0; i < samples; ++i) static_cast<void>(ack(rtt));
        una = nxt - 1U;
        nxt += 100;
        static_cast<void>(ack({}));
    }
    HyStartConfig config;
    HyStart hystart;
    SeqNum una;
    SeqNum nxt;
};

TEST(HyStart, GrowsByWhatIsAcknowledgedUpToItsLimit) {
    Rounds rounds;
    EXPECT_EQ(rounds.ack(10ms, 1), 1U);
    EXPECT_EQ(rounds.ack(10ms, 8 * kMss), 8U * kMss);
    EXPECT_EQ(rounds.ack(10ms, 100 * kMss), 8U * kMss) << "L = 8 without pacing";
    HyStartConfig paced;
    paced.limit = 0;
    Rounds free(paced);
    EXPECT_EQ(free.ack(10ms, 100 * kMss), 100U * kMss);
}

TEST(HyStart, AConstantDelayIsNoReasonToStop) {
    Rounds rounds;
    for (int i = 0; i < 50; ++i) rounds.round(20ms, 20);
    EXPECT_EQ(rounds.hystart.phase(), Phase::SlowStart);
}

/// RttThresh = max (MIN_RTT_THRESH, min (lastRoundMinRTT / MIN_RTT_DIVISOR, MAX_RTT_THRESH))
TEST(HyStart, NoticesADelayThatHasGrownByTheThreshold) {
    const auto phase_after = [](Duration before, Duration after) {
        Rounds rounds;
        rounds.round(before);
        rounds.round(after);
        return rounds.hystart.phase();
    };
    // An eighth of 80 ms is 10 ms.
    EXPECT_EQ(phase_after(80ms, 89999us), Phase::SlowStart);
    EXPECT_EQ(phase_after(80ms, 90ms), Phase::Css);
    // Never less than 4 ms.
    EXPECT_EQ(phase_after(1ms, 4999us), Phase::SlowStart);
    EXPECT_EQ(phase_after(1ms, 5ms), Phase::Css);
    // Never more than 16 ms.
    EXPECT_EQ(phase_after(1000ms, 1015ms), Phase::SlowStart);
    EXPECT_EQ(phase_after(1000ms, 1016ms), Phase::Css);
}

TEST(HyStart, FewerThanEightSamplesSayNothing) {
    Rounds rounds;
    rounds.round(20ms);
    for (int i = 0; i < 7; ++i) rounds.ack(100ms);
    for (int i = 0; i < 20; ++i) rounds.ack({});
    EXPECT_EQ(rounds.hystart.phase(), Phase::SlowStart);
    rounds.ack(100ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Css);
}

/// It is the smallest of the round that counts.
TEST(HyStart, OneLowSampleSpeaksForTheRound) {
    Rounds rounds;
    rounds.round(20ms);
    rounds.ack(20ms);
    for (int i = 0; i < 30; ++i) rounds.ack(200ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::SlowStart);
}

TEST(HyStart, TheFirstRoundHasNothingToBeComparedWith) {
    Rounds rounds;
    for (int i = 0; i < 50; ++i) rounds.ack(1000ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::SlowStart);
}

TEST(HyStart, ARoundWithoutAnySampleIsNotCompared) {
    Rounds rounds;
    rounds.round(20ms);
    rounds.round({}, 30);
    rounds.round(100ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::SlowStart);
    rounds.round(120ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Css);
}

/// CSS_GROWTH_DIVISOR, and no byte is lost by the division.
TEST(HyStart, ConservativeSlowStartGrowsByAQuarter) {
    Rounds rounds;
    rounds.round(20ms);
    for (int i = 0; i < 8; ++i) rounds.ack(40ms);
    ASSERT_EQ(rounds.hystart.phase(), Phase::Css);
    EXPECT_EQ(rounds.ack(40ms, 4 * kMss), 1U * kMss);
    EXPECT_EQ(rounds.ack(40ms, 100 * kMss), 2U * kMss) << "L holds here too";
    u32 grown = 0;
    for (int i = 0; i < 40; ++i) grown += rounds.ack(40ms, 1);
    EXPECT_EQ(grown, 10U);
}

/// CSS_ROUNDS, of which the one in whose middle it began is the first.
TEST(HyStart, EndsSlowStartAfterFiveConservativeRounds) {
    Rounds rounds;
    rounds.round(20ms);
    rounds.round(40ms);
    for (int i = 0; i < 3; ++i) rounds.round(40ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Css);
    rounds.round(40ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Over);
}

TEST(HyStart, GoesBackToSlowStartWhenTheDelayHasGoneAgain) {
    Rounds rounds;
    rounds.round(20ms);
    rounds.round(40ms);
    ASSERT_EQ(rounds.hystart.phase(), Phase::Css);
    for (int i = 0; i < 7; ++i) rounds.ack(39ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Css) << "seven samples are too few here, too";
    rounds.ack(39ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::SlowStart);
    EXPECT_EQ(rounds.ack(39ms, 2 * kMss), 2U * kMss);
    // And all over again, with five new rounds.
    rounds.round(39ms);
    rounds.round(60ms);
    for (int i = 0; i < 3; ++i) rounds.round(60ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Css);
    rounds.round(60ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Over);
}

TEST(HyStart, RoundsGoRoundTheSequenceSpace) {
    Rounds rounds(kDefaults, ~u32{0} - 150);
    rounds.round(20ms);
    rounds.round(20ms);
    rounds.round(20ms);
    rounds.round(40ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Css);
}

TEST(HyStart, IsOffWhereItIsSwitchedOffOrStopped) {
    HyStartConfig off;
    off.on = false;
    EXPECT_EQ(HyStart(off).phase(), Phase::Over);
    HyStart stopped(kDefaults);
    stopped.stop();
    EXPECT_EQ(stopped.phase(), Phase::Over);
}

TEST(HyStart, ConstantsAreOptions) {
    HyStartConfig config;
    config.min_rtt_thresh = 1ms;
    config.n_rtt_sample = 2;
    config.css_rounds = 1;
    config.css_growth_divisor = 2;
    Rounds rounds(config);
    rounds.round(2ms, 2);
    rounds.ack(3ms);
    rounds.ack(3ms);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Css);
    EXPECT_EQ(rounds.ack(3ms, 10), 5U);
    rounds.round(3ms, 1);
    EXPECT_EQ(rounds.hystart.phase(), Phase::Over);
}

}  // namespace
}  // namespace tapestry
