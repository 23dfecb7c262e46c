#include <gtest/gtest.h>

#include <set>

#include "tests/support/router_bench.h"

/// What a NAT does when there is too much of something, or when somebody means it ill: it refuses the
/// new, keeps the old, and says why.

namespace tapestry::test {
namespace {

constexpr Ipv4Address kLaptop = RouterBench::kLaptop;
constexpr Endpoint kWeb{RouterBench::kServer, 80};
constexpr u8 kSyn = TcpFlags::kSyn;
constexpr u8 kAck = TcpFlags::kAck;
constexpr u8 kSynAck = TcpFlags::kSyn | TcpFlags::kAck;

struct Home : RouterBench {
    explicit Home(const StackConfig& config = {}) : RouterBench(config) { masquerade(); }
    void open(Endpoint from) {
        const Endpoint external = pass(Side::Lan, tcp(from, kWeb, kSyn)).tuple.source;
        pass(Side::Wan, tcp(kWeb, external, kSynAck));
        pass(Side::Lan, tcp(from, kWeb, kAck));
    }
};

/// Any of 2^24 remote endpoints.
Endpoint remote(u32 number) { return {Ipv4Address(u32{20} << 24 | number), 53}; }

TEST(NatLimits, AFullTableRefusesTheNewAndKeepsTheOld) {
    StackConfig config;
    config.flow.max_flows = 100;
    Home home(config);
    home.open({kLaptop, 5000});
    std::size_t told = 0;
    for (u32 i = 0; i < 1000; ++i)
        told += home.send(Side::Lan, Home::udp({{192, 168, 3, 11}, 53}, remote(i))).size();
    EXPECT_EQ(home.flows().size(), 100U);
    EXPECT_EQ(home.drops(Drop::FlowTableFull), 901U);
    EXPECT_EQ(home.dropped.back(), Drop::FlowTableFull);
    EXPECT_GT(told, 99U) << "some were told by an ICMP error";
    EXPECT_LT(told, 99U + 100U) << "within the limit of such errors";
    EXPECT_EQ(home.flows()[0].state, FlowState::Established);
    EXPECT_EQ(home.pass(Side::Lan, Home::tcp({kLaptop, 5000}, kWeb, kAck)).side, Side::Wan);
    home.wait(301s);
    EXPECT_EQ(home.flows().size(), 1U) << "the flood is forgotten, the connection is not";
}

TEST(NatLimits, OneHostCannotTakeAllOfTheTable) {
    StackConfig config;
    config.flow.max_flows_per_host = 50;
    Home home(config);
    for (u32 i = 0; i < 100; ++i) home.send(Side::Lan, Home::udp({kLaptop, 53}, remote(i)));
    EXPECT_EQ(home.flows().size(), 50U);
    EXPECT_EQ(home.dropped.back(), Drop::FlowHostLimit);
    EXPECT_EQ(home.pass(Side::Lan, Home::udp({RouterBench::kTablet, 53}, remote(1))).side,
              Side::Wan);
}

TEST(NatLimits, WhenAllPortsAreInUseTheNextHostIsRefusedByName) {
    StackConfig config;
    config.flow.max_flows_per_host = 100000;
    Home home(config);
    std::set<u16> seen;
    for (u32 port = 1024; port < 65536; ++port) {
        seen.insert(home.pass(Side::Lan, Home::udp({kLaptop, static_cast<u16>(port)}, kWeb))
                        .tuple.source.port);
    }
    EXPECT_EQ(seen.size(), 64512U);
    const auto told = home.send(Side::Lan, Home::udp({RouterBench::kTablet, 5000}, kWeb));
    EXPECT_EQ(home.dropped.back(), Drop::NatPortsExhausted);
    ASSERT_EQ(told.size(), 1U);
    const auto icmp = IcmpView::parse(Ipv4View::parse(told[0].packet)->payload());
    EXPECT_EQ(icmp->type(), IcmpType::DestinationUnreachable);
    EXPECT_EQ(icmp->code(), static_cast<u8>(UnreachableCode::AdministrativelyProhibited));
    EXPECT_EQ(home.pass(Side::Lan, Home::udp({RouterBench::kTablet, 500}, kWeb)).tuple.source.port,
              500)
        << "the well-known ones are another class";
    EXPECT_EQ(
        home.pass(Side::Lan, Home::tcp({RouterBench::kTablet, 5000}, kWeb, kSyn)).tuple.source.port,
        5000)
        << "and so is the other protocol";
    home.wait(301s);
    EXPECT_EQ(home.mappings(), 0U);
}

TEST(NatLimits, AFloodOfSynsFromInsideIsForgottenAfterFourMinutes) {
    StackConfig config;
    config.flow.max_flows = 20000;
    Home home(config);
    for (u32 i = 0; i < 30000; ++i) {
        const Endpoint from{Ipv4Address(192, 168, 3, static_cast<u8>(2 + i % 100)),
                            static_cast<u16>(1024 + i / 2)};
        home.send(Side::Lan, Home::tcp(from, remote(i), kSyn));
    }
    EXPECT_EQ(home.flows().size(), 20000U);
    home.wait(241s);
    EXPECT_TRUE(home.flows().empty());
    EXPECT_EQ(home.mappings(), 0U);
}

TEST(NatLimits, StrangersLeaveNothingBehind) {
    Home home;
    for (u32 i = 0; i < 5000; ++i) {
        EXPECT_TRUE(
            home.send(Side::Wan,
                      Home::tcp(remote(i), {RouterBench::kOutside, static_cast<u16>(i)}, kSyn))
                .empty());
        EXPECT_TRUE(
            home.send(Side::Wan, Home::udp(remote(i), {RouterBench::kOutside, static_cast<u16>(i)}))
                .empty());
    }
    EXPECT_TRUE(home.flows().empty());
}

TEST(NatLimits, NobodyOutsideReachesAnInsideAddressOfTheRouter) {
    Home home;
    EXPECT_TRUE(home.refuses(Side::Wan, Home::echo(RouterBench::kServer, RouterBench::kInside, 1),
                             Drop::Ipv4NotForUs));
    EXPECT_EQ(
        home.pass(Side::Wan, Home::echo(RouterBench::kServer, RouterBench::kOutside, 1)).source,
        RouterBench::kOutside)
        << "the outside one answers a ping";
}

TEST(NatLimits, FragmentsOfALargeDatagramAreTranslatedInAnyOrder) {
    for (const bool backwards : {false, true}) {
        Home home;
        const Endpoint from{kLaptop, 5000};
        const auto whole = Home::udp(from, kWeb, std::vector<u8>(2800, 'f'));
        std::vector<std::vector<u8>> pieces;
        for (u32 at = 0; at < 2808; at += 1000) {
            Ipv4Header header = Home::header(IpProtocol::Udp, kLaptop, kWeb.address);
            header.fragment_offset = at;
            header.more_fragments = at < 2000;
            const u32 size = std::min(1000U, 2808U - at);
            pieces.push_back(ip_packet(header, Bytes(whole).subspan(20 + at, size)));
        }
        if (backwards) std::ranges::reverse(pieces);
        EXPECT_TRUE(home.send(Side::Lan, pieces[0]).empty());
        EXPECT_TRUE(home.send(Side::Lan, pieces[1]).empty());
        const auto out = home.send(Side::Lan, pieces[2]);
        ASSERT_EQ(out.size(), 2U);
        std::vector<u8> datagram;
        for (const auto& piece : out) {
            EXPECT_EQ(piece.source, RouterBench::kOutside);
            datagram.insert(datagram.end(), piece.packet.begin() + 20, piece.packet.end());
        }
        EXPECT_TRUE(UdpView::parse(datagram, RouterBench::kOutside, kWeb.address));
    }
}

TEST(NatLimits, ATinyFirstFragmentMakesNoMapping) {
    Home home;
    const auto syn = Home::tcp({kLaptop, 5000}, kWeb, kSyn);
    Ipv4Header header = Home::header(IpProtocol::Tcp, kLaptop, kWeb.address);
    header.more_fragments = true;
    EXPECT_TRUE(home.send(Side::Lan, ip_packet(header, Bytes(syn).subspan(20, 8))).empty());
    EXPECT_EQ(home.mappings(), 0U) << "half a header is none";
    // RFC 3128: a second fragment at offset 8 that would put other ports into the first.
    header.fragment_offset = 0;
    EXPECT_TRUE(home.refuses(Side::Lan, ip_packet(header, std::vector<u8>(16, 0x55)),
                             Drop::FragmentOverlap));
    header.fragment_offset = 8;
    header.more_fragments = false;
    home.send(Side::Lan, ip_packet(header, Bytes(syn).subspan(28)));
    EXPECT_EQ(home.mappings(), 0U);
}

TEST(NatLimits, ForeverUnfinishedDatagramsTakeBoundedMemory) {
    Home home;
    for (u32 i = 0; i < 20000; ++i) {
        Ipv4Header header = Home::header(IpProtocol::Udp, kLaptop, remote(i).address);
        header.identification = static_cast<u16>(i);
        header.more_fragments = true;
        home.send(Side::Lan, ip_packet(header, std::vector<u8>(64)));
    }
    EXPECT_LE(home.stack().ipv4().fragments().memory(), StackConfig().ip.reassembly_memory);
    EXPECT_EQ(home.mappings(), 0U);
}

TEST(NatLimits, AnExternalPortIsFreeAgainWithItsLastConversation) {
    Home home;
    home.pass(Side::Lan, Home::udp({kLaptop, 5000}, remote(1)));
    home.wait(200s);
    home.pass(Side::Lan, Home::udp({kLaptop, 5000}, remote(2)));
    home.wait(101s);
    EXPECT_EQ(home.flows().size(), 1U);
    EXPECT_EQ(home.mappings(), 1U) << "the second conversation still uses it";
    home.wait(200s);
    EXPECT_EQ(home.mappings(), 0U);
    EXPECT_EQ(
        home.pass(Side::Lan, Home::udp({RouterBench::kTablet, 5000}, remote(1))).tuple.source.port,
        5000);
}

TEST(NatLimits, OtherProtocolsAreTranslatedByAddressAndForOneHostAtATime) {
    Home home;
    const auto gre = [](Ipv4Address from, Ipv4Address to) {
        return ip_packet(Home::header(static_cast<IpProtocol>(47), from, to), std::vector<u8>(24));
    };
    EXPECT_EQ(home.pass(Side::Lan, gre(kLaptop, kWeb.address)).source, RouterBench::kOutside);
    EXPECT_EQ(home.pass(Side::Wan, gre(kWeb.address, RouterBench::kOutside)).destination, kLaptop);
    home.send(Side::Lan, gre(RouterBench::kTablet, kWeb.address));
    EXPECT_EQ(home.dropped.back(), Drop::NatPortsExhausted);
}

TEST(NatLimits, ADestinationRuleToTheRouterItselfIsRefusedByName) {
    Home home;
    home.dnat(IpProtocol::Udp, 53, {RouterBench::kInside, 53});
    EXPECT_TRUE(home.refuses(Side::Lan, Home::udp({kLaptop, 5000}, {RouterBench::kOutside, 53}),
                             Drop::NatToSelf));
    EXPECT_TRUE(home.flows().empty());
}

}  // namespace
}  // namespace tapestry::test
