#include "stack/tcp/prr.h"

#include <algorithm>

namespace tapestry {

void Prr::enter(u32 flight, u32 in_flight, u16 smss) {
    *this = {};
    recover_fs_ = std::max<u32>(flight, 1);
    // "Force a fast retransmit upon entering recovery"
    window_ = in_flight + smss;
}

void Prr::on_ack(const Ack& ack) {
    if (ack.delivered == 0) return;  // "if (DeliveredData is 0) Return"
    delivered_ += ack.delivered;
    u64 count = 0;
    if (ack.in_flight > ack.ssthresh) {
        // Proportional: SndCnt = CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out
        const u64 share = (delivered_ * ack.ssthresh + recover_fs_ - 1) / recover_fs_;
        count = share > out_ ? share - out_ : 0;
    } else {
        // PRR-CRB, the conservative bound, and PRR-SSRB, one segment more, where that is safe.
        const u64 owed = delivered_ > out_ ? delivered_ - out_ : 0;
        count = std::max<u64>(owed, ack.delivered);
        if (ack.safe) count += ack.smss;
        count = std::min<u64>(count, ack.ssthresh - ack.in_flight);
    }
    // As long as nothing has been sent one segment may leave, and when nothing is left in the network.
    if (out_ == 0 || ack.in_flight == 0) count = std::max<u64>(count, ack.smss);
    window_ = static_cast<u32>(std::min<u64>(ack.in_flight + count, ~u32{0}));
    window_ = std::max<u32>(window_, ack.smss);
}

}  // namespace tapestry
