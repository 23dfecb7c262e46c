#pragma once

#include <functional>

#include "stack/buf/frame.h"
#include "stack/link/interface.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

/// Cuts packets that are larger than the MTU (RFC 791 section 3.2).

/// Finishes a checksum that was left to the device: over all of the transport packet, which nobody
/// sees in one piece once it is cut. `payload` begins with the transport header.
void complete_checksum(Frame& payload, IpProtocol protocol, Ipv4Address source,
                       Ipv4Address destination);

/// Sends a datagram in pieces of at most `mtu` bytes. `header` is its IPv4 header, options included;
/// what it says of length, offset and "more fragments" is that of the whole, which may be a fragment
/// itself. `send` gets each piece with its header. Once the first has left, the datagram counts as
/// sent, and what happens to the others is `lost`'s business.
struct FragmentSink {
    std::function<SendResult(Frame& piece)> send;
    std::function<void(const Frame& piece, SendResult why)> lost;
};
SendResult send_fragments(const Frame& payload, Bytes header, u32 mtu, const FragmentSink& sink);

}  // namespace tapestry
