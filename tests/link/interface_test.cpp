#include "stack/link/interface.h"

#include "tests/support/link_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

const std::vector<u8> kData(40, 0x42);

std::vector<u8> ip_frame(MacAddress to = kOurMac, MacAddress from = kPeerMac) {
    return ethernet_frame(EtherType::Ipv4, kData, to, from);
}

TEST(InterfaceInput, HandsUpAnIpPacketForUs) {
    LinkHost host;
    const auto result = host.input(ip_frame());
    ASSERT_TRUE(result && *result);
    EXPECT_FALSE((*result)->link_broadcast);
    EXPECT_TRUE(std::ranges::equal((*result)->packet, kData));
}

TEST(InterfaceInput, MarksBroadcastAndMulticastFrames) {
    LinkHost host;
    for (const MacAddress to : {MacAddress::broadcast(), MacAddress({1, 0, 0x5e, 0, 0, 1})}) {
        const auto result = host.input(ip_frame(to));
        ASSERT_TRUE(result && *result);
        EXPECT_TRUE((*result)->link_broadcast);
    }
}

TEST(InterfaceInput, RefusesFramesForAnotherStation) {
    LinkHost host;
    const MacAddress other({2, 0, 0, 0, 0, 7});
    EXPECT_TRUE(refused_as(host.input(ip_frame(other)), Drop::EthernetNotForUs));
    const ArpPacket request{ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs};
    EXPECT_TRUE(refused_as(host.receive_arp(request, other), Drop::EthernetNotForUs));
}

TEST(InterfaceInput, RefusesGroupSources) {
    LinkHost host;
    for (const MacAddress from : {MacAddress::broadcast(), MacAddress({1, 0, 0x5e, 0, 0, 1})}) {
        EXPECT_TRUE(refused_as(host.input(ip_frame(kOurMac, from)), Drop::EthernetBadSource));
    }
    const auto request = ArpPacket{ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs};
    EXPECT_TRUE(refused_as(host.input(ethernet_frame(EtherType::Arp, request.to_bytes(), kOurMac,
                                                     MacAddress::broadcast())),
                           Drop::EthernetBadSource));
    EXPECT_EQ(host.interface->arp().size(), 0U);
}

TEST(InterfaceInput, RefusesItsOwnAddressAsSource) {
    LinkHost host;
    EXPECT_TRUE(refused_as(host.input(ip_frame(MacAddress::broadcast(), kOurMac)),
                           Drop::EthernetBadSource));
    EXPECT_TRUE(host.port.take().empty());
}

TEST(InterfaceInput, RefusesShortFrames) {
    LinkHost host;
    for (std::size_t size = 0; size < EthernetView::kHeaderSize; ++size) {
        EXPECT_TRUE(refused_as(host.input(Bytes(ip_frame()).first(size)), Drop::EthernetShort));
    }
}

TEST(InterfaceInput, TakesNoOtherTypeThanIpv4AndArp) {
    LinkHost host;
    for (u32 type = 0; type < 65536; ++type) {
        const auto result =
            host.input(ethernet_frame(static_cast<EtherType>(type), std::vector<u8>(46, 0xcc)));
        if (type == 0x0800) {
            EXPECT_TRUE(taken(result));
        } else if (type == 0x0806) {
            EXPECT_TRUE(refused_as(result, Drop::ArpBadHardware));
        } else {
            ASSERT_TRUE(refused_as(result, Drop::EthernetUnknownType)) << type;
        }
    }
    EXPECT_TRUE(host.port.take().empty());
}

TEST(InterfaceInput, PassesOnWhatTheArpParserRefuses) {
    LinkHost host;
    const auto whole =
        ArpPacket{ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs}.to_bytes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_TRUE(refused_as(host.input(ethernet_frame(EtherType::Arp, Bytes(whole).first(size))),
                               Drop::ArpShort));
    }
    for (const int operation : {0, 3, 4, 5, 65535}) {
        auto bytes = whole;
        store_be16(&bytes[6], static_cast<u16>(operation));
        EXPECT_TRUE(
            refused_as(host.input(ethernet_frame(EtherType::Arp, bytes)), Drop::ArpBadOperation));
    }
    EXPECT_EQ(host.interface->arp().size(), 0U);
    EXPECT_TRUE(host.port.take().empty());
}

TEST(InterfaceInput, ReplyWithoutRoomInTheDeviceIsRefusedByName) {
    LinkHost host;
    host.port.room = 0;
    host.receive_arp({ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs});
    EXPECT_EQ(host.drops(Drop::DeviceFull), 1U);
    EXPECT_EQ(host.services.counters.frames_out, 0U);
}

