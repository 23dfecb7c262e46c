// The three-way handshake (RFC 9293 section 3.5): how a connection begins.
//
//      client                                            server
//   1. open_active()    -> SYN-SENT
//   2.                     SYN  seq=ISS --------->       open_passive()  -> SYN-RECEIVED
//   3. on_segment_syn_sent()  <--------- SYN,ACK         (ack=ISS+1)
//                       -> ESTABLISHED
//   4.                     ACK  --------------->         check_ack_syn_received() -> ESTABLISHED
//
// The segments themselves leave in flush(), as all others do (connection_output.cpp): the SYN is the
// first thing in the sender's queue. Two crossing SYNs (simultaneous open) take
// on_segment_syn_sent() to SYN-RECEIVED on both sides.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/listener.h"
#include "stack/tcp/tcp.h"

namespace tapestry {
namespace {

/// The smallest shift with which `limit` can be said in 16 bits (RFC 7323 2.2; at most 14).
u8 wind_shift_for(u32 limit) {
    u8 shift = 0;
    while (shift < 14 && (limit >> shift) > 65535) ++shift;
    return shift;
}

}  // namespace

/// The ISS and the offset of the timestamp clock.
SeqNum Connection::choose_numbers(TimePoint now) {
    ts_offset_ = tcp_.isn_.timestamp_offset(local_, remote_);
    const SeqNum iss = tcp_.isn_.isn(local_, remote_, now);
    if (services_.choices == nullptr) return iss;
    if (const auto shown = services_.choices->timestamp(local_, remote_)) {
        ts_offset_ += *shown - timestamp(now);
    }
    return services_.choices->iss(local_, remote_).value_or(iss);
}

/// RFC 9293 3.10.1, OPEN in CLOSED, active: an ISS is selected, a SYN is sent, SYN-SENT is entered.
void Connection::open_active(const Endpoint& local, const Endpoint& remote, TimePoint now) {
    local_ = local;
    remote_ = remote;
    state_ = TcpState::SynSent;
    sender_.start(choose_numbers(now));
    sample_after_ = sender_.snd().iss;
    if (config().window_scaling) receiver_.set_wind_shift(wind_shift_for(receive_ceiling()));
    update_mss();
    ++services_.counters.tcp_active_opens;
}

/// RFC 9293 3.10.7.2, third: RCV.NXT is set to SEG.SEQ+1, IRS to SEG.SEQ, an ISS is selected, and
/// <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> is sent; the state becomes SYN-RECEIVED.
void Connection::open_passive(const Segment& syn, std::optional<SeqNum> iss_floor, TimePoint now) {
    local_ = syn.destination;
    remote_ = syn.source;
    const SeqNum iss = choose_numbers(now);
    begin_passive(syn, iss_floor ? later(iss, *iss_floor + 1) : iss, now);
}

/// RFC 4987 3.6. The clock of the timestamps is the one that this connection would have anyway.
void Connection::open_with_cookie(const Segment& syn, SeqNum iss, TimePoint now) {
    local_ = syn.destination;
    remote_ = syn.source;
    ts_offset_ = tcp_.isn_.timestamp_offset(local_, remote_);
    begin_passive(syn, iss, now);
}

void Connection::begin_passive(const Segment& syn, SeqNum iss, TimePoint now) {
    state_ = TcpState::SynReceived;
    sender_.start(iss);
    sample_after_ = iss;
    if (config().window_scaling) receiver_.set_wind_shift(wind_shift_for(receive_ceiling()));
    take_peer_syn(syn, now);
}

TcpHeader Connection::header_of_syn_ack(TimePoint now) const {
    const u8 ecn = ecn_flags({.syn = true});
    return header(sender_.snd().iss, TcpFlags::kSyn | TcpFlags::kAck | ecn, now);
}

void Connection::cookie_was_sent(TimePoint now) {
    const TcpHeader answer = header_of_syn_ack(now);
    const SegmentPlan plan{.seq = answer.sequence, .syn = true};
    sender_.sent(plan, now, config().max_transmissions);
    after_header_sent(answer, now);
    // When it left is not known, and its timestamp was not quite the clock: no sample of this round trip.
    sample_after_ = plan.end() + 1;
}

void Connection::wait_at(ListenQueue& parent) {
    parent_ = &parent;
    parent.started();
    ++services_.counters.tcp_passive_opens;
}

/// What the peer's SYN says: its ISN and its options. Text in it is not taken; the peer sends it again.
// Not done: TCP Fast Open (RFC 7413).
void Connection::take_peer_syn(const Segment& seg, TimePoint now) {
    receiver_.start(seg.seq);
    // MUST-15: "If an MSS Option is not received at connection setup, TCP implementations MUST assume
    // a default send MSS of 536 (576 - 40) for IPv4"
    peer_mss_ = std::max(seg.options.mss.value_or(config().default_mss), config().min_mss);
    // RFC 7323 2.3: a shift count above 14 is taken as 14; without the option in both SYNs neither
    // side scales.
    if (seg.options.window_scale && config().window_scaling) {
        sender_.set_wind_shift(std::min<u8>(*seg.options.window_scale, 14));
    } else {
        receiver_.set_wind_shift(0);
    }
    timestamps_ = seg.options.timestamps.has_value() && config().timestamps;
    // RFC 3168 6.1.1: an ECN-setup SYN has both flags, an ECN-setup SYN-ACK only ECE.
    if (seg.flags.ack()) {
        ecn_ = config().ecn_request && retries_ == 0 && seg.flags.ece() && !seg.flags.cwr();
    } else {
        ecn_ = config().ecn && seg.flags.ece() && seg.flags.cwr();
    }
    // RFC 2018 2: both SYNs must have the option.
    sack_permitted_ = seg.options.sack_permitted && config().sack;
    if (timestamps_) {
        ts_recent_ = seg.options.timestamps->value;
        ts_recent_at_ = now;
    }
    // RFC 7323 2.2: the window field of a segment with SYN is never scaled.
    sender_.update_window(seg.wnd, seg.seq, seg.ack);
    update_mss();
}

TcpOptions Connection::syn_options(TimePoint now) const {
    TcpOptions options;
    options.mss = receive_mss_;
    const bool answer = state_ == TcpState::SynReceived;
    const bool peer_scales =
        answer && sender_.snd().wind_shift == 0 && receiver_.rcv().wind_shift == 0;
    if (config().window_scaling && !peer_scales) {
        options.window_scale = receiver_.rcv().wind_shift;
    }
    options.sack_permitted = answer ? sack_permitted_ : config().sack;
    if (answer ? timestamps_ : config().timestamps) {
        options.timestamps = TcpTimestamps{timestamp(now), answer ? ts_recent_ : 0};
    }
    return options;
}

/// RFC 9293 3.10.7.3: SYN-SENT.
SegmentResult Connection::on_segment_syn_sent(const Segment& seg, TimePoint now) {
    const SendVars& snd = sender_.snd();
    // First, check the ACK bit: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST
    // bit is set, if so drop the segment and return) <SEQ=SEG.ACK><CTL=RST> and discard the segment."
    const bool good_ack =
        seg.flags.ack() && seg.ack.after(snd.iss) && seg.ack.before_or_at(snd.nxt);
    if (seg.flags.ack() && !good_ack) {
        if (seg.flags.rst()) {
            return {.verdict = Verdict::SynSentResetIgnored, .drop = Drop::TcpUnacceptableReset};
        }
        return {.verdict = Verdict::SynSentBadAck,
                .drop = Drop::TcpBadAck,
                .reply = TcpHeader{.sequence = seg.ack, .flags = {TcpFlags::kRst}}};
    }
    // Second, check the RST bit.
    if (seg.flags.rst()) {
        if (!good_ack) {
            return {.verdict = Verdict::SynSentResetIgnored, .drop = Drop::TcpUnacceptableReset};
        }
        ++services_.counters.tcp_attempt_fails;
        fail(Errno::ConnectionRefused);
        return {.verdict = Verdict::SynSentReset};
    }
    // Third, check the security. Not done: security labels are of another world (RFC 9293 A.1).
    // Fourth, check the SYN bit.
    if (seg.flags.syn()) {
        if (good_ack) return complete_syn_sent(seg, now);
        // "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>
        // and send it."
        take_peer_syn(seg, now);
        state_ = TcpState::SynReceived;
        sender_.rewind();
        return {.verdict = Verdict::SynSentSimultaneous};
    }
    // Fifth, if neither of the SYN or RST bits is set, then drop the segment and return.
    return {.verdict = Verdict::SynSentIgnored, .drop = Drop::TcpUnexpectedInSynSent};
}

/// The SYN of ours has been acknowledged by the peer's SYN.
SegmentResult Connection::complete_syn_sent(const Segment& seg, TimePoint now) {
    take_peer_syn(seg, now);
    sample_rtt(seg, now);
    Delivered delivered;
    sender_.acknowledge(seg.ack, now, delivered);
    become_established(now);
    // <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, with whatever data the user has queued.
    ack_state_ = AckState::Now;
    Segment rest = seg;
    rest.flags.bits &= static_cast<u8>(~TcpFlags::kSyn);
    rest.seq += 1;
    return take_text(rest, Verdict::SynSentEstablished, now);
}

/// RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED
/// state and continue processing [...] If the segment acknowledgment is not acceptable, form a reset
/// segment <SEQ=SEG.ACK><CTL=RST> and send it."
std::expected<Verdict, SegmentResult> Connection::check_ack_syn_received(const Segment& seg,
                                                                         TimePoint now) {
    const SendVars& snd = sender_.snd();
    if (!seg.ack.after(snd.una) || seg.ack.after(snd.nxt)) {
        return std::unexpected(
            SegmentResult{.verdict = Verdict::AckOfNothingSent,
                          .drop = Drop::TcpBadAck,
                          .reply = TcpHeader{.sequence = seg.ack, .flags = {TcpFlags::kRst}}});
    }
    if (parent_ != nullptr && !parent_->can_finish()) {
        // The application is behind. The handshake stays open, and our SYN-ACK comes again.
        return std::unexpected(
            SegmentResult{.verdict = Verdict::Accepted, .drop = Drop::TcpAcceptQueueFull});
    }
    sample_rtt(seg, now);
    Delivered delivered;
    sender_.acknowledge(seg.ack, now, delivered);
    sender_.update_window(u32{seg.wnd} << snd.wind_shift, seg.seq, seg.ack);
    become_established(now);
    return Verdict::AckEstablishes;
}

void Connection::become_established(TimePoint now) {
    // A CLOSE call in SYN-RECEIVED was kept until now (RFC 9293 3.10.4).
    state_ = sender_.fin_queued() ? TcpState::FinWait1 : TcpState::Established;
    retries_ = 0;
    disarm(TcpTimer::Rto);
    disarm(TcpTimer::UserTimeout);
    if (syn_lost_) rtt_.syn_was_lost(config());
    recovery_.start(sender_.snd().iss);
    ecn_recover_ = sender_.snd().una - 1U;
    congestion_ = make_congestion(congestion_choice(), config().cwnd);
    congestion_->start(initial_window());
    last_sent_ = now;
    sample_after_ = sender_.snd().nxt;
    restart_keep_alive(now);
    if (parent_ != nullptr) parent_->established(*this);
    notify();
}

/// RFC 6928 2: min (10*MSS, max (2*MSS, 14600)); RFC 5681 3.1: one segment when the SYN was lost.
u32 Connection::initial_window() const {
    if (syn_lost_) return mss_;
    const u32 n = config().initial_window_segments;
    return std::min<u32>(n * mss_, std::max<u32>(2U * mss_, n * 1460));
}

}  // namespace tapestry
