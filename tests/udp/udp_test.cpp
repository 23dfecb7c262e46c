#include "stack/udp/udp.h"

#include "tests/udp/udp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

// ---- receiving --------------------------------------------------------------------------------

TEST_F(UdpTest, DeliversToTheBoundSocket) {
    ASSERT_TRUE(socket_.bind({{}, 7}));
    EXPECT_FALSE(socket_.readiness().readable);
    EXPECT_TRUE(taken(host_.datagram(kClient, 7, data_)));
    EXPECT_TRUE(socket_.readiness().readable);
    const auto got = socket_.receive(buffer_);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->source, kClient);
    EXPECT_EQ(got->destination, (Endpoint{kUs, 7}));
    EXPECT_EQ(got->size, 100U);
    EXPECT_FALSE(got->truncated);
    EXPECT_TRUE(std::equal(data_.begin(), data_.end(), buffer_.begin()));
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::Again));
    EXPECT_EQ(host_.services.counters.udp_in_datagrams, 1U);
}

TEST_F(UdpTest, KeepsTheOrder) {
    socket_.bind({{}, 7});
    for (u8 i = 0; i < 20; ++i) host_.datagram(kClient, 7, std::vector<u8>(i, i));
    for (u8 i = 0; i < 20; ++i) EXPECT_EQ(read(socket_), std::vector<u8>(i, i));
}

TEST_F(UdpTest, EmptyDatagramIsADatagram) {
    socket_.bind({{}, 7});
    EXPECT_TRUE(taken(host_.datagram(kClient, 7, {})));
    EXPECT_EQ(read(socket_), std::vector<u8>{});
    EXPECT_EQ(read(socket_), std::nullopt);
}

TEST_F(UdpTest, RestOfACutDatagramIsLostAndSaidSo) {
    socket_.bind({{}, 7});
    host_.datagram(kClient, 7, data_);
    host_.datagram(kClient, 7, data_);
    auto got = socket_.receive(MutableBytes(buffer_).first(60));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->size, 60U);
    EXPECT_TRUE(got->truncated);
    got = socket_.receive({});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->size, 0U);
    EXPECT_TRUE(got->truncated);
    EXPECT_EQ(read(socket_), std::nullopt);
}

TEST_F(UdpTest, UdpLengthDecidesNotTheIpLength) {
    socket_.bind({{}, 7});
    auto datagram = udp_datagram(5000, 7, data_);
    datagram.resize(datagram.size() + 30, 0xaa);
    EXPECT_TRUE(taken(host_.receive_ip(ip_header(IpProtocol::Udp), datagram)));
    EXPECT_EQ(read(socket_), data_);
}

TEST_F(UdpTest, ChecksumZeroIsAccepted) {
    socket_.bind({{}, 7});
    auto datagram = udp_datagram(5000, 7, data_);
    store_be16(&datagram[UdpView::kChecksum], 0);
    EXPECT_TRUE(taken(host_.receive_ip(ip_header(IpProtocol::Udp), datagram)));
    EXPECT_EQ(read(socket_), data_);
}

TEST_F(UdpTest, WrongChecksumIsRefusedUnlessTheDeviceVouches) {
    socket_.bind({{}, 7});
    auto datagram = udp_datagram(5000, 7, data_);
    datagram.back() ^= 1;
    const auto packet = ip_packet(ip_header(IpProtocol::Udp), datagram);
    EXPECT_TRUE(refused_as(host_.receive_packet(packet), Drop::UdpBadChecksum));
    EXPECT_EQ(read(socket_), std::nullopt);
    Offload partial;
    partial.checksum = Offload::Checksum::Partial;
    EXPECT_TRUE(taken(host_.receive_packet(packet, kOurMac, partial)));
    EXPECT_TRUE(read(socket_));
}

TEST_F(UdpTest, MalformedDatagramsAreRefused) {
    socket_.bind({{}, 7});
    const auto good = udp_datagram(5000, 7, data_);
    for (std::size_t size = 0; size < 8; ++size) {
        EXPECT_TRUE(refused_as(
            host_.receive_ip(ip_header(IpProtocol::Udp), Bytes(good).first(size)), Drop::UdpShort));
    }
    for (const int length : {0, 1, 7, 109, 65535}) {
        auto bad = good;
        store_be16(&bad[UdpView::kLength], static_cast<u16>(length));
        EXPECT_TRUE(
            refused_as(host_.receive_ip(ip_header(IpProtocol::Udp), bad), Drop::UdpBadLength));
    }
    EXPECT_EQ(read(socket_), std::nullopt);
    EXPECT_TRUE(host_.port.take().empty());
}

