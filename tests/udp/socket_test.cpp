#include "stack/udp/socket.h"

#include <set>

#include "tests/udp/udp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

// ---- binding ----------------------------------------------------------------------------------

TEST_F(UdpTest, PortInUseIsRefused) {
    UdpSocket any = bound({{}, 7});
    EXPECT_TRUE(fails_as(socket_.bind({{}, 7}), Errno::AddressInUse));
    EXPECT_TRUE(fails_as(socket_.bind({kUs, 7}), Errno::AddressInUse)) << "any address includes it";
    EXPECT_TRUE(socket_.bind({kUs, 8}));
    UdpSocket third = host_.udp.socket();
    EXPECT_TRUE(fails_as(third.bind({{}, 8}), Errno::AddressInUse));
    any.close();
    EXPECT_TRUE(third.bind({{}, 7})) << "free again";
}

TEST_F(UdpTest, OnePortOnTwoAddressesIsTwo) {
    RecordingPort port;
    Interface second(1, port, {"eth1", MacAddress({2, 0, 0, 0, 0, 3}), {{10, 1, 0, 2}, 24}, 0},
                     host_.services);
    host_.ip.add_interface(second);
    UdpSocket first = bound({kUs, 7});
    EXPECT_TRUE(socket_.bind({Ipv4Address(10, 1, 0, 2), 7}));
    host_.datagram(kClient, 7, data_);
    EXPECT_EQ(read(socket_), std::nullopt);
    EXPECT_EQ(read(first), data_);
}

TEST_F(UdpTest, SharingNeedsTheConsentOfAll) {
    UdpSocket first = bound({{}, 7}, false);
    socket_.set_reuse_address(true);
    EXPECT_TRUE(fails_as(socket_.bind({{}, 7}), Errno::AddressInUse));
}

TEST_F(UdpTest, BindingTwiceOrToAForeignAddressIsRefused) {
    EXPECT_TRUE(fails_as(socket_.bind({kPeer, 7}), Errno::AddressNotAvailable));
    EXPECT_TRUE(socket_.bind({kUs, 7}));
    EXPECT_TRUE(fails_as(socket_.bind({kUs, 8}), Errno::InvalidArgument));
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
    EXPECT_TRUE(fails_as(late.bind({}), Errno::AddressNotAvailable));
    EXPECT_TRUE(fails_as(late.connect(kClient), Errno::AddressNotAvailable));
    EXPECT_TRUE(fails_as(late.send_to(data_, kClient), Errno::AddressNotAvailable));
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
    EXPECT_TRUE(fails_as(socket_.connect({kPeer, 0}), Errno::InvalidArgument));
    EXPECT_TRUE(fails_as(socket_.connect({{}, 7}), Errno::InvalidArgument));
    EXPECT_TRUE(
        fails_as(socket_.connect({Ipv4Address(8, 8, 8, 8), 53}), Errno::NetworkUnreachable));
    EXPECT_TRUE(fails_as(socket_.connect({Ipv4Address(10, 0, 0, 255), 7}), Errno::AccessDenied));
    socket_.set_broadcast(true);
    EXPECT_TRUE(socket_.connect({Ipv4Address(10, 0, 0, 255), 7}));
}

TEST_F(UdpTest, TheSameConversationTwiceIsRefused) {
    UdpSocket first = bound({kUs, 7}, true);
    UdpSocket second = bound({kUs, 7}, true);
    EXPECT_TRUE(first.connect(kClient));
    EXPECT_TRUE(fails_as(second.connect(kClient), Errno::AddressInUse));
    EXPECT_TRUE(first.connect(kClient)) << "to itself it is no stranger";
}

// ---- sending ----------------------------------------------------------------------------------

