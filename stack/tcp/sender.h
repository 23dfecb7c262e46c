#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "stack/buf/byte_ring.h"
#include "stack/tcp/retransmission_queue.h"
#include "stack/tcp/scoreboard.h"
#include "stack/tcp/vars.h"

namespace tapestry {

/// What may leave now.
struct SendLimits {
    u32 window = 0;             ///< the congestion window, or recovery's, bytes
    u16 mss = 536;              ///< Eff.snd.MSS: text per segment
    u32 max_burst = 0;          ///< text per call: what the device takes as one super-frame
    bool rescue = false;        ///< NextSeg() (3) and (4) of RFC 6675 may choose
    bool no_delay = false;      ///< Nagle's rule is off
    bool override_sws = false;  ///< the override timer has expired: a small segment may leave
    bool once = false;          ///< what has left next changes them
};

/// One segment, or a super-frame of several, that the sender would send next.
struct SegmentPlan {
    SeqNum seq{};
    u32 length = 0;  ///< text bytes
    bool syn = false;
    bool fin = false;
    bool psh = false;
    bool retransmission = false;
    bool rescue = false;  ///< by NextSeg() (4) of RFC 6675
    bool probe = false;   ///< of a closed window: not counted as under way
    u16 gso_size = 0;     ///< not 0: a super-frame of segments with this much text

    u32 sequence_length() const { return length + (syn ? 1 : 0) + (fin ? 1 : 0); }
    SeqNum end() const { return seq + sequence_length(); }
};

/// What an acknowledgment took out of the send queue.
struct Acknowledged {
    u32 text = 0;
    bool syn = false;
    bool fin = false;
    bool reneged = false;  ///< the peer has dropped what it had SACKed (RFC 2018 section 8)
};

/// What the SACK blocks of an acknowledgment said.
struct SackNews {
    bool fresh = false;  ///< something new: a duplicate ACK in the sense of RFC 6675 section 2
    u32 duplicate = 0;   ///< bytes of a D-SACK: they came twice (RFC 2883); 0: there was none
    u32 nonsense = 0;    ///< blocks that cannot be true
};

/// The sending half of a connection: the queue of bytes between SND.UNA and what the user wrote last,
/// and the rule of what leaves when (RFC 9293 sections 3.8.6.2.1 and 3.7.4).
///
/// It plans and commits apart: next_segment() changes nothing, and sent() is called when the device
/// has taken the segment. What has been sent is in the retransmission queue; what counts as lost there
/// leaves first, then what has never been sent, as NextSeg() of RFC 6675 has it. Who decides what is
/// lost is not the sender: it is a timeout, three duplicate ACKs, IsLost() or RACK.
class Sender {
public:
    explicit Sender(BlockPool& pool) : buffer_(pool) {}

    /// A SYN with this number is the first thing to send.
    void start(SeqNum iss);
    /// The peer's window: SEG.WND scaled, and the rule of RFC 9293 3.10.7.4 for WL1 and WL2.
    void update_window(u32 wnd, SeqNum seg_seq, SeqNum seg_ack);
    void set_wind_shift(u8 shift) { snd_.wind_shift = shift; }

    /// Queues user data; false when there is no memory for it.
    [[nodiscard]] bool append(Bytes text) { return buffer_.append(text); }
    /// What is queued so far is urgent (RFC 9293 3.8.5).
    void mark_urgent() {
        snd_.up = text_end();
        snd_.urgent = true;
    }
    /// A FIN follows the queued data.
    void queue_fin() { fin_queued_ = true; }

    /// How most bursts end: there is room for less than a segment, more than that waits, and something is
    /// under way (RFC 9293 3.8.6.2.1). A short way to know that next_segment() would choose nothing.
    bool waits_for_room(const SendLimits& limits) const {
        const u32 room = usable(snd_.nxt, limits);
        return room < limits.mss && static_cast<i32>(room) < text_end() - snd_.nxt &&
               queue_.pipe() > 0 && !queue_.has_lost() && !limits.rescue && !limits.override_sws;
    }
    std::optional<SegmentPlan> next_segment(const SendLimits& limits) const;
    /// A probe of a closed window: one byte of the queue, or the FIN (RFC 9293 3.8.6.1).
    std::optional<SegmentPlan> probe() const;
    /// The text of a plan, where it lies.
    std::array<Bytes, 2> text(const SegmentPlan& plan) const;
    /// The last segment once more, or a new one: a loss probe (RFC 8985 7.3).
    std::optional<SegmentPlan> loss_probe(const SendLimits& limits) const;
    void sent(const SegmentPlan& plan, TimePoint now, u32 max_records);
    /// SND.UNA < ack <= SND.NXT
    Acknowledged acknowledge(SeqNum ack, TimePoint now, Delivered& delivered);

