// Explicit congestion notification (RFC 3168): a router that is about to drop marks instead, the receiver
// echoes the mark (ECE) until the sender says that it has slowed down (CWR).

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

/// Both roles: the receiver's marks, and the echo of ours.
void Connection::take_ecn(const Segment& seg, TimePoint now) {
    // 6.1.3: "After the data receiver receives the CWR packet, acknowledgments for subsequent non-CE data
    // packets will not have the ECN-Echo flag set."
    if (seg.flags.cwr()) ece_due_ = false;
    if (seg.ecn == Ecn::kCe && !seg.payload.empty()) {
        ece_due_ = true;
        ++services_.counters.tcp_ecn_marks;
    }
    // 6.1.2: "the sender MUST NOT [...] reduce the window more than once per window of data", nor for
    // ECE while it repairs a loss for which it has reduced it.
    if (!sender_.snd().una.after(ecn_recover_)) return;
    ecn_recover_ = sender_.snd().una - 1U;  // drawn along, so that it never lies 2^31 behind
    if (!seg.flags.ece() || recovery_.recovering()) return;
    congestion_->on_ecn({now, std::min(sender_.flight_size(), congestion_->cwnd()), mss_});
    ecn_recover_ = sender_.snd().nxt;
    cwr_due_ = true;
    spurious_.end();
    ++services_.counters.tcp_ecn_reductions;
}

/// 6.1.5: a retransmission MUST NOT be marked as ECN-capable, nor a window probe (6.1.6), nor what has no
/// text (6.1.4).
u8 Connection::ecn_codepoint(const SegmentPlan& plan) const {
    return ecn_ && plan.length > 0 && !plan.retransmission && !plan.probe ? Ecn::kEct0
                                                                          : Ecn::kNotEct;
}

/// 6.1.1: an ECN-setup SYN has ECE and CWR, an ECN-setup SYN-ACK has ECE alone. A SYN that is sent again
/// does without, for the sake of firewalls that drop it (6.1.1.1).
u8 Connection::ecn_flags(const SegmentPlan& plan) const {
    if (plan.syn) {
        if (state_ == TcpState::SynReceived) return ecn_ ? TcpFlags::kEce : u8{0};
        return config().ecn_request && retries_ == 0 ? TcpFlags::kEce | TcpFlags::kCwr : u8{0};
    }
    return cwr_due_ && plan.length > 0 && !plan.retransmission ? TcpFlags::kCwr : u8{0};
}

}  // namespace tapestry
