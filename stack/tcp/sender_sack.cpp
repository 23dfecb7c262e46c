// The sender with selective acknowledgments (RFC 2018, RFC 6675): what they say goes to the scoreboard,
// and in recovery the scoreboard says what leaves.

#include <algorithm>

#include "stack/tcp/sender.h"

namespace tapestry {
namespace {

/// RFC 2883 section 4: a D-SACK block is the first, and lies below SEG.ACK or within the second block.
bool within_second(std::span<const SackBlock> blocks) {
    return blocks.size() > 1 && blocks[0].left.after_or_at(blocks[1].left) &&
           blocks[0].right.before_or_at(blocks[1].right);
}

}  // namespace

SackNews Sender::take_sack(std::span<const SackBlock> blocks, u32 max_ranges) {
    if (!scoreboard_) scoreboard_ = std::make_unique<Scoreboard>();
    SackNews news{.duplicate = within_second(blocks)};
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        switch (scoreboard_->add(blocks[i], snd_.una, snd_.nxt, max_ranges)) {
            case Scoreboard::Block::New:
                news.fresh = true;
                break;
            case Scoreboard::Block::Known:
                break;
            case Scoreboard::Block::Duplicate:
                // Only the first block may be one; later ones are of an acknowledgment that is late.
                if (i == 0) news.duplicate = true;
                break;
            case Scoreboard::Block::Nonsense:
                ++news.nonsense;
                break;
        }
    }
    cursor_ = scoreboard_->skip(cursor_);
    release_scoreboard();
    return news;
}

void Sender::begin_sack_recovery() {
    retransmit_head_ = true;
    // After a rewind the cursor goes through all holes anyway.
    if (!scoreboard_ || cursor_ != snd_.nxt) return;
    scoreboard_->begin_recovery(snd_.una, snd_.nxt);
}

void Sender::end_sack_recovery() {
    if (scoreboard_) scoreboard_->end_recovery();
    release_scoreboard();
}

void Sender::forget_sacks() {
    if (scoreboard_) scoreboard_->forget();
    release_scoreboard();
}

/// A connection without losses has no scoreboard.
void Sender::release_scoreboard() {
    if (scoreboard_ && scoreboard_->empty() && !scoreboard_->in_recovery()) scoreboard_.reset();
}

u32 Sender::pipe(const LossRule& rule) const {
    if (!scoreboard_) return in_flight();
    if (scoreboard_->in_recovery()) return scoreboard_->pipe(snd_.una, snd_.nxt, rule);
    // Before a recovery no hole counts as lost; after a rewind what is beyond the cursor does.
    return in_flight() - scoreboard_->bytes_before(cursor_);
}

/// RFC 6675 5 (C): "If cwnd - pipe >= 1 SMSS, the sender SHOULD transmit one or more segments", which
/// NextSeg() of section 4 names by four rules, in this order.
std::optional<SegmentPlan> Sender::next_in_recovery(const SendLimits& limits) const {
    const LossRule rule{limits.dup_thresh, limits.mss};
    const u32 in_network = pipe(rule);
    if (limits.window < in_network + limits.mss) return std::nullopt;
    const SeqNum edge = snd_.una + snd_.wnd;  // the peer may have taken window back
    const auto open = [&](std::optional<SackBlock>& hole) {
        if (hole) hole->right = earlier(hole->right, edge);
        return hole && hole->left.before(hole->right);
    };
    // (1) what is lost and has not been sent again; as many segments as fit at once
    auto hole = scoreboard_->next_lost(snd_.una, rule);
    if (open(hole)) {
        const u32 segments = (limits.window - in_network) / limits.mss;
        const u32 burst = std::max<u32>(limits.max_burst / limits.mss, 1);
        return hole_plan(*hole, std::min(segments, burst) * limits.mss, limits.mss);
    }
    // (2) what has never been sent
    if (const auto plan = next_in_turn(limits)) return plan;
    // (3) a hole that need not be lost
    hole = scoreboard_->next_hole(snd_.una);
    if (open(hole)) return hole_plan(*hole, limits.mss, limits.mss);
    // (4) the end of what was sent, once, so that its acknowledgment may come without a timeout
    hole = scoreboard_->rescue(snd_.una, snd_.nxt);
    if (!open(hole)) return std::nullopt;
    hole->left = later(hole->left, hole->right - u32{limits.mss});
    SegmentPlan plan = hole_plan(*hole, limits.mss, limits.mss);
    plan.rescue = true;
    return plan;
}

void Sender::hole_sent(const SegmentPlan& plan) {
    cursor_ = later(cursor_, plan.end());
    if (scoreboard_) {
        cursor_ = scoreboard_->skip(cursor_);
        if (plan.rescue) {
            scoreboard_->rescued();
        } else if (retransmit_head_) {
            scoreboard_->retransmitted_first(plan.end());
        } else {
            scoreboard_->retransmitted(plan.end());
        }
    }
    retransmit_head_ = false;
}

}  // namespace tapestry
