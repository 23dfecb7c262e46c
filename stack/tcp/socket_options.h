#pragma once

#include <expected>
#include <optional>

#include "stack/base/config.h"
#include "stack/base/errno.h"

namespace tapestry {

/// What can be set on one socket; the names are Linux's. A 0 leaves it to the configuration.
struct TcpSocketOptions {
    bool no_delay = false;     ///< TCP_NODELAY: no Nagle
    bool keep_alive = false;   ///< SO_KEEPALIVE
    Duration keep_idle{};      ///< TCP_KEEPIDLE, to 32767 s
    Duration keep_interval{};  ///< TCP_KEEPINTVL, to 32767 s
    u32 keep_count = 0;        ///< TCP_KEEPCNT, to 127
    Duration user_timeout{};   ///< TCP_USER_TIMEOUT (RFC 5482), to 2^31 - 1 ms
    u32 send_buffer = 0;       ///< SO_SNDBUF, bytes, to 2^30; not doubled
    u32 receive_buffer = 0;    ///< SO_RCVBUF, bytes, to 2^30; not doubled
    u16 max_segment = 0;       ///< TCP_MAXSEG, from min_mss to 32767; 0: what the path allows
    u8 ttl = 0;                ///< IP_TTL
    u8 tos = 0;                ///< IP_TOS; its low two bits are ECN's, and not the user's
    std::optional<Duration> linger{};        ///< SO_LINGER; 0: close() sends a reset
    std::optional<Congestion> congestion{};  ///< TCP_CONGESTION; none: the configuration's

    friend bool operator==(const TcpSocketOptions&, const TcpSocketOptions&) = default;
};

/// EINVAL for a value that is out of its range.
std::expected<void, Errno> check_options(const TcpSocketOptions& options, const TcpConfig& config);

}  // namespace tapestry
