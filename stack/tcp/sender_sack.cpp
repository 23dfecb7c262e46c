// The sender with selective acknowledgments (RFC 2018, RFC 6675): what they say goes to the scoreboard,
// and out of the retransmission queue.

#include <algorithm>

#include "stack/tcp/sender.h"

namespace tapestry {
namespace {

u32 length(const SackBlock& block) { return static_cast<u32>(block.right - block.left); }

/// RFC 2883 section 4: a D-SACK block is the first, and lies below SEG.ACK or within the second block.
bool within_second(std::span<const SackBlock> blocks) {
    return blocks.size() > 1 && blocks[0].left.before(blocks[0].right) &&
           blocks[0].left.after_or_at(blocks[1].left) &&
           blocks[0].right.before_or_at(blocks[1].right);
}

}  // namespace

SackNews Sender::take_sack(std::span<const SackBlock> blocks, u32 max_ranges,
                           Delivered& delivered) {
    if (!scoreboard_) scoreboard_ = std::make_unique<Scoreboard>();
    SackNews news{.duplicate = within_second(blocks) ? length(blocks[0]) : 0};
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        switch (scoreboard_->add(blocks[i], snd_.una, snd_.nxt, max_ranges)) {
            case Scoreboard::Block::New:
                news.fresh = true;
                queue_.deliver(blocks[i], delivered);
                break;
            case Scoreboard::Block::Known:
                break;
            case Scoreboard::Block::Duplicate:
                // Only the first block may be one; later ones are of an acknowledgment that is late.
                if (i == 0) news.duplicate = length(blocks[0]);
                break;
            case Scoreboard::Block::Nonsense:
                ++news.nonsense;
                break;
        }
    }
    release_scoreboard();
    return news;
}

/// What is nearer to SND.UNA has more SACKed beyond it: behind the first that is not lost none is.
u32 Sender::mark_lost(const LossRule& rule) {
    if (!scoreboard_) return 0;
    const u32 before = queue_.lost();
    const auto records = queue_.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (records[i].lost || records[i].retransmitted) continue;
        if (!scoreboard_->is_lost(records[i].begin, rule)) break;
        queue_.mark_lost(i);
    }
    return queue_.lost() - before;
}

void Sender::mark_head_lost(u16 mss) {
    if (!queue_.empty()) {
        queue_.mark_lost(snd_.una, earlier(snd_.una + u32{mss}, queue_.records().front().end));
    }
}

void Sender::forget_sacks(TimePoint now) {
    if (!scoreboard_) return;
    for (const SackBlock& range : scoreboard_->ranges()) {
        if (range.right.after(snd_.una)) {
            queue_.put_back({later(range.left, snd_.una), range.right}, now);
        }
    }
    scoreboard_.reset();
}

/// A connection without losses has no scoreboard.
void Sender::release_scoreboard() {
    if (scoreboard_ && scoreboard_->empty()) scoreboard_.reset();
}

/// NextSeg() (3): a hole that need not be lost; (4): the end of what was sent, once in a recovery, so
/// that its acknowledgment may come without a timeout. RFC 6675 5 (C): "If cwnd - pipe >= 1 SMSS".
std::optional<SegmentPlan> Sender::next_rescue(const SendLimits& limits) const {
    if (!scoreboard_ || scoreboard_->empty()) return std::nullopt;
    if (limits.window < queue_.pipe() + limits.mss) return std::nullopt;
    const SeqNum edge = snd_.una + snd_.wnd;
    const auto records = queue_.records();
    for (const Transmission& record : records) {
        if (!record.end.before(scoreboard_->highest())) break;
        if (!record.retransmitted && record.begin.before(edge)) {
            return hole_plan({record.begin, earlier(record.end, edge)}, limits.mss);
        }
    }
    // "If [...] HighACK is greater than RescueRxt"
    if (!snd_.una.after(rescue_rxt_)) return std::nullopt;
    SackBlock last{records.back().begin, earlier(records.back().end, edge)};
    last.left = later(last.left, last.right - u32{limits.mss});
    if (!last.left.before(last.right)) return std::nullopt;
    SegmentPlan plan = hole_plan(last, limits.mss);
    plan.rescue = true;
    return plan;
}

}  // namespace tapestry
