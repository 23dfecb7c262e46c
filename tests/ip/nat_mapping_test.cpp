#include <gtest/gtest.h>

#include <set>

#include "tests/support/router_bench.h"

/// RFC 4787: how a NAT treats UDP, requirement by requirement. What it says of mapping, filtering and
/// ports holds for TCP (RFC 5382 REQ-1, REQ-3, REQ-7) and is tested with it where it differs.

namespace tapestry::test {
namespace {

constexpr Endpoint kLaptop{RouterBench::kLaptop, 5000};
constexpr Endpoint kServer{RouterBench::kServer, 53};
constexpr Endpoint kOther{RouterBench::kOther, 53};
using Behaviour = NatConfig::Behaviour;

StackConfig with(Behaviour mapping, Behaviour filtering) {
    StackConfig config;
    config.nat.mapping = mapping;
    config.nat.filtering = filtering;
    return config;
}

/// A router that masquerades.
struct Home : RouterBench {
    explicit Home(const StackConfig& config = {}) : RouterBench(config) { masquerade(); }
    /// The external endpoint under which `to` sees a datagram from `from`.
    Endpoint seen(Endpoint from, Endpoint to) {
        return pass(Side::Lan, udp(from, to)).tuple.source;
    }
};

TEST(NatMapping, Rfc4787Req1OneExternalEndpointWhoeverIsSpokenTo) {
    Home home;
    const Endpoint first = home.seen(kLaptop, kServer);
    EXPECT_EQ(first.address, RouterBench::kOutside);
    EXPECT_EQ(home.seen(kLaptop, kOther), first);
    EXPECT_EQ(home.seen(kLaptop, {RouterBench::kServer, 123}), first);
    EXPECT_EQ(home.mappings(), 1U);
    EXPECT_EQ(home.flows().size(), 3U);
}

TEST(NatMapping, AddressDependentOneForEachRemoteAddress) {
    Home home(with(Behaviour::AddressDependent, Behaviour::AddressAndPortDependent));
    const Endpoint first = home.seen(kLaptop, kServer);
    EXPECT_EQ(home.seen(kLaptop, {RouterBench::kServer, 123}), first);
    EXPECT_NE(home.seen(kLaptop, kOther), first);
}

TEST(NatMapping, AddressAndPortDependentOneForEachRemoteEndpoint) {
    Home home(with(Behaviour::AddressAndPortDependent, Behaviour::AddressAndPortDependent));
    const Endpoint first = home.seen(kLaptop, kServer);
    EXPECT_NE(home.seen(kLaptop, {RouterBench::kServer, 123}), first);
    EXPECT_NE(home.seen(kLaptop, kOther), first);
    EXPECT_EQ(home.seen(kLaptop, kServer), first);
}

TEST(NatMapping, Rfc4787Req2AnInsideHostKeepsItsOutsideAddress) {
    RouterBench router;
    router.snat({203, 0, 113, 16}, {203, 0, 113, 31});
    std::set<Ipv4Address> of_laptop;
    std::set<Ipv4Address> of_all;
    for (u16 port = 5000; port < 5050; ++port) {
        const auto udp = router.udp({RouterBench::kLaptop, port}, kServer);
        of_laptop.insert(router.pass(Side::Lan, udp).source);
        of_all.insert(*of_laptop.begin());
    }
    for (u8 host = 11; host < 27; ++host) {
        of_all.insert(
            router.pass(Side::Lan, router.udp({{192, 168, 3, host}, 5000}, kServer)).source);
    }
    EXPECT_EQ(of_laptop.size(), 1U);
    EXPECT_EQ(of_all.size(), 16U) << "the pool is used evenly";
}

TEST(NatMapping, Rfc4787Req3NoTwoHostsShareAPort) {
    Home home;
    std::set<Endpoint> seen;
    for (u8 host = 10; host < 60; ++host) {
        const Endpoint external = home.seen({{192, 168, 3, host}, 5000}, kServer);
        EXPECT_TRUE(seen.insert(external).second) << external.to_string();
    }
}

TEST(NatMapping, ThePortIsKeptWhereItIsFree) {
    Home home;
    EXPECT_EQ(home.seen(kLaptop, kServer).port, 5000);
    EXPECT_NE(home.seen({RouterBench::kTablet, 5000}, kServer).port, 5000);
}

TEST(NatMapping, Rfc4787Req3aWellKnownPortsStayWellKnown) {
    Home home;
    for (u8 host = 10; host < 40; ++host) {
        EXPECT_LT(home.seen({{192, 168, 3, host}, 500}, kServer).port, 1024);
        EXPECT_GE(home.seen({{192, 168, 3, host}, 5000}, kServer).port, 1024);
    }
}

TEST(NatMapping, Rfc4787Req4EvenStaysEvenAndOddOdd) {
    Home home;
    for (u8 host = 10; host < 60; ++host) {
        EXPECT_EQ(home.seen({{192, 168, 3, host}, 5000}, kServer).port % 2, 0);
        EXPECT_EQ(home.seen({{192, 168, 3, host}, 5001}, kServer).port % 2, 1);
    }
}

TEST(NatMapping, PortsCannotBePredicted) {
    Home home;
    u32 neighbours = 0;
    u16 last = 0;
    for (u8 host = 10; host < 110; ++host) {
        const u16 port = home.seen({{192, 168, 3, host}, 5000}, kServer).port;
        if (port - last == 2 || last - port == 2) ++neighbours;
        last = port;
    }
    EXPECT_LT(neighbours, 5U) << "RFC 7857 section 9";
}

TEST(NatMapping, Rfc4787Req5AndReq6TheTimerIsFiveMinutesAndSendingRestartsIt) {
    Home home;
    const Endpoint external = home.seen(kLaptop, kServer);
    home.wait(299s);
    EXPECT_EQ(home.mappings(), 1U);
    EXPECT_EQ(home.seen(kLaptop, kServer), external) << "refreshed";
    home.wait(299s);
    EXPECT_EQ(home.mappings(), 1U);
    home.wait(2s);
    EXPECT_EQ(home.mappings(), 0U);
    EXPECT_TRUE(home.flows().empty());
    EXPECT_TRUE(home.refuses(Side::Wan, Home::udp(kServer, external), Drop::NatUnsolicited));
}

TEST(NatMapping, TheTimerIsConfigurable) {
    StackConfig config;
    config.flow.udp = 120s;
    Home home(config);
    home.seen(kLaptop, kServer);
    home.wait(119s);
    EXPECT_EQ(home.mappings(), 1U);
    home.wait(2s);
    EXPECT_EQ(home.mappings(), 0U);
}

TEST(NatMapping, Rfc4787Req8OnlyWhomTheHostHasSpokenToIsLetIn) {
    Home home;
    const Endpoint external = home.seen(kLaptop, kServer);
    EXPECT_EQ(home.pass(Side::Wan, Home::udp(kServer, external)).tuple.destination, kLaptop);
    const Endpoint same_address{RouterBench::kServer, 54};
    EXPECT_TRUE(home.refuses(Side::Wan, Home::udp(same_address, external), Drop::NatUnsolicited));
    EXPECT_TRUE(home.refuses(Side::Wan, Home::udp(kOther, external), Drop::NatUnsolicited));
    EXPECT_EQ(home.flows().size(), 1U) << "a stranger leaves no trace in the table";
}

TEST(NatMapping, AddressDependentFilteringLetsInAnyPortOfAKnownAddress) {
    Home home(with(Behaviour::EndpointIndependent, Behaviour::AddressDependent));
    const Endpoint external = home.seen(kLaptop, kServer);
    const Endpoint same_address{RouterBench::kServer, 54};
    EXPECT_EQ(home.pass(Side::Wan, Home::udp(same_address, external)).tuple.destination, kLaptop);
    EXPECT_TRUE(home.refuses(Side::Wan, Home::udp(kOther, external), Drop::NatUnsolicited));
    home.wait(301s);
    EXPECT_EQ(home.mappings(), 0U);
}

TEST(NatMapping, EndpointIndependentFilteringLetsInAnybody) {
    Home home(with(Behaviour::EndpointIndependent, Behaviour::EndpointIndependent));
    const Endpoint external = home.seen(kLaptop, kServer);
    const auto in = home.pass(Side::Wan, Home::udp(kOther, external));
    EXPECT_EQ(in.tuple.destination, kLaptop);
    EXPECT_EQ(in.tuple.source, kOther);
    EXPECT_EQ(home.pass(Side::Lan, Home::udp(kLaptop, kOther)).tuple.source, external);
}

TEST(NatMapping, Rfc4787Req9TwoHostsInsideMeetAtTheirOutsideEndpoints) {
    Home home(with(Behaviour::EndpointIndependent, Behaviour::EndpointIndependent));
    const Endpoint tablet{RouterBench::kTablet, 6000};
    const Endpoint laptop_outside = home.seen(kLaptop, kServer);
    const Endpoint tablet_outside = home.seen(tablet, kServer);
    const auto there = home.pass(Side::Lan, Home::udp(kLaptop, tablet_outside));
    EXPECT_EQ(there.side, Side::Lan);
    EXPECT_EQ(there.tuple.destination, tablet);
    EXPECT_EQ(there.tuple.source, laptop_outside) << "REQ-9a: the external address and port";
    const auto back = home.pass(Side::Lan, Home::udp(tablet, laptop_outside));
    EXPECT_EQ(back.tuple.destination, kLaptop);
    EXPECT_EQ(back.tuple.source, tablet_outside);
}

TEST(NatMapping, Rfc4787Req9UnderStrictFilteringBothHaveToSpeakFirst) {
    Home home;
    const Endpoint tablet{RouterBench::kTablet, 6000};
    const Endpoint laptop_outside = home.seen(kLaptop, kServer);
    const Endpoint tablet_outside = home.seen(tablet, kServer);
    const auto first = Home::udp(kLaptop, tablet_outside);
    EXPECT_TRUE(home.refuses(Side::Lan, first, Drop::NatUnsolicited));
    EXPECT_TRUE(home.refuses(Side::Lan, first, Drop::NatUnsolicited)) << "still one-sided";
    EXPECT_EQ(home.pass(Side::Lan, Home::udp(tablet, laptop_outside)).tuple.destination, kLaptop);
    EXPECT_EQ(home.pass(Side::Lan, first).tuple.destination, tablet);
}

TEST(NatMapping, Rfc4787Req10NoPayloadIsTouched) {
    Home home;
    const std::string sip =
        "REGISTER sip:192.168.3.10:5060 SIP/2.0\r\nContact: 192.168.3.10\r\n\r\n";
    const std::vector<u8> data(sip.begin(), sip.end());
    const auto out = home.pass(
        Side::Lan, Home::udp({RouterBench::kLaptop, 5060}, {RouterBench::kServer, 5060}, data));
    EXPECT_EQ(
        std::string(out.packet.end() - static_cast<std::ptrdiff_t>(sip.size()), out.packet.end()),
        sip);
    EXPECT_EQ(home.mappings(), 1U) << "no door is opened for what a payload says";
}

TEST(NatMapping, Rfc4787Req11TheSameTrafficIsTranslatedTheSameWay) {
    std::array<std::vector<Endpoint>, 2> runs;
    for (auto& run : runs) {
        Home home;
        for (u8 host = 10; host < 40; ++host) {
            for (const Endpoint& to : {kServer, kOther}) {
                run.push_back(home.seen({{192, 168, 3, host}, 5000}, to));
            }
        }
    }
    EXPECT_EQ(runs[0], runs[1]);
}

TEST(NatMapping, AStaticPairOfRulesKeepsEveryPort) {
    RouterBench router;
    const Ipv4Address outside(203, 0, 113, 20);
    Rule out;
    out.match.source = {{Ipv4Prefix{RouterBench::kLaptop, 32}, false}};
    out.target = Target::Snat;
    out.to = {outside, outside};
    router.forwarder().append(Chain::Postrouting, out);
    Rule in;
    in.match.destination = {{Ipv4Prefix{outside, 32}, false}};
    in.target = Target::Dnat;
    in.to = {RouterBench::kLaptop, RouterBench::kLaptop};
    router.forwarder().append(Chain::Prerouting, in);
    EXPECT_EQ(router.pass(Side::Lan, router.udp(kLaptop, kServer)).tuple.source,
              (Endpoint{outside, 5000}));
    const auto unasked = router.pass(Side::Wan, router.udp(kOther, {outside, 7000}));
    EXPECT_EQ(unasked.tuple.destination, (Endpoint{RouterBench::kLaptop, 7000}));
}

TEST(NatMapping, APoolWithoutPortTranslationServesAsManyHostsAsItHasAddresses) {
    StackConfig config;
    config.nat.translate_ports = false;
    RouterBench router(config);
    router.snat({203, 0, 113, 16}, {203, 0, 113, 17});
    const auto seen = [&](u8 host) {
        return router.pass(Side::Lan, router.udp({{192, 168, 3, host}, 5000}, kServer))
            .tuple.source;
    };
    EXPECT_EQ(seen(10), (Endpoint{{203, 0, 113, 16}, 5000}));
    EXPECT_EQ(seen(11), (Endpoint{{203, 0, 113, 17}, 5000}));
    const auto refused = router.send(Side::Lan, router.udp({{192, 168, 3, 12}, 5000}, kServer));
    EXPECT_EQ(router.dropped.back(), Drop::NatPoolExhausted);
    ASSERT_EQ(refused.size(), 1U) << "the host is told";
    EXPECT_EQ(refused[0].destination, (Ipv4Address{192, 168, 3, 12}));
    router.wait(301s);
    EXPECT_EQ(seen(12), (Endpoint{{203, 0, 113, 16}, 5000})) << "free again";
}

TEST(NatMapping, AHostKeepsItsAddressOfThePoolWhenAnotherBecomesFree) {
    StackConfig config;
    config.nat.translate_ports = false;
    RouterBench router(config);
    router.snat({203, 0, 113, 16}, {203, 0, 113, 17});
    const auto seen = [&](u8 host, u16 port) {
        const Endpoint from{{192, 168, 3, host}, port};
        return router.pass(Side::Lan, router.udp(from, kServer)).tuple.source.address;
    };
    EXPECT_EQ(seen(10, 5000), (Ipv4Address{203, 0, 113, 16}));
    router.wait(200s);
    EXPECT_EQ(seen(11, 5000), (Ipv4Address{203, 0, 113, 17}));
    router.wait(101s);  // the first host's is free again
    EXPECT_EQ(seen(11, 5001), (Ipv4Address{203, 0, 113, 17}));
}

TEST(NatMapping, TheRouterAnswersForTheAddressesOfItsPool) {
    RouterBench router;
    router.snat({203, 0, 113, 16}, {203, 0, 113, 17});
    const Interface& wan = router.stack().interface(1);
    EXPECT_TRUE(wan.has_address({203, 0, 113, 16}));
    EXPECT_TRUE(wan.has_address({203, 0, 113, 17}));
    EXPECT_FALSE(wan.has_address({203, 0, 113, 18}));
    EXPECT_FALSE(router.stack().interface(0).has_address({203, 0, 113, 16}));
}

}  // namespace
}  // namespace tapestry::test
