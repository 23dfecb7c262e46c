#pragma once

#include <string>
#include <vector>

namespace tapestry {

/// The keys in one line of at most `width` cells, the most important first. `first`: for somebody who
/// has never seen them. `branches`: frames can be dropped.
std::string keys_line(int width, bool first, bool branches);
/// What "?" shows: paragraphs.
std::vector<std::string> help_lines();

}  // namespace tapestry
