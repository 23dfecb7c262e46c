#pragma once

#include "stack/wire/ipv4.h"
#include "stack/wire/tcp.h"

namespace tapestry {

/// One arriving TCP segment in the RFC's terms: SEG.SEQ, SEG.ACK, SEG.LEN, SEG.WND (RFC 9293 section
/// 3.3.1). Everything in it has been validated; the payload is borrowed from the packet.
struct Segment {
    Endpoint source{};
    Endpoint destination{};
    SeqNum seq{};
    SeqNum ack{};
    u16 wnd = 0;  ///< as on the wire, not scaled
    u16 up = 0;
    TcpFlags flags{};
    u8 ecn = Ecn::kNotEct;  ///< of the IP header; parse() does not see it
    TcpOptions options{};
    Bytes payload{};

    /// SEG.LEN: data plus one each for SYN and FIN.
    u32 len() const {
        return static_cast<u32>(payload.size()) + (flags.syn() ? 1 : 0) + (flags.fin() ? 1 : 0);
    }
    /// The number just behind the segment.
    SeqNum end() const { return seq + len(); }

    /// Parses header and options and checks the sum.
    /// Refuses: TcpShort, TcpBadDataOffset, TcpBadChecksum, TcpBadOption, TcpBadPort.
    static std::expected<Segment, Drop> parse(Bytes bytes, Ipv4Address source,
                                              Ipv4Address destination,
                                              bool checksum_verified = false);
};

}  // namespace tapestry
