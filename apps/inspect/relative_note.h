#pragma once

#include <optional>

#include "stack/trace/notation.h"

namespace tapestry {

/// What the numbers of one direction are counted from; set by the first segment that shows them.
struct NumberBase {
    std::optional<SeqNum> base;  ///< shown as 0
    std::optional<u32> clock;    ///< the timestamp that is shown as 0
};

/// A segment of `length` bytes as a note whose numbers count from the bases of its own direction and of
/// the other. `unseen` is what the first number is shown as where the SYN was not seen.
TcpNote relative_note(const TcpNote& absolute, NumberBase& ours, NumberBase& theirs, u32 unseen);

}  // namespace tapestry
