#include "stack/tcp/sender.h"

#include <algorithm>

namespace tapestry {

void Sender::start(SeqNum iss) {
    snd_.iss = iss;
    snd_.una = iss;
    snd_.nxt = iss;
    cursor_ = iss;
}

void Sender::update_window(u32 wnd, SeqNum seg_seq, SeqNum seg_ack) {
    snd_.wnd = wnd;
    snd_.wl1 = seg_seq;
    snd_.wl2 = seg_ack;
    snd_.max_wnd = std::max(snd_.max_wnd, wnd);
}

bool Sender::has_unsent() const {
    if (!syn_acked_) return cursor_ == snd_.iss;
    if (fin_acked_) return false;
    return cursor_.before(text_end()) || (fin_queued_ && cursor_ == text_end());
}

std::optional<SegmentPlan> Sender::next_segment(const SendLimits& limits) const {
    if (!syn_acked_) {
        if (cursor_ != snd_.iss) return std::nullopt;
        return SegmentPlan{.seq = snd_.iss, .syn = true, .retransmission = snd_.nxt != snd_.iss};
    }
    if (retransmit_head_ && snd_.una.before(snd_.nxt)) {
        const SeqNum end = scoreboard_ ? scoreboard_->next_range(snd_.una, snd_.nxt) : snd_.nxt;
        return hole_plan({snd_.una, end}, limits.mss, limits.mss);
    }
    return sack_recovery() ? next_in_recovery(limits) : next_in_turn(limits);
}

/// What stands at the cursor.
std::optional<SegmentPlan> Sender::next_in_turn(const SendLimits& limits) const {
    if (!has_unsent()) return std::nullopt;

    const u32 in_network = pipe({limits.dup_thresh, limits.mss});
    const u32 room = limits.window > in_network ? limits.window - in_network : 0;
    const u32 peers_room = snd_.wnd > in_flight() ? snd_.wnd - in_flight() : 0;
    const u32 usable = std::min(room, peers_room);
    const u32 waiting = static_cast<u32>(text_end() - cursor_);
    // What is sent again ends in front of what the peer has.
    const u32 wanted =
        scoreboard_ ? static_cast<u32>(scoreboard_->next_range(cursor_, text_end()) - cursor_)
                    : waiting;
    const u32 length = cut(std::min({wanted, usable, limits.max_burst}), wanted, limits);
    // The FIN takes a number, so it needs room in the window too.
    const bool fin = fin_queued_ && length == waiting && usable > length;
    if (length == 0 && !fin) return std::nullopt;
    return SegmentPlan{.seq = cursor_,
                       .length = length,
                       .fin = fin,
                       // MUST-61: PSH on the last segment of what is queued.
                       .psh = length > 0 && length == waiting,
                       .retransmission = cursor_.before(snd_.nxt),
                       .gso_size = length > limits.mss ? limits.mss : u16{0}};
}

/// How much of `length` bytes, which the windows allow, is worth sending now.
///
/// RFC 9293 3.8.6.2.1, data is sent if: (1) a maximum-sized segment can be sent; (2) or all of it can be
/// sent now, it is pushed, and nothing is unacknowledged (with Nagle's rule, 3.7.4); (3) or a fraction
/// of the maximum window can be sent and nothing is unacknowledged; (4) or the override timeout occurs.
u32 Sender::cut(u32 length, u32 waiting, const SendLimits& limits) const {
    const u32 whole = length / limits.mss * limits.mss;
    if (length == whole) return whole;
    const bool idle = in_flight() == 0;
    if (length == waiting) {
        const bool sent_before = cursor_.before(snd_.nxt);
        const bool push = limits.no_delay || idle || fin_queued_ || sent_before;
        return push ? length : whole;
    }
    if (length == limits.max_burst) return whole;
    if (whole > 0) return whole;
    if (limits.override_sws || (idle && length >= snd_.max_wnd / 2)) return length;
    return 0;
}

/// A part of `hole`, from its beginning on, out of turn.
SegmentPlan Sender::hole_plan(const SackBlock& hole, u32 max_length, u16 mss) const {
    const u32 sent = static_cast<u32>(hole.right - hole.left);
    const u32 text = static_cast<u32>(text_end() - hole.left);
    const u32 length = std::min({max_length, text, sent});
    return {.seq = hole.left,
            .length = length,
            .fin = fin_queued_ && length == text && sent > length,
            .psh = length > 0 && length == text,
            .retransmission = true,
            .hole = true,
            .gso_size = length > mss ? mss : u16{0}};
}

std::optional<SegmentPlan> Sender::probe() const {
    if (!syn_acked_ || fin_acked_) return std::nullopt;
    if (buffer_.empty()) {
        if (!fin_queued_) return std::nullopt;
        return SegmentPlan{.seq = snd_.una, .fin = true, .probe = true};
    }
    return SegmentPlan{.seq = snd_.una, .length = 1, .probe = true};
}

std::array<Bytes, 2> Sender::text(const SegmentPlan& plan) const {
    if (plan.length == 0) return {};
    return buffer_.peek(static_cast<u32>(plan.seq - text_begin()), plan.length);
}

void Sender::sent(const SegmentPlan& plan) {
    if (plan.hole) {
        hole_sent(plan);
    } else if (!plan.probe) {
        cursor_ = scoreboard_ ? scoreboard_->skip(plan.end()) : plan.end();
    }
    snd_.nxt = later(snd_.nxt, plan.end());
}

Acknowledged Sender::acknowledge(SeqNum ack) {
    Acknowledged result;
    if (!syn_acked_) {
        syn_acked_ = true;
        result.syn = true;
        snd_.una = snd_.iss + 1;
    }
    u32 count = static_cast<u32>(ack - snd_.una);
    if (fin_queued_ && !fin_acked_ && count == buffer_.size() + 1) {
        fin_acked_ = true;
        result.fin = true;
        --count;
    }
    result.text = count;
    buffer_.discard(count);
    snd_.una = ack;
    cursor_ = later(cursor_, ack);
    retransmit_head_ = false;
    if (scoreboard_) {
        result.reneged = !scoreboard_->acknowledge(ack);
        cursor_ = scoreboard_->skip(cursor_);
        release_scoreboard();
    }
    return result;
}

}  // namespace tapestry
