#include <gtest/gtest.h>

#include "tests/support/router_bench.h"

/// RFC 5382 and RFC 7857: how a NAT treats TCP.

namespace tapestry::test {
namespace {

constexpr Endpoint kClient{RouterBench::kLaptop, 5000};
constexpr Endpoint kWeb{RouterBench::kServer, 80};
constexpr u8 kSyn = TcpFlags::kSyn;
constexpr u8 kAck = TcpFlags::kAck;
constexpr u8 kSynAck = TcpFlags::kSyn | TcpFlags::kAck;
constexpr u8 kFin = TcpFlags::kFin | TcpFlags::kAck;
constexpr u8 kRst = TcpFlags::kRst;

struct Home : RouterBench {
    explicit Home(const StackConfig& config = {}) : RouterBench(config) { masquerade(); }

    void out(u8 flags) { pass(Side::Lan, tcp(kClient, kWeb, flags)); }
    void in(u8 flags) { pass(Side::Wan, tcp(kWeb, external, flags)); }
    void open() {
        external = pass(Side::Lan, tcp(kClient, kWeb, kSyn)).tuple.source;
        in(kSynAck);
        out(kAck);
    }
    FlowState state() { return flows().at(0).state; }
    /// How long the conversation is remembered from now on.
    Duration remembered() { return flows().at(0).remaining; }

