// User calls: RFC 9293 sections 3.10.1 to 3.10.6. They change state and queue; what they cause to be
// sent leaves in the flush that follows.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/listener.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

Connection::Connection(Tcp& tcp, Services& services)
    : tcp_(tcp),
      services_(services),
      sender_(services.blocks),
      receiver_(services.blocks),
      rtt_(services.config.tcp) {}

Connection::~Connection() = default;

const TcpConfig& Connection::config() const { return services_.config.tcp; }

std::expected<std::size_t, Errno> Connection::write(Bytes data) {
    if (error_ != Errno::None) return std::unexpected(take_error());
    if (state_ == TcpState::Closed) {
        return std::unexpected(opened_ ? Errno::BrokenPipe : Errno::NotConnected);
    }
    if (!can_send(state_) || sender_.fin_queued()) return std::unexpected(Errno::BrokenPipe);
    if (state_ == TcpState::SynSent || state_ == TcpState::SynReceived) {
        return std::unexpected(Errno::Again);
    }
    const std::size_t n = std::min<std::size_t>(data.size(), writable_bytes());
    if (n == 0) {
        if (data.empty()) return 0;
        return std::unexpected(Errno::Again);
    }
    if (!sender_.append(data.first(n))) return std::unexpected(Errno::NoBuffers);
    tcp_.touch(*this);
    return n;
}

std::expected<std::array<Bytes, 2>, Errno> Connection::peek(u32 max) {
    if (receiver_.readable() > 0) return receiver_.peek(max);
    if (error_ != Errno::None) return std::unexpected(take_error());
    if (receiver_.finished() || read_shut_) return std::array<Bytes, 2>{};
    if (state_ == TcpState::Closed) {
        if (opened_) return std::array<Bytes, 2>{};
        return std::unexpected(Errno::NotConnected);
    }
    return std::unexpected(Errno::Again);
}

std::expected<std::size_t, Errno> Connection::read(MutableBytes out) {
    const auto pieces = peek(static_cast<u32>(std::min<std::size_t>(out.size(), u32{1} << 30)));
    if (!pieces) return std::unexpected(pieces.error());
    const u32 n = receiver_.read(out);
    if (n > 0) {
        window_moved_ = true;
        tcp_.touch(*this);
    }
    return n;
}

void Connection::consume(u32 n) {
    receiver_.consume(n);
    window_moved_ = true;
    tcp_.touch(*this);
}

std::expected<void, Errno> Connection::shutdown(Shutdown how) {
    if (state_ == TcpState::Closed || state_ == TcpState::SynSent) {
        return std::unexpected(Errno::NotConnected);
    }
    if (how != Shutdown::Send) {
        read_shut_ = true;
        receiver_.discard_all();
    }
    if (how != Shutdown::Receive && can_send(state_) && !sender_.fin_queued()) {
        // RFC 9293 3.10.4: "Queue this until all preceding SENDs have been segmentized, then form a FIN
        // segment and send it. In any case, enter FIN-WAIT-1 state."
        sender_.queue_fin();
        if (state_ == TcpState::Established) state_ = TcpState::FinWait1;
        if (state_ == TcpState::CloseWait) state_ = TcpState::LastAck;
    }
    tcp_.touch(*this);
    notify();
    return {};
}

void Connection::close() {
    has_handle_ = false;
    ready_set_ = nullptr;
    disarm(TcpTimer::UserTimeout);  // an orphan's time is counted from here
    const bool linger_zero = options_ && options_->linger == Duration{};
    switch (state_) {
        case TcpState::Closed:
            break;
        case TcpState::SynSent:
            enter_closed();
            break;
        case TcpState::Closing:
        case TcpState::LastAck:
        case TcpState::TimeWait:
            break;
        default:
            // SHLD-3: unread data are lost to the sender, who is told by a reset.
            if (receiver_.readable() > 0 || linger_zero) {
                reset_due_ = true;
                break;
            }
            static_cast<void>(shutdown(Shutdown::Send));
            if (state_ == TcpState::FinWait2) {
                arm(TcpTimer::TimeWait, services_.last_now + config().fin_wait_2_timeout);
            }
    }
    tcp_.touch(*this);
}

/// RFC 9293 3.10.5: "<SEQ=SND.NXT><CTL=RST>" in the states in which the peer may still send or wait
/// for data; in the others the connection just ends.
void Connection::abort() {
    has_handle_ = false;
    ready_set_ = nullptr;
    switch (state_) {
        case TcpState::Closed:
        case TcpState::SynSent:
        case TcpState::Closing:
        case TcpState::LastAck:
        case TcpState::TimeWait:
            enter_closed();
            break;
        default:
            reset_due_ = true;
    }
    tcp_.touch(*this);
}

std::expected<void, Errno> Connection::set_options(const TcpSocketOptions& options) {
    const auto negative = [](Duration d) { return d < Duration{}; };
    const bool mss_wrong = options.max_segment != 0 && options.max_segment < config().min_mss;
    if (negative(options.keep_idle) || negative(options.keep_interval) ||
        negative(options.user_timeout) || (options.linger && negative(*options.linger)) ||
        mss_wrong) {
        return std::unexpected(Errno::InvalidArgument);
    }
    const Congestion before = congestion_choice();
    if (options == TcpSocketOptions{} && config().nagle) {
        options_.reset();
    } else {
        options_ = std::make_unique<TcpSocketOptions>(options);
    }
    if (state_ != TcpState::Closed) {
        choose_congestion(before);
        update_mss();
        restart_keep_alive(services_.last_now);
        tcp_.touch(*this);
    }
    return {};
}

