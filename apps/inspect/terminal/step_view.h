#pragma once

#include <functional>
#include <set>

#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/timeline.h"

namespace tapestry {

/// How a run can be had once more with frames that do not arrive.
struct Branching {
    /// The numbers of the frames, from 1, as the views show them. Null: it cannot.
    std::function<Timeline(const std::set<u32>& dropped)> run;
    Phrase refusal;              ///< why it cannot
    std::set<u32> dropped = {};  ///< of the timeline that is shown first
};

/// --step: walks through a timeline in the terminal, full screen. Without a terminal that can do that all
/// steps are printed once.
void step_through(Timeline timeline, const Branching& branching, Language language);

}  // namespace tapestry
