#pragma once

#include <map>

#include "stack/wire/seq_num.h"

namespace tapestry {

/// Knows a segment that comes again: remembers what one way of a conversation has carried, by numbers.
class SentBefore {
public:
    /// `frame` carries the numbers from `seq` up to `end`. The frame that carried the first of them
    /// before; `none`: nobody has.
    u32 note(SeqNum seq, SeqNum end, u32 frame, u32 none) {
        u32 before = none;
        auto next = frames_.upper_bound(seq.value());
        if (next != frames_.begin()) {
            const auto& [first, carried] = *--next;
            // Recut, it need not begin where it began.
            if (seq.before(carried.end) || first == seq.value()) before = carried.frame;
        }
        frames_[seq.value()] = {end, frame};
        return before;
    }

private:
    struct Carried {
        SeqNum end;
        u32 frame = 0;
    };
    std::map<u32, Carried> frames_;  ///< by their first number
};

}  // namespace tapestry
