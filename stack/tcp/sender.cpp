#include "stack/tcp/sender.h"

#include <algorithm>

namespace tapestry {
namespace {

/// What of `length` bytes fills segments. One of them is so common that no division is made for it.
u32 whole_segments(u32 length, u32 mss) {
    if (length < 2 * mss) return length < mss ? 0 : mss;
    return length / mss * mss;
}

}  // namespace

void Sender::start(SeqNum iss) {
    snd_.iss = iss;
    snd_.una = iss;
    snd_.nxt = iss;
}

void Sender::update_window(u32 wnd, SeqNum seg_seq, SeqNum seg_ack) {
    snd_.wnd = wnd;
    snd_.wl1 = seg_seq;
    snd_.wl2 = seg_ack;
    snd_.max_wnd = std::max(snd_.max_wnd, wnd);
}

std::optional<SegmentPlan> Sender::next_segment(const SendLimits& limits) const {
    if (!syn_acked_) {
        const bool again = snd_.nxt != snd_.iss;
        if (again && !queue_.has_lost()) return std::nullopt;
        return SegmentPlan{.seq = snd_.iss, .syn = true, .retransmission = again};
    }
    // NextSeg() of RFC 6675, section 4: (1) what is lost, (2) what has never been sent, (3) and (4).
    if (queue_.has_lost()) return next_lost(limits);
    if (!limits.rescue) return has_new() ? plan(snd_.nxt, text_end(), limits) : std::nullopt;
    if (has_new()) {
        if (auto next = plan(snd_.nxt, text_end(), limits)) return next;
    }
    return next_rescue(limits);
}

std::optional<SegmentPlan> Sender::next_lost(const SendLimits& limits) const {
    const SackBlock lost = *queue_.first_lost();
    if (retransmit_now_) return hole_plan(lost, limits.mss);
    // The end of what was sent may grow by what has been written since (RFC 1122 4.2.2.15).
    return plan(lost.left, lost.right == snd_.nxt ? later(text_end(), snd_.nxt) : lost.right,
                limits);
}

/// A segment, or a super-frame, of what begins at `begin`.
std::optional<SegmentPlan> Sender::plan(SeqNum begin, SeqNum wanted_end,
                                        const SendLimits& limits) const {
    const u32 room = usable(begin, limits);
    const u32 waiting = begin.before(text_end()) ? static_cast<u32>(text_end() - begin) : 0;
    const u32 wanted = std::min(static_cast<u32>(wanted_end - begin), waiting);
    const bool again = begin.before(snd_.nxt);
    const u32 length = cut(std::min({wanted, room, limits.max_burst}), wanted, again, limits);
    // The FIN takes a number, so it needs room in the window too.
    const bool fin = fin_queued_ && length == waiting && room > length;
    if (length == 0 && !fin) return std::nullopt;
    return SegmentPlan{.seq = begin,
                       .length = length,
                       .fin = fin,
                       // MUST-61: PSH on the last segment of what is queued.
                       .psh = length > 0 && length == waiting,
                       .retransmission = again,
                       .gso_size = length > limits.mss ? limits.mss : u16{0}};
}

/// How much of `length` bytes, which the windows allow, is worth sending now.
///
/// RFC 9293 3.8.6.2.1, data is sent if: (1) a maximum-sized segment can be sent; (2) or all of it can be
/// sent now, it is pushed, and nothing is unacknowledged (with Nagle's rule, 3.7.4); (3) or a fraction
/// of the maximum window can be sent and nothing is unacknowledged; (4) or the override timeout occurs.
u32 Sender::cut(u32 length, u32 waiting, bool again, const SendLimits& limits) const {
    const u32 whole = whole_segments(length, limits.mss);
    if (length == whole) return whole;
    const bool idle = queue_.pipe() == 0;
    if (length == waiting) {
        const bool push = limits.no_delay || idle || fin_queued_ || again;
        return push ? length : whole;
    }
    if (length == limits.max_burst) return whole;
    if (whole > 0) return whole;
    if (limits.override_sws || (idle && length >= snd_.max_wnd / 2)) return length;
    return 0;
}

/// One segment of `hole`, from its beginning on, whatever the windows say.
SegmentPlan Sender::hole_plan(const SackBlock& hole, u16 mss) const {
    const u32 sent = static_cast<u32>(hole.right - hole.left);
    const u32 text = hole.left.before(text_end()) ? static_cast<u32>(text_end() - hole.left) : 0;
    const u32 length = std::min({u32{mss}, text, sent});
    return {.seq = hole.left,
            .length = length,
            .fin = fin_queued_ && length == text && sent > length,
            .psh = length > 0 && length == text,
            .retransmission = true};
}

std::optional<SegmentPlan> Sender::probe() const {
    if (!syn_acked_ || fin_acked_) return std::nullopt;
    if (buffer_.empty()) {
        if (!fin_queued_) return std::nullopt;
        return SegmentPlan{.seq = snd_.una, .fin = true, .probe = true};
    }
    return SegmentPlan{.seq = snd_.una, .length = 1, .probe = true};
}

/// RFC 8985 7.3: "If an unsent segment exists and the receive window allows new data to be sent", that
/// one; "the highest-sequence segment sent so far" otherwise.
std::optional<SegmentPlan> Sender::loss_probe(const SendLimits& limits) const {
    if (!syn_acked_ || queue_.empty() || queue_.has_lost()) return std::nullopt;
    if (snd_.nxt.before(text_end())) {
        SendLimits open = limits;
        open.window = queue_.pipe() + limits.mss;
        open.max_burst = limits.mss;
        open.no_delay = true;
        if (const auto next = plan(snd_.nxt, text_end(), open)) return next;
    }
    const Transmission& last = queue_.records().back();
    const SeqNum begin = later(last.begin, last.end - u32{limits.mss});
    return hole_plan({begin, last.end}, limits.mss);
}

std::array<Bytes, 2> Sender::text(const SegmentPlan& plan) const {
    if (plan.length == 0) return {};
    return buffer_.peek(static_cast<u32>(plan.seq - text_begin()), plan.length);
}

void Sender::sent(const SegmentPlan& plan, TimePoint now, u32 max_records) {
    if (plan.probe) {
        // Not waited for: what a probe carries beyond SND.NXT counts as lost until it is acknowledged.
        if (!plan.end().after(snd_.nxt)) return;
        queue_.sent(plan.seq, plan.end(), now, max_records);
        queue_.mark_lost(plan.seq, plan.end());
    } else {
        queue_.sent(plan.seq, plan.end(), now, max_records);
        // RFC 6675 5 (4.3): RescueRxt is the end of the first segment sent again; NextSeg() (4) sets it to
        // RecoveryPoint.
        if (retransmit_now_) rescue_rxt_ = plan.end();
        retransmit_now_ = false;
    }
    if (plan.rescue) rescue_rxt_ = snd_.nxt;
    snd_.nxt = later(snd_.nxt, plan.end());
}

Acknowledged Sender::acknowledge(SeqNum ack, TimePoint now, Delivered& delivered) {
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
    if (snd_.urgent && ack.after_or_at(snd_.up)) snd_.urgent = false;
    queue_.acknowledge(ack, delivered);
    retransmit_now_ = false;
    if (scoreboard_) {
        if (scoreboard_->reneged(ack)) {
            result.reneged = true;
            forget_sacks(now);
        } else {
            scoreboard_->acknowledge(ack);
            release_scoreboard();
        }
    }
    return result;
}

}  // namespace tapestry
