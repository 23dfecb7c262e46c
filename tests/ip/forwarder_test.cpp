#include <gtest/gtest.h>

#include "tests/support/router_bench.h"

/// RFC 1812 section 5: what a router does with packets that are not for it, without any rule.

namespace tapestry::test {
namespace {

constexpr Endpoint kLaptop{RouterBench::kLaptop, 5000};
constexpr Endpoint kServer{RouterBench::kServer, 53};

std::vector<u8> with_ttl(u8 ttl, std::vector<u8> packet) {
    packet[Ipv4View::kTtl] = ttl;
    store_be16(&packet[Ipv4View::kChecksum], 0);
    store_be16(&packet[Ipv4View::kChecksum], internet_checksum(Bytes(packet).first(20)));
    return packet;
}
std::vector<u8> with_df(std::vector<u8> packet) {
    packet[Ipv4View::kFlagsAndOffset] |= 0x40;
    return with_ttl(64, std::move(packet));
}
/// The ICMP message in what left.
IcmpView icmp_in(const RouterBench::Out& out) {
    return *IcmpView::parse(Ipv4View::parse(out.packet)->payload());
}

TEST(Forwarding, AHostDoesNotForward) {
    IpHost host;
    EXPECT_TRUE(
        refused_as(host.receive_packet(RouterBench::udp(kLaptop, kServer)), Drop::Ipv4NotForUs));
}

TEST(Forwarding, APacketGoesOnUnchangedButForTheTtl) {
    RouterBench router;
    const auto packet = router.udp(kLaptop, kServer);
    const auto out = router.pass(Side::Lan, packet);
    EXPECT_EQ(out.side, Side::Wan);
    EXPECT_EQ(out.packet, with_ttl(63, packet));
    EXPECT_EQ(router.counters().ip_forwarded, 1U);
    EXPECT_TRUE(router.flows().empty()) << "nobody asked for them to be followed";
}

TEST(Forwarding, TheIncrementalHeaderChecksumIsRightForEveryTtlAndIdentification) {
    RouterBench router;
    auto packet = router.udp(kLaptop, kServer);
    for (u32 id = 0; id < 65536; id += 257) {
        for (u32 ttl = 2; ttl < 256; ttl += 11) {
            store_be16(&packet[Ipv4View::kIdentification], static_cast<u16>(id));
            router.pass(Side::Lan, with_ttl(static_cast<u8>(ttl), packet));  // checks the header
        }
    }
}

TEST(Forwarding, TheTtlRunsOut) {
    for (const u8 ttl : {u8{0}, u8{1}}) {
        RouterBench router;
        const auto packet = with_ttl(ttl, router.udp(kLaptop, kServer));
        const auto out = router.pass(Side::Lan, packet);
        EXPECT_EQ(out.side, Side::Lan) << "the next hop sees nothing";
        EXPECT_EQ(out.source, RouterBench::kInside);
        EXPECT_EQ(icmp_in(out).type(), IcmpType::TimeExceeded);
        EXPECT_EQ(icmp_in(out).code(), 0);
        EXPECT_EQ(copy_of(icmp_in(out).payload()), packet) << "quoted as it came";
        EXPECT_EQ(router.dropped.back(), Drop::Ipv4TtlExceeded);
    }
}

TEST(Forwarding, APacketForTheRouterItselfMayHaveAnyTtl) {
    RouterBench router;
    const auto ping = with_ttl(1, router.echo(kLaptop.address, RouterBench::kInside, 7));
    EXPECT_EQ(icmp_in(router.pass(Side::Lan, ping)).type(), IcmpType::EchoReply);
    const auto far_side = router.echo(kLaptop.address, RouterBench::kOutside, 7);
    EXPECT_EQ(router.pass(Side::Lan, far_side).source, RouterBench::kOutside)
        << "RFC 1812 5.2.3: any of its addresses";
}

TEST(Forwarding, AnErrorIsReportedAboutAPacketTooShortToHaveBeenFollowed) {
    RouterBench router;
    router.masquerade();
    Ipv4Header header =
        RouterBench::header(static_cast<IpProtocol>(47), kLaptop.address, kServer.address);
    header.ttl = 1;
    const auto out = router.pass(Side::Lan, ip_packet(header, std::vector<u8>(4)));
    EXPECT_EQ(out.destination, kLaptop.address);
}

TEST(Forwarding, NoErrorIsReportedAboutAnError) {
    RouterBench router;
    const auto error = router.icmp_error(kLaptop.address, kServer.address, IcmpType::TimeExceeded,
                                         0, router.udp(kServer, kLaptop));
    EXPECT_TRUE(router.refuses(Side::Lan, with_ttl(1, error), Drop::Ipv4TtlExceeded));
}

TEST(Forwarding, ErrorsAreLimitedInNumber) {
    RouterBench router;
    std::size_t told = 0;
    for (int i = 0; i < 1000; ++i) {
        told += router.send(Side::Lan, with_ttl(1, router.udp(kLaptop, kServer))).size();
    }
    EXPECT_GT(told, 20U);
    EXPECT_LT(told, 100U);
}

TEST(Forwarding, NoRoute) {
    RouterBench router;
    router.stack().ipv4().routes().remove({{}, 0});
    const auto out = router.pass(Side::Lan, router.udp(kLaptop, kServer));
    EXPECT_EQ(out.side, Side::Lan);
    EXPECT_EQ(icmp_in(out).type(), IcmpType::DestinationUnreachable);
    EXPECT_EQ(icmp_in(out).code(), 0);
    EXPECT_EQ(router.dropped.back(), Drop::Ipv4NoRoute);
}

TEST(Forwarding, TheLongestPrefixDecides) {
    RouterBench router;
    router.stack().add_route({{93, 184, 0, 0}, 16}, router.stack().interface(0), {192, 168, 3, 20});
    EXPECT_EQ(router.pass(Side::Wan, router.udp({{198, 51, 100, 7}, 1}, kServer)).side, Side::Lan);
    router.stack().add_route({{93, 184, 216, 0}, 24}, router.stack().interface(1),
                             RouterBench::kGateway);
    EXPECT_EQ(router.pass(Side::Lan, router.udp(kLaptop, kServer)).side, Side::Wan);
}

TEST(Forwarding, MartiansGoNowhere) {
    RouterBench router;
    for (const char* bad : {"0.0.0.1", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"}) {
        const Ipv4Address address = *Ipv4Address::parse(bad);
        EXPECT_TRUE(
            router.refuses(Side::Lan, router.udp({address, 1}, kServer), Drop::Ipv4BadSource))
            << bad;
        EXPECT_TRUE(router.send(Side::Lan, router.udp(kLaptop, {address, 1})).empty()) << bad;
        EXPECT_FALSE(router.dropped.empty()) << bad;
    }
    EXPECT_TRUE(router.refuses(Side::Lan, router.udp({RouterBench::kOutside, 1}, kServer),
                               Drop::Ipv4BadSource))
        << "our own address as the source";
}

TEST(Forwarding, DirectedBroadcastsAreNotForwarded) {
    RouterBench router;
    EXPECT_TRUE(router.refuses(Side::Wan, router.udp(kServer, {{192, 168, 3, 255}, 9}),
                               Drop::Ipv4BadDestination));
}

TEST(Forwarding, APacketFromALinkBroadcastIsNotForwarded) {
    RouterBench router;
    const auto frame =
        ethernet_frame(EtherType::Ipv4, router.udp(kLaptop, kServer), MacAddress::broadcast());
    PacketPool pool(PacketPool::kFrameSlot, 1);
    std::vector<Packet> batch(1);
    batch[0] = pool.copy(frame);
    router.stack().receive(router.stack().interface(0), batch, router.now());
    EXPECT_TRUE(router.take().empty());
    EXPECT_EQ(router.drops(Drop::Ipv4LinkBroadcast), 1U);
}

TEST(Forwarding, SourceRoutesAreNotFollowed) {
    RouterBench router;
    const std::vector<u8> loose{131, 7, 4, 93, 184, 216, 34};
    const auto packet = ip_packet_with_options(
        RouterBench::header(IpProtocol::Udp, kLaptop.address, kServer.address), loose,
        udp_datagram(1, 2, {}, kLaptop.address, kServer.address));
    EXPECT_TRUE(router.refuses(Side::Lan, packet, Drop::Ipv4SourceRoute));
}

TEST(Forwarding, OtherOptionsArePassedOn) {
    RouterBench router;
    const std::vector<u8> record_route{7, 7, 4, 0, 0, 0, 0};
    const auto packet = ip_packet_with_options(
        RouterBench::header(IpProtocol::Udp, kLaptop.address, kServer.address), record_route,
        udp_datagram(1, 2, std::vector<u8>(8), kLaptop.address, kServer.address));
    const auto out = router.pass(Side::Lan, packet);
    EXPECT_EQ(out.packet.size(), packet.size());
    EXPECT_TRUE(std::equal(out.packet.begin() + 12, out.packet.end(), packet.begin() + 12));
}

TEST(Forwarding, TooLargeAndNotToBeCutIsReportedWithTheMtu) {
    RouterBench router({}, 1400);
    const auto packet = with_df(router.udp(kLaptop, kServer, std::vector<u8>(1400)));
    const auto out = router.pass(Side::Lan, packet);
    EXPECT_EQ(out.side, Side::Lan);
    EXPECT_EQ(icmp_in(out).code(), 4);
    EXPECT_EQ(icmp_in(out).next_hop_mtu(), 1400);
    EXPECT_EQ(out.packet.size(), 576U) << "RFC 1812 4.3.2.3";
}

TEST(Forwarding, TooLargeIsCutWhereThatIsAllowed) {
    RouterBench router({}, 600);
    const auto packet = router.udp(kLaptop, kServer, std::vector<u8>(1400, 'y'));
    const auto out = router.send(Side::Lan, packet);
    ASSERT_EQ(out.size(), 3U);
    std::size_t next = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto view = Ipv4View::parse(out[i].packet);
        EXPECT_LE(out[i].packet.size(), 600U);
        EXPECT_EQ(view->fragment_offset(), next);
        EXPECT_EQ(view->more_fragments(), i < 2);
        EXPECT_EQ(view->identification(), 77);
        EXPECT_TRUE(std::ranges::equal(view->payload(),
                                       Bytes(packet).subspan(20 + next, view->payload().size())));
        next += view->payload().size();
    }
    EXPECT_EQ(next, 1408U);
}

TEST(Forwarding, OnlyCopiedOptionsAreInLaterFragments) {
    RouterBench router({}, 600);
    const std::vector<u8> options{7, 3, 4, 0x94, 4, 0, 0};  // record route; router alert (copied)
    const auto packet = ip_packet_with_options(
        RouterBench::header(IpProtocol::Udp, kLaptop.address, kServer.address), options,
        udp_datagram(1, 2, std::vector<u8>(1000), kLaptop.address, kServer.address));
    const auto out = router.send(Side::Lan, packet);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(Ipv4View::parse(out[0].packet)->options().size(), 8U);
    const auto later = Ipv4View::parse(out[1].packet);
    EXPECT_EQ(copy_of(later->options()), (std::vector<u8>{0x94, 4, 0, 0}));
}

TEST(Forwarding, WithoutRulesFragmentsStayFragments) {
    RouterBench router({}, 300);
    const auto whole = router.udp(kLaptop, kServer, std::vector<u8>(792, 'z'));
    Ipv4Header header = RouterBench::header(IpProtocol::Udp, kLaptop.address, kServer.address);
    header.more_fragments = true;
    const auto first = ip_packet(header, Bytes(whole).subspan(20, 400));
    header.more_fragments = false;
    header.fragment_offset = 400;
    const auto second = ip_packet(header, Bytes(whole).subspan(420));
    std::vector<RouterBench::Out> out = router.send(Side::Lan, second);
    ASSERT_EQ(out.size(), 2U) << "the last one, cut again";
    EXPECT_EQ(Ipv4View::parse(out[0].packet)->fragment_offset(), 400U);
    EXPECT_TRUE(Ipv4View::parse(out[0].packet)->more_fragments());
    EXPECT_FALSE(Ipv4View::parse(out[1].packet)->more_fragments());
    out = router.send(Side::Lan, first);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_TRUE(Ipv4View::parse(out[1].packet)->more_fragments()) << "it was not the last";
}

TEST(Forwarding, SuperFramesPassWholeWithoutAnyRule) {
    PortCapabilities offers;
    offers.max_super_frame = 65535;
    RouterBench router({}, 1500, offers);
    PacketBuilder builder;
    builder.ip = RouterBench::header(IpProtocol::Tcp, kLaptop.address, kServer.address);
    builder.ip.dont_fragment = true;
    builder.tcp(tcp_header(1)).payload(std::vector<u8>(14600));
    const auto frame = builder.build_partial();
    const auto out =
        router.pass(Side::Lan, {frame.begin() + 14, frame.end()}, builder.partial_offload(1460));
    EXPECT_EQ(out.offload, builder.partial_offload(1460));
    EXPECT_EQ(out.packet.size(), frame.size() - 14);
}

TEST(Forwarding, SuperFramesThatDoNotFitAreReported) {
    PortCapabilities offers;
    offers.max_super_frame = 65535;
    RouterBench router({}, 1400, offers);
    PacketBuilder builder;
    builder.ip = RouterBench::header(IpProtocol::Tcp, kLaptop.address, kServer.address);
    builder.ip.dont_fragment = true;
    builder.tcp(tcp_header(1)).payload(std::vector<u8>(14600));
    const auto frame = builder.build_partial();
    const auto out =
        router.pass(Side::Lan, {frame.begin() + 14, frame.end()}, builder.partial_offload(1460));
    EXPECT_EQ(icmp_in(out).code(), 4);
    EXPECT_EQ(icmp_in(out).next_hop_mtu(), 1400);
}

TEST(Forwarding, SuperFramesForADeviceThatCutsNoneAreCutIntoFragmentsWithOneRightChecksum) {
    PortCapabilities offers;
    offers.max_super_frame = 0;
    RouterBench router({}, 1500, offers);
    PacketBuilder builder;
    builder.ip = RouterBench::header(IpProtocol::Tcp, kLaptop.address, kServer.address);
    builder.ip.dont_fragment = false;
    builder.tcp(tcp_header(1)).payload(std::vector<u8>(5000, 'q'));
    const auto frame = builder.build_partial();
    const auto out =
        router.send(Side::Lan, {frame.begin() + 14, frame.end()}, builder.partial_offload(1460));
    ASSERT_EQ(out.size(), 4U);
    std::vector<u8> segment;
    for (const auto& piece : out) {
        const auto view = Ipv4View::parse(piece.packet);
        segment.insert(segment.end(), view->payload().begin(), view->payload().end());
    }
    EXPECT_TRUE(TcpView::parse(segment)->checksum_ok(kLaptop.address, kServer.address));
}

TEST(Forwarding, ARedirectTellsTheShorterWay) {
    RouterBench router;
    router.stack().add_route({{10, 9, 0, 0}, 16}, router.stack().interface(0), {192, 168, 3, 20});
    const auto packet = router.udp(kLaptop, {{10, 9, 1, 1}, 9});
    const auto out = router.send(Side::Lan, packet);
    ASSERT_EQ(out.size(), 2U) << "the packet goes on, too";
    const IcmpView redirect = icmp_in(out[0]);
    EXPECT_EQ(redirect.type(), IcmpType::Redirect);
    EXPECT_EQ(redirect.code(), 1) << "RFC 1812 4.3.3.2: for the host";
    EXPECT_EQ(Ipv4Address::load(&out[0].packet[24]), (Ipv4Address{192, 168, 3, 20}));
    EXPECT_EQ(out[1].side, Side::Lan);
    // Not to somebody who is no neighbour.
    EXPECT_EQ(router.send(Side::Lan, router.udp(kServer, {{10, 9, 1, 1}, 9})).size(), 1U);
}

TEST(Forwarding, RedirectsCanBeTurnedOff) {
    StackConfig config;
    config.send_redirects = false;
    RouterBench router(config);
    router.stack().add_route({{10, 9, 0, 0}, 16}, router.stack().interface(0), {192, 168, 3, 20});
    EXPECT_EQ(router.send(Side::Lan, router.udp(kLaptop, {{10, 9, 1, 1}, 9})).size(), 1U);
}

TEST(Forwarding, ReversePathFilteringIsOffUnlessAskedFor) {
    const auto spoofed = RouterBench::udp({{198, 51, 100, 99}, 1}, kServer);
    RouterBench router;
    EXPECT_EQ(router.pass(Side::Lan, spoofed).side, Side::Wan);
    StackConfig config;
    config.reverse_path_filter = true;
    RouterBench strict(config);
    EXPECT_TRUE(strict.refuses(Side::Lan, spoofed, Drop::Ipv4ReversePath));
    EXPECT_EQ(strict.pass(Side::Lan, RouterBench::udp(kLaptop, kServer)).side, Side::Wan);
}

TEST(Forwarding, ANeighbourThatDoesNotAnswerIsReportedToTheSenderInItsOwnTerms) {
    for (const bool translated : {false, true}) {
        RouterBench router;
        if (translated) router.masquerade();
        const auto packet = router.udp(kLaptop, {{203, 0, 113, 77}, 53});
        EXPECT_TRUE(router.send(Side::Lan, packet).empty()) << "waits for ARP";
        router.wait(5s);
        const auto out = router.take();
        ASSERT_EQ(out.size(), 1U);
        EXPECT_EQ(out[0].side, Side::Lan);
        EXPECT_EQ(icmp_in(out[0]).type(), IcmpType::DestinationUnreachable);
        EXPECT_EQ(icmp_in(out[0]).code(), 1);
        EXPECT_EQ(out[0].tuple.source, kLaptop) << "not what it was translated to";
    }
}

TEST(Forwarding, AFullDeviceLosesThePacketByName) {
    RouterBench router;
    router.port(Side::Wan).room = 0;
    EXPECT_TRUE(router.refuses(Side::Lan, router.udp(kLaptop, kServer), Drop::DeviceFull));
}

}  // namespace
}  // namespace tapestry::test
