#include "stack/tcp/spurious.h"

namespace tapestry {

void SpuriousDetector::retransmitted(u32 ts_val, u32 bytes) {
    if (!open_) return;
    if (!sent_) ts_val_ = ts_val;
    sent_ = true;
    bytes_ += bytes;
}

/// RFC 3522 section 3.2: only "the first acceptable ACK that arrives" after the retransmission tells.
bool SpuriousDetector::on_advance(std::optional<u32> ts_ecr) {
    if (!waiting_ || !sent_) return false;
    waiting_ = false;
    return ts_ecr && static_cast<i32>(*ts_ecr - ts_val_) < 0;
}

bool SpuriousDetector::on_duplicate(u32 bytes) {
    if (!open_ || !sent_ || bytes > bytes_) return false;
    bytes_ -= bytes;
    return bytes_ == 0;
}

}  // namespace tapestry
