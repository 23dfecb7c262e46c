#pragma once

#include <optional>

#include "apps/inspect/observed_packet.h"
#include "apps/inspect/timeline.h"

namespace tapestry {

/// The TCP segment in a frame, as far as it was kept; nothing for any other frame, and for a fragment.
std::optional<ObservedPacket> packet_of(const Timeline::Frame& frame);
/// ... of the frame of a step, if it has one.
std::optional<ObservedPacket> packet_of(const Timeline& timeline, const Timeline::Step& step);

/// The decision of a step (which has an `end`) as the stack told it. `packet` is what the event points
/// to, and outlives it.
TcpEvent tcp_event(const Timeline& timeline, const Timeline::Step& step,
                   const std::optional<ObservedPacket>& packet);

/// Tells a sink all over again what the stack of a host told when it ran: so what shows a live stack
/// shows a timeline, too. What became of a frame comes right behind it.
void tell_again(const Timeline& timeline, u32 host, TraceSink& sink);

}  // namespace tapestry
