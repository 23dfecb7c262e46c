#include "stack/ip/flow_tcp.h"

namespace tapestry {

void FlowTcp::passed(FlowDirection direction, TcpFlags flags) {
    if (flags.rst()) {
        state_ = FlowState::Close;
    } else if (flags.syn()) {
        state_ = after_syn(direction, flags);
    } else if (flags.fin()) {
        state_ = after_fin(direction);
    } else if (flags.ack()) {
        state_ = after_ack(direction);
    }
    if (state_ == FlowState::Established) was_established_ = true;
    if (state_ == FlowState::SynSent) {
        fins_ = 0;
        was_established_ = false;
    }
}

FlowState FlowTcp::after_syn(FlowDirection direction, TcpFlags flags) const {
    if (flags.ack()) {
        const bool awaited = state_ == FlowState::SynSent2 ||
                             (state_ == FlowState::SynSent && direction == FlowDirection::Reply);
        return awaited ? FlowState::SynRecv : state_;
    }
    // RFC 5382 REQ-2: "A NAT MUST support all valid sequences of TCP packets (defined in [RFC0793])
    // for connections initiated both internally as well as externally", the simultaneous open
    // included.
    if (direction == FlowDirection::Reply) {
        return state_ == FlowState::SynSent ? FlowState::SynSent2 : state_;
    }
    // The same ports are used for a new connection once the old one is over.
    const bool over = state_ == FlowState::None || state_ == FlowState::Close ||
                      state_ == FlowState::LastAck || state_ == FlowState::TimeWait;
    return over ? FlowState::SynSent : state_;
}

FlowState FlowTcp::after_fin(FlowDirection direction) {
    if (state_ == FlowState::Close) return state_;
    if (fins_ == 0) first_fin_ = direction;
    fins_ = static_cast<u8>(fins_ | 1U << static_cast<u8>(direction));
    return fins_ == 3 ? FlowState::LastAck : FlowState::FinWait;
}

FlowState FlowTcp::after_ack(FlowDirection direction) {
    switch (state_) {
        case FlowState::None:  // in the middle of a connection, where that is allowed
            return FlowState::Established;
        case FlowState::SynRecv:
            return direction == FlowDirection::Original ? FlowState::Established : state_;
        case FlowState::FinWait:
            return direction != first_fin_ ? FlowState::CloseWait : state_;
        case FlowState::LastAck:
            return direction == first_fin_ ? FlowState::TimeWait : state_;
        case FlowState::Close:
            // The reset was not believed: the connection lives.
            return was_established_ && fins_ == 0 ? FlowState::Established : state_;
        default:
            return state_;
    }
}

}  // namespace tapestry
