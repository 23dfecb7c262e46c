#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "stack/wire/segment.h"

namespace tapestry {

/// One TCP segment in packetdrill's one-line notation, sequence numbers relative to whatever the
/// writer chose (the first of each direction, as a rule):
///
///     S 0:0(0) win 64240 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>
///     P. 1:101(100) ack 1 win 502
///
/// Flags are tcpdump's letters: F S R P U E(CE) W(CWR), and '.' for ACK; "-" when none is set. The
/// same type is printed by the inspector and parsed by test scripts.
struct TcpNote {
    TcpFlags flags;
    u32 seq = 0;
    u32 length = 0;             ///< payload bytes
    std::optional<u32> ack;     ///< printed when the ACK bit is set
    std::optional<u32> window;  ///< absent in a script: any
    std::optional<u16> urgent;
    /// Absent in a script ("<...>"): any options. Present and empty: none at all.
    std::optional<TcpOptions> options;

    friend bool operator==(const TcpNote&, const TcpNote&) = default;
};

/// The note of a segment with its numbers relative to `seq_base` and `ack_base`.
TcpNote note_of(const Segment& segment, SeqNum seq_base, SeqNum ack_base);

std::string to_string(const TcpNote& note);
/// "<mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>"; "" when there are none. SACK blocks are printed
/// relative to `sack_base`.
std::string to_string(const TcpOptions& options, SeqNum sack_base = SeqNum(0));

/// Where and why a line cannot be read.
struct NotationError {
    std::size_t column = 0;  ///< from 0
    std::string expected;    ///< "a flag letter", "':'", ...
};
/// Takes exactly the forms that to_string() prints, with any white space between the parts, and
/// "<...>" for "any options".
std::expected<TcpNote, NotationError> parse_note(std::string_view line);

/// One line for a whole frame, whatever is in it: ARP and ICMP as tcpdump says it, TCP as above with
/// absolute numbers, UDP with its length; broken ones with the name of the refusal. `headers` begins
/// with the Ethernet header and reaches at least past the transport header; `frame_size` is the
/// size on the wire.
std::string describe_frame(Bytes headers, std::size_t frame_size);

}  // namespace tapestry