/// RFC 1122 4.1.3.1: a port that nobody listens on is reported; nobody can listen on port 0.
TEST_F(UdpTest, PortZeroIsUnreachable) {
    EXPECT_TRUE(refused_as(host_.datagram(kClient, 0, data_), Drop::UdpBadPort));
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    const auto message = icmp_of(sent[0]);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::DestinationUnreachable);
    EXPECT_EQ(message->code(), code_of(UnreachableCode::Port));
}

TEST_F(UdpTest, SourcePortZeroIsDeliveredAndCannotBeAnswered) {
    socket_.bind({{}, 7});
    EXPECT_TRUE(taken(host_.datagram({kPeer, 0}, 7, data_)));
    const auto got = socket_.receive(buffer_);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->source.port, 0);
    EXPECT_TRUE(fails_as(socket_.send_to(data_, got->source), Errno::InvalidArgument));
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(UdpTest, ClosedPortIsAnsweredPortUnreachable) {
    EXPECT_TRUE(refused_as(host_.datagram(kClient, 9, data_), Drop::UdpNoSocket));
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    const auto message = icmp_of(sent[0]);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::DestinationUnreachable);
    EXPECT_EQ(message->code(), 3);
}

TEST_F(UdpTest, QueueIsBoundedAndTheNewestIsRefused) {
    StackConfig config = UdpHost::quiet();
    config.udp.receive_buffer = 1000;
    UdpHost host(config);
    UdpSocket socket = host.udp.socket();
    socket.bind({{}, 7});
    std::size_t accepted_bytes = 0;
    for (u8 i = 0; i < 50; ++i) {
        const auto result = host.datagram(kClient, 7, std::vector<u8>(100, i));
        if (result) {
            accepted_bytes += 100;
        } else {
            EXPECT_TRUE(refused_as(result, Drop::UdpQueueFull));
        }
    }
    EXPECT_EQ(accepted_bytes, 600U) << "6 of 164 bytes each";
    EXPECT_TRUE(host.port.take().empty()) << "a full queue is no closed port";
    for (u8 i = 0; i < 6; ++i) {
        ASSERT_TRUE(socket.receive(buffer_));
        EXPECT_EQ(buffer_[0], i);
    }
    EXPECT_TRUE(taken(host.datagram(kClient, 7, data_))) << "reading makes room";
}

TEST_F(UdpTest, FloodOfEmptyDatagramsIsBoundedToo) {
    StackConfig config = UdpHost::quiet();
    config.udp.receive_buffer = 1000;
    UdpHost host(config);
    UdpSocket socket = host.udp.socket();
    socket.bind({{}, 7});
    for (int i = 0; i < 1000; ++i) host.datagram(kClient, 7, {});
    int n = 0;
    while (socket.receive(buffer_)) ++n;
    EXPECT_EQ(n, 15);
}

TEST_F(UdpTest, SuperFrameIsARowOfDatagrams) {
    socket_.bind({{}, 7});
    Offload offload;
    offload.checksum = Offload::Checksum::Partial;
    offload.gso = Offload::Gso::Udp4;
    offload.gso_size = 40;
    const auto packet = ip_packet(ip_header(IpProtocol::Udp), udp_datagram(5000, 7, data_));
    EXPECT_TRUE(taken(host_.receive_packet(packet, kOurMac, offload)));
    EXPECT_EQ(read(socket_), copy_of(Bytes(data_).first(40)));
    EXPECT_EQ(read(socket_), copy_of(Bytes(data_).subspan(40, 40)));
    EXPECT_EQ(read(socket_), copy_of(Bytes(data_).subspan(80)));
    EXPECT_EQ(read(socket_), std::nullopt);
}

TEST_F(UdpTest, ReassembledDatagramArrives) {
    socket_.bind({{}, 7});
    const auto large = pattern_bytes(65507);
    const auto datagram = udp_datagram(5000, 7, large);
    Ipv4Header header = ip_header(IpProtocol::Udp);
    for (u32 from = 0; from < datagram.size(); from += 1480) {
        const auto size = std::min<std::size_t>(1480, datagram.size() - from);
        header.fragment_offset = from;
        header.more_fragments = from + size < datagram.size();
        EXPECT_TRUE(taken(host_.receive_ip(header, Bytes(datagram).subspan(from, size))));
    }
    EXPECT_EQ(read(socket_), large);
}

