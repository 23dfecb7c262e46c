#include <set>

#include "stack/ip/ipv4.h"
#include "tests/support/ip_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

Ipv4SendOptions to_peer(IpProtocol protocol = IpProtocol::Tcp, bool dont_fragment = true) {
    Ipv4SendOptions options;
    options.destination = kPeer;
    options.protocol = protocol;
    options.dont_fragment = dont_fragment;
    return options;
}

/// A TCP segment of ours to the peer: 20 bytes of header in the frame, data in two pieces, the
/// checksum left to the device.
struct Segment {
    std::vector<u8> header = std::vector<u8>(20);
    std::vector<u8> data;
    explicit Segment(std::size_t size) : data(pattern_bytes(size)) {
        tcp_header(1).write(header.data());
        const auto sum = pseudo_header(kUs, kPeer, 6, static_cast<u32>(20 + size)).sum();
        store_be16(&header[TcpView::kChecksum], sum);
    }
    Frame frame(u16 gso_size = 0) const {
        Frame made(Bytes(data).first(data.size() / 3), Bytes(data).subspan(data.size() / 3));
        std::memcpy(made.push(20), header.data(), 20);
        made.offload.checksum = Offload::Checksum::Partial;
        made.offload.csum_offset = TcpView::kChecksum;
        made.offload.header_length = 20;
        if (gso_size != 0) made.offload.gso = Offload::Gso::Tcp4;
        made.offload.gso_size = gso_size;
        return made;
    }
};

/// The payloads of fragments put together, with what every receiver relies on checked.
std::vector<u8> joined(const std::vector<RecordingPort::Sent>& sent, u32 mtu) {
    std::vector<u8> payload;
    std::set<u16> ids;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const auto packet = ip_of(sent[i]);
        EXPECT_TRUE(packet) << "a valid header and checksum";
        if (!packet) return {};
        EXPECT_LE(packet->total_length(), mtu);
        EXPECT_EQ(packet->fragment_offset(), payload.size());
        EXPECT_EQ(packet->more_fragments(), i + 1 < sent.size());
        EXPECT_FALSE(packet->dont_fragment());
        EXPECT_TRUE(i + 1 == sent.size() || packet->payload().size() % 8 == 0);
        ids.insert(packet->identification());
        const Bytes piece = packet->payload();
        payload.insert(payload.end(), piece.begin(), piece.end());
    }
    EXPECT_EQ(ids.size(), 1U) << "one identification";
    return payload;
}

TEST(Ipv4Output, WritesTheHeader) {
    IpHost host;
    const auto data = pattern_bytes(100);
    Frame frame(data);
    Ipv4SendOptions options = to_peer();
    options.tos = 0x08;
    options.ttl = 9;
    EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(destination_of(sent[0]), kPeerMac);
    const auto packet = ip_of(sent[0]);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->source(), kUs);
    EXPECT_EQ(packet->destination(), kPeer);
    EXPECT_EQ(packet->tos(), 0x08);
    EXPECT_EQ(packet->ttl(), 9);
    EXPECT_EQ(packet->protocol(), IpProtocol::Tcp);
    EXPECT_TRUE(packet->dont_fragment());
    EXPECT_FALSE(packet->is_fragment());
    EXPECT_EQ(packet->identification(), 0) << "an atomic datagram needs none (RFC 6864)";
    EXPECT_EQ(copy_of(packet->payload()), data);
    EXPECT_EQ(host.services.counters.ip_out_requests, 1U);
}

TEST(Ipv4Output, TtlIsTheDefaultAndNeverZero) {
    StackConfig config = IpHost::quiet();
    for (const u8 ttl : {u8{64}, u8{0}}) {
        config.ip.default_ttl = ttl;
        IpHost host(config);
        Frame frame;
        host.ip.output(frame, to_peer(), host.now);
        EXPECT_EQ(ip_of(host.port.sent.at(0))->ttl(), ttl == 0 ? 1 : 64);
    }
}

TEST(Ipv4Output, MovesTheOffloadOffsets) {
    IpHost host(IpHost::quiet(), {1500, 65535});
    const Segment segment(3000);
    Frame frame = segment.frame(1448);
    EXPECT_EQ(host.ip.output(frame, to_peer(), host.now), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].offload,
              (Offload{Offload::Checksum::Partial, Offload::Gso::Tcp4, 1448, 54, 34, 16}));
    EXPECT_EQ(ip_of(sent[0])->total_length(), 3040);
}

