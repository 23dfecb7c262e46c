#include "stack/tcp/isn.h"

#include <gtest/gtest.h>

#include <set>

namespace tapestry {
namespace {

const Endpoint kLocal{Ipv4Address(10, 0, 0, 1), 80};
const Endpoint kRemote{Ipv4Address(10, 0, 0, 2), 50000};

/// MUST-8: one tick every four microseconds.
TEST(Isn, FollowsTheClock) {
    const IsnGenerator isn({1, 2});
    const SeqNum first = isn.isn(kLocal, kRemote, TimePoint{});
    EXPECT_EQ(isn.isn(kLocal, kRemote, TimePoint{3us}), first);
    EXPECT_EQ(isn.isn(kLocal, kRemote, TimePoint{4us}) - first, 1);
    EXPECT_EQ(isn.isn(kLocal, kRemote, TimePoint{1s}) - first, 250000);
    // 2^32 ticks are 4.77 hours; then it comes round.
    EXPECT_EQ(isn.isn(kLocal, kRemote, TimePoint{Duration(4us) * (i64{1} << 32)}), first);
}

/// MUST-9: who does not know the secret cannot tell one connection's numbers from another's.
TEST(Isn, DependsOnEveryPartAndOnTheSecret) {
    const IsnGenerator isn({1, 2});
    std::set<u32> seen;
    const auto add = [&](const IsnGenerator& generator, const Endpoint& a, const Endpoint& b) {
        seen.insert(generator.isn(a, b, TimePoint{}).value());
    };
    add(isn, kLocal, kRemote);
    add(isn, kRemote, kLocal);
    add(isn, {kLocal.address, 81}, kRemote);
    add(isn, {Ipv4Address(10, 0, 0, 3), 80}, kRemote);
    add(isn, kLocal, {kRemote.address, 50001});
    add(isn, kLocal, {Ipv4Address(10, 0, 0, 3), 50000});
    add(IsnGenerator({1, 3}), kLocal, kRemote);
    add(IsnGenerator({2, 2}), kLocal, kRemote);
    EXPECT_EQ(seen.size(), 8U);
}

TEST(Isn, SpreadsOverTheWholeSpace) {
    const IsnGenerator isn({7, 9});
    std::array<int, 16> buckets{};
    for (u16 port = 1; port <= 4096; ++port) {
        ++buckets.at(isn.isn(kLocal, {kRemote.address, port}, TimePoint{}).value() >> 28U);
    }
    for (const int n : buckets) {
        EXPECT_GT(n, 180);  // 256 expected; this is five standard deviations
        EXPECT_LT(n, 332);
    }
}

TEST(Isn, PortOffsetsDependOnTheDestinationAndOnTheSecret) {
    const IsnGenerator one({1, 2});
    const IsnGenerator other({1, 3});
    const Ipv4Address local(10, 0, 0, 2);
    const Endpoint remote{Ipv4Address(10, 0, 0, 1), 80};
    EXPECT_EQ(one.port_offset(local, remote), one.port_offset(local, remote));
    EXPECT_NE(one.port_offset(local, remote), other.port_offset(local, remote));
    EXPECT_NE(one.port_offset(local, remote), one.port_offset(local, {remote.address, 81}));
    EXPECT_NE(one.port_offset(local, remote),
              one.port_offset(local, {Ipv4Address(10, 0, 0, 3), 80}));
}

TEST(Isn, TimestampOffsetIsAnother) {
    const IsnGenerator isn({1, 2});
    EXPECT_NE(isn.timestamp_offset(kLocal, kRemote), isn.isn(kLocal, kRemote, TimePoint{}).value());
    EXPECT_NE(isn.timestamp_offset(kLocal, kRemote),
              isn.timestamp_offset(kLocal, {kRemote.address, 50001}));
    EXPECT_EQ(isn.timestamp_offset(kLocal, kRemote), isn.timestamp_offset(kLocal, kRemote));
}

}  // namespace
}  // namespace tapestry
