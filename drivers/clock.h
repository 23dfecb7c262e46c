#pragma once

#include <functional>

#include "stack/base/time.h"

namespace tapestry {

/// Tells the time to what stands between a stack and a network (the stack itself is told by its
/// calls): the real clock in a live program, the virtual one in a world. Never runs back.
using Clock = std::function<TimePoint()>;

}  // namespace tapestry
