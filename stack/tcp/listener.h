#pragma once

#include <deque>

#include "stack/base/ready.h"
#include "stack/tcp/connection.h"

namespace tapestry {

/// What a listening port holds: the connections that wait to be accepted, and how many handshakes
/// are under way. The listener itself stays in LISTEN for ever (RFC 9293 3.10.7.2).
class ListenQueue {
public:
    ListenQueue(const Endpoint& local, u32 backlog) : local_(local), backlog_(backlog) {}

    const Endpoint& local() const { return local_; }
    /// Room for one more handshake.
    bool can_start() const { return half_open_ < backlog_ && ready_.size() < backlog_; }
    /// A cookie has been sent, and may come back until then (RFC 4987 3.6).
    void cookie_sent(TimePoint valid_until) { cookies_until_ = valid_until; }
    /// Nobody has one: an ACK out of nowhere is not looked at.
    bool awaits_cookies(TimePoint now) const { return now < cookies_until_; }
    /// Room for one more established connection.
    bool can_finish() const { return ready_.size() < backlog_; }
    void started() { ++half_open_; }
    /// A handshake was given up.
    void abandoned() { --half_open_; }
    void established(Connection& connection);
    /// The oldest that waits, or null.
    Connection* take();
    /// A connection that waited has ended.
    void forget(const Connection& connection);
    bool empty() const { return ready_.empty(); }

    void watch(ReadySet* set, u64 token);

    TcpSocketOptions options;  ///< that accepted sockets start with

private:
    Endpoint local_;
    u32 backlog_;
    u32 half_open_ = 0;
    TimePoint cookies_until_{};
    std::deque<Connection*> ready_;
    ReadySet* ready_set_ = nullptr;
    u64 ready_token_ = 0;
};

}  // namespace tapestry
