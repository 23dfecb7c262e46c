#pragma once

#include "stack/buf/offload.h"
#include "stack/trace/flow.h"

namespace tapestry {

/// Changes of packets on their way through a router, in place. Checksums are not computed anew but
/// corrected by what has changed (RFC 1624 equation 3), so that a packet that was damaged before it
/// came to us still is. Where the device has left a transport checksum to be finished, its field
/// holds the pseudo-header's sum, and only the addresses count.

/// Gives a whole, valid packet the addresses and ports (or the ICMP identifier) of `to`, which is of
/// the same protocol. A UDP datagram without a checksum stays without.
void rewrite_packet(MutableBytes packet, const FlowTuple& to, const Offload& offload);

/// The same for an ICMP error: the packet that it quotes gets the tuple `quoted`, as far as it is
/// there, the error itself the two addresses. Its checksum is made anew.
void rewrite_icmp_error(MutableBytes packet, const FlowTuple& quoted, Ipv4Address source,
                        Ipv4Address destination);

/// RFC 1812 section 5.3.1; the TTL is at least 1.
void decrement_ttl(MutableBytes packet);

}  // namespace tapestry
