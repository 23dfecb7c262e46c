#pragma once

#include <optional>

#include "stack/base/drop.h"
#include "stack/buf/frame.h"
#include "stack/trace/flow.h"
#include "stack/trace/tcp_snapshot.h"
#include "stack/trace/verdict.h"
#include "stack/wire/segment.h"

namespace tapestry {

enum class Direction : u8 { In, Out };

/// A frame crosses the border of the stack. Spans are good during the call only.
struct FrameEvent {
    TimePoint now;
    Direction direction = Direction::In;
    u8 interface = 0;              ///< in the order of Stack::add_interface
    Bytes headers;                 ///< from the Ethernet header on; In: the whole frame
    std::array<Bytes, 2> payload;  ///< what follows; In: empty
    Offload offload;
};

/// Something was refused.
struct DropEvent {
    TimePoint now;
    Drop drop = Drop::kCount;
    Bytes bytes;  ///< the frame, or what of it the refusing layer had
};

/// What moved a connection: its four stimuli.
enum class Stimulus : u8 { Segment, Timer, User, Flush };

/// A connection before and after one stimulus.
struct TcpEvent {
    TimePoint now;
    Stimulus stimulus = Stimulus::Segment;
    const Segment* segment = nullptr;  ///< Stimulus::Segment
    Verdict verdict = Verdict::None;   ///< which step decided, or which call or timer it was
    std::optional<Drop> drop;          ///< the segment was refused
    TcpSnapshot before;
    TcpSnapshot after;
};

/// What became of a conversation that a router follows.
struct FlowEvent {
    enum class Kind : u8 { New, Update, Destroy };
    TimePoint now;
    Kind kind = Kind::New;
    FlowSnapshot flow;
    friend bool operator==(const FlowEvent&, const FlowEvent&) = default;
};

/// A packet goes through a router: as it came in and as it is about to leave, from the IPv4 header on.
/// Spans are good during the call only.
struct ForwardEvent {
    TimePoint now;
    u8 in = 0;  ///< interfaces, in the order of Stack::add_interface
    u8 out = 0;
    Bytes before;  ///< IPv4 and transport header
    Bytes after;
    u64 flow = 0;  ///< FlowSnapshot::id; 0: routed without being followed
};

/// Who listens to a stack. Called in the order in which things happen; must not call the stack.
class TraceSink {
public:
    virtual ~TraceSink() = default;
    virtual void on_frame(const FrameEvent& /*event*/) {}
    virtual void on_drop(const DropEvent& /*event*/) {}
    virtual void on_tcp(const TcpEvent& /*event*/) {}
    virtual void on_flow(const FlowEvent& /*event*/) {}
    virtual void on_forward(const ForwardEvent& /*event*/) {}
};

}  // namespace tapestry
