#pragma once

#include <optional>
#include <string_view>

#include "stack/base/time.h"

namespace tapestry {

/// "30s", "2h4m", "250ms", "1.5s", "7d": numbers with units (us, ms, s, m, h, d), added up; at most a
/// hundred years. Nothing for anything else, a number without a unit too.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace tapestry
