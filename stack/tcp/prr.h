#pragma once

#include "stack/base/types.h"

namespace tapestry {

/// Proportional rate reduction (RFC 9937): how much may leave for each acknowledgment of a recovery, so
/// that the window comes down to ssthresh smoothly, and grows again by slow start when more than meant
/// was lost.
class Prr {
public:
    /// What an acknowledgment says.
    struct Ack {
        u32 delivered = 0;  ///< DeliveredData: newly acknowledged and SACKed, bytes
        u32 in_flight = 0;  ///< inflight, after it, bytes
        u32 ssthresh = 0;
        u16 smss = 536;
        bool safe = false;  ///< SafeACK: SND.UNA moved, and no further loss was seen
    };

    /// Recovery begins; `flight` is RecoverFS: what was outstanding before the acknowledgment that shows
    /// the loss; `in_flight` what is after it.
    void enter(u32 flight, u32 in_flight, u16 smss);
    /// Takes an acknowledgment; window() is new then.
    void on_ack(const Ack& ack);
    /// Something has been sent.
    void sent(u32 bytes) { out_ += bytes; }
    /// The congestion window: inflight + SndCnt.
    u32 window() const { return window_; }

private:
    u64 delivered_ = 0;  ///< prr_delivered
    u64 out_ = 0;        ///< prr_out
    u32 recover_fs_ = 1;
    u32 window_ = 0;
};

}  // namespace tapestry
