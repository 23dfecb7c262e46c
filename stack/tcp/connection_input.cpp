// A segment arrives: RFC 9293 section 3.10.7.4, in its order. Each check either decides what becomes
// of the segment, and that is the end, or lets it pass to the next one.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/listener.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

SegmentResult Connection::on_segment(const Segment& seg, TimePoint now) {
    if (config().header_prediction) {
        if (const auto decided = on_predicted(seg, now)) return *decided;
    }
    if (state_ == TcpState::SynSent) return on_segment_syn_sent(seg, now);
    // Simultaneous open (RFC 9293 figure 7, line 6): the peer's SYN once more, now with an ACK. The SYN
    // is behind RCV.NXT and has done its work; the ACK is what counts. A passive open has sent
    // no SYN that a SYN-ACK could answer.
    if (state_ == TcpState::SynReceived && parent_ == nullptr && seg.flags.syn() &&
        seg.flags.ack() && seg.seq == receiver_.rcv().irs) {
        Segment rest = seg;
        rest.flags.bits &= static_cast<u8>(~TcpFlags::kSyn);
        rest.seq += 1;
        return on_segment(rest, now);
    }
    if (const auto decided = check_time_wait(seg, now)) return *decided;
    if (const auto decided = check_paws(seg, now)) return *decided;
    if (const auto decided = check_sequence(seg, now)) return *decided;  // first
    if (const auto decided = check_reset(seg, now)) return *decided;     // second
    // Third, check the security. Not done: security labels are of another world (RFC 9293 A.1).
    if (const auto decided = check_syn(seg, now)) return *decided;  // fourth
    const auto ack = check_ack(seg, now);                           // fifth
    if (!ack) return ack.error();
    if (state_ == TcpState::Closed) return {.verdict = *ack};
    remember_timestamp(seg, now);
    probes_ = 0;
    restart_keep_alive(now);
    if (seg.flags.urg()) take_urgent(seg);  // sixth
    return take_text(seg, *ack, now);       // seventh and eighth
}

/// A SYN in TIME-WAIT may open the connection anew (MAY-2) if it is surely no old duplicate: it has a
/// later timestamp or a number beyond RCV.NXT (RFC 6191 section 2).
std::optional<SegmentResult> Connection::check_time_wait(const Segment& seg, TimePoint /*now*/) {
    if (state_ != TcpState::TimeWait || !seg.flags.syn() || seg.flags.ack() || seg.flags.rst()) {
        return std::nullopt;
    }
    const bool later_stamp = timestamps_ && seg.options.timestamps &&
                             static_cast<i32>(seg.options.timestamps->value - ts_recent_) > 0;
    if (!later_stamp && !seg.seq.after(receiver_.rcv().nxt)) return std::nullopt;
    enter_closed();
    return SegmentResult{.verdict = Verdict::SynTimeWait, .reopen = true};
}

/// RFC 7323 5.3, R1: "If there is a Timestamps option in the arriving segment, SEG.TSval < TS.Recent,
/// TS.Recent is valid [...] and if the RST bit is not set, then treat the arriving segment as not
/// acceptable".
std::optional<SegmentResult> Connection::check_paws(const Segment& seg, TimePoint now) {
    if (!timestamps_ || !seg.options.timestamps || seg.flags.rst()) return std::nullopt;
    const bool older = static_cast<i32>(seg.options.timestamps->value - ts_recent_) < 0;
    // RFC 7323 5.5: after 24 days TS.Recent says nothing any more.
    const bool valid = now - ts_recent_at_ < std::chrono::days(24);
    if (!older || !valid) return std::nullopt;
    return SegmentResult{
        .verdict = Verdict::Paws, .drop = Drop::TcpPaws, .reply = ack_for_refused(seg, now)};
}

