#pragma once

#include <optional>

#include "stack/trace/trace.h"

namespace tapestry {

/// What a frame says, if there is a TCP segment in it, seen from one end: ours.
struct TcpDigest {
    Direction direction = Direction::In;
    Endpoint local;
    Endpoint remote;
    TcpFlags flags;
    SeqNum seq;
    SeqNum ack;
    u16 window = 0;
    TcpOptions options;
    u32 length = 0;    ///< payload bytes
    u32 segments = 1;  ///< that the wire will see, or has seen, of this frame
    Bytes text;        ///< the first piece of the payload; good during the event only

    /// The number behind the segment.
    SeqNum end() const { return seq + length + (flags.syn() ? 1U : 0U) + (flags.fin() ? 1U : 0U); }
    /// Nothing but an acknowledgment.
    bool pure_ack() const { return length == 0 && flags.bits == TcpFlags::kAck; }
};

/// Nothing for any other frame, and for a segment that is broken or a fragment.
std::optional<TcpDigest> tcp_digest(const FrameEvent& event);

}  // namespace tapestry