TEST(InterfaceOutput, PutsTheEthernetHeaderInFront) {
    LinkHost host;
    host.interface->arp().add_static(kPeer, kPeerMac, host.now);
    EXPECT_EQ(host.send(kData), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].bytes, ethernet_frame(EtherType::Ipv4, kData, kPeerMac, kOurMac));
    EXPECT_EQ(sent[0].offload, Offload());
}

TEST(InterfaceOutput, CountsAndTracesWhatTheDeviceTook) {
    LinkHost host;
    host.interface->arp().add_static(kPeer, kPeerMac, host.now);
    host.now += 5s;
    Frame frame(kData);
    frame.push(8);
    std::fill(frame.headers().begin(), frame.headers().end(), u8{1});
    frame.offload.checksum = Offload::Checksum::Partial;
    frame.offload.csum_start = 4;
    frame.offload.csum_offset = 2;
    EXPECT_EQ(host.interface->output(frame, kPeer, host.now), SendResult::Sent);
    EXPECT_EQ(host.services.counters.frames_out, 1U);
    EXPECT_EQ(host.services.counters.bytes_out, 14 + 8 + 40U);
    ASSERT_EQ(host.traced.size(), 1U);
    EXPECT_EQ(host.traced[0].now, TimePoint(5s));
    EXPECT_EQ(host.traced[0].direction, Direction::Out);
    EXPECT_EQ(host.traced[0].header_size, 22U);
    EXPECT_EQ(host.traced[0].offload.csum_start, 18) << "from the Ethernet header";
    EXPECT_EQ(host.port.sent.at(0).offload.csum_start, 18);
    EXPECT_EQ(host.port.sent.at(0).offload.csum_offset, 2);
}

TEST(InterfaceOutput, FullDeviceTakesNothingAndIsNotCounted) {
    LinkHost host;
    host.interface->arp().add_static(kPeer, kPeerMac, host.now);
    host.port.room = 0;
    EXPECT_EQ(host.send(kData), SendResult::Full);
    EXPECT_EQ(host.services.counters.frames_out, 0U);
    EXPECT_TRUE(host.traced.empty());
    host.port.room = 1;
    EXPECT_EQ(host.send(kData), SendResult::Sent);
}

TEST(InterfaceOutput, BroadcastsAndGroupsNeedNoNeighbour) {
    LinkHost host;
    EXPECT_EQ(host.send(kData, Ipv4Address::broadcast()), SendResult::Sent);
    EXPECT_EQ(host.send(kData, Ipv4Address(10, 0, 0, 255)), SendResult::Sent);
    EXPECT_EQ(host.send(kData, Ipv4Address(224, 129, 2, 3)), SendResult::Sent);
    EXPECT_EQ(host.send(kData, Ipv4Address(239, 1, 2, 3)), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 4U);
    EXPECT_EQ(destination_of(sent[0]), MacAddress::broadcast());
    EXPECT_EQ(destination_of(sent[1]), MacAddress::broadcast());
    EXPECT_EQ(destination_of(sent[2]), MacAddress({0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}));
    EXPECT_EQ(destination_of(sent[3]), destination_of(sent[2])) << "only 23 bits are mapped";
}

TEST(InterfaceOutput, WeAreNotOurOwnNeighbour) {
    LinkHost host;
    EXPECT_EQ(host.send(kData, kUs), SendResult::NoRoute);
    EXPECT_EQ(host.send(kData, Ipv4Address()), SendResult::NoRoute);
    EXPECT_TRUE(host.port.take().empty());
    EXPECT_EQ(host.interface->arp().size(), 0U);
}

TEST(InterfaceOutput, NoSubnetBroadcastInAPointToPointSubnet) {
    LinkHost host(LinkHost::quiet(), {}, 0, 31);
    EXPECT_FALSE(host.interface->is_broadcast(Ipv4Address(10, 0, 0, 3)));
    EXPECT_TRUE(host.interface->is_broadcast(Ipv4Address::broadcast()));
    EXPECT_EQ(host.send(kData, Ipv4Address(10, 0, 0, 3)), SendResult::Queued);
}

TEST(InterfaceMtu, IsThePortsUnlessASmallerOneIsAskedFor) {
    EXPECT_EQ(LinkHost(LinkHost::quiet(), {1400, 0}).interface->mtu(), 1400U);
    EXPECT_EQ(LinkHost(LinkHost::quiet(), {1500, 0}, 1000).interface->mtu(), 1000U);
    EXPECT_EQ(LinkHost(LinkHost::quiet(), {1500, 0}, 9000).interface->mtu(), 1500U);
    EXPECT_EQ(LinkHost(LinkHost::quiet(), {1500, 0}, 20).interface->mtu(), 68U);
    EXPECT_EQ(LinkHost(LinkHost::quiet(), {1500, 65535}).interface->max_super_frame(), 65535U);
}

}  // namespace
}  // namespace tapestry
