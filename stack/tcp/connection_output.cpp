// What leaves: everything that a connection sends goes through flush(), once for each batch of
// segments, after each timer and each user call. A segment is planned, handed to the device and only
// then committed, so that a full device costs nothing but time.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {
namespace {

/// The timestamps option with its padding (RFC 7323 appendix A).
constexpr u16 kTimestampBytes = 12;

}  // namespace

bool Connection::flush(TimePoint now) {
    if (reset_due_) {
        if (transmit(reset_header(now), {}, 0, now) == SendResult::Full) return false;
        enter_closed();
        return true;
    }
    if (state_ == TcpState::Closed) return true;
    if (!send_queued(now)) return false;
    if (state_ == TcpState::Closed) return true;
    if (loss_probe_due_ && !send_loss_probe(now)) return false;
    if (probe_due_ && sender_.pipe() == 0) {
        const auto probe = sender_.probe();
        if (probe && !send_plan(*probe, now)) return false;
    }
    probe_due_ = false;
    if (keep_alive_due_) {
        // SHLD-12: a probe without data, with a number that has been acknowledged already.
        const TcpHeader probe = header(sender_.snd().una - 1U, TcpFlags::kAck, now);
        if (transmit(probe, {}, 0, now) == SendResult::Full) return false;
        keep_alive_due_ = false;
        after_header_sent(probe, now);
    }
    if ((ack_state_ == AckState::Now || window_moved_) && !send_ack(now)) return false;
    settle_timers(now);
    return true;
}

/// What the windows let leave of what is queued. False: the device is full.
bool Connection::send_queued(TimePoint now) {
    // NextSeg() (3) and (4) of RFC 6675 may find something to send again where nothing waits.
    if (!sender_.has_unsent() && !recovery_.active()) return true;
    if (sender_.flight_size() == 0) restart_after_idle(now);
    SendLimits room = limits();
    while (!sender_.waits_for_room(room)) {
        const auto plan = sender_.next_segment(room);
        if (!plan) break;
        if (!send_plan(*plan, now)) return false;
        if (state_ == TcpState::Closed) return true;
        override_sws_ = false;
        // Most bursts are of segments that are all alike.
        if (room.once || room.mss != mss_) room = limits();
    }
    return true;
}

/// An acknowledgment that is due and found no segment to ride on, or a window update.
bool Connection::send_ack(TimePoint now) {
    if (state_ == TcpState::SynSent || state_ == TcpState::SynReceived) return true;
    const bool update = window_moved_ && can_receive(state_) &&
                        receiver_.window_update_due(receive_limit(), full_segment());
    if (ack_state_ != AckState::Now && !update) {
        window_moved_ = false;
        return true;
    }
    const TcpHeader ack = ack_header(now);
    if (transmit(ack, {}, 0, now) == SendResult::Full) return false;
    window_moved_ = false;
    after_header_sent(ack, now);
    return true;
}

bool Connection::send_plan(const SegmentPlan& plan, TimePoint now) {
    u8 flags = TcpFlags::kAck;
    if (plan.syn) flags = TcpFlags::kSyn;
    if (plan.syn && state_ == TcpState::SynReceived) flags |= TcpFlags::kAck;
    if (plan.fin) flags |= TcpFlags::kFin;
    if (plan.psh) flags |= TcpFlags::kPsh;
    flags |= ecn_flags(plan);
    const TcpHeader head = header(plan.seq, flags, now);
    const SendResult result =
        transmit(head, sender_.text(plan), plan.gso_size, now, ecn_codepoint(plan));
    if (result == SendResult::Full) return false;
    if (!accepted(result) && state_ == TcpState::SynSent) {
        fail(Errno::NetworkUnreachable);
        return true;
    }
    if (result == SendResult::TooBig) {
        // The path has become narrower since (another connection's ICMP said so): plan again.
        const u16 before = mss_;
        update_mss();
        if (mss_ < before) return true;
    }
    // A segment that IP would not take for want of a route is lost, as if on the way: the timer will
    // try again.
    after_plan_sent(plan, now);
    after_header_sent(head, now);
    return true;
}

void Connection::after_plan_sent(const SegmentPlan& plan, TimePoint now) {
    if (plan.retransmission) {
        // Karn: a segment sent twice is not timed.
        timing_ = false;
        ++retransmissions_;
        traffic_.bytes_retrans += plan.length;
        ++services_.counters.tcp_retrans_segs;
        spurious_.retransmitted(timestamp(now), plan.length);
    } else if (!timing_ && !plan.probe) {
        timing_ = true;
        timed_seq_ = plan.end();
        timed_at_ = now;
    }
    // RFC 6582 3.2 and RFC 6675 5 (C.4): the first segment sent again has its whole time. New data put
    // the loss probe off.
    if (plan.retransmission && plan.seq == sender_.snd().una) disarm(TcpTimer::Rto);
    if (sack_permitted_ && !plan.probe) disarm(TcpTimer::LossProbe);
    sender_.sent(plan, now, config().max_transmissions);
    if (plan.length > 0 && !plan.retransmission) cwr_due_ = false;
    if (recovery_.active()) prr_.sent(plan.sequence_length());
    last_sent_ = now;
}

