#include "drivers/link_layer.h"

#include <gtest/gtest.h>

#include <vector>

/// What stands in front of IP in the captures that people have.

namespace tapestry::test {
namespace {

const std::vector<u8> kPacket{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6};

std::vector<u8> with(std::vector<u8> header) {
    header.insert(header.end(), kPacket.begin(), kPacket.end());
    return header;
}
std::vector<u8> ethernet(const std::vector<u8>& from_type) {
    std::vector<u8> header(12, 2);
    header.insert(header.end(), from_type.begin(), from_type.end());
    return with(header);
}

void expect_ipv4(LinkType link, const std::vector<u8>& frame, std::optional<u16> vlan = {}) {
    const auto packet = network_packet(link, frame);
    ASSERT_TRUE(packet) << name(packet.error());
    EXPECT_EQ(packet->type, EtherType::Ipv4);
    EXPECT_EQ(std::vector<u8>(packet->packet.begin(), packet->packet.end()), kPacket);
    EXPECT_EQ(packet->header_size, frame.size() - kPacket.size());
    EXPECT_EQ(packet->vlan, vlan);
}

TEST(LinkLayer, EveryKindOfHeaderIsTakenOff) {
    expect_ipv4(LinkType::Ethernet, ethernet({8, 0}));
    std::vector<u8> cooked(16);
    cooked[14] = 8;
    expect_ipv4(LinkType::LinuxCooked, with(cooked));
    std::vector<u8> cooked2(20);
    cooked2[0] = 8;
    expect_ipv4(LinkType::LinuxCooked2, with(cooked2));
    expect_ipv4(LinkType::RawIp, kPacket);
    expect_ipv4(LinkType::BsdLoopback, with({2, 0, 0, 0}));
    expect_ipv4(LinkType::BsdLoopback, with({0, 0, 0, 2}));
}

TEST(LinkLayer, VlanTagsAreSteppedOver) {
    expect_ipv4(LinkType::Ethernet, ethernet({0x81, 0, 0x20, 7, 8, 0}), 7);
    expect_ipv4(LinkType::Ethernet, ethernet({0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0}), 5);
}

TEST(LinkLayer, OtherProtocolsAreTold) {
    const auto frame = ethernet({0x86, 0xdd});
    EXPECT_EQ(static_cast<u16>(network_packet(LinkType::Ethernet, frame)->type), 0x86dd);
    EXPECT_EQ(network_packet(LinkType::BsdLoopback, with({30, 0, 0, 0})).error(),
              Drop::EthernetUnknownType);
    EXPECT_EQ(network_packet(LinkType::Ethernet, ethernet({0, 40})).error(),
              Drop::EthernetUnknownType)
        << "a length, as 802.3 has it";
    const std::vector<u8> six{0x60, 0, 0, 0};
    EXPECT_EQ(network_packet(LinkType::RawIp, six).error(), Drop::EthernetUnknownType);
}

TEST(LinkLayer, EveryTruncationIsRefusedByName) {
    const std::vector<std::pair<LinkType, std::vector<u8>>> frames{
        {LinkType::Ethernet, ethernet({0x81, 0, 0, 7, 8, 0})},
        {LinkType::LinuxCooked, std::vector<u8>(16)},
        {LinkType::LinuxCooked2, std::vector<u8>(20)},
        {LinkType::BsdLoopback, std::vector<u8>(4)}};
    for (const auto& [link, frame] : frames) {
        const std::size_t header = link == LinkType::Ethernet ? 18 : frame.size();
        for (std::size_t size = 0; size < header; ++size) {
            EXPECT_EQ(network_packet(link, Bytes(frame).first(size)).error(),
                      Drop::LinkHeaderShort);
        }
    }
}

TEST(LinkLayer, OtherLinksHaveNoName) {
    EXPECT_FALSE(link_type_of(239)) << "NFLOG";
    EXPECT_FALSE(link_type_of(-1));
    EXPECT_EQ(link_type_of(1), LinkType::Ethernet);
}

}  // namespace
}  // namespace tapestry::test
