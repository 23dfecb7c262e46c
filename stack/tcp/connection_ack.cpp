// What an acknowledgment does: RFC 9293 section 3.10.7.4, fifth, with the round-trip samples of RFC 6298.
// What it says about losses is judged in connection_recovery.cpp.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

Verdict Connection::take_ack(const Segment& seg, TimePoint now) {
    AckReport report{.advances = seg.ack.after(sender_.snd().una)};
    Verdict verdict = Verdict::None;
    if (report.advances) {
        verdict = take_new_ack(seg, report, now);
        take_window(seg);
    } else {
        verdict = take_same_ack(seg, now);
    }
    if (ecn_) take_ecn(seg, now);
    if (!sack_permitted_) {
        return spurious_.open() && config().undo && was_spurious(seg, report) ? undo(report, now)
                                                                              : verdict;
    }
    // Most segments of a peer that only sends say nothing about what we have sent.
    if (!report.advances && seg.options.sack_count == 0 && !recovery_.active() &&
        !loss_probe_out_) {
        return verdict;
    }
    if (seg.options.sack_count > 0 && seg.ack == sender_.snd().una) {
        verdict = take_sack(seg, report, verdict);
    }
    return detect_losses(seg, report, verdict, now);
}

/// An acknowledgment that does not move SND.UNA.
Verdict Connection::take_same_ack(const Segment& seg, TimePoint now) {
    const SendVars& snd = sender_.snd();
    const u32 wnd = u32{seg.wnd} << snd.wind_shift;
    // RFC 5681 2: a duplicate has (a) outstanding data, (b) no data, (c) no SYN and no FIN, (d) the
    // greatest acknowledgment so far, (e) the same window as the last.
    const bool duplicate = seg.ack == snd.una && snd.una != snd.nxt && seg.len() == 0 &&
                           wnd == snd.wnd && state_ != TcpState::TimeWait;
    if (duplicate && sender_.pipe() > 0) {
        // With SACK it is the blocks that count (RFC 6675 section 2).
        return sack_permitted_ ? Verdict::AckDuplicate : take_duplicate_ack(now);
    }
    const u32 before = snd.wnd;
    take_window(seg);
    if (snd.wnd != before) return Verdict::AckWindowUpdate;
    return seg.ack == snd.una ? Verdict::Accepted : Verdict::AckOld;
}

Verdict Connection::take_new_ack(const Segment& seg, AckReport& report, TimePoint now) {
    sample_rtt(seg, now);
    const u32 flight = sender_.pipe();
    const Acknowledged acked = sender_.acknowledge(seg.ack, now, report.delivered);
    traffic_.bytes_acked += acked.text;
    retries_ = 0;
    soft_error_ = Errno::None;
    // RFC 6298 5.2 and 5.3: the timer stops, or starts again when data are left; settle_timers() does.
    disarm(TcpTimer::Rto);
    disarm(TcpTimer::LossProbe);
    disarm(TcpTimer::UserTimeout);
    disarm(TcpTimer::Persist);

    const bool recovering = recovery_.recovering();
    Verdict verdict = Verdict::AckAdvances;
    switch (recovery_.on_advance(seg.ack, acked.text, mss_)) {
        case Recovery::Action::Finish:
            congestion_->on_recovered({now, flight_after_recovery(), mss_});
            break;
        case Recovery::Action::Retransmit:
            if (!sack_permitted_) retransmit_head();
            verdict = sack_permitted_ ? Verdict::SackPartialAck : Verdict::PartialAck;
            break;
        default: {
            const u32 cwnd = congestion_->cwnd();
            const bool slow_start = cwnd < congestion_->ssthresh();
            congestion_->on_ack(
                {.now = now,
                 .bytes_acked = acked.text,
                 .flight_size = flight,
                 .mss = mss_,
                 .cwnd_limited = slow_start ? 2 * u64{flight} >= cwnd : flight + mss_ >= cwnd,
                 .rtt =
                     report.delivered.newest ? now - report.delivered.newest->sent_at : Duration{},
                 .srtt = rtt_.srtt(),
                 .rto = rtt_.rto(config()),
                 .snd_una = sender_.snd().una,
                 .snd_nxt = sender_.snd().nxt});
        }
    }
    if (recovering && !recovery_.recovering()) rack_.on_recovered();
    if (acked.text > 0) notify();
    if (!acked.reneged) return verdict;
    ++services_.counters.tcp_sack_reneged;
    return Verdict::SackReneged;
}

/// What bounds the window when recovery ends, so that no burst follows. With SACK "pipe" has kept to the
/// window all the time, and there is none to be feared.
u32 Connection::flight_after_recovery() const {
    return sack_permitted_ ? std::max(sender_.flight_size(), congestion_->ssthresh())
                           : sender_.flight_size();
}

/// "If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND, set
/// SND.WL1 <- SEG.SEQ, and set SND.WL2 <- SEG.ACK": an older segment does not bring back an old window.
void Connection::take_window(const Segment& seg) {
    const SendVars& snd = sender_.snd();
    if (seg.ack.before(snd.una)) return;
    if (!snd.wl1.before(seg.seq) && !(snd.wl1 == seg.seq && snd.wl2.before_or_at(seg.ack))) return;
    const u32 wnd = u32{seg.wnd} << snd.wind_shift;
    if (wnd > 0) {
        if (snd.wnd == 0) disarm(TcpTimer::Persist);
        persist_count_ = 0;
    } else if (sender_.pipe() > 0) {
        // The window was taken back over what is under way (MUST-34): that will be refused, so it is
        // not waited for; probing goes on from SND.UNA (SHLD-17).
        sender_.rewind();
        disarm(TcpTimer::Rto);
    }
    sender_.update_window(wnd, seg.seq, seg.ack);
}

/// Samples are taken about once per round trip (RFC 6298 section 3), by our own clock of the one
/// segment that is being timed, or by the echoed timestamp where a retransmission spoiled that: Karn's
/// rule does not hold for timestamps.
void Connection::sample_rtt(const Segment& seg, TimePoint now) {
    Duration rtt{};
    if (timing_ && seg.ack.after_or_at(timed_seq_)) {
        rtt = now - timed_at_;
        timing_ = false;
    } else if (timestamps_ && seg.options.timestamps && seg.options.timestamps->echo_reply != 0 &&
               !timing_ && seg.ack.after_or_at(sample_after_)) {
        const u32 ticks = timestamp(now) - seg.options.timestamps->echo_reply;
        if (ticks > u32{1} << 30) return;  // an echo from the future
        rtt = std::max(ticks * config().timestamp_tick, Duration{1});
    } else {
        return;
    }
    sample_after_ = sender_.snd().nxt;
    loss_probe_sampled_ = true;
    if (path_cap_ != 0 && now >= path_cap_until_) {
        path_cap_ = 0;
        update_mss();
    }
    rtt_.sample(rtt, config());
}

/// Our FIN may have been acknowledged.
std::optional<Verdict> Connection::advance_closing_states(TimePoint now) {
    if (!sender_.fin_acked()) return std::nullopt;
    switch (state_) {
        case TcpState::FinWait1:
            state_ = TcpState::FinWait2;
            // Nobody reads any more: the peer's FIN is not waited for without end.
            if (orphaned()) arm(TcpTimer::TimeWait, now + config().fin_wait_2_timeout);
            return Verdict::FinAcked;
        case TcpState::Closing:
            enter_time_wait(now);
            return Verdict::FinAcked;
        case TcpState::LastAck:
            enter_closed();
            return Verdict::LastFinAcked;
        default:
            return std::nullopt;
    }
}

}  // namespace tapestry
