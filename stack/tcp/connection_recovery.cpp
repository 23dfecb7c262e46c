// Loss recovery: what is lost, and what follows from it. Four kinds of evidence mark parts of the
// retransmission queue as lost, and the sender sends what is marked:
//
//   three duplicate ACKs        a peer without SACK (RFC 5681, RFC 6582)     take_duplicate_ack()
//   SACK and IsLost()           tcp.rack = 0 (RFC 6675)                      detect_losses()
//   SACK and time               RACK (RFC 8985 section 6)                    detect_losses()
//   the retransmission timer    RFC 6298                                     on_rto()
//
// The loss probe (RFC 8985 section 7) makes evidence where there is none: at the end of what was sent.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

Verdict Connection::take_duplicate_ack(TimePoint now) {
    if (recovery_.on_duplicate(sender_.snd().una, config().duplicate_ack_threshold, mss_) !=
        Recovery::Action::Enter) {
        return Verdict::AckDuplicate;
    }
    retransmit_head();
    enter_recovery(0, now);
    return Verdict::FastRetransmit;
}

/// The segment at SND.UNA is sent again, at once.
void Connection::retransmit_head() {
    sender_.mark_head_lost(mss_);
    sender_.retransmit_now();
}

/// What stands in the SACK option of an ACK up to SND.UNA.
Verdict Connection::take_sack(const Segment& seg, AckReport& report, Verdict so_far) {
    const SackNews news =
        sender_.take_sack(std::span(seg.options.sack_blocks).first(seg.options.sack_count),
                          config().max_sack_ranges, report.delivered);
    services_.counters.tcp_sack_nonsense += news.nonsense;
    if (news.duplicate > 0) ++services_.counters.tcp_dsacks_received;
    if (news.fresh) recovery_.count_sack();
    report.duplicate = news.duplicate;
    report.fresh = news.fresh;
    if (so_far != Verdict::AckDuplicate && so_far != Verdict::Accepted) return so_far;
    if (news.fresh) return Verdict::AckSack;
    return news.duplicate > 0 ? Verdict::AckDuplicateSack : so_far;
}

Rack::Situation Connection::rack_situation(TimePoint now, bool duplicate) const {
    return {.now = now,
            .srtt = rtt_.srtt(),
            .una = sender_.snd().una,
            .nxt = sender_.snd().nxt,
            .in_recovery = recovery_.recovering(),
            .enough_sacked = sender_.head_lost({config().duplicate_ack_threshold, mss_}),
            .duplicate = duplicate};
}

/// With SACK, after each acknowledgment: what does it show to be lost, and how much may leave?
Verdict Connection::detect_losses(const Segment& seg, const AckReport& report, Verdict so_far,
                                  TimePoint now) {
    u32 lost = 0;
    if (config().rack) {
        // Where nothing was sent twice it does not matter which of two transmissions is echoed.
        const bool again = report.delivered.newest_again.has_value();
        rack_.on_delivered(report.delivered, now, again ? echoed(seg, now) : TimePoint{});
        lost = run_rack(now, report.duplicate > 0);
    } else {
        lost = run_scoreboard(report.fresh);
    }
    Verdict verdict = so_far;
    if (spurious_.open() && config().undo && was_spurious(seg, report)) return undo(report, now);
    if (lost > 0 && recovery_.may_enter(sender_.snd().una)) {
        enter_recovery(report.delivered.bytes, now);
        verdict = config().rack ? Verdict::RackRecovery : Verdict::SackRecovery;
    }
    if (loss_probe_out_) verdict = check_loss_probe(seg, report, verdict, now);
    if (recovery_.active()) {
        prr_.on_ack({.delivered = report.delivered.bytes,
                     .in_flight = sender_.pipe(),
                     .ssthresh = congestion_->ssthresh(),
                     .smss = mss_,
                     .safe = report.advances && lost == 0});
    }
    return verdict;
}

u32 Connection::run_rack(TimePoint now, bool duplicate) {
    const RetransmissionQueue& queue = sender_.queue();
    // Nothing is SACKed and nothing was sent twice: nothing can have been overtaken.
    const bool overtaken = !queue.empty() && (sender_.scoreboard() != nullptr || duplicate ||
                                              recovery_.recovering() || retransmissions_ > 0);
    if (!overtaken) {
        if (armed(TcpTimer::Reorder)) disarm(TcpTimer::Reorder);
        return 0;
    }
    const Rack::Result result = rack_.detect_loss(sender_.queue(), rack_situation(now, duplicate));
    arm(TcpTimer::Reorder, result.again);
    return result.lost;
}

/// RFC 6675 section 5: recovery begins with DupThresh duplicates, or when IsLost() says so of the first
/// segment; while it lasts, whatever IsLost() says so of is sent again.
u32 Connection::run_scoreboard(bool fresh) {
    const LossRule rule{config().duplicate_ack_threshold, mss_};
    if (recovery_.active()) return sender_.mark_lost(rule);
    if (!fresh || !recovery_.may_enter(sender_.snd().una)) return 0;
    if (recovery_.duplicates() < rule.dup_thresh && !sender_.head_lost(rule)) return 0;
    sender_.mark_head_lost(mss_);
    sender_.mark_lost(rule);
    return sender_.queue().lost();
}

/// The latest time at which the segment that `seg` echoes can have left; 0: it echoes none.
TimePoint Connection::echoed(const Segment& seg, TimePoint now) const {
    if (!timestamps_ || !seg.options.timestamps || seg.options.timestamps->echo_reply == 0) {
        return {};
    }
    const Duration tick = config().timestamp_tick;
    const u32 ago = timestamp(now) - seg.options.timestamps->echo_reply;
    const i64 index = now.time_since_epoch() / tick - i64{ago};
    return TimePoint((index + 1) * tick - Duration{1});
}

