#include <gtest/gtest.h>

#include "tests/support/router_bench.h"

/// RFC 5508: queries are translated by their identifier, errors with the packet that they quote.

namespace tapestry::test {
namespace {

constexpr Ipv4Address kLaptop = RouterBench::kLaptop;
constexpr Ipv4Address kTablet = RouterBench::kTablet;
constexpr Ipv4Address kServer = RouterBench::kServer;
constexpr Ipv4Address kOutside = RouterBench::kOutside;
constexpr Ipv4Address kFarRouter{198, 51, 100, 1};
constexpr u8 kPortUnreachable = 3;
constexpr u8 kFragmentationNeeded = 4;

struct Home : RouterBench {
    explicit Home(const StackConfig& config = {}) : RouterBench(config) { masquerade(); }
};

/// The packet that an ICMP error carries.
std::vector<u8> quote_of(const RouterBench::Out& error) {
    return {error.packet.begin() + 28, error.packet.end()};
}

TEST(NatIcmp, Rfc5508Req1QueriesAreTranslatedByIdentifier) {
    Home home;
    const auto first = home.pass(Side::Lan, Home::echo(kLaptop, kServer, 7));
    const auto second = home.pass(Side::Lan, Home::echo(kTablet, kServer, 7));
    EXPECT_EQ(first.source, kOutside);
    EXPECT_EQ(second.source, kOutside);
    EXPECT_EQ(first.tuple.source.port, 7);
    EXPECT_NE(second.tuple.source.port, 7) << "two hosts, two identifiers";
    const auto to_laptop = home.pass(Side::Wan, Home::echo(kServer, kOutside, 7, true));
    EXPECT_EQ(to_laptop.destination, kLaptop);
    const auto to_tablet =
        home.pass(Side::Wan, Home::echo(kServer, kOutside, second.tuple.source.port, true));
    EXPECT_EQ(to_tablet.destination, kTablet);
    EXPECT_EQ(to_tablet.tuple.source.port, 7);
}

TEST(NatIcmp, Rfc5508Req1OneIdentifierWhoeverIsAsked) {
    Home home;
    const auto first = home.pass(Side::Lan, Home::echo(kTablet, kServer, 9));
    const auto second = home.pass(Side::Lan, Home::echo(kTablet, RouterBench::kOther, 9));
    EXPECT_EQ(first.tuple.source, second.tuple.source);
    EXPECT_EQ(home.mappings(), 1U);
}

TEST(NatIcmp, Rfc5508Req2AQueryIsRememberedForSixtySeconds) {
    Home home;
    home.pass(Side::Lan, Home::echo(kLaptop, kServer, 7));
    home.wait(59s);
    EXPECT_EQ(home.pass(Side::Wan, Home::echo(kServer, kOutside, 7, true)).destination, kLaptop);
    home.wait(61s);
    EXPECT_EQ(home.mappings(), 0U);
    EXPECT_TRUE(home.refuses(Side::Wan, Home::echo(kServer, kOutside, 7, true), Drop::IcmpNoMatch));
}

TEST(NatIcmp, AStrangersReplyIsNotLetIn) {
    Home home;
    home.pass(Side::Lan, Home::echo(kLaptop, kServer, 7));
    EXPECT_TRUE(home.refuses(Side::Wan, Home::echo(RouterBench::kOther, kOutside, 7, true),
                             Drop::IcmpNoMatch));
}

TEST(NatIcmp, Rfc5508Req4AnErrorFromOutsideShowsTheHostItsOwnPacket) {
    for (const bool is_tcp : {false, true}) {
        Home home;
        const Endpoint from{kTablet, 5000};
        const Endpoint to{kServer, 53};
        home.pass(Side::Lan, Home::udp({kLaptop, 5000}, to));  // takes the port
        home.pass(Side::Lan, Home::tcp({kLaptop, 5000}, to, TcpFlags::kSyn));
        const auto sent = is_tcp ? Home::tcp(from, to, TcpFlags::kSyn) : Home::udp(from, to);
        const auto left = home.pass(Side::Lan, sent);
        ASSERT_NE(left.tuple.source.port, 5000);
        const auto error = home.pass(
            Side::Wan,
            Home::icmp_error(kFarRouter, kOutside, IcmpType::TimeExceeded, 0, left.packet));
        EXPECT_EQ(error.source, kFarRouter) << "REQ-4: who reports is not hidden";
        EXPECT_EQ(error.destination, kTablet);
        EXPECT_EQ(error.tuple.source, from);
        EXPECT_EQ(error.tuple.destination, to);
        auto expected = sent;  // but for the TTL, which the router has counted down
        decrement_ttl(expected);
        EXPECT_EQ(quote_of(error), expected) << "addresses, ports and all checksums, too";
    }
}

TEST(NatIcmp, AnErrorAboutAPingHasTheInsideIdentifierAgain) {
    Home home;
    home.pass(Side::Lan, Home::echo(kLaptop, kServer, 7));
    const auto sent = Home::echo(kTablet, kServer, 7);
    const auto left = home.pass(Side::Lan, sent);
    const auto error = home.pass(
        Side::Wan, Home::icmp_error(kFarRouter, kOutside, IcmpType::TimeExceeded, 0, left.packet));
    EXPECT_EQ(error.destination, kTablet);
    auto expected = sent;
    decrement_ttl(expected);
    EXPECT_EQ(quote_of(error), expected);
}

TEST(NatIcmp, AQuoteOfEightBytesIsEnough) {
    Home home;
    const auto left =
        home.pass(Side::Lan, Home::tcp({kLaptop, 5000}, {kServer, 80}, TcpFlags::kSyn));
    const auto error = Home::icmp_error(kFarRouter, kOutside, IcmpType::DestinationUnreachable, 1,
                                        left.packet, 0, 28);
    EXPECT_EQ(home.pass(Side::Wan, error).destination, kLaptop);
    const auto shorter = Home::icmp_error(kFarRouter, kOutside, IcmpType::DestinationUnreachable, 1,
                                          left.packet, 0, 27);
    EXPECT_TRUE(home.refuses(Side::Wan, shorter, Drop::IcmpBadQuote));
}

TEST(NatIcmp, Rfc5508Req5AnErrorFromInsideDoesNotShowAnInsideAddress) {
    Home home;
    home.dnat(IpProtocol::Udp, 53, {kTablet, 53});
    const auto in = home.pass(Side::Wan, Home::udp({kServer, 4000}, {kOutside, 53}));
    ASSERT_EQ(in.destination, kTablet);
    const auto error =
        home.pass(Side::Lan, Home::icmp_error(kTablet, kServer, IcmpType::DestinationUnreachable,
                                              kPortUnreachable, in.packet));
    EXPECT_EQ(error.source, kOutside);
    EXPECT_EQ(error.destination, kServer);
    EXPECT_EQ(error.tuple.destination, (Endpoint{kOutside, 53}));
    // Nor does a router behind the inside host's network.
    const auto further = home.pass(
        Side::Lan,
        Home::icmp_error({192, 168, 3, 99}, kServer, IcmpType::TimeExceeded, 0, in.packet));
    EXPECT_EQ(further.source, kOutside);
}

TEST(NatIcmp, Rfc5508Req6AnErrorNeitherEndsNorProlongsAQuery) {
    Home home;
    const auto left = home.pass(Side::Lan, Home::echo(kLaptop, kServer, 7));
    const auto error =
        Home::icmp_error(kFarRouter, kOutside, IcmpType::TimeExceeded, 0, left.packet);
    home.wait(30s);
    home.pass(Side::Wan, error);
    EXPECT_EQ(home.flows().at(0).remaining, 30s);
    home.wait(31s);
    EXPECT_TRUE(home.flows().empty());
}

TEST(NatIcmp, Rfc5508Req7AQueryTravelsThroughTheHairpinOfAStaticAddress) {
    Home home;
    const Ipv4Address outside(203, 0, 113, 20);
    Rule out;
    out.match.source = {{Ipv4Prefix{kTablet, 32}, false}};
    out.target = Target::Snat;
    out.to = {outside, outside};
    Rule in;
    in.match.destination = {{Ipv4Prefix{outside, 32}, false}};
    in.target = Target::Dnat;
    in.to = {kTablet, kTablet};
    home.forwarder().append(Chain::Postrouting, out);
    home.forwarder().append(Chain::Prerouting, in);
    const auto there = home.pass(Side::Lan, Home::echo(kLaptop, outside, 7));
    EXPECT_EQ(there.destination, kTablet);
    EXPECT_EQ(there.source, kOutside);
    const auto back =
        home.pass(Side::Lan, Home::echo(kTablet, kOutside, there.tuple.source.port, true));
    EXPECT_EQ(back.destination, kLaptop);
    EXPECT_EQ(back.source, outside);
}

TEST(NatIcmp, Rfc5508Req7AnErrorTravelsThroughTheHairpin) {
    StackConfig config;
    config.nat.filtering = NatConfig::Behaviour::EndpointIndependent;
    Home home(config);
    const auto tablet = home.pass(Side::Lan, Home::udp({kTablet, 6000}, {kServer, 53}));
    const auto sent = Home::udp({kLaptop, 5000}, tablet.tuple.source);
    const auto there = home.pass(Side::Lan, sent);
    ASSERT_EQ(there.destination, kTablet);
    const auto error = home.pass(
        Side::Lan, Home::icmp_error(kTablet, there.source, IcmpType::DestinationUnreachable,
                                    kPortUnreachable, there.packet));
    EXPECT_EQ(error.destination, kLaptop);
    EXPECT_EQ(error.source, kOutside) << "from where the laptop believes the tablet to be";
    EXPECT_EQ(error.tuple.destination, tablet.tuple.source);
}

TEST(NatIcmp, FragmentationNeededReachesTheHostWithItsMtu) {
    Home home;
    const auto left =
        home.pass(Side::Lan, Home::tcp({kLaptop, 5000}, {kServer, 80}, TcpFlags::kSyn));
    const auto error = home.pass(
        Side::Wan, Home::icmp_error(kFarRouter, kOutside, IcmpType::DestinationUnreachable,
                                    kFragmentationNeeded, left.packet, 1400));
    EXPECT_EQ(error.destination, kLaptop);
    EXPECT_EQ(load_be16(&error.packet[26]), 1400);
}

TEST(NatIcmp, Rfc5508Req3WrongChecksumsAreNotPassedOn) {
    Home home;
    const auto left = home.pass(Side::Lan, Home::udp({kLaptop, 5000}, {kServer, 53}));
    auto outer = Home::icmp_error(kFarRouter, kOutside, IcmpType::TimeExceeded, 0, left.packet);
    outer[22] ^= 1;
    EXPECT_TRUE(home.refuses(Side::Wan, outer, Drop::IcmpBadChecksum));
    auto damaged = left.packet;
    damaged[10] ^= 1;
    const auto inner = Home::icmp_error(kFarRouter, kOutside, IcmpType::TimeExceeded, 0, damaged);
    EXPECT_TRUE(home.refuses(Side::Wan, inner, Drop::IcmpBadQuote));
}

TEST(NatIcmp, AnErrorAboutNothingThatWeSentGoesNoFurther) {
    Home home;
    home.pass(Side::Lan, Home::udp({kLaptop, 5000}, {kServer, 53}));
    const auto stranger = Home::udp({kOutside, 5001}, {kServer, 53});
    EXPECT_TRUE(home.refuses(
        Side::Wan, Home::icmp_error(kFarRouter, kOutside, IcmpType::TimeExceeded, 0, stranger),
        Drop::IcmpNoMatch));
}

TEST(NatIcmp, OtherMessagesDoNotGetOutUntranslated) {
    Home home;
    constexpr u8 kTimestamp = 13;
    const auto message =
        icmp_message({static_cast<IcmpType>(kTimestamp), 0, 0}, std::vector<u8>(12));
    EXPECT_TRUE(home.refuses(Side::Lan,
                             ip_packet(Home::header(IpProtocol::Icmp, kLaptop, kServer), message),
                             Drop::FlowInvalid));
}

}  // namespace
}  // namespace tapestry::test
