#pragma once

#include <optional>
#include <span>
#include <vector>

#include "stack/wire/tcp_options.h"

namespace tapestry {

/// When a hole counts as lost (RFC 6675 section 2).
struct LossRule {
    u8 dup_thresh = 3;  ///< DupThresh
    u16 smss = 536;     ///< SMSS
};

/// The scoreboard of RFC 6675: which numbers beyond SND.UNA the peer has reported as received, and what
/// follows from that for the holes between them. It holds ranges, in order, disjoint and not touching.
///
///      SND.UNA                                     HighData
///       |  hole  |#####|  hole  |##|  hole  |#####|   tail   |
///
/// What is in the holes, and what has been sent again of it, is in the RetransmissionQueue.
class Scoreboard {
public:
    /// What a block turned out to be.
    enum class Block : u8 {
        New,        ///< numbers that had not been reported
        Known,      ///< nothing new
        Duplicate,  ///< below SND.UNA: what arrived twice (RFC 2883)
        Nonsense,   ///< empty, turned round, or of numbers that were never sent
    };

    /// Update(), for one block: marks what it reports. `high_data` is SND.NXT. Beyond `max_ranges` a
    /// block that would make another range is forgotten, as if it had not come.
    Block add(const SackBlock& block, SeqNum una, SeqNum high_data, u32 max_ranges);
    /// The peer no longer has what it had reported: it acknowledges no further than `una`, where a range
    /// begins or goes on.
    bool reneged(SeqNum una) const;
    /// Update(), for the acknowledgment number: all below `una` is settled.
    void acknowledge(SeqNum una);

    /// IsLost(): enough has arrived beyond `seq`, which is in no range.
    bool is_lost(SeqNum seq, const LossRule& rule) const;
    /// Bytes in all ranges.
    u32 bytes() const;
    /// One past the highest number that has been reported; not empty().
    SeqNum highest() const { return ranges_.back().right; }

    bool empty() const { return ranges_.empty(); }
    std::span<const SackBlock> ranges() const { return ranges_; }

private:
    std::vector<SackBlock> ranges_;
};

}  // namespace tapestry
