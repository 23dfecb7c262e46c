#pragma once

#include "apps/inspect/timeline.h"

namespace tapestry {

/// Answers what a view asks at every step, without going through all of them: which state an end is in
/// when a step is over. Built once; the timeline outlives it and does not change.
class TimelineIndex {
public:
    explicit TimelineIndex(const Timeline& timeline);

    /// The state of an end when step `step` (an index) is over; null before its first.
    const TcpSnapshot* state(u32 end, std::size_t step) const;
    /// The step at or before `step` that brought the end into that state; kNone before the first.
    u32 decided_at(u32 end, std::size_t step) const;
    /// The next step behind `step`, and the one before it, that changes the state (the RFC's: SYN-SENT,
    /// ESTABLISHED) of any end; kNone: there is none.
    u32 next_turn(std::size_t step) const;
    u32 previous_turn(std::size_t step) const;
    /// The ends of a host, in the order in which they began.
    const std::vector<u32>& ends_of(u32 host) const { return by_host_.at(host); }
    /// The steps that a frame has a part in, in their order: Sent, Lost, Received, Drop.
    const std::vector<u32>& steps_of(u32 frame) const { return by_frame_.at(frame); }

private:
    const Timeline& timeline_;
    std::vector<std::vector<u32>> by_end_;  ///< steps with a decision
    std::vector<std::vector<u32>> by_host_;
    std::vector<std::vector<u32>> by_frame_;
    std::vector<u32> turns_;
};

/// Whether a step takes its end into another state of the RFC's.
bool is_turn(const Timeline& timeline, const Timeline::Step& step);

}  // namespace tapestry
