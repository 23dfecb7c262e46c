// What the receiver reports beside the acknowledgment number (RFC 2018 section 4, RFC 2883 section 4).

#include <algorithm>

#include "stack/tcp/receiver.h"

namespace tapestry {

void Receiver::note_duplicate(SeqNum seq, u32 length) {
    duplicate_ = {};
    if (length > 0 && seq.before(rcv_.nxt)) duplicate_ = {seq, earlier(seq + length, rcv_.nxt)};
}

/// RFC 2883 4: "Each duplicate contiguous sequence of data received is reported in at most one D-SACK
/// block", and of several in one segment the first is.
void Receiver::note_overlap(u32 begin, u32 end) {
    if (has_duplicate()) return;
    const auto overlap = assembler_.first_overlap(begin, end);
    if (overlap) duplicate_ = {rcv_.nxt + overlap->begin, rcv_.nxt + overlap->end};
}

/// RFC 2018 4: the first block is the one that the latest segment belongs to, the others are those that
/// were reported most recently. Before them all stands what came twice (RFC 2883).
void Receiver::sack_blocks(TcpOptions& options) const {
    options.sack_count = 0;
    if (has_duplicate()) options.sack_blocks.at(options.sack_count++) = duplicate_;
    u32 before = ~u32{0};
    while (options.sack_count < TcpOptions::kMaxSackBlocks) {
        const Assembler::Island* latest = nullptr;
        for (const Assembler::Island& island : assembler_.islands()) {
            if (island.touched >= before) continue;
            if (latest == nullptr || island.touched > latest->touched) latest = &island;
        }
        if (latest == nullptr) return;
        before = latest->touched;
        options.sack_blocks.at(options.sack_count++) = {rcv_.nxt + latest->begin,
                                                        rcv_.nxt + latest->end};
    }
}

}  // namespace tapestry
