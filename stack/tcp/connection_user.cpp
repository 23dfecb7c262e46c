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

std::expected<std::size_t, Errno> Connection::write(Bytes data, bool urgent) {
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
    if (urgent) {
        sender_.mark_urgent();
        // RFC 9293 3.8.5: the pointer goes ahead of the data, also where the window is closed to them.
        if (sender_.snd().wnd == 0) ack_state_ = AckState::Now;
    }
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
    if (n > 0) taken(n);
    return n;
}

void Connection::consume(u32 n) {
    receiver_.consume(n);
    taken(n);
}

/// The user has taken n bytes: there is room for as many more.
void Connection::taken(u32 n) {
    tune_receive_buffer(n);
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

Errno Connection::take_error() { return std::exchange(error_, Errno::None); }

void Connection::watch(ReadySet* set, u64 token) {
    ready_set_ = set;
    ready_token_ = token;
    if (set != nullptr) set->add(token);
}

u32 Connection::writable_bytes() const {
    const u32 limit = send_limit();
    return limit > sender_.queued() ? limit - sender_.queued() : 0;
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
    deadlines_ = TcpSnapshot::all_off();
    services_.timers.arm(*this, kNever);
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
