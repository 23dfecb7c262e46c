#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "apps/inspect/page/ladder_geometry.h"

namespace tapestry {

/// What the page's scripts draw from: lists by index as in a Timeline, but turned on their side (one
/// list of all steps' times, one of their kinds), since that is small and read quickly. -1 is "none".
/// Texts of explanations come once with their placeholders, with the values by step.
nlohmann::ordered_json page_data(const Timeline& timeline, const LadderGeometry& geometry);

/// The fields and the bytes of frames [from, to). They are most of a page and are seldom looked at: the
/// page has them in parts of kPageFrames, and reads a part when one of its frames is shown.
inline constexpr std::size_t kPageFrames = 500;
/// Whole frames are in a page up to this many bytes; behind that this much of each.
inline constexpr std::size_t kPageBytes = std::size_t{8} << 20;
inline constexpr std::size_t kPageBytesOfEach = 96;
nlohmann::ordered_json page_details(const Timeline& timeline, std::size_t from, std::size_t to,
                                    std::size_t& room);

/// What the plots show, of each direction of each connection.
nlohmann::ordered_json page_series(const Timeline& timeline);

}  // namespace tapestry