TEST(Ipv4Output, SuperFrameBeyondTheDeviceIsTooBig) {
    const Segment segment(3000);
    for (const u32 limit : {u32{0}, u32{3039}}) {
        IpHost host(IpHost::quiet(), {1500, limit});
        Frame frame = segment.frame(1448);
        EXPECT_EQ(host.ip.output(frame, to_peer(), host.now), SendResult::TooBig);
        EXPECT_TRUE(host.port.take().empty());
    }
}

TEST(Ipv4Output, SuperFrameOfTooLargeSegmentsIsTooBig) {
    IpHost host(IpHost::quiet(), {1500, 65535});
    const Segment segment(3000);
    Frame exact = segment.frame(1460);
    EXPECT_EQ(host.ip.output(exact, to_peer(), host.now), SendResult::Sent);
    Frame over = segment.frame(1461);
    EXPECT_EQ(host.ip.output(over, to_peer(), host.now), SendResult::TooBig);
}

TEST(Ipv4Output, SuperFrameHeedsThePathMtu) {
    IpHost host(IpHost::quiet(), {1500, 65535});
    IcmpError error;
    error.destination = kPeer;
    error.next_hop_mtu = 1000;
    host.ip.lower_path_mtu(error, host.now);
    const Segment segment(3000);
    Frame frame = segment.frame(1448);
    EXPECT_EQ(host.ip.output(frame, to_peer(), host.now), SendResult::TooBig);
    Frame small = segment.frame(960);
    EXPECT_EQ(host.ip.output(small, to_peer(), host.now), SendResult::Sent);
}

TEST(Ipv4Output, DontFragmentIsHeeded) {
    IpHost host;
    const std::vector<u8> data(1481);
    Frame frame(data);
    EXPECT_EQ(host.ip.output(frame, to_peer(), host.now), SendResult::TooBig);
    Frame exact(Bytes(data).first(1480));
    EXPECT_EQ(host.ip.output(exact, to_peer(), host.now), SendResult::Sent);
    EXPECT_EQ(host.services.counters.ip_out_requests, 1U);
}

TEST(Ipv4Output, NothingIsLargerThan65535) {
    IpHost host;
    const std::vector<u8> data(65516);
    Frame frame(data);
    EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Udp, false), host.now), SendResult::TooBig);
    Frame exact(Bytes(data).first(65515));
    EXPECT_EQ(host.ip.output(exact, to_peer(IpProtocol::Udp, false), host.now), SendResult::Sent);
}

TEST(Ipv4Fragmenting, CutsAtMultiplesOfEight) {
    for (const u32 mtu : {u32{68}, u32{576}, u32{1499}, u32{1500}}) {
        IpHost host(IpHost::quiet(), {mtu, 0});
        const auto data = pattern_bytes(5000);
        Frame frame(Bytes(data).first(3), Bytes(data).subspan(3));
        EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Udp, false), host.now),
                  SendResult::Sent);
        const auto sent = host.port.take();
        EXPECT_EQ(joined(sent, mtu), data) << mtu;
        const std::size_t most = (mtu - 20) / 8 * 8;
        EXPECT_EQ(sent.size(), (5000 + most - 1) / most);
        EXPECT_EQ(host.services.counters.ip_fragments_created, sent.size());
        EXPECT_EQ(host.services.counters.ip_out_requests, 1U);
    }
}

TEST(Ipv4Fragmenting, HeaderLongerThanAFragmentIsCutToo) {
    IpHost host(IpHost::quiet(), {68, 0});
    const auto bytes = pattern_bytes(200);
    Frame frame = frame_of(bytes, 100, {}, 30);
    EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Udp, false), host.now), SendResult::Sent);
    EXPECT_EQ(joined(host.port.take(), 68), bytes);
}

TEST(Ipv4Fragmenting, CompletesAPartialChecksumFirst) {
    IpHost host;
    const Segment segment(4000);
    Frame frame = segment.frame();
    EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Tcp, false), host.now), SendResult::Sent);
    const auto sent = host.port.take();
    for (const auto& one : sent) EXPECT_EQ(one.offload, Offload());
    const auto whole = joined(sent, 1500);
    const auto view = TcpView::parse(whole);
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->checksum_ok(kUs, kPeer));
    EXPECT_EQ(copy_of(view->payload()), segment.data);
}

