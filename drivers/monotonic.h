#pragma once

#include "stack/base/time.h"

namespace tapestry {

/// The real clock of a live program, as a Clock: CLOCK_MONOTONIC.
TimePoint monotonic_now();
/// What is written into captures: the time of day, since 1970.
TimePoint time_of_day();

}  // namespace tapestry
