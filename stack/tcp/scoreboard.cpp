#include "stack/tcp/scoreboard.h"

#include <algorithm>

namespace tapestry {

Scoreboard::Block Scoreboard::add(const SackBlock& block, SeqNum una, SeqNum high_data,
                                  u32 max_ranges) {
    if (!block.left.before(block.right) || block.right.after(high_data)) return Block::Nonsense;
    if (block.right.before_or_at(una)) return Block::Duplicate;
    // A range that reached down to SND.UNA would have been acknowledged.
    if (block.left.before_or_at(una)) return Block::Nonsense;

    // The ranges that the block overlaps or touches become one with it.
    const auto first = std::find_if(ranges_.begin(), ranges_.end(), [&](const SackBlock& r) {
        return r.right.after_or_at(block.left);
    });
    const auto last = std::find_if(first, ranges_.end(),
                                   [&](const SackBlock& r) { return r.left.after(block.right); });
    if (first == last) {
        if (ranges_.size() >= max_ranges) return Block::Known;
        ranges_.insert(first, block);
        return Block::New;
    }
    if (last - first == 1 && first->left.before_or_at(block.left) &&
        first->right.after_or_at(block.right)) {
        return Block::Known;
    }
    first->left = earlier(first->left, block.left);
    first->right = later((last - 1)->right, block.right);
    ranges_.erase(first + 1, last);
    return Block::New;
}

bool Scoreboard::acknowledge(SeqNum una) {
    const auto kept = std::find_if(ranges_.begin(), ranges_.end(),
                                   [&](const SackBlock& r) { return r.right.after(una); });
    ranges_.erase(ranges_.begin(), kept);
    if (ranges_.empty() || ranges_.front().left.after(una)) return true;
    forget();
    return false;
}

/// "returns true when either DupThresh discontiguous SACKed sequences have arrived above 'SeqNum' or
/// more than (DupThresh - 1) * SMSS bytes with sequence numbers greater than 'SeqNum' have been SACKed."
bool Scoreboard::is_lost(SeqNum seq, const LossRule& rule) const {
    u32 sequences = 0;
    u32 bytes = 0;
    for (auto r = ranges_.rbegin(); r != ranges_.rend() && r->left.after(seq); ++r) {
        bytes += static_cast<u32>(r->right - r->left);
        if (++sequences >= rule.dup_thresh || bytes > (rule.dup_thresh - 1U) * rule.smss) {
            return true;
        }
    }
    return false;
}

/// Each number that is not SACKed counts once when it is not lost, and once when it has been sent again.
u32 Scoreboard::pipe(SeqNum una, SeqNum high_data, const LossRule& rule) const {
    u32 pipe = 0;
    u32 sequences = 0;  // beyond the hole that is looked at
    u32 bytes = 0;
    const auto count = [&](SeqNum begin, SeqNum end) {
        const bool lost =
            sequences >= rule.dup_thresh || bytes > (rule.dup_thresh - 1U) * rule.smss;
        if (!lost) pipe += static_cast<u32>(end - begin);
        if (in_recovery_ && high_rxt_.after(begin))
            pipe += static_cast<u32>(earlier(end, high_rxt_) - begin);
    };
    SeqNum end = high_data;
    for (auto r = ranges_.rbegin(); r != ranges_.rend(); ++r) {
        if (end.after(r->right)) count(r->right, end);
        ++sequences;
        bytes += static_cast<u32>(r->right - r->left);
        end = earlier(end, r->left);
    }
    count(una, end);
    return pipe;
}

u32 Scoreboard::bytes_before(SeqNum end) const {
    u32 bytes = 0;
    for (const SackBlock& r : ranges_) {
        if (r.left.after_or_at(end)) break;
        bytes += static_cast<u32>(earlier(r.right, end) - r.left);
    }
    return bytes;
}

void Scoreboard::begin_recovery(SeqNum una, SeqNum high_data) {
    in_recovery_ = true;
    high_rxt_ = rescue_rxt_ = una;
    recovery_point_ = high_data;
}

std::optional<SackBlock> Scoreboard::next_hole(SeqNum una) const {
    if (ranges_.empty()) return std::nullopt;
    const SeqNum begin = skip(later(una, high_rxt_));
    const SeqNum highest = ranges_.back().right;
    if (begin.after_or_at(highest)) return std::nullopt;
    return SackBlock{begin, next_range(begin, highest)};
}

/// What is nearer to SND.UNA has more SACKed beyond it: when the first hole is not lost none is.
std::optional<SackBlock> Scoreboard::next_lost(SeqNum una, const LossRule& rule) const {
    const auto hole = next_hole(una);
    return hole && is_lost(hole->left, rule) ? hole : std::nullopt;
}

std::optional<SackBlock> Scoreboard::rescue(SeqNum una, SeqNum high_data) const {
    // "If [...] HighACK is greater than RescueRxt (or RescueRxt is undefined)"
    if (!una.after(rescue_rxt_)) return std::nullopt;
    SackBlock hole{una, high_data};
    for (auto r = ranges_.rbegin(); r != ranges_.rend(); ++r) {
        if (hole.right.after(r->right)) {
            hole.left = r->right;
            break;
        }
        hole.right = earlier(hole.right, r->left);
    }
    return hole.left.before(hole.right) ? std::optional(hole) : std::nullopt;
}

SeqNum Scoreboard::skip(SeqNum seq) const {
    const auto r = std::find_if(ranges_.begin(), ranges_.end(),
                                [&](const SackBlock& range) { return range.right.after(seq); });
    return r != ranges_.end() && r->left.before_or_at(seq) ? r->right : seq;
}

SeqNum Scoreboard::next_range(SeqNum seq, SeqNum end) const {
    const auto r = std::find_if(ranges_.begin(), ranges_.end(),
                                [&](const SackBlock& range) { return range.left.after(seq); });
    return r != ranges_.end() ? earlier(r->left, end) : end;
}

}  // namespace tapestry