    Endpoint external{kOutside, 5000};
};

TEST(NatTcp, Rfc5382Req1OneExternalEndpointWhoeverIsSpokenTo) {
    Home home;
    home.open();
    const Endpoint other{RouterBench::kOther, 443};
    EXPECT_EQ(home.pass(Side::Lan, Home::tcp(kClient, other, kSyn)).tuple.source, home.external);
}

TEST(NatTcp, TheHandshakeIsFollowed) {
    Home home;
    home.out(kSyn);
    EXPECT_EQ(home.state(), FlowState::SynSent);
    EXPECT_FALSE(home.flows()[0].replied);
    home.in(kSynAck);
    EXPECT_EQ(home.state(), FlowState::SynRecv);
    home.out(kAck);
    EXPECT_EQ(home.state(), FlowState::Established);
    EXPECT_TRUE(home.flows()[0].assured);
    ASSERT_EQ(home.events.size(), 3U);
    EXPECT_EQ(home.events[0].kind, FlowEvent::Kind::New);
    EXPECT_EQ(home.events[2].kind, FlowEvent::Kind::Update);
    EXPECT_EQ(to_string(home.flows()[0]),
              "tcp      6 7440 ESTABLISHED src=192.168.3.10 dst=93.184.216.34 sport=5000 dport=80 "
              "src=93.184.216.34 dst=203.0.113.5 sport=80 dport=5000 [ASSURED] mark=0 use=1");
}

TEST(NatTcp, Rfc5382Req2SimultaneousOpen) {
    Home home;
    home.out(kSyn);
    home.in(kSyn);
    EXPECT_EQ(home.state(), FlowState::SynSent2);
    home.out(kSynAck);
    EXPECT_EQ(home.state(), FlowState::SynRecv);
    home.in(kSynAck);
    home.out(kAck);
    EXPECT_EQ(home.state(), FlowState::Established);
}

TEST(NatTcp, Rfc5382Req2ClosingFromEitherSide) {
    for (const bool laptop_first : {true, false}) {
        Home home;
        home.open();
        const auto near = [&](u8 flags) { laptop_first ? home.out(flags) : home.in(flags); };
        const auto far = [&](u8 flags) { laptop_first ? home.in(flags) : home.out(flags); };
        near(kFin);
        EXPECT_EQ(home.state(), FlowState::FinWait);
        far(kAck);
        EXPECT_EQ(home.state(), FlowState::CloseWait);
        EXPECT_EQ(home.remembered(), 7440s) << "half-closed: data may still flow";
        far(kFin);
        EXPECT_EQ(home.state(), FlowState::LastAck);
        near(kAck);
        EXPECT_EQ(home.state(), FlowState::TimeWait);
        EXPECT_EQ(home.remembered(), 240s);
        home.wait(241s);
        EXPECT_TRUE(home.flows().empty());
        EXPECT_EQ(home.mappings(), 0U);
        EXPECT_EQ(home.events.back().kind, FlowEvent::Kind::Destroy);
    }
}

TEST(NatTcp, Rfc5382Req3OnlyWhomTheHostHasSpokenToIsLetIn) {
    Home home;
    home.open();
    const auto stranger = Home::tcp({RouterBench::kOther, 80}, home.external, kSyn);
    EXPECT_TRUE(home.refuses(Side::Wan, stranger, Drop::NatUnsolicited));
}

TEST(NatTcp, Rfc5382Req4AnUnsolicitedSynGetsNoAnswer) {
    Home home;
    const auto syn = Home::tcp(kWeb, {RouterBench::kOutside, 80}, kSyn);
    EXPECT_TRUE(home.refuses(Side::Wan, syn, Drop::NatUnsolicited));
    home.wait(10s);
    EXPECT_TRUE(home.take().empty()) << "neither at once nor after six seconds";
    EXPECT_TRUE(home.flows().empty()) << "and no place in the table";
}

TEST(NatTcp, Rfc5382Req5AnEstablishedConnectionLivesTwoHoursAndFourMinutes) {
    Home home;
    home.open();
    home.wait(7439s);
    home.in(kAck);
    EXPECT_EQ(home.state(), FlowState::Established);
    home.wait(7441s);
    EXPECT_TRUE(home.flows().empty());
}

TEST(NatTcp, Rfc5382Req5AHalfOpenOneFourMinutes) {
    Home home;
    home.out(kSyn);
    home.wait(239s);
    EXPECT_EQ(home.flows().size(), 1U);
    home.wait(2s);
    EXPECT_TRUE(home.flows().empty());
}

TEST(NatTcp, WhatTheTableHasForgottenIsLostSilently) {
    Home home;
    home.open();
    home.wait(7441s);
    EXPECT_TRUE(home.refuses(Side::Lan, Home::tcp(kClient, kWeb, kAck), Drop::FlowInvalid));
    EXPECT_TRUE(
        home.refuses(Side::Wan, Home::tcp(kWeb, home.external, kAck), Drop::NatUnsolicited));
}

TEST(NatTcp, AConversationMayBeginInItsMiddleWhereThatIsAllowed) {
    StackConfig config;
    config.flow.tcp_loose = true;
    Home home(config);
    home.out(kAck);
    EXPECT_EQ(home.state(), FlowState::Established);
}

TEST(NatTcp, Rfc5382Req7NoTwoHostsShareAPort) {
    Home home;
    const auto first = home.pass(Side::Lan, Home::tcp(kClient, kWeb, kSyn));
    const auto second = home.pass(Side::Lan, Home::tcp({RouterBench::kTablet, 5000}, kWeb, kSyn));
    EXPECT_EQ(first.tuple.source.port, 5000);
    EXPECT_NE(second.tuple.source.port, 5000);
    EXPECT_EQ(home.pass(Side::Wan, Home::tcp(kWeb, second.tuple.source, kSynAck)).tuple.destination,
              (Endpoint{RouterBench::kTablet, 5000}));
}

TEST(NatTcp, Rfc5382Req8HairpinThroughAForwardedPort) {
    Home home;
    home.dnat(IpProtocol::Tcp, 8080, {RouterBench::kTablet, 80});
    const auto syn = home.pass(Side::Lan, Home::tcp(kClient, {RouterBench::kOutside, 8080}, kSyn));
    EXPECT_EQ(syn.side, Side::Lan);
    EXPECT_EQ(syn.tuple.destination, (Endpoint{RouterBench::kTablet, 80}));
    EXPECT_EQ(syn.tuple.source, (Endpoint{RouterBench::kOutside, 5000}));
    const auto back =
        home.pass(Side::Lan, Home::tcp(syn.tuple.destination, syn.tuple.source, kSynAck));
    EXPECT_EQ(back.tuple.destination, kClient);
    EXPECT_EQ(back.tuple.source, (Endpoint{RouterBench::kOutside, 8080}));
}

TEST(NatTcp, Rfc5382Req10AnIcmpErrorDoesNotEndAConversation) {
    Home home;
    home.open();
    const auto quoted = Home::tcp(home.external, kWeb, kAck);
    for (const u8 code : {u8{0}, u8{1}, u8{2}, u8{3}}) {
        home.pass(Side::Wan, Home::icmp_error(RouterBench::kOther, RouterBench::kOutside,
                                              IcmpType::DestinationUnreachable, code, quoted));
    }
    EXPECT_EQ(home.state(), FlowState::Established);
    EXPECT_EQ(home.remembered(), 7440s);
}

TEST(NatTcp, Rfc7857AResetShortensTheTimeAndLaterDataRestoresIt) {
    Home home;
    home.open();
    home.in(kRst);
    EXPECT_EQ(home.state(), FlowState::Close);
    EXPECT_EQ(home.remembered(), 240s) << "not forgotten: it may be forged";
    home.out(kAck);
    EXPECT_EQ(home.state(), FlowState::Established) << "the hosts did not believe it";
    EXPECT_EQ(home.remembered(), 7440s);
    home.out(kRst);
    home.wait(241s);
    EXPECT_TRUE(home.flows().empty());
}

TEST(NatTcp, TheSamePortsMayBeUsedAgainAfterTheEnd) {
    Home home;
    home.open();
    home.out(kRst);
    home.out(kSyn);
    EXPECT_EQ(home.state(), FlowState::SynSent);
    home.in(kSynAck);
    home.out(kAck);
    EXPECT_EQ(home.state(), FlowState::Established);
}

TEST(NatTcp, AnOldSynDoesNotBeginAnythingAnew) {
    Home home;
    home.open();
    home.out(kSyn);
    EXPECT_EQ(home.state(), FlowState::Established);
}

TEST(NatTcp, SuperFramesPassWholeWithTheirChecksumLeftToTheDevice) {
    PortCapabilities offers;
    offers.max_super_frame = 65535;
    RouterBench router({}, 1500, offers);
    router.masquerade();
    router.pass(Side::Lan, RouterBench::tcp(kClient, kWeb, kSyn));
    PacketBuilder builder;
    TcpHeader header = tcp_header(1);
    header.source_port = 5000;
    builder.ip = RouterBench::header(IpProtocol::Tcp, RouterBench::kLaptop, RouterBench::kServer);
    builder.ip.dont_fragment = true;
    builder.tcp(header).payload(std::vector<u8>(14600, 'x'));
    const auto frame = builder.build_partial();
    const std::vector<u8> packet(frame.begin() + EthernetView::kHeaderSize, frame.end());
    const auto out = router.pass(Side::Lan, packet, builder.partial_offload(1460));
    EXPECT_EQ(out.packet.size(), packet.size());
    EXPECT_EQ(out.offload, builder.partial_offload(1460));
    builder.ip.source = RouterBench::kOutside;
    builder.ip.ttl = 63;
    const auto expected = builder.build_partial();
    EXPECT_EQ(out.packet,
              std::vector<u8>(expected.begin() + EthernetView::kHeaderSize, expected.end()))
        << "the pseudo-header's sum has followed the address";
    EXPECT_EQ(router.flows()[0].packets[0], 11U) << "a SYN and ten segments";
}

TEST(NatTcp, AnOffloadThatDoesNotFitThePacketIsRefused) {
    Home home;
    Offload lie;
    lie.checksum = Offload::Checksum::Partial;
    lie.csum_start = 2;
    lie.csum_offset = 6;
    home.send(Side::Lan, Home::tcp(kClient, kWeb, kSyn), lie);
    ASSERT_FALSE(home.dropped.empty());
    EXPECT_EQ(home.dropped.back(), Drop::OffloadInvalid);
}

TEST(NatTcp, HeadersThatAreCutShortMakeNoMapping) {
    Home home;
    for (std::size_t size = 0; size < 20; ++size) {
        auto packet = Home::tcp(kClient, kWeb, kSyn);
        packet = ip_packet(Home::header(IpProtocol::Tcp, kClient.address, kWeb.address),
                           Bytes(packet).subspan(20, size));
        EXPECT_TRUE(home.refuses(Side::Lan, packet, Drop::TcpShort));
    }
    for (std::size_t size = 0; size < 8; ++size) {
        const auto datagram = Home::udp(kClient, kWeb);
        const auto packet = ip_packet(Home::header(IpProtocol::Udp, kClient.address, kWeb.address),
                                      Bytes(datagram).subspan(20, size));
        EXPECT_TRUE(home.refuses(Side::Lan, packet, Drop::UdpShort));
    }
    EXPECT_EQ(home.mappings(), 0U);
}

}  // namespace
}  // namespace tapestry::test
