#pragma once

#include "apps/inspect/ladder_page.h"
#include "apps/inspect/terminal/stops.h"

namespace tapestry {

/// Prints every step once: what a full screen shows of it one after the other.
void print_steps(const Walk& walk, const std::string& branch, Language language,
                 const LineOut& out);

}  // namespace tapestry
