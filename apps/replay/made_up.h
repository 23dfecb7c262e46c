#pragma once

#include <vector>

#include "stack/wire/ethernet.h"
#include "stack/wire/segment.h"

namespace tapestry {

/// A frame with this segment in it, every checksum right, for what a recording does not have.
std::vector<u8> made_up_frame(const EthernetHeader& ethernet, const Segment& segment);

/// Changes to a recorded segment that keep it true for a stack whose numbers are not the recorded ones.
struct Retelling {
    std::optional<u32> echo;    ///< TSecr
    std::optional<SeqNum> ack;  ///< SEG.ACK; the right edge of the window stays
    u8 window_shift = 0;        ///< of its window
};
/// The frame with these changes and a right checksum. `frame` is TCP over IPv4 over Ethernet.
void retell(std::vector<u8>& frame, const Retelling& changes);

}  // namespace tapestry
