#pragma once

#include <string>

#include "stack/base/types.h"

namespace tapestry {

/// Two small hexadecimal digits a byte, as timelines and pages keep frames.
std::string hex_text(Bytes bytes);

}  // namespace tapestry
