#include "stack/ip/path_mtu.h"

#include "tests/support/ip_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

constexpr Ipv4Address kFar(10, 0, 0, 77);

/// What a router says about a packet of ours to kFar.
u32 report(IpHost& host, u16 mtu, u16 packet_size = 1500) {
    IcmpError error;
    error.code = 4;
    error.next_hop_mtu = mtu;
    error.source = kUs;
    error.destination = kFar;
    error.quoted_size = packet_size;
    return host.ip.lower_path_mtu(error, host.now);
}

TEST(PathMtu, IsTheInterfacesAtFirst) {
    IpHost host;
    EXPECT_EQ(host.ip.route(kFar)->mtu, 1500U);
}

TEST(PathMtu, IsLoweredForThatDestinationOnly) {
    IpHost host;
    EXPECT_EQ(report(host, 1400), 1400U);
    EXPECT_EQ(host.ip.route(kFar)->mtu, 1400U);
    EXPECT_EQ(host.ip.route(kPeer)->mtu, 1500U);
}

TEST(PathMtu, IsNeverRaisedByAReport) {
    IpHost host;
    report(host, 1000);
    for (const u16 mtu : {u16{1000}, u16{1001}, u16{1499}, u16{1500}, u16{9000}, u16{65535}}) {
        EXPECT_EQ(report(host, mtu), 1000U) << mtu;
    }
    IpHost fresh;
    EXPECT_EQ(report(fresh, 1600), 1500U);
    EXPECT_EQ(report(fresh, 1500), 1500U);
}

TEST(PathMtu, HasAFloor) {
    for (const u16 mtu : {u16{1}, u16{67}, u16{68}, u16{296}, u16{551}, u16{552}}) {
        IpHost host;
        EXPECT_EQ(report(host, mtu), 552U) << mtu;
    }
}

TEST(PathMtu, FloorDoesNotRaiseANarrowLink) {
    IpHost host(IpHost::quiet(), {500, 0});
    EXPECT_EQ(report(host, 100), 500U);
    EXPECT_EQ(host.ip.route(kFar)->mtu, 500U);
}

TEST(PathMtu, StepsDownThePlateausWhenTheRouterDoesNotSay) {
    EXPECT_EQ(PathMtuCache::plateau_below(65535), 32000);
    EXPECT_EQ(PathMtuCache::plateau_below(1500), 1492);
    EXPECT_EQ(PathMtuCache::plateau_below(1492), 1006);
    EXPECT_EQ(PathMtuCache::plateau_below(1006), 508);
    EXPECT_EQ(PathMtuCache::plateau_below(508), 296);
    EXPECT_EQ(PathMtuCache::plateau_below(69), 68);
    EXPECT_EQ(PathMtuCache::plateau_below(68), 68);
    EXPECT_EQ(PathMtuCache::plateau_below(0), 68);
    IpHost host;
    EXPECT_EQ(report(host, 0, 1500), 1492U);
    EXPECT_EQ(report(host, 0, 1492), 1006U);
    EXPECT_EQ(report(host, 0, 1006), 552U) << "the floor";
}

TEST(PathMtu, IsForgottenAfterTenMinutes) {
    IpHost host;
    report(host, 1000);
    host.pass(599999ms);
    EXPECT_EQ(host.ip.route(kFar)->mtu, 1000U);
    host.pass(1ms);
    EXPECT_EQ(host.ip.route(kFar)->mtu, 1500U);
    EXPECT_FALSE(host.services.timers.next_deadline());
}

TEST(PathMtu, ALaterDecreaseStartsTheTimeAnew) {
    IpHost host;
    report(host, 1400);
    host.pass(500s);
    report(host, 1000);
    host.pass(599s);
    EXPECT_EQ(host.ip.route(kFar)->mtu, 1000U);
    host.pass(1s);
    EXPECT_EQ(host.ip.route(kFar)->mtu, 1500U);
}

TEST(PathMtu, TableIsBoundedOldestFirst) {
    StackConfig config = IpHost::quiet();
    config.ip.max_path_mtu_entries = 2;
    IpHost host(config);
    PathMtuCache cache(host.services);
    for (u8 i = 1; i <= 3; ++i) {
        cache.lower(Ipv4Address(10, 0, 0, i), 1500, 1000, 1500, host.now);
    }
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_FALSE(cache.find(Ipv4Address(10, 0, 0, 1)));
    EXPECT_EQ(cache.find(Ipv4Address(10, 0, 0, 3)), 1000U);
}

TEST(PathMtu, NothingIsKeptForADestinationWithoutARoute) {
    IpHost host;
    IcmpError error;
    error.destination = Ipv4Address(172, 16, 0, 1);
    error.next_hop_mtu = 600;
    EXPECT_EQ(host.ip.lower_path_mtu(error, host.now), 0U);
}

}  // namespace
}  // namespace tapestry
