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
/// All ends are one past the last number: where the RFC says "greater than HighRxt" it is "from
/// high_rxt on" here.
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
    /// Update(), for the acknowledgment number: all below `una` is settled. False: the peer no longer
    /// has what it had reported (its acknowledgment stops in front of a range), and everything is
    /// forgotten.
    bool acknowledge(SeqNum una);
    void forget() { ranges_.clear(); }

    /// IsLost(): enough has arrived beyond `seq`, which is in no range.
    bool is_lost(SeqNum seq, const LossRule& rule) const;
    /// SetPipe(): bytes of [una, high_data) that are believed to be in the network.
    u32 pipe(SeqNum una, SeqNum high_data, const LossRule& rule) const;
    /// Bytes of [una, end) in ranges.
    u32 bytes_before(SeqNum end) const;

    /// Section 5 (4): recovery begins; `high_data` becomes RecoveryPoint.
    void begin_recovery(SeqNum una, SeqNum high_data);
    void end_recovery() { in_recovery_ = false; }
    bool in_recovery() const { return in_recovery_; }
    /// (4.3): "set both HighRxt and RescueRxt to the highest sequence number in the retransmitted
    /// segment", the first one.
    void retransmitted_first(SeqNum end) { high_rxt_ = rescue_rxt_ = end; }
    void retransmitted(SeqNum end) { high_rxt_ = later(high_rxt_, end); }
    void rescued() { rescue_rxt_ = recovery_point_; }

    /// NextSeg() (1): what to send again first, from high_rxt on up to the next range.
    std::optional<SackBlock> next_lost(SeqNum una, const LossRule& rule) const;
    /// NextSeg() (3): the same, though it need not be lost.
    std::optional<SackBlock> next_hole(SeqNum una) const;
    /// NextSeg() (4): the last hole, at most once in a recovery.
    std::optional<SackBlock> rescue(SeqNum una, SeqNum high_data) const;

    /// `seq`, or behind the range that it is in.
    SeqNum skip(SeqNum seq) const;
    /// Where the first range behind `seq` begins; `end` when none does.
    SeqNum next_range(SeqNum seq, SeqNum end) const;

    bool empty() const { return ranges_.empty(); }
    std::span<const SackBlock> ranges() const { return ranges_; }
    SeqNum high_rxt() const { return high_rxt_; }

private:
    std::vector<SackBlock> ranges_;
    SeqNum high_rxt_;        ///< HighRxt: up to here holes have been sent again in this recovery
    SeqNum rescue_rxt_;      ///< RescueRxt
    SeqNum recovery_point_;  ///< RecoveryPoint
    bool in_recovery_ = false;
};

}  // namespace tapestry
