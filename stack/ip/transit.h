#pragma once

#include <expected>

#include "stack/trace/flow.h"
#include "stack/wire/icmp.h"
#include "stack/wire/tcp.h"

namespace tapestry {

/// What a router needs to know of a whole packet in order to follow and judge it.
struct Transit {
    enum class Kind : u8 {
        Conversation,  ///< `tuple` names it
        IcmpError,     ///< `tuple` is that of the quoted packet
        Other,         ///< an ICMP message that belongs to no conversation
    };
    Kind kind = Kind::Conversation;
    FlowTuple tuple;
    TcpFlags flags;    ///< of TCP
    u8 icmp_type = 0;  ///< of ICMP, as is the code
    u8 icmp_code = 0;
    u16 header_size = 0;  ///< of IPv4 and transport header together
    u32 size = 0;         ///< of the packet
};

/// Reads the headers of a packet that is no fragment. Transport checksums are not looked at: they are
/// the business of the ends, and a translated packet keeps a wrong one wrong. That of an ICMP error
/// is, because it is made anew, and so is the header checksum of the packet that it quotes (RFC 5508
/// REQ-3 and REQ-4).
/// Refuses: TcpShort, TcpBadDataOffset, UdpShort, IcmpShort, IcmpBadChecksum, IcmpBadQuote.
std::expected<Transit, Drop> read_transit(const Ipv4View& packet);

/// The tuple of the packet that an ICMP error quotes, as far as it is there.
/// Refuses: IcmpBadQuote.
std::expected<FlowTuple, Drop> quoted_tuple(Bytes quote);

}  // namespace tapestry
