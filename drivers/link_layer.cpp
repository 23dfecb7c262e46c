#include "drivers/link_layer.h"

namespace tapestry {
namespace {

constexpr std::size_t kVlanTag = 4;
constexpr u16 kVlan = 0x8100;         // IEEE 802.1Q
constexpr u16 kServiceVlan = 0x88a8;  // IEEE 802.1ad
constexpr u16 kFirstEtherType = 0x0600;
constexpr u32 kFamilyIpv4 = 2;

std::expected<NetworkPacket, Drop> behind(Bytes frame, std::size_t header_size, u16 type) {
    if (type < kFirstEtherType) return std::unexpected(Drop::EthernetUnknownType);
    return NetworkPacket{static_cast<EtherType>(type), frame.subspan(header_size), header_size, {}};
}

std::expected<NetworkPacket, Drop> ethernet(Bytes frame) {
    constexpr std::size_t kTypeAt = 12;
    std::size_t at = kTypeAt;
    std::optional<u16> vlan;
    while (true) {
        if (frame.size() < at + 2) return std::unexpected(Drop::LinkHeaderShort);
        const u16 type = load_be16(&frame[at]);
        if (type != kVlan && type != kServiceVlan) break;
        if (frame.size() < at + kVlanTag + 2) return std::unexpected(Drop::LinkHeaderShort);
        if (!vlan) vlan = load_be16(&frame[at + 2]) & 0xfff;
        at += kVlanTag;
    }
    auto packet = behind(frame, at + 2, load_be16(&frame[at]));
    if (packet) packet->vlan = vlan;
    return packet;
}

std::expected<NetworkPacket, Drop> cooked(Bytes frame, std::size_t size, std::size_t type_at) {
    if (frame.size() < size) return std::unexpected(Drop::LinkHeaderShort);
    return behind(frame, size, load_be16(&frame[type_at]));
}

std::expected<NetworkPacket, Drop> loopback(Bytes frame) {
    constexpr std::size_t kFamily = 4;
    if (frame.size() < kFamily) return std::unexpected(Drop::LinkHeaderShort);
    // In the byte order of the machine that wrote it (DLT_NULL) or of the network (DLT_LOOP).
    const u32 family = load_be32(frame.data());
    if (family != kFamilyIpv4 && std::byteswap(family) != kFamilyIpv4) {
        return std::unexpected(Drop::EthernetUnknownType);
    }
    return NetworkPacket{EtherType::Ipv4, frame.subspan(kFamily), kFamily, {}};
}

}  // namespace

std::optional<LinkType> link_type_of(int dlt) {
    switch (dlt) {
        case 1:
            return LinkType::Ethernet;
        case 113:
            return LinkType::LinuxCooked;
        case 276:
            return LinkType::LinuxCooked2;
        case 12:  // libpcap's own number of LINKTYPE_RAW
        case 14:  // the same on OpenBSD
        case 101:
        case 228:
            return LinkType::RawIp;
        case 0:
        case 108:
            return LinkType::BsdLoopback;
        default:
            return std::nullopt;
    }
}

u16 linktype_number(int dlt) {
    constexpr u16 kRaw = 101;
    return link_type_of(dlt) == LinkType::RawIp && dlt < kRaw ? kRaw : static_cast<u16>(dlt);
}

std::expected<NetworkPacket, Drop> network_packet(LinkType link, Bytes frame) {
    switch (link) {
        case LinkType::Ethernet:
            return ethernet(frame);
        case LinkType::LinuxCooked:
            return cooked(frame, 16, 14);
        case LinkType::LinuxCooked2:
            return cooked(frame, 20, 0);
        case LinkType::BsdLoopback:
            return loopback(frame);
        case LinkType::RawIp:
            break;
    }
    const bool ipv4 = !frame.empty() && frame[0] >> 4 == 4;
    if (!ipv4) return std::unexpected(Drop::EthernetUnknownType);
    return NetworkPacket{EtherType::Ipv4, frame, 0, {}};
}

}  // namespace tapestry
