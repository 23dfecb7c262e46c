#pragma once

#include <optional>
#include <span>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// Remembers which bytes beyond RCV.NXT are here already: islands between holes, in order, disjoint and
/// not touching. It counts from RCV.NXT and holds no data; those lie in the receive buffer.
class Assembler {
public:
    struct Island {
        u32 begin;
        u32 end;
        u32 touched;  ///< the higher, the later a segment has come to it
    };
    struct Span {
        u32 begin;
        u32 end;
    };

    /// Bytes [begin, end) have come; begin > 0 (what comes at RCV.NXT is no island). False, and nothing
    /// changed, when that would make more than `max_islands`.
    bool add(u32 begin, u32 end, u32 max_islands);
    /// The first of the bytes [begin, end) that have come before, as far as they follow each other.
    std::optional<Span> first_overlap(u32 begin, u32 end) const;
    /// RCV.NXT moves on by n bytes that came in order. Returns how many further bytes that joins.
    u32 advance(u32 n);

    bool empty() const { return islands_.empty(); }
    std::span<const Island> islands() const { return islands_; }
    /// Bytes in all islands.
    u32 bytes() const;
    /// Gives the memory back.
    void clear() { std::vector<Island>().swap(islands_); }

private:
    std::vector<Island> islands_;
};

}  // namespace tapestry
