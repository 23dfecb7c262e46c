#include "apps/inspect/relative_note.h"

namespace tapestry {

TcpNote relative_note(const TcpNote& absolute, NumberBase& ours, NumberBase& theirs, u32 unseen) {
    TcpNote note = absolute;
    const SeqNum seq(absolute.seq);
    if (!ours.base) ours.base = note.flags.syn() ? seq : seq - unseen;
    note.seq = seq.value() - ours.base->value();
    if (note.ack) {
        const SeqNum ack(*note.ack);
        if (!theirs.base) theirs.base = ack - unseen;
        note.ack = ack.value() - theirs.base->value();
    }
    if (!note.options) return note;
    if (note.options->timestamps) {
        TcpTimestamps& ts = *note.options->timestamps;
        if (!ours.clock) ours.clock = ts.value - 1;
        ts.value -= *ours.clock;
        if (ts.echo_reply != 0 && theirs.clock) ts.echo_reply -= *theirs.clock;
    }
    for (std::size_t i = 0; i < note.options->sack_count && theirs.base; ++i) {
        SackBlock& block = note.options->sack_blocks[i];
        block = {SeqNum(block.left.value() - theirs.base->value()),
                 SeqNum(block.right.value() - theirs.base->value())};
    }
    return note;
}

}  // namespace tapestry