TEST(Ipv4Fragmenting, SuperFrameThatMustBeCutBecomesOneSegment) {
    IpHost host;  // a device without super-frames
    const Segment segment(4000);
    Frame frame = segment.frame(1448);
    EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Tcp, false), host.now), SendResult::Sent);
    const auto sent = host.port.take();
    for (const auto& one : sent) EXPECT_EQ(one.offload, Offload());
    const auto whole = joined(sent, 1500);
    ASSERT_TRUE(TcpView::parse(whole));
    EXPECT_TRUE(TcpView::parse(whole)->checksum_ok(kUs, kPeer));
}

TEST(Ipv4Fragmenting, HeedsThePathMtu) {
    IpHost host;
    IcmpError error;
    error.destination = kPeer;
    error.next_hop_mtu = 600;
    host.ip.lower_path_mtu(error, host.now);
    const auto data = pattern_bytes(1400);
    Frame frame(data);
    EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Udp, false), host.now), SendResult::Sent);
    const auto sent = host.port.take();
    EXPECT_EQ(sent.size(), 3U);
    EXPECT_EQ(joined(sent, 600), data);
}

TEST(Ipv4Fragmenting, FullDeviceBeforeTheFirstPieceTakesNothing) {
    IpHost host;
    host.port.room = 0;
    const auto data = pattern_bytes(4000);
    Frame frame(data);
    EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Udp, false), host.now), SendResult::Full);
    EXPECT_EQ(host.services.counters.ip_out_requests, 0U);
}

TEST(Ipv4Fragmenting, FullDeviceAfterTheFirstPieceLosesTheDatagram) {
    IpHost host;
    host.port.room = 1;
    const auto data = pattern_bytes(4000);
    Frame frame(data);
    EXPECT_EQ(host.ip.output(frame, to_peer(IpProtocol::Udp, false), host.now), SendResult::Sent);
    EXPECT_EQ(host.port.take().size(), 1U);
    EXPECT_EQ(host.drops(Drop::DeviceFull), 1U);
}

TEST(Ipv4Fragmenting, LargestDatagramWaitsWholeForAnAddress) {
    IpHost host;
    const Ipv4Address other(10, 0, 0, 8);
    const auto data = pattern_bytes(65515);
    Frame frame(data);
    Ipv4SendOptions options = to_peer(IpProtocol::Udp, false);
    options.destination = other;
    EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::Sent);
    host.port.take();
    host.answer(other, MacAddress({2, 0, 0, 0, 0, 8}));
    EXPECT_EQ(joined(host.port.take(), 1500), data);
}

TEST(Ipv4Identification, DiffersInSuccessionAndTellsOnePeerNothingOfAnother) {
    IpHost host;
    // Two peers that fall into different buckets, as all but one in 256 do.
    const Ipv4Address other(10, 0, 0, 9);
    host.learn(other, MacAddress({2, 0, 0, 0, 0, 9}));
    std::set<u16> seen;
    std::vector<u16> of_peer;
    for (int i = 0; i < 1000; ++i) {
        Ipv4SendOptions options = to_peer(IpProtocol::Udp, false);
        Frame frame;
        host.ip.output(frame, options, host.now);
        of_peer.push_back(ip_of(host.port.sent.back())->identification());
        options.destination = other;
        for (int n = 0; n < i % 3; ++n) {
            Frame more;
            host.ip.output(more, options, host.now);
        }
    }
    for (std::size_t i = 1; i < of_peer.size(); ++i) {
        EXPECT_EQ(of_peer[i], static_cast<u16>(of_peer[i - 1] + 1))
            << "what the other gets leaves no gap";
    }
    seen.insert(of_peer.begin(), of_peer.end());
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(Ipv4Identification, BeginsElsewhereForAnotherSeed) {
    std::set<u16> firsts;
    for (u64 seed = 1; seed <= 8; ++seed) {
        LinkHost link;
        link.rng = SeededRng(seed);
        Ipv4 ip(link.services);
        ip.add_interface(*link.interface);
        link.interface->arp().add_static(kPeer, kPeerMac, link.now);
        Frame frame;
        ip.output(frame, to_peer(IpProtocol::Udp, false), link.now);
        firsts.insert(ip_of(link.port.sent.at(0))->identification());
    }
    EXPECT_GE(firsts.size(), 7U);
}

// ---- routes -----------------------------------------------------------------------------------

TEST(Ipv4Route, GatewayIsTheNextHop) {
    IpHost host;
    host.ip.routes().add({{Ipv4Address(), 0}, host.interface.get(), kPeer});
    const auto route = host.ip.route(Ipv4Address(8, 8, 8, 8));
    ASSERT_TRUE(route);
    EXPECT_EQ(route->next_hop, kPeer);
    EXPECT_EQ(route->source, kUs);
    Ipv4SendOptions options = to_peer();
    options.destination = Ipv4Address(8, 8, 8, 8);
    Frame frame;
    EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::Sent);
    EXPECT_EQ(destination_of(host.port.sent.at(0)), kPeerMac);
    EXPECT_EQ(ip_of(host.port.sent.at(0))->destination(), Ipv4Address(8, 8, 8, 8));
}