Congestion Connection::congestion_choice() const {
    return options_ ? options_->congestion.value_or(config().congestion) : config().congestion;
}

/// Another congestion control goes on with the window of the one before it.
void Connection::choose_congestion(Congestion before) {
    if (!congestion_ || congestion_choice() == before) return;
    auto chosen = make_congestion(congestion_choice(), config().cwnd);
    chosen->start(congestion_->cwnd(), congestion_->ssthresh());
    congestion_ = std::move(chosen);
}

TcpSocketOptions Connection::options() const { return options_ ? *options_ : TcpSocketOptions{}; }

Errno Connection::take_error() { return std::exchange(error_, Errno::None); }

void Connection::watch(ReadySet* set, u64 token) {
    ready_set_ = set;
    ready_token_ = token;
    if (set != nullptr) set->add(token);
}

u32 Connection::receive_limit() const {
    return options_ && options_->receive_buffer != 0 ? options_->receive_buffer
                                                     : config().receive_buffer;
}

u32 Connection::send_limit() const {
    return options_ && options_->send_buffer != 0 ? options_->send_buffer : config().send_buffer;
}

bool Connection::keep_alive_on() const {
    return config().keep_alive || (options_ && options_->keep_alive);
}

u32 Connection::writable_bytes() const {
    const u32 limit = send_limit();
    return limit > sender_.queued() ? limit - sender_.queued() : 0;
}

Readiness Connection::readiness() const {
    Readiness ready;
    const bool ended = state_ == TcpState::Closed && opened_;
    ready.error = error_ != Errno::None;
    ready.readable =
        receiver_.readable() > 0 || receiver_.finished() || read_shut_ || ended || ready.error;
    // As Linux has it: worth a write when a third of the buffer is free.
    const bool open = state_ == TcpState::Established || state_ == TcpState::CloseWait;
    ready.writable = ended || ready.error || is_closing(state_) ||
                     (open && writable_bytes() >= send_limit() / 3);
    ready.hangup = ended || state_ == TcpState::TimeWait || state_ == TcpState::LastAck ||
                   state_ == TcpState::Closing;
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

/// The connection ends with an error that the user will be told.
void Connection::fail(Errno error) {
    error_ = error;
    enter_closed();
}

void Connection::enter_closed() {
    const TcpState before = std::exchange(state_, TcpState::Closed);
    if (before == TcpState::Closed) return;
    tcp_.unregister_tuple(*this);
    for (std::size_t i = 0; i < kTcpTimerCount; ++i) disarm(static_cast<TcpTimer>(i));
    sender_.clear();
    congestion_.reset();
    reset_due_ = probe_due_ = keep_alive_due_ = false;
    ack_state_ = AckState::None;
    if (parent_ != nullptr) {
        // MUST-11: nobody knows of it but the listener, which goes on.
        if (before == TcpState::SynReceived) {
            parent_->abandoned();
        } else {
            parent_->forget(*this);
        }
        parent_ = nullptr;
    }
    notify();
    tcp_.touch(*this);
}

void Connection::notify() {
    if (ready_set_ != nullptr) ready_set_->add(ready_token_);
}

/// RFC 9293 3.9.2.2 and RFC 5927: believed only if the quoted segment is one that is under way.
std::expected<Verdict, Drop> Connection::on_icmp_error(const IcmpError& error, TimePoint now) {
    const SeqNum seq(load_be32(&error.quoted_payload[TcpView::kSequence]));
    const SendVars& snd = sender_.snd();
    if (seq.before(snd.una) || !seq.before(snd.nxt)) return std::unexpected(Drop::IcmpNoMatch);

    const bool unreachable = error.type == IcmpType::DestinationUnreachable;
    const auto code = static_cast<UnreachableCode>(error.code);
    if (unreachable && code == UnreachableCode::FragmentationNeeded) {
        // RFC 1191 6.4: what was too big is sent again at once, smaller, and cwnd stays.
        const u16 before = mss_;
        tcp_.ip_.lower_path_mtu(error, now);
        update_mss();
        if (mss_ < before) sender_.rewind();
        return Verdict::IcmpFragmentationNeeded;
    }
    if (error.type == IcmpType::SourceQuench) return std::unexpected(Drop::IcmpIgnored);  // MUST-55
    Errno errno_value = Errno::HostUnreachable;
    if (unreachable && code == UnreachableCode::Network) errno_value = Errno::NetworkUnreachable;
    if (unreachable && code == UnreachableCode::Port) errno_value = Errno::ConnectionRefused;
    if (unreachable && code == UnreachableCode::Protocol) errno_value = Errno::ProtocolUnreachable;
    // While the connection opens an unreachable destination is an answer, and the user wants to know
    // (as Linux has it). Later every such message is soft: MUST-56, and RFC 5927 section 5.2 for the
    // rest.
    if (state_ == TcpState::SynSent && unreachable) {
        ++services_.counters.tcp_attempt_fails;
        fail(errno_value);
        return Verdict::IcmpHard;
    }
    soft_error_ = errno_value;
    return Verdict::IcmpSoft;
}

}  // namespace tapestry
