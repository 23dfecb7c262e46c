#pragma once

#include "apps/inspect/story.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

/// The fields of which IPv4 and transport header differ: source, destination, identifier of ICMP
/// queries, time to live. Checksums, which follow from those, are not told.
std::vector<Rewrite> packet_changes(Bytes before, Bytes after);

/// The packet in a frame, if there is one.
std::optional<Ipv4View> ipv4_of_frame(Bytes frame);
/// The packet at the beginning of the bytes, or behind an Ethernet header; it may be cut short.
std::optional<Ipv4View> ipv4_of(Bytes bytes);
/// "203.0.113.5:49152 > 93.184.216.34:80"
std::string who_to_whom(const Ipv4View& packet);
/// A TCP segment that only carries data, or acknowledges some.
bool is_routine(const Ipv4View& packet);

}  // namespace tapestry
