#pragma once

#include <string>
#include <vector>

#include "apps/inspect/terminal/screen_model.h"

namespace tapestry {

/// The keys in one line of at most `width` cells, the most important first. `first`: for somebody who
/// has never seen them.
std::string keys_line(int width, bool first, const View& view);
/// What "?" shows: paragraphs.
std::vector<std::string> help_lines(const View& view);

}  // namespace tapestry
