// Timeouts: RFC 9293 section 3.10.8, RFC 6298, and the probes of sections 3.8.4 and 3.8.6.1. A timer
// decides; what it causes to be sent leaves in the flush that follows.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

void Connection::arm(TcpTimer timer, TimePoint deadline) {
    TimePoint& slot = deadlines_[static_cast<std::size_t>(timer)];
    if (slot == deadline) return;
    slot = deadline;
    // In the queue the timer may stand too early, never too late: on_deadline() looks which deadlines have
    // come. So what each acknowledgment puts off costs nothing there.
    if (deadline < Timer::deadline()) services_.timers.arm(*this, deadline);
}

void Connection::on_timer(TimePoint now) { tcp_.run_deadline(*this, now); }

/// Runs the earliest of the deadlines that have come; the next one has its own turn.
Verdict Connection::on_deadline(TimePoint now) {
    const auto earliest = std::min_element(deadlines_.begin(), deadlines_.end());
    if (*earliest > now) {
        services_.timers.arm(*this, *earliest);
        return Verdict::None;
    }
    const auto timer = static_cast<TcpTimer>(earliest - deadlines_.begin());
    *earliest = kNever;
    services_.timers.arm(*this, *std::min_element(deadlines_.begin(), deadlines_.end()));
    switch (timer) {
        case TcpTimer::LossProbe:
            return on_loss_probe_timer();
        case TcpTimer::Reorder:
            return on_reorder_timer(now);
        case TcpTimer::Rto:
            return on_rto(now);
        case TcpTimer::Persist:
            return on_persist();
        case TcpTimer::DelayedAck:
            ack_state_ = AckState::Now;
            return Verdict::TimerDelayedAck;
        case TcpTimer::KeepAlive:
            return on_keep_alive(now);
        case TcpTimer::TimeWait: {
            const bool time_wait = state_ == TcpState::TimeWait;
            enter_closed();
            return time_wait ? Verdict::TimerTimeWait : Verdict::TimerFinWait2;
        }
        case TcpTimer::UserTimeout:
            // "For any state if the user timeout expires, flush all queues, signal the user [...]
            // delete the TCB, enter the CLOSED state, and return."
            ++services_.counters.tcp_timeouts;
            fail(soft_error_ != Errno::None ? soft_error_ : Errno::TimedOut);
            return Verdict::TimerUserTimeout;
        case TcpTimer::kCount:
            break;
    }
    return Verdict::None;
}

/// RFC 6298 5.4 to 5.6: the earliest segment is sent again, the RTO doubled, the timer started.
Verdict Connection::on_rto(TimePoint now) {
    const bool opening = state_ == TcpState::SynSent || state_ == TcpState::SynReceived;
    const u32 limit = state_ == TcpState::SynSent       ? config().r2_syn_retries
                      : state_ == TcpState::SynReceived ? config().syn_ack_retries
                                                        : config().r2_retries;
    if (retries_ >= limit) {
        give_up(opening);
        return Verdict::TimerGivenUp;
    }
    if (opening) {
        syn_lost_ = true;
    } else {
        congestion_->on_timeout({now, std::min(sender_.flight_size(), congestion_->cwnd()), mss_},
                                retries_ > 0);
        recovery_.on_timeout(sender_.snd().nxt);
        if (retries_ == 0) spurious_.begin();
    }
    // MUST-20: at R1 "pass negative advice" to the IP layer. The way there may have changed.
    if (++retries_ == config().r1_retries) {
        tcp_.ip_.suspect(remote_.address, now);
        update_mss();
    }
    if (!opening) look_for_black_hole(now);
    timing_ = false;
    rtt_.back_off(config());
    // RFC 2018 8: "After a retransmit timeout the data sender SHOULD turn off all of the SACKed bits,
    // since the timeout might indicate that the data receiver has reneged." RFC 6675 5.1 lets them be
    // kept where reneging is found out, as it is here by the next acknowledgment; a second timeout of
    // the same segment has had none.
    if (retries_ > 1) sender_.forget_sacks(now);
    end_loss_probe();
    disarm(TcpTimer::Reorder);
    disarm(TcpTimer::LossProbe);
    if (sack_permitted_ && config().rack && !opening && retries_ == 1) {
        rack_.mark_losses_on_timeout(sender_.queue(), rack_situation(now, false));
    } else {
        sender_.rewind();
    }
    return opening ? Verdict::TimerSynRetransmit : Verdict::TimerRetransmit;
}

