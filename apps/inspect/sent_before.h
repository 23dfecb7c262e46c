#pragma once

#include <iterator>
#include <map>
#include <optional>

#include "stack/wire/seq_num.h"

namespace tapestry {

/// Knows a segment that comes again: remembers what one way of a conversation has carried, by numbers.
class SentBefore {
public:
    /// `frame` carries the numbers from `seq` up to `end`. The frame that carried the first of them
    /// last before; `none`: nobody has.
    u32 note(SeqNum seq, SeqNum end, u32 frame, u32 none) {
        // Carried on in 64 bits, from the last one, so that they stay in order when the numbers wrap.
        if (!last_) last_ = seq;
        position_ += seq - *last_;
        last_ = seq;
        const i64 first = position_;
        const i64 behind = first + (end - seq);
        split(first);
        split(behind);
        const auto known = pieces_.find(first);
        const u32 before = known == pieces_.end() ? none : known->second.frame;
        pieces_.erase(pieces_.lower_bound(first), pieces_.lower_bound(behind));
        pieces_[first] = {behind, frame};
        return before;
    }

private:
    struct Piece {
        i64 end = 0;
        u32 frame = 0;
    };

    /// No piece reaches over `position`.
    void split(i64 position) {
        auto piece = pieces_.lower_bound(position);
        if (piece == pieces_.begin()) return;
        --piece;
        if (piece->second.end <= position) return;
        pieces_[position] = piece->second;
        piece->second.end = position;
    }

    std::optional<SeqNum> last_;
    i64 position_ = 0;             ///< of last_
    std::map<i64, Piece> pieces_;  ///< by their first number; they do not overlap
};

}  // namespace tapestry
