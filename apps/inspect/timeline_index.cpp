#include "apps/inspect/timeline_index.h"

#include <algorithm>

namespace tapestry {

bool is_turn(const Timeline& timeline, const Timeline::Step& step) {
    return step.end != Timeline::kNone && step.before != step.after &&
           timeline.states[step.before].state != timeline.states[step.after].state;
}

TimelineIndex::TimelineIndex(const Timeline& timeline)
    : timeline_(timeline),
      by_end_(timeline.ends.size()),
      by_host_(timeline.hosts.size()),
      by_frame_(timeline.frames.size()) {
    for (u32 end = 0; end < timeline.ends.size(); ++end) {
        by_host_.at(timeline.ends[end].host).push_back(end);
    }
    for (u32 i = 0; i < timeline.steps.size(); ++i) {
        const Timeline::Step& step = timeline.steps[i];
        if (step.end != Timeline::kNone) by_end_[step.end].push_back(i);
        if (step.frame != Timeline::kNone) by_frame_[step.frame].push_back(i);
        if (is_turn(timeline, step)) turns_.push_back(i);
    }
}

u32 TimelineIndex::decided_at(u32 end, std::size_t step) const {
    const std::vector<u32>& steps = by_end_.at(end);
    const auto behind = std::ranges::upper_bound(steps, step);
    return behind == steps.begin() ? Timeline::kNone : *(behind - 1);
}

const TcpSnapshot* TimelineIndex::state(u32 end, std::size_t step) const {
    const u32 at = decided_at(end, step);
    return at == Timeline::kNone ? nullptr : &timeline_.states[timeline_.steps[at].after];
}

u32 TimelineIndex::next_turn(std::size_t step) const {
    const auto next = std::ranges::upper_bound(turns_, step);
    return next == turns_.end() ? Timeline::kNone : *next;
}

u32 TimelineIndex::previous_turn(std::size_t step) const {
    const auto at = std::ranges::lower_bound(turns_, step);
    return at == turns_.begin() ? Timeline::kNone : *(at - 1);
}

}  // namespace tapestry
