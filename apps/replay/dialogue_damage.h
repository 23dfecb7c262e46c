#pragma once

#include "stack/base/types.h"

namespace tapestry {

/// The checksum of a captured TCP segment is wrong, so that its receiver has thrown it away. Not where
/// that cannot be said: of a packet that the capture has cut, and where a network card was still to
/// complete the checksum (the field holds the pseudo-header's sum, or nothing).
bool damaged_segment(Bytes ipv4);

}  // namespace tapestry
