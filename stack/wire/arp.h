#pragma once

#include <array>
#include <expected>

#include "stack/base/drop.h"
#include "stack/wire/address.h"

namespace tapestry {

/// ARP for IPv4 over Ethernet (RFC 826).
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-------------------------------+-------------------------------+
///   |    hardware type ar$hrd = 1   | protocol type ar$pro = 0x0800 |
///   +---------------+---------------+-------------------------------+
///   |  ar$hln = 6   |  ar$pln = 4   |      operation ar$op          |
///   +---------------+---------------+-------------------------------+
///   |                 sender hardware address ar$sha (6)            |
///   |                               +-------------------------------+
///   |                               | sender protocol addr ar$spa   |
///   +-------------------------------+-------------------------------+
///   |         ar$spa (rest)         |                               |
///   +-------------------------------+ target hardware address (6)   |
///   |                                                ar$tha         |
///   +---------------------------------------------------------------+
///   |                 target protocol address ar$tpa                |
///   +---------------------------------------------------------------+

enum class ArpOperation : u16 { Request = 1, Reply = 2 };

/// The values of one ARP packet, for reading and for writing.
struct ArpPacket {
    static constexpr std::size_t kSize = 28;

    ArpOperation operation = ArpOperation::Request;
    MacAddress sender_mac;
    Ipv4Address sender_ip;
    MacAddress target_mac;
    Ipv4Address target_ip;

    /// Takes the first 28 bytes; what follows is padding.
    /// Refuses: ArpShort, ArpBadHardware, ArpBadProtocol, ArpBadLength, ArpBadOperation.
    static std::expected<ArpPacket, Drop> parse(Bytes payload);
    std::array<u8, kSize> to_bytes() const;

    friend bool operator==(const ArpPacket&, const ArpPacket&) = default;
};

}  // namespace tapestry
