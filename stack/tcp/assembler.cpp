#include "stack/tcp/assembler.h"

#include <algorithm>

namespace tapestry {

bool Assembler::add(u32 begin, u32 end, u32 max_islands) {
    u32 touched = 1;
    for (const Island& i : islands_) touched = std::max(touched, i.touched + 1);
    // The islands that the new one overlaps or touches become one with it.
    const auto first = std::find_if(islands_.begin(), islands_.end(),
                                    [&](const Island& i) { return i.end >= begin; });
    const auto last =
        std::find_if(first, islands_.end(), [&](const Island& i) { return i.begin > end; });
    if (first == last) {
        if (islands_.size() >= max_islands) return false;
        islands_.insert(first, {begin, end, touched});
        return true;
    }
    first->begin = std::min(first->begin, begin);
    first->end = std::max((last - 1)->end, end);
    first->touched = touched;
    islands_.erase(first + 1, last);
    return true;
}

std::optional<Assembler::Span> Assembler::first_overlap(u32 begin, u32 end) const {
    for (const Island& island : islands_) {
        const Span common{std::max(begin, island.begin), std::min(end, island.end)};
        if (common.begin < common.end) return common;
    }
    return std::nullopt;
}

u32 Assembler::advance(u32 n) {
    u32 reach = n;
    auto kept = islands_.begin();
    while (kept != islands_.end() && kept->begin <= reach) {
        reach = std::max(reach, kept->end);
        ++kept;
    }
    islands_.erase(islands_.begin(), kept);
    for (Island& island : islands_) {
        island.begin -= reach;
        island.end -= reach;
    }
    if (islands_.empty()) clear();
    return reach - n;
}

u32 Assembler::bytes() const {
    u32 sum = 0;
    for (const Island& island : islands_) sum += island.end - island.begin;
    return sum;
}

}  // namespace tapestry
