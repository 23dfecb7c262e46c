#include "stack/udp/udp.h"

#include <set>

#include "tests/support/udp_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

const Endpoint kClient{kPeer, 5000};

class UdpTest : public testing::Test {
protected:
    UdpHost host_;
    UdpSocket socket_ = host_.udp.socket();
    std::vector<u8> data_ = pattern_bytes(100);
    std::vector<u8> buffer_ = std::vector<u8>(65536);

    UdpSocket bound(Endpoint local, bool reuse = false) {
        UdpSocket made = host_.udp.socket();
        made.set_reuse_address(reuse);
        EXPECT_TRUE(made.bind(local));
        return made;
    }
    /// What the socket receives, or nothing.
    std::optional<std::vector<u8>> read(UdpSocket& socket) {
        const auto got = socket.receive(buffer_);
        if (!got) return std::nullopt;
        EXPECT_FALSE(got->truncated);
        return std::vector<u8>(buffer_.begin(),
                               buffer_.begin() + static_cast<std::ptrdiff_t>(got->size));
    }
    /// An ICMP error from the peer's network about the frame that was sent last.
    std::expected<void, Drop> error(IcmpType type, u8 code, u32 second = 0) {
        auto quoted = payload_of(host_.port.sent.back());
        quoted.resize(std::min<std::size_t>(quoted.size(), 28));
        return host_.receive_ip(ip_header(IpProtocol::Icmp),
                                icmp_message({type, code, second}, quoted));
    }
};

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
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::Again);
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
    EXPECT_TRUE(refused_as(host_.datagram(kClient, 0, data_), Drop::UdpBadPort));
    EXPECT_EQ(read(socket_), std::nullopt);
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(UdpTest, SourcePortZeroIsDeliveredAndCannotBeAnswered) {
    socket_.bind({{}, 7});
    EXPECT_TRUE(taken(host_.datagram({kPeer, 0}, 7, data_)));
    const auto got = socket_.receive(buffer_);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->source.port, 0);
    EXPECT_EQ(socket_.send_to(data_, got->source).error(), Errno::InvalidArgument);
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
        EXPECT_EQ(address.receive(buffer_).error(), Errno::Again);
    }
}

TEST_F(UdpTest, BroadcastToAClosedPortIsNotAnswered) {
    EXPECT_TRUE(refused_as(host_.datagram(kClient, 7, data_, Ipv4Address(10, 0, 0, 255)),
                           Drop::UdpNoSocket));
    EXPECT_TRUE(host_.port.take().empty());
}

// ---- binding ----------------------------------------------------------------------------------

TEST_F(UdpTest, PortInUseIsRefused) {
    UdpSocket any = bound({{}, 7});
    EXPECT_EQ(socket_.bind({{}, 7}).error(), Errno::AddressInUse);
    EXPECT_EQ(socket_.bind({kUs, 7}).error(), Errno::AddressInUse) << "any address includes it";
    EXPECT_TRUE(socket_.bind({kUs, 8}));
    UdpSocket third = host_.udp.socket();
    EXPECT_EQ(third.bind({{}, 8}).error(), Errno::AddressInUse);
    any.close();
    EXPECT_TRUE(third.bind({{}, 7})) << "free again";
}

TEST_F(UdpTest, SharingNeedsTheConsentOfAll) {
    UdpSocket first = bound({{}, 7}, false);
    socket_.set_reuse_address(true);
    EXPECT_EQ(socket_.bind({{}, 7}).error(), Errno::AddressInUse);
}

TEST_F(UdpTest, BindingTwiceOrToAForeignAddressIsRefused) {
    EXPECT_EQ(socket_.bind({kPeer, 7}).error(), Errno::AddressNotAvailable);
    EXPECT_TRUE(socket_.bind({kUs, 7}));
    EXPECT_EQ(socket_.bind({kUs, 8}).error(), Errno::InvalidArgument);
    EXPECT_EQ(socket_.local(), (Endpoint{kUs, 7}));
}

TEST_F(UdpTest, EphemeralPortsAreInTheRangeAndDifferent) {
    StackConfig config = UdpHost::quiet();
    config.udp.ephemeral_first = 60000;
    config.udp.ephemeral_last = 60099;
    UdpHost host(config);
    std::vector<UdpSocket> sockets;
    std::set<u16> ports;
    for (int i = 0; i < 100; ++i) {
        sockets.push_back(host.udp.socket());
        ASSERT_TRUE(sockets.back().bind({}));
        const u16 port = sockets.back().local().port;
        EXPECT_GE(port, 60000);
        EXPECT_LE(port, 60099);
        EXPECT_TRUE(ports.insert(port).second);
    }
    UdpSocket late = host.udp.socket();
    EXPECT_EQ(late.bind({}).error(), Errno::AddressNotAvailable);
    EXPECT_EQ(late.connect(kClient).error(), Errno::AddressNotAvailable);
    EXPECT_EQ(late.send_to(data_, kClient).error(), Errno::AddressNotAvailable);
    sockets[50].close();
    EXPECT_TRUE(late.bind({}));
}