/// MUST-20: R2 closes the connection.
void Connection::give_up(bool opening) {
    ++services_.counters.tcp_timeouts;
    if (opening) ++services_.counters.tcp_attempt_fails;
    if (parent_ != nullptr && opening) {
        enter_closed();
    } else {
        fail(soft_error_ != Errno::None ? soft_error_ : Errno::TimedOut);
    }
}

/// RFC 4821 7.7, RFC 8899 4.3: full-sized segments that are lost again and again may be too large for a
/// link whose router does not say so. A smaller size is tried; after some minutes the large one again.
void Connection::look_for_black_hole(TimePoint now) {
    const u8 patience = config().black_hole_timeouts;
    if (patience == 0 || retries_ % patience != 0 || sender_.flight_size() < mss_) return;
    // The size that works nearly everywhere, then the one that works everywhere (RFC 1122 3.3.3).
    constexpr u16 kSmallest = 576;
    const u16 cap = path_cap_ == 0 ? config().black_hole_mtu : kSmallest;
    if (mss_ + Ipv4View::kMinHeaderSize + TcpView::kMinHeaderSize <= cap) return;
    path_cap_ = cap;
    path_cap_until_ = now + config().black_hole_lifetime;
    update_mss();
}

/// RFC 9293 3.8.6.1, MUST-36: a closed window is probed, for as long as the probes are answered.
Verdict Connection::on_persist() {
    if (sender_.snd().wnd > 0) {
        override_sws_ = true;
        return Verdict::TimerOverride;
    }
    if (probes_ >= config().r2_retries) {
        ++services_.counters.tcp_timeouts;
        fail(Errno::TimedOut);
        return Verdict::TimerGivenUp;
    }
    if (probes_ < 255) ++probes_;
    if (persist_count_ < 255) ++persist_count_;
    probe_due_ = true;
    return Verdict::TimerPersist;
}

Verdict Connection::on_keep_alive(TimePoint now) {
    if (sender_.flight_size() > 0 || sender_.has_unsent()) {
        // Not idle: the retransmission timer watches over the connection.
        restart_keep_alive(now);
        return Verdict::None;
    }
    const u32 count =
        options_ && options_->keep_count != 0 ? options_->keep_count : config().keep_alive_probes;
    // MUST-29: one lost probe is not death.
    if (probes_ >= count) {
        ++services_.counters.tcp_timeouts;
        fail(Errno::TimedOut);
        return Verdict::TimerKeepAliveDead;
    }
    ++probes_;
    keep_alive_due_ = true;
    arm(TcpTimer::KeepAlive,
        now + (options_ && options_->keep_interval != Duration{} ? options_->keep_interval
                                                                 : config().keep_alive_interval));
    return Verdict::TimerKeepAlive;
}

/// MUST-26: probes are sent only when nothing has been heard for the interval.
void Connection::restart_keep_alive(TimePoint now) {
    if (!keep_alive_on() || state_ == TcpState::TimeWait) {
        disarm(TcpTimer::KeepAlive);
        return;
    }
    arm(TcpTimer::KeepAlive,
        now + (options_ && options_->keep_idle != Duration{} ? options_->keep_idle
                                                             : config().keep_alive_idle));
}

/// MUST-13: "When a connection is closed actively, it MUST linger in the TIME-WAIT state for a time 2xMSL".
void Connection::enter_time_wait(TimePoint now) {
    state_ = TcpState::TimeWait;
    for (std::size_t i = 0; i < kTcpTimerCount; ++i) disarm(static_cast<TcpTimer>(i));
    sender_.clear();
    congestion_.reset();
    recovery_ = {};
    spurious_.end();
    end_loss_probe();
    ecn_ = ece_due_ = cwr_due_ = false;
    arm(TcpTimer::TimeWait, now + 2 * config().msl);
}

}  // namespace tapestry
