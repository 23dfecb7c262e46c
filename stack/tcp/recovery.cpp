#include "stack/tcp/recovery.h"

#include <algorithm>

namespace tapestry {

Recovery::Action Recovery::on_duplicate(SeqNum una, u8 threshold, u16 mss) {
    if (active_) {
        // RFC 5681 3.2 (4): each further duplicate means that a segment has left the network. No more can
        // have left than were there: forged duplicates buy nothing (RFC 5681 section 5).
        window_ = std::min(window_ + mss, std::max(most_, window_));
        return Action::Inflate;
    }
    if (duplicates_ < 255) ++duplicates_;
    if (duplicates_ != threshold) return Action::None;
    // RFC 6582 3.2 (2): only when the acknowledgment covers more than recover: otherwise these are
    // duplicates of the same window of data that has been repaired already.
    return una.after(recover_) ? Action::Enter : Action::None;
}

void Recovery::count_sack() {
    if (duplicates_ < 255) ++duplicates_;
}

Recovery::Action Recovery::on_advance(SeqNum una, u32 bytes_acked, u16 mss) {
    duplicates_ = 0;
    if (una.after_or_at(recover_)) after_timeout_ = false;
    if (!active_) {
        // Drawn along, so that it never lies 2^31 behind, where "after" would turn round.
        if (una.after(recover_)) recover_ = una - 1U;
        return Action::None;
    }
    if (una.after_or_at(recover_)) {
        active_ = false;
        return Action::Finish;
    }
    // RFC 6582 3.2 (3), partial acknowledgments: deflate by the amount of new data acknowledged, and
    // add back SMSS bytes if that is at least SMSS.
    window_ -= std::min(window_, bytes_acked);
    if (bytes_acked >= mss) window_ += mss;
    window_ = std::max<u32>(window_, mss);
    return Action::Retransmit;
}

void Recovery::enter(SeqNum una, SeqNum nxt, u32 ssthresh, u8 threshold, u16 mss) {
    active_ = true;
    recover_ = nxt;
    // RFC 5681 3.2 (3): cwnd = ssthresh plus the segments that have left the network.
    window_ = ssthresh + u32{threshold} * mss;
    most_ = ssthresh + static_cast<u32>(nxt - una);
}

void Recovery::cancel(SeqNum una) {
    active_ = after_timeout_ = false;
    duplicates_ = 0;
    recover_ = una - 1U;
}

void Recovery::on_timeout(SeqNum nxt) {
    recover_ = nxt;
    active_ = false;
    after_timeout_ = true;
    duplicates_ = 0;
}

}  // namespace tapestry