TEST_F(UdpTest, EphemeralPortsAreNotInARow) {
    std::set<int> steps;
    u16 last = 0;
    std::vector<UdpSocket> sockets;
    for (int i = 0; i < 10; ++i) {
        sockets.push_back(host_.udp.socket());
        sockets.back().bind({});
        steps.insert(sockets.back().local().port - last);
        last = sockets.back().local().port;
    }
    EXPECT_GE(steps.size(), 9U);
}

TEST_F(UdpTest, ConnectRefusesWhatCannotBeReached) {
    EXPECT_EQ(socket_.connect({kPeer, 0}).error(), Errno::InvalidArgument);
    EXPECT_EQ(socket_.connect({{}, 7}).error(), Errno::InvalidArgument);
    EXPECT_EQ(socket_.connect({Ipv4Address(8, 8, 8, 8), 53}).error(), Errno::NetworkUnreachable);
    EXPECT_EQ(socket_.connect({Ipv4Address(10, 0, 0, 255), 7}).error(), Errno::AccessDenied);
    socket_.set_broadcast(true);
    EXPECT_TRUE(socket_.connect({Ipv4Address(10, 0, 0, 255), 7}));
}

TEST_F(UdpTest, TheSameConversationTwiceIsRefused) {
    UdpSocket first = bound({kUs, 7}, true);
    UdpSocket second = bound({kUs, 7}, true);
    EXPECT_TRUE(first.connect(kClient));
    EXPECT_EQ(second.connect(kClient).error(), Errno::AddressInUse);
    EXPECT_TRUE(first.connect(kClient)) << "to itself it is no stranger";
}

// ---- sending ----------------------------------------------------------------------------------

TEST_F(UdpTest, SendsHeaderDataAndChecksum) {
    socket_.set_ttl(3);
    ASSERT_TRUE(socket_.bind({{}, 7}));
    EXPECT_EQ(socket_.send_to(data_, kClient), 100U);
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(ip_of(sent[0])->ttl(), 3);
    EXPECT_EQ(ip_of(sent[0])->source(), kUs);
    const auto datagram = udp_of(sent[0]);
    ASSERT_TRUE(datagram) << "a right checksum";
    EXPECT_NE(datagram->checksum(), 0);
    EXPECT_EQ(datagram->source_port(), 7);
    EXPECT_EQ(datagram->destination_port(), 5000);
    EXPECT_EQ(copy_of(datagram->payload()), data_);
    EXPECT_EQ(sent[0].offload, Offload());
    EXPECT_EQ(host_.services.counters.udp_out_datagrams, 1U);
}

TEST_F(UdpTest, ComputedChecksumZeroIsSentAsAllOnes) {
    socket_.bind({{}, 7});
    // Choose the data so that the sum of everything is 0xffff.
    auto adder = pseudo_header(kUs, kPeer, 17, 10);
    adder.add_be16(7);
    adder.add_be16(5000);
    adder.add_be16(10);
    std::vector<u8> data(2);
    store_be16(data.data(), adder.checksum());
    ASSERT_TRUE(socket_.send_to(data, kClient));
    const auto packet = ip_of(host_.port.sent.at(0));
    EXPECT_EQ(load_be16(packet->payload().data() + UdpView::kChecksum), 0xffff);
    EXPECT_TRUE(udp_of(host_.port.sent.at(0)));
}

TEST_F(UdpTest, LargestDatagramIsFragmentedAndOneByteMoreIsRefused) {
    const auto huge = pattern_bytes(65508);
    EXPECT_EQ(socket_.send_to(huge, kClient).error(), Errno::MessageSize);
    EXPECT_TRUE(host_.port.take().empty());
    EXPECT_EQ(socket_.send_to(Bytes(huge).first(65507), kClient), 65507U);
    std::vector<u8> datagram;
    for (const auto& sent : host_.port.sent) {
        const auto packet = ip_of(sent);
        datagram.insert(datagram.end(), packet->payload().begin(), packet->payload().end());
    }
    EXPECT_EQ(host_.port.sent.size(), 45U);
    const auto view = UdpView::parse(datagram, kUs, kPeer);
    ASSERT_TRUE(view);
    EXPECT_EQ(copy_of(view->payload()), copy_of(Bytes(huge).first(65507)));
}

