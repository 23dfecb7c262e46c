#pragma once

#include "stack/wire/seq_num.h"

namespace tapestry {

/// When fast retransmit and fast recovery begin and end (RFC 5681, RFC 6582, with SACK RFC 6675). It
/// counts duplicate ACKs. Without SACK, for NewReno, it also says when the segment at SND.UNA is to be
/// sent again, and lends a window while recovery lasts.
class Recovery {
public:
    /// What to do with an acknowledgment.
    enum class Action : u8 {
        None,
        Enter,       ///< the third duplicate: tell the congestion control, retransmit SND.UNA
        Inflate,     ///< a further duplicate: one more segment may leave
        Retransmit,  ///< a partial ACK: the segment at the new SND.UNA is lost too
        Finish,      ///< a full ACK: recovery is over
    };

    /// A duplicate ACK as RFC 5681 section 2 defines it. `threshold` is 3. Enter is answered by enter().
    Action on_duplicate(SeqNum una, u8 threshold, u16 mss);
    /// The same with SACK (RFC 6675 section 2): an ACK has reported something new. Nothing but counted.
    void count_sack();
    /// SND.UNA moved to `una`.
    Action on_advance(SeqNum una, u32 bytes_acked, u16 mss);
    void enter(SeqNum una, SeqNum nxt, u32 ssthresh, u8 threshold, u16 mss);
    /// The retransmission timer expired: `nxt` is the highest number sent (RFC 6582 3.2 (4)).
    void on_timeout(SeqNum nxt);
    /// A fast recovery may begin: the last one, or the one after a timeout, is over (RFC 6675 5.1).
    bool may_enter(SeqNum una) const { return !active_ && una.after_or_at(recover_); }
    /// Fast recovery, or the one that a timeout has begun.
    bool recovering() const { return active_ || after_timeout_; }
    /// There was nothing to recover from.
    void cancel(SeqNum una);
    /// The SYN has been acknowledged.
    void start(SeqNum iss) { recover_ = iss; }

    /// RecoveryPoint: recovery ends when SND.UNA reaches it.
    SeqNum recovery_point() const { return recover_; }
    bool active() const { return active_; }
    u8 duplicates() const { return duplicates_; }
    /// The window while recovery is active, bytes.
    u32 window() const { return window_; }

private:
    SeqNum recover_;  ///< the highest number sent when the last recovery began
    u32 window_ = 0;
    u32 most_ = 0;  ///< what duplicates may inflate the window to
    u8 duplicates_ = 0;
    bool active_ = false;
    bool after_timeout_ = false;
};

}  // namespace tapestry
