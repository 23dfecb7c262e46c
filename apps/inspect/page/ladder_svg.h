#pragma once

#include <functional>
#include <string>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// The ladder alone, as a picture for slides: SVG without scripts, its colours and fonts inside, light
/// and dark by the reader's preference.
void write_ladder_svg(const Timeline& timeline, const std::function<void(const std::string&)>& out);

/// To a file. Throws Failure (kUsage) with one line.
void save_ladder_svg(const Timeline& timeline, const std::string& path);

}  // namespace tapestry