/// A segment is lost: the window is reduced, once for all that is under way.
/// `delivered`: what the acknowledgment that shows it has taken from the flight, bytes.
void Connection::enter_recovery(u32 delivered, TimePoint now) {
    const SendVars& snd = sender_.snd();
    // RFC 5681 3.2 (2): what limited transmit has sent beyond cwnd does not count as flight here.
    congestion_->on_loss({now, std::min(sender_.flight_size(), congestion_->cwnd()), mss_});
    recovery_.enter(snd.una, snd.nxt, congestion_->ssthresh(), config().duplicate_ack_threshold,
                    mss_);
    spurious_.begin();
    prr_.enter(sender_.flight_size() - sender_.sacked() + delivered, sender_.pipe(), mss_);
    sender_.retransmit_now();
    end_loss_probe();
    ++services_.counters.tcp_fast_retransmits;
}

/// The reordering window of what is SACKed is over (RFC 8985 6.2 step 5).
Verdict Connection::on_reorder_timer(TimePoint now) {
    const u32 lost = run_rack(now, false);
    if (lost == 0) return Verdict::TimerReorder;
    if (recovery_.may_enter(sender_.snd().una)) enter_recovery(0, now);
    return Verdict::TimerReorderLoss;
}

/// RFC 8985 7.2: a probe is due when nothing has been heard for PTO after the last transmission. Not
/// while something is known to be missing, nor while a probe is under way.
void Connection::arm_loss_probe(TimePoint now) {
    if (!sack_permitted_ || !config().loss_probe) return;
    const bool wanted = sender_.pipe() > 0 && sender_.scoreboard() == nullptr &&
                        !sender_.queue().has_lost() && !recovery_.recovering() &&
                        !loss_probe_out_ && state_ != TcpState::SynReceived && rtt_.backoff() == 0;
    if (!wanted) {
        disarm(TcpTimer::LossProbe);
        return;
    }
    if (armed(TcpTimer::LossProbe)) return;
    Duration pto = config().initial_rto;
    if (rtt_.has_sample()) {
        pto = 2 * rtt_.srtt();
        // The peer may delay the acknowledgment of a single segment.
        if (sender_.flight_size() <= mss_) pto += config().loss_probe_ack_delay;
        pto = std::max(pto, config().loss_probe_min);
    }
    // "If the RTO timer is scheduled to expire before [...] PTO = TCP_RTO_expiration() - Now"
    arm(TcpTimer::LossProbe, std::min(now + pto, deadline(TcpTimer::Rto)));
}

/// 7.3: "the sender MUST check whether both [...] conditions are met": no probe is under way, and a round
/// trip has been measured since the last one.
Verdict Connection::on_loss_probe_timer() {
    if (loss_probe_out_ || !loss_probe_sampled_) return Verdict::None;
    loss_probe_due_ = true;
    return Verdict::TimerLossProbe;
}

bool Connection::send_loss_probe(TimePoint now) {
    const auto probe = sender_.loss_probe(limits());
    if (probe && !send_plan(*probe, now)) return false;
    loss_probe_due_ = false;
    if (!probe) return true;
    loss_probe_out_ = true;
    loss_probe_again_ = probe->retransmission;
    loss_probe_end_ = sender_.snd().nxt;
    loss_probe_sampled_ = false;
    ++services_.counters.tcp_loss_probes;
    disarm(TcpTimer::Rto);
    return true;
}

/// RFC 8985 7.4: when the probe was a retransmission and its original does not arrive as well, a segment
/// was lost, and the window is reduced though nothing else would have told of it.
Verdict Connection::check_loss_probe(const Segment& seg, const AckReport& report, Verdict so_far,
                                     TimePoint now) {
    if (seg.ack.before(loss_probe_end_)) return so_far;
    const bool again = std::exchange(loss_probe_again_, false);
    if (!again || report.duplicate > 0) {
        end_loss_probe();
        return so_far;
    }
    if (seg.ack.after(loss_probe_end_)) {
        end_loss_probe();
        congestion_->on_loss({now, sender_.flight_size() + report.delivered.bytes, mss_});
        return Verdict::LossProbeRepaired;
    }
    // The acknowledgment of the original, or of the probe? A second one like it will tell.
    if (report.advances) {
        loss_probe_again_ = true;
    } else if (so_far == Verdict::Accepted || so_far == Verdict::AckDuplicate) {
        end_loss_probe();
    }
    return so_far;
}

/// What was sent again in the last recovery had not been lost.
bool Connection::was_spurious(const Segment& seg, const AckReport& report) {
    std::optional<u32> echo;
    if (timestamps_ && seg.options.timestamps && seg.options.timestamps->echo_reply != 0) {
        echo = seg.options.timestamps->echo_reply;
    }
    if (report.advances && spurious_.on_advance(echo)) return true;
    return report.duplicate > 0 && spurious_.on_duplicate(report.duplicate);
}

/// RFC 4015 section 3.2: nothing else is sent again, and the window is given back.
Verdict Connection::undo(const AckReport& report, TimePoint now) {
    spurious_.end();
    sender_.queue().mark_none_lost();
    recovery_.cancel(sender_.snd().una);
    congestion_->on_spurious({now, sender_.flight_size(), mss_, report.delivered.bytes});
    ++services_.counters.tcp_spurious_recoveries;
    return Verdict::SpuriousRecovery;
}

void Connection::end_loss_probe() { loss_probe_out_ = loss_probe_due_ = loss_probe_again_ = false; }

}  // namespace tapestry
