#include "apps/inspect/observer.h"

/// The states of both ends, as the frames show them (RFC 9293 figure 5). A segment is taken to have
/// arrived where the capture shows it, in the order of the capture.

namespace tapestry {

void Observer::states(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                      Side from) {
    const Segment& seg = arrived.segment;
    TcpState& sender = shown.end(from).state;
    TcpState& receiver = shown.end(other(from)).state;
    Way& ours = stream.way(from);
    const Way& theirs = stream.way(other(from));
    if (seg.flags.rst()) {
        if (!shown.reset_by) shown.reset_by = from;
        sender = receiver = TcpState::Closed;
        return;
    }
    if (seg.flags.syn()) {
        const bool opening = sender == TcpState::Closed || sender == TcpState::Listen;
        if (!seg.flags.ack()) {
            if (opening) sender = TcpState::SynSent;
            if (receiver == TcpState::Listen || receiver == TcpState::SynSent) {
                receiver = TcpState::SynReceived;
            }
        } else {
            if (opening || sender == TcpState::SynSent) sender = TcpState::SynReceived;
            if (receiver == TcpState::SynSent) receiver = TcpState::Established;
        }
        return;
    }
    const bool acks_syn = seg.flags.ack() && receiver == TcpState::SynReceived;
    if (acks_syn) receiver = TcpState::Established;
    if (seg.flags.ack() && theirs.fin_sent && seg.ack.after_or_at(theirs.fin)) {
        if (receiver == TcpState::FinWait1) receiver = TcpState::FinWait2;
        if (receiver == TcpState::Closing) receiver = TcpState::TimeWait;
        if (receiver == TcpState::LastAck) receiver = TcpState::Closed;
    }
    if (!seg.flags.fin()) return;
    if (!ours.fin_sent) {
        ours.fin_sent = true;
        ours.fin = arrived.end();
        if (sender == TcpState::Established || sender == TcpState::SynReceived) {
            sender = TcpState::FinWait1;
        } else if (sender == TcpState::CloseWait) {
            sender = TcpState::LastAck;
        }
    }
    if (receiver == TcpState::Established || receiver == TcpState::SynReceived) {
        receiver = TcpState::CloseWait;
    } else if (receiver == TcpState::FinWait1) {
        receiver = TcpState::Closing;
    } else if (receiver == TcpState::FinWait2) {
        receiver = TcpState::TimeWait;
    }
}

}  // namespace tapestry
