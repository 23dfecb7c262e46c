// What can be set on one connection, and what follows from it.

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

}  // namespace tapestry
