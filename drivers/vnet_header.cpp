#include "drivers/vnet_header.h"

#include <cstring>

#include "stack/wire/endian.h"
#include "stack/wire/ethernet.h"

namespace tapestry {
namespace {

constexpr std::size_t kFlags = 0;
constexpr std::size_t kGsoType = 1;
constexpr std::size_t kHeaderLength = 2;
constexpr std::size_t kGsoSize = 4;
constexpr std::size_t kCsumStart = 6;
constexpr std::size_t kCsumOffset = 8;

constexpr u8 kNeedsChecksum = 1;
constexpr u8 kDataValid = 2;
constexpr u8 kGsoNone = 0;
constexpr u8 kGsoTcp4 = 1;
constexpr u8 kGsoUdpL4 = 5;
constexpr u8 kGsoEcn = 0x80;

constexpr u8 kProtocolTcp = 6;
constexpr u8 kProtocolUdp = 17;

u16 load_host(const VnetHeader& header, std::size_t at) {
    u16 value = 0;
    std::memcpy(&value, &header[at], sizeof value);
    return value;
}

void store_host(VnetHeader& header, std::size_t at, u16 value) {
    std::memcpy(&header[at], &value, sizeof value);
}

/// Where the headers of an IPv4 packet with this protocol end and what the checksum's place must be.
struct Layers {
    std::size_t transport = 0;  ///< where the transport header begins
    std::size_t payload = 0;    ///< where the headers end
    u16 csum_offset = 0;
};

/// Nothing when the frame is not what `gso` says.
std::expected<Layers, Drop> find_layers(Bytes frame, Offload::Gso gso) {
    constexpr std::size_t kIp = EthernetView::kHeaderSize;
    const auto invalid = std::unexpected(Drop::OffloadInvalid);
    if (frame.size() < kIp + 20) return invalid;
    if (load_be16(&frame[12]) != static_cast<u16>(EtherType::Ipv4)) return invalid;
    const u8 version_and_length = frame[kIp];
    const std::size_t ip_header = static_cast<std::size_t>(version_and_length & 15) * 4;
    if (version_and_length >> 4 != 4 || ip_header < 20) return invalid;

    const bool tcp = gso == Offload::Gso::Tcp4;
    if (frame[kIp + 9] != (tcp ? kProtocolTcp : kProtocolUdp)) return invalid;
    Layers layers{kIp + ip_header, 0, static_cast<u16>(tcp ? 16 : 6)};
    std::size_t transport_header = tcp ? 20 : 8;
    if (frame.size() < layers.transport + transport_header) return invalid;
    if (tcp) {
        transport_header = static_cast<std::size_t>(frame[layers.transport + 12] >> 4) * 4;
        if (transport_header < 20) return invalid;
    }
    layers.payload = layers.transport + transport_header;
    if (frame.size() < layers.payload) return invalid;
    return layers;
}

}  // namespace

VnetHeader to_vnet_header(const Offload& offload) {
    VnetHeader header{};
    if (offload.checksum == Offload::Checksum::Partial) {
        header[kFlags] = kNeedsChecksum;
        store_host(header, kCsumStart, offload.csum_start);
        store_host(header, kCsumOffset, offload.csum_offset);
    }
    if (offload.gso != Offload::Gso::None) {
        header[kGsoType] = offload.gso == Offload::Gso::Tcp4 ? kGsoTcp4 : kGsoUdpL4;
        store_host(header, kHeaderLength, offload.header_length);
        store_host(header, kGsoSize, offload.gso_size);
    }
    return header;
}

std::expected<Offload, Drop> from_vnet_header(const VnetHeader& header, Bytes frame) {
    const auto invalid = std::unexpected(Drop::OffloadInvalid);
    Offload offload;
    // Unknown flag bits say nothing that we asked for, and are ignored.
    if ((header[kFlags] & kNeedsChecksum) != 0) {
        offload.checksum = Offload::Checksum::Partial;
        offload.csum_start = load_host(header, kCsumStart);
        offload.csum_offset = load_host(header, kCsumOffset);
        const std::size_t end = std::size_t{offload.csum_start} + offload.csum_offset + 2;
        if (offload.csum_start < EthernetView::kHeaderSize || end > frame.size()) return invalid;
    } else if ((header[kFlags] & kDataValid) != 0) {
        offload.checksum = Offload::Checksum::Verified;
    }

    const u8 gso_type = static_cast<u8>(header[kGsoType] & ~kGsoEcn);
    if (gso_type == kGsoNone) {
        if (header[kGsoType] != kGsoNone) return invalid;
        return offload;
    }
    if (gso_type != kGsoTcp4 && gso_type != kGsoUdpL4) return invalid;
    offload.gso = gso_type == kGsoTcp4 ? Offload::Gso::Tcp4 : Offload::Gso::Udp4;
    offload.gso_size = load_host(header, kGsoSize);
    // One checksum cannot be that of several segments: a super-frame without an offloaded one would be
    // checked, and cut, wrongly.
    if (offload.gso_size == 0 || offload.checksum == Offload::Checksum::InFrame) return invalid;
    const auto layers = find_layers(frame, offload.gso);
    if (!layers) return invalid;
    if (offload.checksum == Offload::Checksum::Partial &&
        (offload.csum_start != layers->transport || offload.csum_offset != layers->csum_offset)) {
        return invalid;
    }
    offload.header_length = static_cast<u16>(layers->payload);
    return offload;
}

}  // namespace tapestry
