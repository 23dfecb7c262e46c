#pragma once

#include <optional>

#include "apps/inspect/observed.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/segment.h"

namespace tapestry {

/// One TCP segment as a capture has it.
struct ObservedPacket {
    u64 number = 0;
    TimePoint time{};
    Segment segment;   ///< its payload is what was captured
    u32 length = 0;    ///< of the text on the wire; the capture may have less of it
    u32 ip_size = 0;   ///< of the whole packet on the wire
    bool cut = false;  ///< the capture has not all of it
    bool from_fragments = false;
    ChecksumSeen checksum = ChecksumSeen::NotChecked;
    bool ip_checksum_wrong = false;

    /// The number behind it.
    SeqNum end() const {
        return segment.seq + length + (segment.flags.syn() ? 1U : 0U) +
               (segment.flags.fin() ? 1U : 0U);
    }
};

/// The TCP segment in an IPv4 packet of `wire_size` bytes, of which the capture may have less.
/// Nothing: it has none, or not its whole header, or the packet is a fragment.
std::optional<ObservedPacket> observed_packet(const Ipv4View& ip, std::size_t wire_size);

}  // namespace tapestry
