#include "stack/tcp/rtt.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

TcpConfig config() {
    TcpConfig c;
    c.min_rto = 200ms;
    return c;
}

struct Row {
    Duration sample;
    Duration srtt;
    Duration rttvar;
    Duration rto;
};

/// Worked out by hand from RFC 6298 2.2 and 2.3 (RTTVAR first, with the old SRTT):
///
///   100: SRTT 100, RTTVAR 50                                               RTO 100 + 200
///   100: RTTVAR 3/4*50 + 1/4*0 = 37.5;      SRTT 100                       RTO 100 + 150
///   300: RTTVAR 28.125 + 50 = 78.125;       SRTT 87.5 + 37.5 = 125         RTO 125 + 312.5
///    50: RTTVAR 58.59375 + 18.75 = 77.34375; SRTT 109.375 + 6.25 = 115.625 RTO 115.625 + 309.375
TEST(Rtt, AgreesWithTheTableWorkedOutByHand) {
    RttEstimator rtt(config());
    for (const Row& row :
         {Row{100ms, 100ms, 50ms, 300ms}, Row{100ms, 100ms, 37500us, 250ms},
          Row{300ms, 125ms, 78125us, 437500us}, Row{50ms, 115625us, 77343750ns, 425ms}}) {
        rtt.sample(row.sample, config());
        EXPECT_EQ(rtt.srtt(), row.srtt);
        EXPECT_EQ(rtt.rttvar(), row.rttvar);
        EXPECT_EQ(rtt.rto(config()), row.rto);
    }
}

TEST(Rtt, BeginsWithTheInitialTimeout) {
    const RttEstimator rtt(config());
    EXPECT_FALSE(rtt.has_sample());
    EXPECT_EQ(rtt.rto(config()), 1s);
}

TEST(Rtt, StaysBetweenTheBounds) {
    RttEstimator fast(config());
    fast.sample(1us, config());
    EXPECT_EQ(fast.rto(config()), 200ms);
    RttEstimator zero(config());
    zero.sample(Duration{}, config());
    EXPECT_TRUE(zero.has_sample());
    EXPECT_EQ(zero.rto(config()), 200ms);
    RttEstimator slow(config());
    slow.sample(100s, config());  // 100 + 4 * 50
    EXPECT_EQ(slow.rto(config()), 120s);
}

/// 2.3: the variance term counts for at least the clock's granularity.
TEST(Rtt, AddsAtLeastTheGranularity) {
    TcpConfig c = config();
    c.min_rto = 1ms;
    RttEstimator rtt(c);
    for (int i = 0; i < 200; ++i) rtt.sample(10ms, c);
    EXPECT_LT(rtt.rttvar(), 100us);
    EXPECT_EQ(rtt.rto(c), rtt.srtt() + c.clock_granularity);
}

TEST(Rtt, BacksOffByDoublingUpToTheLargest) {
    RttEstimator rtt(config());
    rtt.sample(100ms, config());  // 300 ms
    Duration expected = 300ms;
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(rtt.rto(config()), expected);
        EXPECT_EQ(rtt.backoff(), i);
        rtt.back_off(config());
        expected *= 2;
    }
    for (int i = 0; i < 200; ++i) rtt.back_off(config());
    EXPECT_EQ(rtt.rto(config()), 120s);
    rtt.sample(100ms, config());
    EXPECT_EQ(rtt.rto(config()), 250ms) << "a new measurement ends the back-off";
    EXPECT_EQ(rtt.backoff(), 0);
}

/// 5.7: three seconds for the first data when the SYN had to be sent again.
TEST(Rtt, BeginsAnewWithThreeSecondsAfterALostSyn) {
    RttEstimator rtt(config());
    rtt.back_off(config());
    rtt.back_off(config());
    rtt.syn_was_lost(config());
    EXPECT_EQ(rtt.rto(config()), 3s);
    rtt.sample(100ms, config());
    EXPECT_EQ(rtt.rto(config()), 300ms);
}

}  // namespace
}  // namespace tapestry