    /// Takes the SACK blocks that came with an acknowledgment of SND.UNA.
    SackNews take_sack(std::span<const SackBlock> blocks, u32 max_ranges, Delivered& delivered);
    /// The segment at SND.UNA is lost by IsLost().
    bool head_lost(const LossRule& rule) const {
        return scoreboard_ && scoreboard_->is_lost(snd_.una, rule);
    }
    /// Marks what is lost by IsLost() and has not been sent again; how many bytes.
    u32 mark_lost(const LossRule& rule);
    /// What was SACKed is not believed any more: it counts as sent now.
    void forget_sacks(TimePoint now);

    /// Everything from SND.UNA on is to be sent again, but what is SACKed.
    void rewind() { queue_.mark_all_lost(); }
    /// The segment at SND.UNA, at most `mss` of text, is lost.
    void mark_head_lost(u16 mss);
    /// What is lost first leaves whatever the window says: a fast retransmit.
    void retransmit_now() { retransmit_now_ = true; }

    const SendVars& snd() const { return snd_; }
    u32 queued() const { return buffer_.size(); }
    bool fin_queued() const { return fin_queued_; }
    bool syn_acked() const { return syn_acked_; }
    bool fin_acked() const { return fin_acked_; }
    /// FlightSize (RFC 5681): sent and not acknowledged, bytes.
    u32 flight_size() const { return static_cast<u32>(snd_.nxt - snd_.una); }
    /// ... without what is SACKed or counts as lost: "pipe" of RFC 6675.
    u32 pipe() const { return queue_.pipe(); }
    RetransmissionQueue& queue() { return queue_; }
    const RetransmissionQueue& queue() const { return queue_; }
    /// Null: nothing is SACKed.
    const Scoreboard* scoreboard() const { return scoreboard_.get(); }
    /// Bytes that are SACKed.
    u32 sacked() const { return scoreboard_ ? scoreboard_->bytes() : 0; }
    /// Something is to be sent: new, or again.
    bool has_unsent() const {
        if (queue_.has_lost()) return true;
        return syn_acked_ ? has_new() : snd_.nxt == snd_.iss;
    }
    void clear() {
        buffer_.clear();
        queue_.clear();
        scoreboard_.reset();
    }

private:
    SeqNum text_begin() const { return syn_acked_ ? snd_.una : snd_.iss + 1; }
    SeqNum text_end() const { return text_begin() + buffer_.size(); }
    bool has_new() const {
        if (fin_acked_) return false;
        return snd_.nxt.before(text_end()) || (fin_queued_ && snd_.nxt == text_end());
    }
    /// Bytes from `begin` on that both windows have room for.
    u32 usable(SeqNum begin, const SendLimits& limits) const {
        const u32 room = limits.window > queue_.pipe() ? limits.window - queue_.pipe() : 0;
        const SeqNum edge = snd_.una + snd_.wnd;  // the peer may have taken window back
        return edge.after(begin) ? std::min(room, static_cast<u32>(edge - begin)) : 0;
    }
    u32 cut(u32 length, u32 waiting, bool again, const SendLimits& limits) const;
    std::optional<SegmentPlan> plan(SeqNum begin, SeqNum wanted_end,
                                    const SendLimits& limits) const;
    std::optional<SegmentPlan> next_lost(const SendLimits& limits) const;
    std::optional<SegmentPlan> next_rescue(const SendLimits& limits) const;
    SegmentPlan hole_plan(const SackBlock& hole, u16 mss) const;
    void release_scoreboard();

    SendVars snd_;
    ByteRing buffer_;  ///< from SND.UNA (behind the SYN) to what the user wrote last
    RetransmissionQueue queue_;
    std::unique_ptr<Scoreboard> scoreboard_;  ///< null: nothing is SACKed
    SeqNum rescue_rxt_;                       ///< RescueRxt of RFC 6675, in recovery
    bool syn_acked_ = false;
    bool fin_queued_ = false;
    bool fin_acked_ = false;
    bool retransmit_now_ = false;
};

}  // namespace tapestry
