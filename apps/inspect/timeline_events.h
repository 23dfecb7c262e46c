#pragma once

#include <optional>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// The segment in a frame, as whoever gets it sees it; nothing for any other frame, for a fragment, and
/// for one of which not everything was kept.
std::optional<Segment> segment_of(const Timeline::Frame& frame);

/// The decision of a step (which has an `end`) as the stack told it. `segment` is what the event points
/// to, and outlives it.
TcpEvent tcp_event(const Timeline& timeline, const Timeline::Step& step,
                   const std::optional<Segment>& segment);

/// Tells a sink all over again what the stack of a host told when it ran: so what shows a live stack
/// shows a timeline, too. What became of a frame comes right behind it.
void tell_again(const Timeline& timeline, u32 host, TraceSink& sink);

}  // namespace tapestry