/// First, check sequence number: a segment is acceptable if any of its numbers is in the window.
std::optional<SegmentResult> Connection::check_sequence(const Segment& seg, TimePoint now) {
    const ReceiveVars& rcv = receiver_.rcv();
    const u32 wnd = rcv.wnd();
    const u32 len = seg.len();
    bool acceptable = false;
    if (len == 0) {
        // An empty segment exactly at the right edge is what a sender that has filled the window
        // acknowledges with; its ACK counts, as it does for Linux.
        acceptable = seg.seq.in_window(rcv.nxt, wnd + 1);
    } else if (wnd == 0) {
        // MUST-66: at a closed window valid ACKs, RSTs and a bare FIN are still taken; the receiver
        // cuts the text off.
        acceptable = seg.seq == rcv.nxt;
    } else {
        acceptable = seg.seq.in_window(rcv.nxt, wnd) || (seg.end() - 1U).in_window(rcv.nxt, wnd);
    }
    // The SYN of this handshake once more. Text that it brings lies in the window, but that makes it no
    // other SYN (check_syn): what lies outside, the SYN, is trimmed off, and the text is not taken yet.
    const bool same_syn = state_ == TcpState::SynReceived && seg.flags.syn() && seg.seq == rcv.irs;
    if (acceptable && (!same_syn || seg.flags.rst())) return std::nullopt;

    SegmentResult result{.verdict = Verdict::SequenceUnacceptable, .drop = Drop::TcpOutOfWindow};
    if (seg.flags.rst()) {
        result.verdict = Verdict::ResetRefused;
        return result;
    }
    if (same_syn) {
        sender_.rewind();  // the peer has not got our SYN-ACK
        return result;
    }
    if (state_ == TcpState::TimeWait && seg.flags.fin() && seg.end() == rcv.nxt) {
        // "The only thing that can arrive in this state is a retransmission of the remote FIN.
        // Acknowledge it, and restart the 2 MSL timeout."
        result.verdict = Verdict::TimeWaitRestart;
        enter_time_wait(now);
    }
    // "If an incoming segment is not acceptable, an acknowledgment should be sent in reply".
    result.reply = ack_for_refused(seg, now);
    return result;
}

/// Second, check the RST bit (RFC 5961 3.2): only one exactly at RCV.NXT is believed.
std::optional<SegmentResult> Connection::check_reset(const Segment& seg, TimePoint now) {
    if (!seg.flags.rst()) return std::nullopt;
    if (state_ == TcpState::TimeWait && config().rfc1337) {
        return SegmentResult{.verdict = Verdict::ResetRefused, .drop = Drop::TcpUnacceptableReset};
    }
    if (seg.seq != receiver_.rcv().nxt) {
        return SegmentResult{.verdict = Verdict::ResetChallenged,
                             .drop = Drop::TcpUnacceptableReset,
                             .reply = challenge(now)};
    }
    switch (state_) {
        case TcpState::SynReceived:
            ++services_.counters.tcp_attempt_fails;
            if (parent_ != nullptr) {
                enter_closed();
                return SegmentResult{.verdict = Verdict::ResetToListen};
            }
            fail(Errno::ConnectionRefused);
            break;
        case TcpState::Closing:
        case TcpState::LastAck:
        case TcpState::TimeWait:
            enter_closed();
            break;
        default:
            ++services_.counters.tcp_estab_resets;
            // What has been sent and not been acknowledged is lost to a writer who has not read the
            // end of the stream: EPIPE after the peer's FIN, as Linux has it.
            fail(state_ == TcpState::CloseWait ? Errno::BrokenPipe : Errno::ConnectionReset);
    }
    return SegmentResult{.verdict = Verdict::ResetAccepted};
}

