#pragma once

#include "stack/base/time.h"

namespace tapestry {

/// How large a receive buffer has to be so that it does not hold the sender up: twice what the user
/// takes in a round trip, because a sender that doubles its window each round trip is one ahead of the
/// user (dynamic right-sizing, Fisk and Feng 2001; tcp_moderate_rcvbuf of Linux). Only what is really
/// read counts, so a user who does not read gets no more memory.
class ReceiveTuning {
public:
    /// The user has taken n bytes. `ceiling`: the largest need, bytes.
    void taken(u32 n, TimePoint now, Duration rtt, u16 mss, u32 ceiling);
    /// The largest need so far, bytes; 0: none is known. It does not fall: what has been offered stays
    /// offered.
    u32 need() const { return need_; }
    /// What was taken in the last whole round trip, bytes.
    u32 space() const { return space_; }

private:
    TimePoint since_{};
    u32 taken_ = 0;  ///< bytes, since then
    u32 space_ = 0;
    u32 need_ = 0;
};

}  // namespace tapestry
