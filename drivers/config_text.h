#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "stack/base/config.h"

namespace tapestry {

/// Sets one option of a stack by its name in stack/base/config.h: ("tcp.min_rto", "200ms"),
/// ("tcp.nagle", "0"), ("tcp.default_mss", "536"). The error says what is wrong with the value; for a
/// name that is not known it is empty.
std::expected<void, std::string> set_config(StackConfig& config, std::string_view name,
                                            std::string_view value);

/// Several options at once, under a name. "linux": what scripts for packetdrill assume of Linux. False:
/// there is no such profile.
bool set_profile(StackConfig& config, std::string_view profile);

}  // namespace tapestry