/// Fourth, check the SYN bit (RFC 5961 4.2): "TCP MUST send an ACK (also referred to as challenge
/// ACK) to the remote peer [...] After sending the acknowledgment, TCP MUST drop the unacceptable
/// segment and stop processing further."
std::optional<SegmentResult> Connection::check_syn(const Segment& seg, TimePoint now) {
    if (!seg.flags.syn()) return std::nullopt;
    if (state_ == TcpState::SynReceived && parent_ != nullptr) {
        // "If the connection was initiated with a passive OPEN, then return this connection to the
        // LISTEN state and return."
        enter_closed();
        return SegmentResult{.verdict = Verdict::ResetToListen, .drop = Drop::TcpUnexpectedSyn};
    }
    return SegmentResult{
        .verdict = Verdict::SynChallenged, .drop = Drop::TcpUnexpectedSyn, .reply = challenge(now)};
}

/// Fifth, check the ACK field.
std::expected<Verdict, SegmentResult> Connection::check_ack(const Segment& seg, TimePoint now) {
    if (!seg.flags.ack()) {
        return std::unexpected(SegmentResult{.verdict = Verdict::NoAck, .drop = Drop::TcpNoAck});
    }
    if (state_ == TcpState::SynReceived) return check_ack_syn_received(seg, now);

    // RFC 5961 5.2: "The ACK value is considered acceptable only if it is in the range of ((SND.UNA -
    // MAX.SND.WND) <= SEG.ACK <= SND.NXT)."
    const SendVars& snd = sender_.snd();
    if (seg.ack.after(snd.nxt) || seg.ack.before(snd.una - snd.max_wnd)) {
        return std::unexpected(SegmentResult{
            .verdict = Verdict::AckChallenged, .drop = Drop::TcpBadAck, .reply = challenge(now)});
    }
    Verdict verdict = take_ack(seg, now);
    if (const auto closing = advance_closing_states(now)) verdict = *closing;
    return verdict;
}

/// Sixth, check the URG bit: "RCV.UP <- max(RCV.UP,SEG.UP), and signal the user that the remote side has
/// urgent data if the urgent pointer (RCV.UP) is in advance of the data consumed." The data stay where they
/// are in the stream (RFC 6093 section 6). MUST-62: the pointer is one past the last urgent octet.
void Connection::take_urgent(const Segment& seg) {
    if (can_receive(state_) && receiver_.take_urgent(seg.seq + u32{seg.up})) notify();
}

/// RFC 7323 4.3 (2): TS.Recent is updated by segments that begin at or before what we last
/// acknowledged: "If SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent".
void Connection::remember_timestamp(const Segment& seg, TimePoint now) {
    if (!timestamps_ || !seg.options.timestamps) return;
    if (seg.seq.after(last_ack_sent_)) return;
    if (static_cast<i32>(seg.options.timestamps->value - ts_recent_) < 0 &&
        now - ts_recent_at_ < std::chrono::days(24)) {
        return;
    }
    ts_recent_ = seg.options.timestamps->value;
    ts_recent_at_ = now;
}

/// Seventh, process the segment text, and eighth, check the FIN bit.
SegmentResult Connection::take_text(const Segment& seg, Verdict so_far, TimePoint now) {
    SegmentResult result{.verdict = so_far};
    if (!can_receive(state_)) return result;
    if (orphaned() && !seg.payload.empty() &&
        (seg.seq + static_cast<u32>(seg.payload.size())).after(receiver_.rcv().nxt)) {
        // SHLD-3: data for a user who has closed: "send a RST to show that data was lost".
        result = {.verdict = Verdict::DataRefused,
                  .drop = Drop::TcpDataAfterClose,
                  .reply = reset_header(now)};
        enter_closed();
        return result;
    }
    const u32 before = receiver_.readable();
    const SeqNum nxt_before = receiver_.rcv().nxt;
    switch (
        receiver_.accept(seg.seq, seg.payload, seg.flags.fin(), config().max_out_of_order_blocks)) {
        case Receiver::Outcome::Nothing:
            return result;
        case Receiver::Outcome::InOrder:
            result.verdict = Verdict::DataInOrder;
            unacked_ += static_cast<u32>(receiver_.rcv().nxt - nxt_before);
            owe_ack(static_cast<u32>(seg.payload.size()), now);
            // RFC 2883 4: a duplicate is reported by the ACK of the very segment that brought it.
            if (reports_sacks()) ack_state_ = AckState::Now;
            break;
        case Receiver::Outcome::FilledHole:
            // RFC 5681 4.2: an immediate ACK when a segment fills in a gap.
            result.verdict = Verdict::DataInOrder;
            ack_state_ = AckState::Now;
            break;
        case Receiver::Outcome::OutOfOrder:
            // RFC 5681 4.2: an immediate duplicate ACK, one for each segment, for fast retransmit.
            result.verdict = Verdict::DataOutOfOrder;
            result.reply = ack_header(now);
            break;
        case Receiver::Outcome::Duplicate:
            result = refuse_text(Drop::TcpOutOfWindow);
            break;
        case Receiver::Outcome::NoMemory:
            result = refuse_text(Drop::TcpNoMemory);
            break;
    }
    traffic_.took(static_cast<u32>(receiver_.rcv().nxt - nxt_before), receiver_.finished());
    if (receiver_.finished()) {
        result.verdict = Verdict::FinReceived;
        take_fin(now);
    }
    if (receiver_.finished() || receiver_.readable() != before) notify();
    return result;
}

