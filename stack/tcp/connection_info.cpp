// What can be asked of a connection: poll(2)'s events, the snapshot, TCP_INFO.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

/// poll(2) as Linux has it for TCP. A direction is shut by a FIN, ours or the peer's, by shutdown(), and
/// both are when the connection has ended.
Readiness Connection::readiness() const {
    Readiness ready;
    ready.error = error_ != Errno::None;
    if (state_ == TcpState::SynSent || state_ == TcpState::SynReceived) {
        ready.read_hangup = ready.readable = read_shut_;
        return ready;
    }
    const bool ended = (state_ == TcpState::Closed && opened_) || state_ == TcpState::TimeWait;
    const bool receive_shut = ended || receiver_.finished() || read_shut_;
    const bool send_shut = ended || is_closing(state_);
    ready.priority = receiver_.urgent_ahead() > 0;
    ready.read_hangup = receive_shut;
    ready.readable = receive_shut || receiver_.readable() > 0;
    // As Linux has it: worth a write when a third of the buffer is free. Of a direction that is shut a
    // write tells so at once.
    ready.writable = send_shut || writable_bytes() >= send_limit() / 3;
    // A socket that has never been open counts as hung up.
    ready.hangup = (receive_shut && send_shut) || state_ == TcpState::Closed;
    return ready;
}

TcpSnapshot Connection::snapshot() const {
    const SendVars& snd = sender_.snd();
    const ReceiveVars& rcv = receiver_.rcv();
    TcpSnapshot s;
    s.state = state_;
    s.local = local_;
    s.remote = remote_;
    s.iss = snd.iss;
    s.snd_una = snd.una;
    s.snd_nxt = snd.nxt;
    s.snd_wnd = snd.wnd;
    s.snd_wl1 = snd.wl1;
    s.snd_wl2 = snd.wl2;
    s.snd_wind_shift = snd.wind_shift;
    s.irs = rcv.irs;
    s.rcv_nxt = rcv.nxt;
    s.rcv_wnd = rcv.wnd();
    s.rcv_wind_shift = rcv.wind_shift;
    s.send_queued = sender_.queued();
    s.receive_queued = receiver_.readable();
    s.urgent_ahead = receiver_.urgent_ahead();
    s.snd_urgent = snd.urgent;
    s.snd_up = snd.up;
    s.receive_out_of_order = receiver_.assembler().bytes();
    s.mss = mss_;
    s.timestamps = timestamps_;
    s.ts_recent = ts_recent_;
    s.cwnd = congestion_ ? congestion_->cwnd() : 0;
    if (recovery_.active()) s.cwnd = congestion_window();
    s.ssthresh = congestion_ ? congestion_->ssthresh() : ~u32{0};
    s.in_recovery = recovery_.active();
    s.duplicate_acks = recovery_.duplicates();
    s.recovery_point = recovery_.recovery_point();
    show_sack(s);
    s.srtt = rtt_.srtt();
    s.rttvar = rtt_.rttvar();
    s.rto = rtt_.rto(config());
    s.backoff = rtt_.backoff();
    s.retransmissions = retransmissions_;
    s.deadlines = deadlines_;
    s.error = error_;
    return s;
}

void Connection::show_sack(TcpSnapshot& s) const {
    s.sack_permitted = sack_permitted_;
    s.pipe = sender_.pipe();
    s.lost = sender_.queue().lost();
    s.min_rtt = rack_.min_rtt();
    s.reordering_seen = rack_.reordering_seen();
    const Scoreboard* scoreboard = sender_.scoreboard();
    if (scoreboard == nullptr) return;
    s.sacked = scoreboard->bytes();
    const auto ranges = scoreboard->ranges();
    s.sack_count = static_cast<u8>(std::min(ranges.size(), s.sack_ranges.size()));
    std::copy_n(ranges.begin(), s.sack_count, s.sack_ranges.begin());
}

