#pragma once

#include <string>
#include <vector>

#include "apps/inspect/paint.h"
#include "apps/replay/live_player.h"

namespace tapestry {

/// A dialogue, and what came of it when one side was played.
struct LiveResult {
    std::string file;
    const Dialogue& dialogue;
    Side ours;
    std::vector<LiveTurn> turns;

    std::size_t count(LiveVerdict verdict) const;
};

/// A line for each turn and one with the sum.
std::string live_report(const LiveResult& result, const Paint& paint);
/// One JSON document, see docs/replay.md.
std::string live_json(const LiveResult& result);

}  // namespace tapestry