/// Every segment but a first SYN carries an acknowledgment and a window.
void Connection::after_header_sent(const TcpHeader& head, TimePoint /*now*/) {
    receiver_.advertised(head.window, head.flags.syn());
    if (!head.flags.ack()) return;
    last_ack_sent_ = head.acknowledgment;
    receiver_.duplicate_reported();
    ack_state_ = AckState::None;
    unacked_ = 0;
    disarm(TcpTimer::DelayedAck);
}

TcpHeader Connection::header(SeqNum seq, u8 flags, TimePoint now) const {
    TcpHeader head{.sequence = seq, .flags = {flags}};
    if (head.flags.ack()) head.acknowledgment = receiver_.rcv().nxt;
    if (ece_due_ && !head.flags.syn() && !head.flags.rst()) head.flags.bits |= TcpFlags::kEce;
    head.window = receiver_.window_field(receive_limit(), full_segment(), head.flags.syn());
    const SendVars& snd = sender_.snd();
    if (snd.urgent && seq.before(snd.up) && !head.flags.syn() && !head.flags.rst()) {
        // MUST-31: urgent data may be longer than 16 bits can say; then the pointer follows them.
        head.flags.bits |= TcpFlags::kUrg;
        head.urgent_pointer = static_cast<u16>(std::min(snd.up - seq, 65535));
    }
    if (head.flags.syn()) {
        head.options = syn_options(now);
    } else if (timestamps_) {
        // RFC 7323 3.2: once negotiated the option is in every segment but a reset.
        head.options.timestamps = TcpTimestamps{timestamp(now), ts_recent_};
    }
    if (reports_sacks() && !head.flags.syn()) receiver_.sack_blocks(head.options);
    return head;
}

/// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>
TcpHeader Connection::ack_header(TimePoint now) const {
    return header(sender_.snd().nxt, TcpFlags::kAck, now);
}

/// RFC 9293 3.10.5: <SEQ=SND.NXT><CTL=RST>; with the ACK that lets the peer check it.
TcpHeader Connection::reset_header(TimePoint now) const {
    TcpHeader head = header(sender_.snd().nxt, TcpFlags::kRst | TcpFlags::kAck, now);
    head.options = {};
    return head;
}

SendResult Connection::transmit(const TcpHeader& head, const std::array<Bytes, 2>& text,
                                u16 gso_size, TimePoint now, u8 ecn) {
    const SendResult result =
        tcp_.output(local_, remote_, head, text, gso_size, ecn, options_.get(), now);
    if (result != SendResult::Full) traffic_.sent(text[0].size() + text[1].size(), gso_size, now);
    return result;
}

SendLimits Connection::limits() const {
    const bool sacks = reports_sacks();
    const u16 mss = sacks ? static_cast<u16>(mss_ - sack_bytes()) : mss_;
    const bool urgent = sender_.snd().urgent;
    return {
        .window = congestion_window(),
        .mss = mss,
        // One segment: no super-frame; nor with CWR or an urgent pointer, which differ in its parts.
        .max_burst = max_burst_ > mss_ && !cwr_due_ && !urgent ? max_burst_ : mss,
        .rescue = recovery_.active() && sack_permitted_ && !config().rack,
        .no_delay = urgent     ? true
                    : options_ ? options_->no_delay
                               : !config().nagle,
        .override_sws = override_sws_,
        .once = sacks || cwr_due_ || override_sws_};
}

/// There are SACK blocks to send. Where segments are tiny they would leave no room for text.
bool Connection::reports_sacks() const {
    constexpr u16 kSmallest = 128;
    return sack_permitted_ && receiver_.has_sack_blocks() && mss_ >= kSmallest;
}

/// What SACK blocks take from the text of a segment (RFC 6691 section 2).
u16 Connection::sack_bytes() const {
    TcpOptions options;
    if (timestamps_) options.timestamps = TcpTimestamps{};
    const std::size_t before = options.size();
    receiver_.sack_blocks(options);
    return static_cast<u16>(options.size() - before);
}