/// Nothing of the text was taken; the peer is told at once how far we are.
SegmentResult Connection::refuse_text(Drop drop) {
    ack_state_ = AckState::Now;
    return {.verdict = Verdict::DataDuplicate, .drop = drop};
}

/// Text has come in order: SHLD-19, an ACK for every second full-sized segment; MUST-40, within 0.5
/// seconds.
void Connection::owe_ack(u32 text, TimePoint now) {
    largest_segment_ =
        std::max(largest_segment_, static_cast<u16>(std::min<u32>(text, receive_mss_)));
    if (quick_acks_ < config().quick_acks) {
        // RFC 9293 3.8.6.3 lets an ACK be delayed, it need not be: a sender in slow start waits for them.
        ++quick_acks_;
        ack_state_ = AckState::Now;
    } else if (unacked_ >= 2U * largest_segment_) {
        ack_state_ = AckState::Now;
    } else if (ack_state_ == AckState::None) {
        ack_state_ = AckState::Delayed;
        arm(TcpTimer::DelayedAck, now + config().delayed_ack);
    }
}

/// Eighth: RCV.NXT has gone past the FIN.
void Connection::take_fin(TimePoint now) {
    ack_state_ = AckState::Now;
    switch (state_) {
        case TcpState::Established:
            state_ = TcpState::CloseWait;
            break;
        case TcpState::FinWait1:
            // "If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT [...]
            // otherwise, enter the CLOSING state." The first case is FIN-WAIT-2 by now.
            state_ = TcpState::Closing;
            break;
        case TcpState::FinWait2:
            enter_time_wait(now);
            break;
        default:
            break;
    }
}

/// What a segment that is not acceptable is answered with. One without text may itself be such an
/// answer: two ends that disagree (a stranger's byte is enough) would answer each other for ever, so
/// those are counted. Keep-alive probes, which look the same, come far more rarely than the limit.
std::optional<TcpHeader> Connection::ack_for_refused(const Segment& seg, TimePoint now) {
    receiver_.note_duplicate(seg.seq, static_cast<u32>(seg.payload.size()));
    return seg.len() > 0 ? ack_header(now) : challenge(now);
}

/// RFC 5961 section 7: challenge ACKs are limited, here for each connection by itself, so that one
/// stranger cannot learn from another's silence.
std::optional<TcpHeader> Connection::challenge(TimePoint now) {
    if (now - challenge_epoch_ >= 1s) {
        challenge_epoch_ = now;
        challenges_ = 0;
    }
    if (challenges_ >= config().challenge_acks_per_second) return std::nullopt;
    ++challenges_;
    ++services_.counters.tcp_challenge_acks;
    return ack_header(now);
}

}  // namespace tapestry