TEST_F(UdpTest, SendsHeaderDataAndChecksum) {
    socket_.set_ttl(3);
    socket_.set_tos(8);
    ASSERT_TRUE(socket_.bind({{}, 7}));
    EXPECT_EQ(socket_.send_to(data_, kClient), 100U);
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(ip_of(sent[0])->ttl(), 3);
    EXPECT_EQ(ip_of(sent[0])->tos(), 8);
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
    EXPECT_TRUE(fails_as(socket_.send_to(huge, kClient), Errno::MessageSize));
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
    EXPECT_TRUE(fails_as(socket_.send(data_), Errno::NotConnected));
    EXPECT_TRUE(fails_as(socket_.send_to(data_, {kPeer, 0}), Errno::InvalidArgument));
    EXPECT_TRUE(
        fails_as(socket_.send_to(data_, {Ipv4Address(8, 8, 8, 8), 53}), Errno::NetworkUnreachable));
    host_.port.room = 0;
    EXPECT_TRUE(fails_as(socket_.send_to(data_, kClient), Errno::Again));
    EXPECT_EQ(host_.services.counters.udp_out_datagrams, 0U);
}

TEST_F(UdpTest, BroadcastHasToBeAllowed) {
    const Endpoint all{Ipv4Address::broadcast(), 67};
    EXPECT_TRUE(fails_as(socket_.send_to(data_, all), Errno::AccessDenied));
    socket_.set_broadcast(true);
    EXPECT_TRUE(socket_.send_to(data_, all));
    EXPECT_EQ(destination_of(host_.port.sent.at(0)), MacAddress::broadcast());
    socket_.set_broadcast(false);
    EXPECT_TRUE(
        fails_as(socket_.send_to(data_, {Ipv4Address(10, 0, 0, 255), 67}), Errno::AccessDenied));
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
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::ConnectionRefused));
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::Again));
    EXPECT_FALSE(socket_.readiness().error);
    error(IcmpType::DestinationUnreachable, 3);
    EXPECT_TRUE(fails_as(socket_.send(data_), Errno::ConnectionRefused));
    EXPECT_TRUE(socket_.send(data_));
}

TEST_F(UdpTest, OtherErrorsAreTheNetworksOrTheHosts) {
    socket_.connect(kClient);
    const auto told = [&](IcmpType type, u8 code) {
        socket_.send(data_);
        error(type, code);
        return socket_.receive(buffer_);
    };
    const auto unreachable = IcmpType::DestinationUnreachable;
    EXPECT_TRUE(fails_as(told(unreachable, 0), Errno::NetworkUnreachable));
    EXPECT_TRUE(fails_as(told(unreachable, 1), Errno::HostUnreachable));
    EXPECT_TRUE(fails_as(told(unreachable, 13), Errno::HostUnreachable));
    EXPECT_TRUE(fails_as(told(IcmpType::TimeExceeded, 0), Errno::HostUnreachable));
}

TEST_F(UdpTest, ErrorForAnUnconnectedSocketIsNotBelieved) {
    ASSERT_TRUE(socket_.send_to(data_, kClient));
    EXPECT_TRUE(refused_as(error(IcmpType::DestinationUnreachable, 3), Drop::IcmpNoMatch));
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::Again));
}

TEST_F(UdpTest, ErrorAboutAnotherConversationIsNotBelieved) {
    socket_.connect(kClient);
    socket_.send_to(data_, {kPeer, 5001});  // not the peer that we are connected to
    EXPECT_TRUE(refused_as(error(IcmpType::DestinationUnreachable, 3), Drop::IcmpNoMatch));
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::Again));
}

TEST_F(UdpTest, SilentNeighbourIsHostUnreachable) {
    ASSERT_TRUE(socket_.connect({Ipv4Address(10, 0, 0, 50), 7}));
    ASSERT_TRUE(socket_.send(data_));
    host_.pass(2999ms);
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::Again));
    host_.pass(1ms);
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::HostUnreachable));
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::Again));
}

TEST_F(UdpTest, FragmentationNeededMakesTheNextDatagramFit) {
    socket_.connect(kClient);
    const auto large = pattern_bytes(1472);
    socket_.send(large);
    EXPECT_TRUE(taken(error(IcmpType::DestinationUnreachable, 4, 1000)));
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::Again)) << "no error for the user";
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
    EXPECT_TRUE(fails_as(socket_.bind({}), Errno::BadDescriptor));
    EXPECT_TRUE(fails_as(socket_.connect(kClient), Errno::BadDescriptor));
    EXPECT_TRUE(fails_as(socket_.send(data_), Errno::BadDescriptor));
    EXPECT_TRUE(fails_as(socket_.send_to(data_, kClient), Errno::BadDescriptor));
    EXPECT_TRUE(fails_as(socket_.receive(buffer_), Errno::BadDescriptor));
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
