#pragma once

#include <map>

#include "stack/base/types.h"

namespace tapestry {

/// Which bytes of one direction a capture has shown, each counted once.
///
/// Positions are sequence numbers relative to the direction's first, carried on in 64 bits, so that
/// they stay right when the numbers wrap. Memory is bounded: beyond kMaxPieces separate pieces the
/// lowest hole is given up for lost.
class SeenText {
public:
    static constexpr std::size_t kMaxPieces = 1024;

    explicit SeenText(u64 first = 1) : contiguous_(first) {}

    /// The position of a relative number: the one nearest to where the text has come to.
    u64 position_of(u32 relative) const;
    /// `length` bytes at `position` have been shown; how many of them are new.
    u64 take(u64 position, u64 length);
    /// Up to here everything was shown, but for what was given up.
    u64 contiguous() const { return contiguous_; }
    /// Bytes below `position` that were not shown.
    u64 missing_before(u64 position) const;

private:
    u64 contiguous_;
    u64 given_up_ = 0;
    std::map<u64, u64> pieces_;  ///< beyond contiguous_, begin to end; they do not touch
};

}  // namespace tapestry
