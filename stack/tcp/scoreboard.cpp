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

bool Scoreboard::reneged(SeqNum una) const {
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const SackBlock& r) {
        return r.left.before_or_at(una) && r.right.after(una);
    });
}

void Scoreboard::acknowledge(SeqNum una) {
    const auto kept = std::find_if(ranges_.begin(), ranges_.end(),
                                   [&](const SackBlock& r) { return r.right.after(una); });
    ranges_.erase(ranges_.begin(), kept);
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

u32 Scoreboard::bytes() const {
    u32 bytes = 0;
    for (const SackBlock& r : ranges_) bytes += static_cast<u32>(r.right - r.left);
    return bytes;
}

}  // namespace tapestry