// ---- who gets it ------------------------------------------------------------------------------

TEST_F(UdpTest, ExactConversationThenAddressThenAny) {
    UdpSocket any = bound({{}, 7}, true);
    UdpSocket address = bound({kUs, 7}, true);
    UdpSocket exact = bound({kUs, 7}, true);
    ASSERT_TRUE(exact.connect(kClient));
    host_.datagram(kClient, 7, {{1}});
    host_.datagram({kPeer, 5001}, 7, {{2}});
    EXPECT_EQ(read(exact), std::vector<u8>{1});
    EXPECT_EQ(read(address), std::vector<u8>{2});
    exact.close();
    host_.datagram(kClient, 7, {{3}});
    EXPECT_EQ(read(address), std::vector<u8>{3});
    address.close();
    host_.datagram(kClient, 7, {{4}});
    EXPECT_EQ(read(any), std::vector<u8>{4});
    any.close();
    EXPECT_TRUE(refused_as(host_.datagram(kClient, 7, {{5}}), Drop::UdpNoSocket));
}

TEST_F(UdpTest, ConnectedSocketTakesItsPeersDatagramsOnly) {
    socket_.bind({{}, 7});
    ASSERT_TRUE(socket_.connect(kClient));
    EXPECT_EQ(socket_.local(), (Endpoint{kUs, 7}));
    EXPECT_EQ(socket_.remote(), kClient);
    EXPECT_TRUE(refused_as(host_.datagram({kPeer, 5001}, 7, data_), Drop::UdpNoSocket));
    EXPECT_TRUE(
        refused_as(host_.datagram({Ipv4Address(10, 0, 0, 9), 5000}, 7, data_), Drop::UdpNoSocket));
    EXPECT_TRUE(taken(host_.datagram(kClient, 7, data_)));
    EXPECT_EQ(read(socket_), data_);
}

TEST_F(UdpTest, ConnectingAnewChangesThePeer) {
    socket_.connect(kClient);
    const u16 port = socket_.local().port;
    ASSERT_TRUE(socket_.connect({kPeer, 6000}));
    EXPECT_EQ(socket_.local().port, port);
    EXPECT_TRUE(refused_as(host_.datagram(kClient, port, data_), Drop::UdpNoSocket));
    EXPECT_TRUE(taken(host_.datagram({kPeer, 6000}, port, data_)));
}

TEST_F(UdpTest, BroadcastGoesToAllThatAreBoundToAnyAddress) {
    UdpSocket first = bound({{}, 7}, true);
    UdpSocket second = bound({{}, 7}, true);
    UdpSocket address = bound({kUs, 7}, true);
    for (const Ipv4Address to : {Ipv4Address::broadcast(), Ipv4Address(10, 0, 0, 255)}) {
        EXPECT_TRUE(taken(host_.datagram(kClient, 7, data_, to)));
        const auto got = first.receive(buffer_);
        ASSERT_TRUE(got);
        EXPECT_EQ(got->destination.address, to);
        EXPECT_TRUE(second.receive(buffer_));
        EXPECT_TRUE(fails_as(address.receive(buffer_), Errno::Again));
    }
}

TEST_F(UdpTest, FirstBoundGetsWhatSeveralCouldTake) {
    UdpSocket first = bound({{}, 7}, true);
    UdpSocket second = bound({{}, 7}, true);
    host_.datagram(kClient, 7, data_);
    EXPECT_EQ(read(second), std::nullopt);
    EXPECT_EQ(read(first), data_);
}

TEST_F(UdpTest, BroadcastIsTakenWhenOneSocketHasRoom) {
    UdpSocket first = bound({{}, 7}, true);
    UdpSocket second = bound({{}, 7}, true);
    const Ipv4Address all = Ipv4Address::broadcast();
    while (host_.services.counters.udp_in_datagrams < 4000) {
        ASSERT_TRUE(taken(host_.datagram(kClient, 7, data_, all)));
        if (!read(first)) break;
    }
    EXPECT_TRUE(taken(host_.datagram(kClient, 7, data_, all))) << "the second is full";
    while (read(first)) {
    }
    while (read(second)) {
    }
}

TEST_F(UdpTest, BroadcastToAClosedPortIsNotAnswered) {
    EXPECT_TRUE(refused_as(host_.datagram(kClient, 7, data_, Ipv4Address(10, 0, 0, 255)),
                           Drop::UdpNoSocket));
    EXPECT_TRUE(host_.port.take().empty());
}

}  // namespace
}  // namespace tapestry