TEST(Ipv4Route, NeighbourIsReachedDirectlyInSpiteOfADefaultRoute) {
    IpHost host;
    host.ip.routes().add({{Ipv4Address(), 0}, host.interface.get(), kPeer});
    EXPECT_EQ(host.ip.route(Ipv4Address(10, 0, 0, 7))->next_hop, Ipv4Address(10, 0, 0, 7));
    EXPECT_EQ(host.ip.route(Ipv4Address(10, 0, 0, 255))->next_hop, Ipv4Address(10, 0, 0, 255));
    EXPECT_EQ(host.ip.route(Ipv4Address::broadcast())->next_hop, Ipv4Address::broadcast());
    EXPECT_EQ(host.ip.route(Ipv4Address(224, 0, 0, 5))->next_hop, Ipv4Address(224, 0, 0, 5));
}

TEST(Ipv4Route, NoWayToWhatCannotBeOnAWire) {
    IpHost host;
    host.ip.routes().add({{Ipv4Address(), 0}, host.interface.get(), kPeer});
    for (const char* destination : {"0.0.0.0", "0.0.0.9", "127.0.0.1", "240.0.0.1", "10.0.0.2"}) {
        EXPECT_FALSE(host.ip.route(*Ipv4Address::parse(destination))) << destination;
    }
}

TEST(Ipv4Route, WithoutOneNothingIsSent) {
    IpHost host;
    Ipv4SendOptions options = to_peer();
    options.destination = Ipv4Address(8, 8, 8, 8);
    Frame frame;
    EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::NoRoute);
    EXPECT_TRUE(host.port.take().empty());
}

TEST(Ipv4Route, SourceIsTheOutgoingInterfaces) {
    IpHost host;
    RecordingPort port;
    Interface second(1, port, {"eth1", MacAddress({2, 0, 0, 0, 0, 3}), {{10, 1, 0, 2}, 24}, 0},
                     host.services);
    host.ip.add_interface(second);
    second.arp().add_static(Ipv4Address(10, 1, 0, 1), kPeerMac, host.now);
    Ipv4SendOptions options = to_peer();
    options.destination = Ipv4Address(10, 1, 0, 1);
    Frame frame;
    EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::Sent);
    EXPECT_TRUE(host.port.take().empty());
    EXPECT_EQ(ip_of(port.sent.at(0))->source(), Ipv4Address(10, 1, 0, 2));
}

TEST(Ipv4Output, SourceThatIsNotOursIsNotAllowed) {
    IpHost host;
    Ipv4SendOptions options = to_peer();
    options.source = Ipv4Address(10, 0, 0, 3);
    Frame frame;
    EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::NotAllowed);
    EXPECT_TRUE(host.port.take().empty());
}

TEST(Ipv4Output, BroadcastHasToBeAskedFor) {
    IpHost host;
    for (const Ipv4Address to : {Ipv4Address::broadcast(), Ipv4Address(10, 0, 0, 255)}) {
        Ipv4SendOptions options = to_peer(IpProtocol::Udp);
        options.destination = to;
        Frame frame;
        EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::NotAllowed);
        options.allow_broadcast = true;
        Frame again;
        EXPECT_EQ(host.ip.output(again, options, host.now), SendResult::Sent);
        EXPECT_EQ(destination_of(host.port.take().at(0)), MacAddress::broadcast());
    }
}

TEST(Ipv4Output, MulticastStaysOnTheLinkByDefault) {
    IpHost host;
    Ipv4SendOptions options = to_peer(IpProtocol::Udp);
    options.destination = Ipv4Address(224, 0, 0, 251);
    Frame frame;
    EXPECT_EQ(host.ip.output(frame, options, host.now), SendResult::Sent);
    EXPECT_EQ(ip_of(host.port.sent.at(0))->ttl(), 1);
    EXPECT_EQ(destination_of(host.port.sent.at(0)), MacAddress({1, 0, 0x5e, 0, 0, 251}));
}

}  // namespace
}  // namespace tapestry
