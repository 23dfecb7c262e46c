#pragma once

#include "stack/trace/tcp_snapshot.h"

namespace tapestry {

/// The user may still send: no FIN of ours is queued.
constexpr bool can_send(TcpState s) {
    return s == TcpState::SynSent || s == TcpState::SynReceived || s == TcpState::Established ||
           s == TcpState::CloseWait;
}

/// The other side may still send data (RFC 9293 3.10.7.4, seventh).
constexpr bool can_receive(TcpState s) {
    return s == TcpState::Established || s == TcpState::FinWait1 || s == TcpState::FinWait2;
}

/// A FIN of ours has been queued, sent or acknowledged.
constexpr bool is_closing(TcpState s) {
    return s == TcpState::FinWait1 || s == TcpState::FinWait2 || s == TcpState::Closing ||
           s == TcpState::LastAck || s == TcpState::TimeWait;
}

}  // namespace tapestry
