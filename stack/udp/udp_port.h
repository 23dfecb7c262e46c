#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "stack/base/watch.h"
#include "stack/udp/socket.h"

namespace tapestry {

/// What is behind a UdpSocket. Only Udp and the handle know it.
class UdpPort {
public:
    /// What a waiting datagram costs beside its data, so that empty ones are bounded too.
    static constexpr std::size_t kDatagramCost = 64;

    struct Waiting {
        Endpoint source;
        Endpoint destination;
        std::vector<u8> data;
    };

    Endpoint local;                  ///< port 0: not bound
    std::optional<Endpoint> remote;  ///< connected
    bool address_chosen = false;     ///< the local address comes from the user, not from a route
    bool broadcast = false;
    bool reuse_address = false;
    u8 ttl = 0;
    u8 tos = 0;
    u32 receive_buffer = 0;     ///< bytes; 0: the configuration's
    Errno error = Errno::None;  ///< to be told once
    std::deque<Waiting> waiting;
    std::size_t waiting_bytes = 0;
    Watch watch;
};

}  // namespace tapestry
