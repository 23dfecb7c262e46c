#pragma once

#include "apps/inspect/state_fields.h"
#include "apps/inspect/timeline.h"

namespace tapestry {

/// Whether the variable means something in a timeline of that source: of a capture many do not.
bool is_known(const StateField& field, Timeline::Source source);

}  // namespace tapestry
