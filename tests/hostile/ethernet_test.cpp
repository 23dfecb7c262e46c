// Frames that no honest device sends. The names of the tests begin with the row of the checklist of bad
// inputs that they stand for.

#include "tests/hostile/alive.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// A datagram to our echo, and what of it came back.
std::vector<u8> echo_datagram(Bytes data) {
    return ip_packet(ip_header(IpProtocol::Udp), udp_datagram(5000, 7, data));
}

class HostileEth : public HostileIpTest {
protected:
    std::vector<u8> frame_ = ethernet_frame(EtherType::Ipv4, echo_);
    std::vector<u8> arp_ =
        arp_frame({ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs}, kOurMac);

    std::vector<u8> typed(u16 type, Bytes payload) {
        return ethernet_frame(static_cast<EtherType>(type), payload);
    }
};

TEST_F(HostileEth, ETH_01_FramesShorterThanAHeader) {
    for (std::size_t size = 0; size < 14; ++size) {
        EXPECT_TRUE(silently(Bytes(frame_).first(size), Drop::EthernetShort)) << size;
    }
}

TEST_F(HostileEth, ETH_02_AHeaderAndNothingBehindIt) {
    EXPECT_TRUE(silently(Bytes(frame_).first(14), Drop::Ipv4Short));
}

/// More than a link carries is no harm while it is whole; what the header does not count is cut off.
TEST_F(HostileEth, ETH_03_FramesThatAreTooLong) {
    for (const std::size_t size : {1473U, 1480U, 1490U, 9000U, 65507U}) {
        const auto frame = ethernet_frame(EtherType::Ipv4, echo_datagram(pattern_bytes(size)));
        EXPECT_FALSE(taken_and_sent(frame).empty()) << size;
    }
    auto longest = frame_;
    longest.resize(65535, 0xaa);
    EXPECT_EQ(taken_and_sent(longest).size(), 1U);
}

TEST_F(HostileEth, ETH_04_PaddingIsNoData) {
    auto padded = ethernet_frame(EtherType::Ipv4, echo_datagram({}));
    padded.resize(60, 0xaa);
    const auto sent = taken_and_sent(padded);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(ip_of(sent[0])->payload().size(), 8U) << "a UDP header without data";
}

/// Whoever pads a short frame to 60 bytes must not do it with what lay in memory. We do not pad: that is
/// the device's work, and what we hand it ends where the packet ends.
TEST_F(HostileEth, ETH_05_ShortAnswersCarryNoOldMemory) {
    host_.feed(ethernet_frame(EtherType::Ipv4, echo_datagram(pattern_bytes(1000))));
    const auto request = ip_packet(ip_header(IpProtocol::Icmp), echo_request(pattern_bytes(1)));
    const auto sent = taken_and_sent(ethernet_frame(EtherType::Ipv4, request));
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].bytes.size(), 14U + request.size());
}

TEST_F(HostileEth, ETH_06_LengthsOf802_3InPlaceOfAType) {
    for (u16 type : {u16{0}, u16{0x40}, u16{0x5dc}, u16{0x5dd}, u16{0x5ff}}) {
        EXPECT_TRUE(silently(typed(type, echo_), Drop::EthernetUnknownType)) << type;
    }
}

/// No VLANs: a tag is a type that we do not know, whatever number it has.
TEST_F(HostileEth, ETH_07_VlanTags) {
    for (const u16 tpid : {u16{0x8100}, u16{0x88a8}}) {
        for (const u16 vid : {u16{0}, u16{5}, u16{4095}}) {
            for (auto frame : {frame_, arp_}) {
                const std::vector<u8> tag{static_cast<u8>(tpid >> 8), static_cast<u8>(tpid),
                                          static_cast<u8>(vid >> 8), static_cast<u8>(vid)};
                frame.insert(frame.begin() + 12, tag.begin(), tag.end());
                EXPECT_TRUE(silently(frame, Drop::EthernetUnknownType)) << tpid << " " << vid;
            }
        }
    }
}

TEST_F(HostileEth, ETH_08_TwentyVlanTagsTheLastOneCut) {
    std::vector<u8> tags;
    for (int i = 0; i < 20; ++i) tags.insert(tags.end(), {0x00, 0x01, 0x81, 0x00});
    tags.resize(tags.size() - 3);
    EXPECT_TRUE(silently(typed(0x8100, tags), Drop::EthernetUnknownType));
}

TEST_F(HostileEth, ETH_09_OurOwnAddressAsTheSender) {
    EXPECT_TRUE(silently(ethernet_frame(EtherType::Ipv4, echo_, kOurMac, kOurMac),
                         Drop::EthernetBadSource));
}

TEST_F(HostileEth, ETH_10_GroupsThatSend) {
    const std::vector<MacAddress> groups = {MacAddress::broadcast(),
                                            MacAddress({0x01, 0, 0x5e, 0, 0, 1})};
    const ArpPacket request{ArpOperation::Request, kPeerMac, Ipv4Address(10, 0, 0, 8), MacAddress(),
                            kUs};
    for (const MacAddress& group : groups) {
        EXPECT_TRUE(silently(ethernet_frame(EtherType::Ipv4, echo_, kOurMac, group),
                             Drop::EthernetBadSource));
        EXPECT_TRUE(silently(ethernet_frame(EtherType::Arp, request.to_bytes(), kOurMac, group),
                             Drop::EthernetBadSource));
    }
    EXPECT_FALSE(host_.interface->arp().lookup(Ipv4Address(10, 0, 0, 8), host_.now));
}

TEST_F(HostileEth, ETH_11_FramesForAnotherStation) {
    EXPECT_TRUE(silently(ethernet_frame(EtherType::Ipv4, echo_, MacAddress({2, 0, 0, 0, 0, 9})),
                         Drop::EthernetNotForUs));
}

/// RFC 1122 3.3.6: what came by broadcast and names one host is thrown away.
TEST_F(HostileEth, ETH_12_APacketForUsInABroadcastFrame) {
    for (const MacAddress& to : {MacAddress::broadcast(), MacAddress({0x01, 0, 0x5e, 0, 0, 1})}) {
        EXPECT_TRUE(silently_ip(RawTcp{}.packet(), Drop::Ipv4LinkBroadcast, to));
        EXPECT_TRUE(silently_ip(echo_, Drop::Ipv4LinkBroadcast, to));
        EXPECT_TRUE(silently_ip(echo_datagram(pattern_bytes(5)), Drop::Ipv4LinkBroadcast, to));
    }
}

TEST_F(HostileEth, ETH_13_EveryType) {
    const auto noise = pattern_bytes(46);
    const u64 unknown = host_.drops(Drop::EthernetUnknownType);
    for (u32 type = 0; type < 65536; ++type) host_.feed(typed(static_cast<u16>(type), noise));
    EXPECT_EQ(host_.drops(Drop::EthernetUnknownType), unknown + 65534);
    EXPECT_EQ(host_.drops(Drop::ArpBadHardware), 1U);
    EXPECT_EQ(host_.all_drops(), 65536U);
    EXPECT_TRUE(host_.port.take().empty());
}

}  // namespace
}  // namespace tapestry