TEST_F(UdpTest, EmptyDatagramIsSent) {
    EXPECT_EQ(socket_.send_to({}, kClient), 0U);
    EXPECT_EQ(udp_of(host_.port.sent.at(0))->length(), 8);
}

TEST_F(UdpTest, UnboundSocketGetsAPortWithTheFirstSend) {
    ASSERT_TRUE(socket_.send_to(data_, kClient));
    EXPECT_GE(socket_.local().port, 49152);
    EXPECT_TRUE(taken(host_.datagram(kClient, socket_.local().port, data_)));
    EXPECT_EQ(read(socket_), data_);
}

TEST_F(UdpTest, SendRefusals) {
    EXPECT_EQ(socket_.send(data_).error(), Errno::NotConnected);
    EXPECT_EQ(socket_.send_to(data_, {kPeer, 0}).error(), Errno::InvalidArgument);
    EXPECT_EQ(socket_.send_to(data_, {Ipv4Address(8, 8, 8, 8), 53}).error(),
              Errno::NetworkUnreachable);
    host_.port.room = 0;
    EXPECT_EQ(socket_.send_to(data_, kClient).error(), Errno::Again);
    EXPECT_EQ(host_.services.counters.udp_out_datagrams, 0U);
}

TEST_F(UdpTest, BroadcastHasToBeAllowed) {
    const Endpoint all{Ipv4Address::broadcast(), 67};
    EXPECT_EQ(socket_.send_to(data_, all).error(), Errno::AccessDenied);
    socket_.set_broadcast(true);
    EXPECT_TRUE(socket_.send_to(data_, all));
    EXPECT_EQ(destination_of(host_.port.sent.at(0)), MacAddress::broadcast());
    socket_.set_broadcast(false);
    EXPECT_EQ(socket_.send_to(data_, {Ipv4Address(10, 0, 0, 255), 67}).error(),
              Errno::AccessDenied);
}

TEST_F(UdpTest, ReplyComesFromTheAddressAsked) {
    socket_.bind({{}, 7});
    host_.datagram(kClient, 7, data_);
    const auto got = socket_.receive(buffer_);
    ASSERT_TRUE(socket_.send_to(data_, got->source));
    EXPECT_EQ(ip_of(host_.port.sent.at(0))->source(), got->destination.address);
}

// ---- errors of the network --------------------------------------------------------------------

TEST_F(UdpTest, PortUnreachableIsConnectionRefusedOnce) {
    ASSERT_TRUE(socket_.connect(kClient));
    ASSERT_TRUE(socket_.send(data_));
    EXPECT_TRUE(taken(error(IcmpType::DestinationUnreachable, 3)));
    EXPECT_TRUE(socket_.readiness().error);
    EXPECT_TRUE(socket_.readiness().readable);
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::ConnectionRefused);
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::Again);
    EXPECT_FALSE(socket_.readiness().error);
    error(IcmpType::DestinationUnreachable, 3);
    EXPECT_EQ(socket_.send(data_).error(), Errno::ConnectionRefused);
    EXPECT_TRUE(socket_.send(data_));
}

TEST_F(UdpTest, OtherErrorsAreTheNetworksOrTheHosts) {
    socket_.connect(kClient);
    const auto told = [&](IcmpType type, u8 code) {
        socket_.send(data_);
        error(type, code);
        return socket_.receive(buffer_).error();
    };
    EXPECT_EQ(told(IcmpType::DestinationUnreachable, 0), Errno::NetworkUnreachable);
    EXPECT_EQ(told(IcmpType::DestinationUnreachable, 1), Errno::HostUnreachable);
    EXPECT_EQ(told(IcmpType::DestinationUnreachable, 13), Errno::HostUnreachable);
    EXPECT_EQ(told(IcmpType::TimeExceeded, 0), Errno::HostUnreachable);
}

TEST_F(UdpTest, ErrorForAnUnconnectedSocketIsNotBelieved) {
    ASSERT_TRUE(socket_.send_to(data_, kClient));
    EXPECT_TRUE(refused_as(error(IcmpType::DestinationUnreachable, 3), Drop::IcmpNoMatch));
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::Again);
}

TEST_F(UdpTest, ErrorAboutAnotherConversationIsNotBelieved) {
    socket_.connect(kClient);
    socket_.send_to(data_, {kPeer, 5001});  // not the peer that we are connected to
    EXPECT_TRUE(refused_as(error(IcmpType::DestinationUnreachable, 3), Drop::IcmpNoMatch));
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::Again);
}

