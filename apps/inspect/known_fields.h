#pragma once

#include "apps/inspect/state_fields.h"
#include "apps/inspect/timeline.h"

namespace tapestry {

/// Whether a variable of a state means something. Of a stack of ours every one does; of a capture those
/// that its frames have shown so far. docs/timeline.md lists them.
bool is_known(Timeline::Source source, const StateField& field, const TcpSnapshot& state);

}  // namespace tapestry