namespace {

Duration since(TimePoint when, TimePoint now) {
    return when == TimePoint{} ? Duration{} : now - when;
}

constexpr u32 segments(u32 bytes, u32 mss) { return (bytes + mss - 1) / mss; }

}  // namespace

CaState Connection::ca_state() const {
    if (recovery_.active()) return CaState::Recovery;
    if (retries_ > 0 || recovery_.recovering()) return CaState::Loss;
    if (ecn_ && sender_.snd().una.before(ecn_recover_)) return CaState::Cwr;
    return recovery_.duplicates() > 0 ? CaState::Disorder : CaState::Open;
}

TcpInfo Connection::info() const {
    const SendVars& snd = sender_.snd();
    const ReceiveVars& rcv = receiver_.rcv();
    const TimePoint now = services_.last_now;
    const TcpSnapshot s = snapshot();
    TcpInfo info;
    info.state = state_;
    info.ca_state = ca_state();
    info.retransmits = retries_;
    info.probes = static_cast<u8>(std::min(255, probes_ + persist_count_));
    info.backoff = s.backoff;
    if (timestamps_) info.options |= TcpInfoOptions::kTimestamps;
    if (sack_permitted_) info.options |= TcpInfoOptions::kSack;
    if (ecn_) info.options |= TcpInfoOptions::kEcn;
    if (snd.wind_shift != 0 || rcv.wind_shift != 0) info.options |= TcpInfoOptions::kWindowScale;
    info.snd_wscale = snd.wind_shift;
    info.rcv_wscale = rcv.wind_shift;
    info.rto = s.rto;
    info.ato = config().delayed_ack;
    info.snd_mss = mss_;
    info.rcv_mss = largest_segment_;
    info.unacked = segments(static_cast<u32>(snd.nxt - snd.una), mss_);
    info.sacked = segments(s.sacked, mss_);
    info.lost = segments(s.lost, mss_);
    info.retrans = segments(sender_.queue().sent_again(), mss_);
    info.min_rtt = s.min_rtt;
    info.last_data_sent = since(traffic_.last_data_sent, now);
    info.last_data_recv = since(traffic_.last_data_recv, now);
    info.last_ack_recv = since(traffic_.last_ack_recv, now);
    if (const auto route = tcp_.ip_.route(remote_.address)) info.pmtu = route->mtu;
    info.rcv_ssthresh = receive_limit();
    info.rcv_rtt = s.srtt;
    info.rcv_space = receive_tuning_.space();
    info.rtt = s.srtt;
    info.rttvar = s.rttvar;
    info.snd_ssthresh = s.ssthresh >= TcpInfo::kInfinite ? TcpInfo::kInfinite : s.ssthresh / mss_;
    info.snd_cwnd = s.cwnd / mss_;
    info.advmss = receive_mss_;
    info.reordering = config().duplicate_ack_threshold;
    info.total_retrans = retransmissions_;
    add_traffic(info);
    info.snd_wnd = s.snd_wnd;
    info.rcv_wnd = s.rcv_wnd;
    return info;
}

void Connection::add_traffic(TcpInfo& info) const {
    info.bytes_acked = traffic_.bytes_acked;
    info.bytes_received = traffic_.bytes_received;
    info.bytes_sent = traffic_.bytes_sent;
    info.bytes_retrans = traffic_.bytes_retrans;
    info.segs_out = traffic_.segs_out;
    info.segs_in = traffic_.segs_in;
    info.data_segs_out = traffic_.data_segs_out;
    info.data_segs_in = traffic_.data_segs_in;
    const u32 queued = sender_.queued();
    info.notsent_bytes =
        queued - std::min(queued, static_cast<u32>(sender_.snd().nxt - sender_.snd().una));
}

std::string_view name(CaState state) {
    switch (state) {
        case CaState::Open:
            return "open";
        case CaState::Disorder:
            return "disorder";
        case CaState::Cwr:
            return "cwr";
        case CaState::Recovery:
            return "recovery";
        case CaState::Loss:
            return "loss";
    }
    return "?";
}

}  // namespace tapestry
