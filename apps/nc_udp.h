#pragma once

#include "apps/attachment.h"

namespace tapestry {

struct NcUdpOptions {
    Endpoint peer;        ///< with `listen` only its port counts: ours
    bool listen = false;  ///< the peer is whoever sends first
    Duration wait{};      ///< of silence before the end; 0: 1 s once stdin has ended
};

/// `nc -u`: each block read from stdin becomes a datagram, each datagram that arrives goes to stdout.
/// Returns the exit status; throws Failure when the network says no.
int run_udp(Attachment& net, const NcUdpOptions& options);

}  // namespace tapestry