TEST_F(UdpTest, SilentNeighbourIsHostUnreachable) {
    ASSERT_TRUE(socket_.connect({Ipv4Address(10, 0, 0, 50), 7}));
    ASSERT_TRUE(socket_.send(data_));
    host_.pass(2999ms);
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::Again);
    host_.pass(1ms);
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::HostUnreachable);
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::Again);
}

TEST_F(UdpTest, FragmentationNeededMakesTheNextDatagramFit) {
    socket_.connect(kClient);
    const auto large = pattern_bytes(1472);
    socket_.send(large);
    EXPECT_TRUE(taken(error(IcmpType::DestinationUnreachable, 4, 1000)));
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::Again) << "no error for the user";
    host_.port.take();
    EXPECT_TRUE(socket_.send(large));
    EXPECT_EQ(host_.port.sent.size(), 2U);
    for (const auto& sent : host_.port.sent) EXPECT_LE(ip_of(sent)->total_length(), 1000);
}

TEST_F(UdpTest, ForgedFragmentationNeededChangesNothing) {
    socket_.send_to(data_, kClient);
    EXPECT_TRUE(refused_as(error(IcmpType::DestinationUnreachable, 4, 600), Drop::IcmpNoMatch));
    EXPECT_EQ(host_.ip.route(kPeer)->mtu, 1500U);
}

// ---- the handle -------------------------------------------------------------------------------

TEST_F(UdpTest, ClosedHandleIsABadDescriptor) {
    socket_.bind({{}, 7});
    socket_.close();
    socket_.close();
    EXPECT_FALSE(socket_);
    EXPECT_EQ(socket_.bind({}).error(), Errno::BadDescriptor);
    EXPECT_EQ(socket_.connect(kClient).error(), Errno::BadDescriptor);
    EXPECT_EQ(socket_.send(data_).error(), Errno::BadDescriptor);
    EXPECT_EQ(socket_.send_to(data_, kClient).error(), Errno::BadDescriptor);
    EXPECT_EQ(socket_.receive(buffer_).error(), Errno::BadDescriptor);
    EXPECT_TRUE(socket_.readiness().hangup);
    EXPECT_EQ(socket_.local(), Endpoint());
}

TEST_F(UdpTest, MovedHandleGoesOn) {
    socket_.bind({{}, 7});
    UdpSocket moved(std::move(socket_));
    UdpSocket other = bound({{}, 8});
    other = std::move(moved);
    EXPECT_TRUE(taken(host_.datagram(kClient, 7, data_)));
    EXPECT_EQ(read(other), data_);
    EXPECT_TRUE(refused_as(host_.datagram(kClient, 8, data_), Drop::UdpNoSocket))
        << "what it had before is closed";
}

TEST_F(UdpTest, WatcherIsToldOncePerTake) {
    ReadySet set;
    std::vector<u64> tokens;
    socket_.bind({{}, 7});
    socket_.watch(&set, 5);
    EXPECT_TRUE(set.empty());
    host_.datagram(kClient, 7, data_);
    host_.datagram(kClient, 7, data_);
    set.take(tokens);
    EXPECT_EQ(tokens, std::vector<u64>{5});
    read(socket_);  // one of two
    host_.datagram(kClient, 7, data_);
    set.take(tokens);
    EXPECT_EQ(tokens, std::vector<u64>{5});
    socket_.watch(nullptr, 0);
    host_.datagram(kClient, 7, data_);
    EXPECT_TRUE(set.empty());
}

TEST_F(UdpTest, WatcherIsToldOfErrors) {
    ReadySet set;
    socket_.connect(kClient);
    socket_.watch(&set, 6);
    socket_.send(data_);
    error(IcmpType::DestinationUnreachable, 3);
    EXPECT_FALSE(set.empty());
}

TEST(UdpDeterminism, SameSeedSameBytes) {
    std::vector<std::vector<u8>> runs;
    for (int run = 0; run < 2; ++run) {
        UdpHost host;
        std::vector<UdpSocket> sockets;
        std::vector<u8> all;
        for (u8 i = 0; i < 20; ++i) {
            sockets.push_back(host.udp.socket());
            sockets.back().send_to(pattern_bytes(2000, i), {Ipv4Address(10, 0, 0, u8(1 + i)), 7});
            host.pass(300ms);
        }
        for (const auto& sent : host.port.sent) {
            all.insert(all.end(), sent.bytes.begin(), sent.bytes.end());
        }
        runs.push_back(std::move(all));
    }
    EXPECT_FALSE(runs[0].empty());
    EXPECT_EQ(runs[0], runs[1]);
}

}  // namespace
}  // namespace tapestry
