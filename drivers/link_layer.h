#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "stack/base/drop.h"
#include "stack/wire/ethernet.h"

namespace tapestry {

/// What stands in front of the network layer in a capture file (LINKTYPE_ values of tcpdump.org).
enum class LinkType : u8 {
    Ethernet,      ///< 1; with or without VLAN tags
    LinuxCooked,   ///< 113: "any" device of Linux; 16 bytes
    LinuxCooked2,  ///< 276: the same, second version; 20 bytes
    RawIp,         ///< 101, 228: nothing
    BsdLoopback,   ///< 0, 108: an address family in four bytes, in either byte order
};

/// By libpcap's number for it; nothing for any other.
std::optional<LinkType> link_type_of(int dlt);

/// The LINKTYPE_ number that files have for one of libpcap's own: its numbers for raw IP differ from
/// system to system.
u16 linktype_number(int dlt);

/// A frame without what the link has put in front.
struct NetworkPacket {
    EtherType type = EtherType::Ipv4;
    Bytes packet;                 ///< padding included
    std::size_t header_size = 0;  ///< bytes that stood in front of it
    std::optional<u16> vlan;      ///< the outermost tag's VLAN identifier
};

/// Refuses: LinkHeaderShort, EthernetUnknownType (a length in place of a type, an address family other
/// than IPv4).
std::expected<NetworkPacket, Drop> network_packet(LinkType link, Bytes frame);

}  // namespace tapestry
