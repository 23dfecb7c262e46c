#pragma once

#include "stack/base/config.h"
#include "stack/tcp/retransmission_queue.h"

namespace tapestry {

/// RACK's loss detection (RFC 8985): what was sent before something that has arrived, and is later than
/// the reordering window allows, is lost. Time decides, not the number of duplicates; so the loss of the
/// last segment, or of a retransmission, is found as well.
class Rack {
public:
    /// How far the connection's recovery is.
    struct Situation {
        TimePoint now;
        Duration srtt{};
        SeqNum una;
        SeqNum nxt;
        bool in_recovery = false;    ///< fast recovery, or the one after a timeout
        bool enough_sacked = false;  ///< as much is SACKed as DupThresh segments
        bool duplicate = false;      ///< the acknowledgment has a D-SACK
    };
    /// What detect_loss() found.
    struct Result {
        u32 lost = 0;              ///< bytes newly marked
        TimePoint again = kNever;  ///< when to look again: the reordering timer
    };

    /// Section 6.2, steps 1 to 3. `echoed`: the segment that is echoed (TSecr) left at or before this
    /// time; 0 where there is no timestamp.
    void on_delivered(const Delivered& delivered, TimePoint now, TimePoint echoed);
    /// Steps 4 and 5.
    Result detect_loss(RetransmissionQueue& queue, const Situation& at);
    /// Section 6.3: the retransmission timer expired. What was sent just before it may still arrive.
    void mark_losses_on_timeout(RetransmissionQueue& queue, const Situation& at) const;
    /// A recovery is over.
    void on_recovered();

    /// RACK.rtt, of the segment that was delivered last; 0: none yet.
    Duration rtt() const { return rtt_; }
    /// RACK.min_RTT.
    Duration min_rtt() const { return min_rtt_; }
    bool reordering_seen() const { return reordering_seen_; }
    Duration reordering_window(const Situation& at) const;

private:
    void take_sample(const Transmission& piece, TimePoint now);
    void update_window(const Situation& at);

    Transmission latest_{};  ///< RACK.xmit_ts and RACK.end_seq
    Duration rtt_{};
    Duration min_rtt_{};
    TimePoint min_rtt_at_{};
    SeqNum fack_;             ///< RACK.fack: the highest number that has arrived
    SeqNum dsack_round_;      ///< RACK.dsack_round; in_dsack_round_
    u8 window_mult_ = 1;      ///< RACK.reo_wnd_mult
    u8 window_persist_ = 16;  ///< RACK.reo_wnd_persist: recoveries for which the mult lasts
    bool in_dsack_round_ = false;
    bool reordering_seen_ = false;
    bool any_ = false;  ///< something has been delivered
};

}  // namespace tapestry
