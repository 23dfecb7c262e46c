#pragma once

#include <deque>

#include "stack/base/watch.h"
#include "stack/ip/ping_socket.h"

namespace tapestry {

/// What is behind a PingSocket. Only Icmp and the handle know it.
struct PingPort {
    static constexpr std::size_t kMaxQueued = 256;

    u16 identifier = 0;
    u8 ttl = 0;
    bool broadcast = false;
    bool dont_fragment = false;
    Ipv4Address last_destination;  ///< errors about anything else are not believed
    std::deque<PingReply> replies;
    Watch watch;
};

}  // namespace tapestry
