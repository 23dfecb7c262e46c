#pragma once

#include <chrono>

#include "stack/base/types.h"

namespace tapestry {

/// The stack's clock. It has no now() on purpose: time is an argument of every call that needs it,
/// so asking for it inside the stack does not compile.
struct StackClock {
    using rep = i64;
    using period = std::nano;
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<StackClock, duration>;
    static constexpr bool is_steady = true;
};

/// A span of time in nanoseconds; the literals of std::chrono (200ms) convert to it.
using Duration = StackClock::duration;
/// A point in time, in nanoseconds since an origin of the caller's choosing. It never runs back.
using TimePoint = StackClock::time_point;

using namespace std::chrono_literals;  // NOLINT: durations are written 200ms everywhere

/// "No deadline": later than every real one.
inline constexpr TimePoint kNever = TimePoint::max();

/// Seconds as a floating-point number, for people.
constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace tapestry