u32 Connection::congestion_window() const {
    if (!congestion_) return mss_;
    // With SACK it is "pipe" that says how much more may leave.
    if (sack_permitted_) {
        return recovery_.active() && config().prr ? prr_.window() : congestion_->cwnd();
    }
    if (recovery_.active()) return recovery_.window();
    // Limited transmit (RFC 3042): each of the first duplicate ACKs lets one new segment leave, so that
    // a small window still makes as many duplicates as fast retransmit wants.
    const u32 duplicates =
        std::min<u32>(recovery_.duplicates(), config().duplicate_ack_threshold - 1U);
    return congestion_->cwnd() + duplicates * mss_;
}

/// RFC 5681 4.1: after an idle time longer than the RTO the window starts again from RW = min (IW, cwnd).
void Connection::restart_after_idle(TimePoint now) {
    if (!congestion_ || !sender_.has_unsent()) return;
    if (now - last_sent_ > rtt_.rto(config())) congestion_->on_idle(initial_window());
}

/// What the timers are to watch over, now that everything that could be sent has been: either the
/// retransmission of what is under way, or the probing of a window that is closed; never both, and
/// never neither while something is left to be sent.
void Connection::settle_timers(TimePoint now) {
    const bool under_way = sender_.pipe() > 0;
    const bool waiting = sender_.has_unsent();
    if (under_way) {
        if (!armed(TcpTimer::Rto)) arm(TcpTimer::Rto, now + rtt_.rto(config()));
        disarm(TcpTimer::Persist);
        arm_loss_probe(now);
    } else {
        disarm(TcpTimer::Rto);
        disarm(TcpTimer::LossProbe);
        if (waiting && !armed(TcpTimer::Persist)) {
            // SHLD-29: the first probe after an RTO; SHLD-30: then further and further apart.
            const Duration first = std::max(config().persist_min, rtt_.rto(config()));
            const Duration wait =
                sender_.snd().wnd > 0
                    ? config().override_timeout
                    : std::min(first * (i64{1} << std::min<u8>(persist_count_, 16)),
                               config().persist_max);
            arm(TcpTimer::Persist, now + wait);
        } else if (!waiting) {
            disarm(TcpTimer::Persist);
        }
    }
    if (!under_way && !waiting) {
        disarm(TcpTimer::UserTimeout);
    } else if (user_timeout() != Duration{} && !armed(TcpTimer::UserTimeout)) {
        arm(TcpTimer::UserTimeout, now + user_timeout());
    }
}

/// How long data may wait for an acknowledgment that covers something new; 0: R2 alone decides. A
/// connection whose user has gone is not waited for without end, though its probes be answered.
Duration Connection::user_timeout() const {
    const Duration set = options_ && options_->user_timeout != Duration{} ? options_->user_timeout
                                                                          : config().user_timeout;
    if (!orphaned()) return set;
    return set == Duration{} ? config().linger_timeout : std::min(set, config().linger_timeout);
}

/// What we can receive, whatever the options (MUST-67, RFC 6691), and Eff.snd.MSS (MUST-16):
/// min (SendMSS+20, MMS_S) - TCPhdrsize - IPoptionsize. Asked of IP when the connection opens and when
/// the path changes, not for each segment.
void Connection::update_mss() {
    constexpr u32 kHeaders = Ipv4View::kMinHeaderSize + TcpView::kMinHeaderSize;
    u32 mtu = 576;
    u32 link_mtu = 576;
    u32 super = 0;
    if (const auto route = tcp_.ip_.route(remote_.address)) {
        mtu = route->mtu;
        link_mtu = route->interface->mtu();
        super = route->interface->max_super_frame();
    }
    if (path_cap_ != 0) mtu = std::min<u32>(mtu, path_cap_);
    const u32 wish =
        options_ && options_->max_segment != 0 ? options_->max_segment : u32{65535} - kHeaders;
    receive_mss_ = static_cast<u16>(std::min(wish, std::max<u32>(link_mtu, 88) - kHeaders));
    const u32 mss = std::min({u32{peer_mss_}, wish, std::max<u32>(mtu, 88) - kHeaders});
    const u32 option_bytes = timestamps_ ? kTimestampBytes : 0;
    mss_ = static_cast<u16>(std::max<u32>(mss - std::min(mss, option_bytes), 36));
    const u32 burst = std::min<u32>(super, config().max_burst_bytes + 120);
    max_burst_ = static_cast<u16>(burst > 120U + mss_ ? burst - 120U : mss_);
}

/// The text of a full-sized segment of the peer's, by which a closed window opens at least: Eff.snd.MSS
/// of RFC 9293 3.8.6.2.2 as the receiver knows it.
u16 Connection::full_segment() const {
    return timestamps_ && receive_mss_ > kTimestampBytes
               ? static_cast<u16>(receive_mss_ - kTimestampBytes)
               : receive_mss_;
}

u32 Connection::timestamp(TimePoint now) const {
    return static_cast<u32>(now.time_since_epoch() / config().timestamp_tick) + ts_offset_;
}

}  // namespace tapestry
