#pragma once

#include "stack/trace/flow.h"
#include "stack/wire/tcp.h"

namespace tapestry {

/// What a router makes of the TCP segments that pass it (RFC 5382 section 5, RFC 7857 section 2): how
/// far the conversation has come, and so how long it is worth remembering.
///
/// It looks at flags, never at sequence numbers: a forged segment can move it. Therefore nothing here
/// forgets a conversation at once. A reset makes it short-lived, and any later segment undoes that
/// (RFC 7857: "the TCP RST ... transitory connection idle-timeout").
class FlowTcp {
public:
    /// Whether a segment with these flags may begin a conversation.
    static bool opens(TcpFlags flags) { return flags.syn() && !flags.ack() && !flags.rst(); }

    void passed(FlowDirection direction, TcpFlags flags);
    FlowState state() const { return state_; }
    /// The handshake was completed once.
    bool was_established() const { return was_established_; }

private:
    FlowState after_syn(FlowDirection direction, TcpFlags flags) const;
    FlowState after_fin(FlowDirection direction);
    FlowState after_ack(FlowDirection direction);

    FlowState state_ = FlowState::None;
    u8 fins_ = 0;  ///< one bit for each direction
    FlowDirection first_fin_ = FlowDirection::Original;
    bool was_established_ = false;
};

}  // namespace tapestry
