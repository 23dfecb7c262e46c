// What can be set on one connection, and what follows from it.

#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {
namespace {

constexpr Duration kLongestKeepAlive = 32767s;  ///< MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL
constexpr u32 kMostKeepAlives = 127;            ///< MAX_TCP_KEEPCNT
constexpr Duration kLongestUserTimeout = 0x7fffffff * 1ms;
constexpr u32 kLargestBuffer = u32{1} << 30;  ///< what window scaling can offer
constexpr u16 kLargestMaxSegment = 32767;
constexpr Duration kLongestLinger = 0x7fffffff * 1s;

constexpr bool within(Duration value, Duration most) {
    return value >= Duration{} && value <= most;
}

}  // namespace

std::expected<void, Errno> check_options(const TcpSocketOptions& options, const TcpConfig& config) {
    const u16 mss = options.max_segment;
    const bool right =
        within(options.keep_idle, kLongestKeepAlive) &&
        within(options.keep_interval, kLongestKeepAlive) && options.keep_count <= kMostKeepAlives &&
        within(options.user_timeout, kLongestUserTimeout) &&
        options.send_buffer <= kLargestBuffer && options.receive_buffer <= kLargestBuffer &&
        (mss == 0 || (mss >= config.min_mss && mss <= kLargestMaxSegment)) &&
        within(options.linger.value_or(Duration{}), kLongestLinger);
    if (!right) return std::unexpected(Errno::InvalidArgument);
    return {};
}

std::expected<void, Errno> Connection::set_options(const TcpSocketOptions& options) {
    if (const auto right = check_options(options, config()); !right) return right;
    const Congestion before = congestion_choice();
    if (options == TcpSocketOptions{} && config().nagle) {
        options_.reset();
    } else {
        options_ = std::make_unique<TcpSocketOptions>(options);
        // As Linux has it: on a stream the two bits of ECN belong to TCP (RFC 3168 6.1).
        options_->tos &= static_cast<u8>(~Ecn::kMask);
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

/// What may wait to be read. As Linux has it: SO_RCVBUF is a wish that stays; without it the buffer
/// grows with what the user takes.
u32 Connection::receive_limit() const {
    if (options_ && options_->receive_buffer != 0) return options_->receive_buffer;
    return std::max(config().receive_buffer, receive_tuning_.need());
}

/// ... and ever will be: the window's scale is said once (RFC 7323 2.2).
u32 Connection::receive_ceiling() const {
    if (options_ && options_->receive_buffer != 0) return options_->receive_buffer;
    return std::max(config().receive_buffer, config().receive_buffer_max);
}

void Connection::tune_receive_buffer(u32 taken) {
    if (receive_limit() >= receive_ceiling() || services_.blocks.tight()) return;
    // The round trip of the handshake, where nothing was sent since. What queues on the way add to it
    // later needs no larger buffer.
    const Duration rtt = rtt_.srtt() != Duration{} ? rtt_.srtt() : rtt_.rto(config());
    receive_tuning_.taken(taken, services_.last_now, rtt, receive_mss_, receive_ceiling());
}

/// Two windows: what is under way, and what may follow it when the window has doubled. SO_SNDBUF is a
/// wish that stays.
u32 Connection::send_limit() const {
    if (options_ && options_->send_buffer != 0) return options_->send_buffer;
    if (!congestion_) return config().send_buffer;
    const u64 wish = std::min<u64>(2 * u64{congestion_->cwnd()}, config().send_buffer_max);
    return std::max(config().send_buffer, static_cast<u32>(wish));
}

bool Connection::keep_alive_on() const {
    return config().keep_alive || (options_ && options_->keep_alive);
}

}  // namespace tapestry
