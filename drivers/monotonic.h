#pragma once

#include "stack/base/time.h"

namespace tapestry {

/// The real clock of a live program, as a Clock: CLOCK_MONOTONIC.
TimePoint monotonic_now();

}  // namespace tapestry
