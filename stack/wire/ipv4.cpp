#include "stack/wire/ipv4.h"

#include "stack/wire/checksum.h"

namespace tapestry {
namespace {

/// The header length in bytes if version and IHL are right and the header is within `packet`.
std::expected<std::size_t, Drop> checked_header_size(Bytes packet) {
    if (packet.size() < Ipv4View::kMinHeaderSize) return std::unexpected(Drop::Ipv4Short);
    if (packet[0] >> 4 != 4) return std::unexpected(Drop::Ipv4BadVersion);
    const std::size_t header_size = std::size_t{4} * (packet[0] & 0xfU);
    if (header_size < Ipv4View::kMinHeaderSize || header_size > packet.size()) {
        return std::unexpected(Drop::Ipv4BadHeaderLength);
    }
    return header_size;
}

}  // namespace

std::expected<Ipv4View, Drop> Ipv4View::parse(Bytes packet) {
    const auto header_size = checked_header_size(packet);
    if (!header_size) return std::unexpected(header_size.error());
    const std::size_t total_length = load_be16(&packet[kTotalLength]);
    if (total_length < *header_size || total_length > packet.size()) {
        return std::unexpected(Drop::Ipv4BadTotalLength);
    }
    const u16 checksum = *header_size == kMinHeaderSize
                             ? header_checksum(packet.first<kMinHeaderSize>())
                             : internet_checksum(packet.first(*header_size));
    if (checksum != 0) {
        return std::unexpected(Drop::Ipv4BadChecksum);
    }
    return Ipv4View(packet.first(total_length));
}

std::expected<Ipv4View, Drop> Ipv4View::parse_quoted(Bytes packet) {
    const auto header_size = checked_header_size(packet);
    if (!header_size) return std::unexpected(Drop::IcmpBadQuote);
    return Ipv4View(packet);
}

void Ipv4Header::write(u8* p) const {
    p[0] = 0x45;
    p[Ipv4View::kTos] = tos;
    store_be16(p + Ipv4View::kTotalLength, total_length);
    store_be16(p + Ipv4View::kIdentification, identification);
    store_be16(
        p + Ipv4View::kFlagsAndOffset,
        static_cast<u16>((dont_fragment ? Ipv4View::kDontFragment : 0) |
                         (more_fragments ? Ipv4View::kMoreFragments : 0) | fragment_offset / 8));
    p[Ipv4View::kTtl] = ttl;
    p[Ipv4View::kProtocol] = static_cast<u8>(protocol);
    store_be16(p + Ipv4View::kChecksum, 0);
    source.store(p + Ipv4View::kSource);
    destination.store(p + Ipv4View::kDestination);
    const std::span<const u8, Ipv4View::kMinHeaderSize> header(p, Ipv4View::kMinHeaderSize);
    store_be16(p + Ipv4View::kChecksum, header_checksum(header));
}

}  // namespace tapestry
