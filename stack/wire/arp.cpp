#include "stack/wire/arp.h"

namespace tapestry {
namespace {

constexpr std::size_t kHardwareType = 0;
constexpr std::size_t kProtocolType = 2;
constexpr std::size_t kHardwareLength = 4;
constexpr std::size_t kProtocolLength = 5;
constexpr std::size_t kOperation = 6;
constexpr std::size_t kSenderMac = 8;
constexpr std::size_t kSenderIp = 14;
constexpr std::size_t kTargetMac = 18;
constexpr std::size_t kTargetIp = 24;

constexpr u16 kEthernet = 1;
constexpr u16 kIpv4 = 0x0800;

}  // namespace

std::expected<ArpPacket, Drop> ArpPacket::parse(Bytes payload) {
    if (payload.size() < kSize) return std::unexpected(Drop::ArpShort);
    const u8* p = payload.data();
    if (load_be16(p + kHardwareType) != kEthernet) return std::unexpected(Drop::ArpBadHardware);
    if (load_be16(p + kProtocolType) != kIpv4) return std::unexpected(Drop::ArpBadProtocol);
    if (p[kHardwareLength] != MacAddress::kSize || p[kProtocolLength] != Ipv4Address::kSize) {
        return std::unexpected(Drop::ArpBadLength);
    }
    const u16 operation = load_be16(p + kOperation);
    if (operation != static_cast<u16>(ArpOperation::Request) &&
        operation != static_cast<u16>(ArpOperation::Reply)) {
        return std::unexpected(Drop::ArpBadOperation);
    }
    return ArpPacket{.operation = static_cast<ArpOperation>(operation),
                     .sender_mac = MacAddress::load(p + kSenderMac),
                     .sender_ip = Ipv4Address::load(p + kSenderIp),
                     .target_mac = MacAddress::load(p + kTargetMac),
                     .target_ip = Ipv4Address::load(p + kTargetIp)};
}

std::array<u8, ArpPacket::kSize> ArpPacket::to_bytes() const {
    std::array<u8, kSize> bytes{};
    u8* p = bytes.data();
    store_be16(p + kHardwareType, kEthernet);
    store_be16(p + kProtocolType, kIpv4);
    p[kHardwareLength] = MacAddress::kSize;
    p[kProtocolLength] = Ipv4Address::kSize;
    store_be16(p + kOperation, static_cast<u16>(operation));
    sender_mac.store(p + kSenderMac);
    sender_ip.store(p + kSenderIp);
    target_mac.store(p + kTargetMac);
    target_ip.store(p + kTargetIp);
    return bytes;
}

}  // namespace tapestry
