// Header prediction (Van Jacobson, "4BSD Header Prediction", Computer Communication Review, 1990). While
// data flow one way only, each end gets segments of a single kind, and knows before they come what they
// look like: the sender gets acknowledgments of new data without text, the receiver the next text that
// acknowledges nothing new. One comparison of the header with that prediction stands for all the checks
// of connection_input.cpp, which such a segment is bound to pass:
//
//   TIME-WAIT, the RST and SYN bits    the state is ESTABLISHED, and of all flags ACK alone is set (PSH
//                                      means nothing to us)
//   PAWS                               the timestamp is not older than TS.Recent
//   first, the sequence number         it is RCV.NXT, which is acceptable whatever the window
//   fifth, the ACK field               it is between SND.UNA and SND.NXT
//   sixth, URG; eighth, FIN            neither is set
//
// What is left to be done is done by the same functions. Nobody can tell the difference but by counting
// instructions (tests/bench/instructions); tests/tcp/header_prediction_test.cpp holds the two against
// each other.

#include "stack/tcp/connection.h"
#include "stack/tcp/tcp.h"

namespace tapestry {

std::optional<SegmentResult> Connection::on_predicted(const Segment& seg, TimePoint now) {
    const u8 flags = seg.flags.bits & static_cast<u8>(~TcpFlags::kPsh);
    if (state_ != TcpState::Established || flags != TcpFlags::kAck ||
        seg.seq != receiver_.rcv().nxt || seg.options.sack_count != 0 ||
        seg.options.timestamps.has_value() != timestamps_ ||
        (timestamps_ && static_cast<i32>(seg.options.timestamps->value - ts_recent_) < 0)) {
        return std::nullopt;
    }
    const SendVars& snd = sender_.snd();
    if (seg.payload.empty()) {
        if (!seg.ack.after(snd.una) || seg.ack.after(snd.nxt)) return std::nullopt;
        return on_predicted_ack(seg, now);
    }
    // Where a loss is being repaired, an acknowledgment of nothing new means something, too.
    if (seg.ack != snd.una || recovery_.active() || loss_probe_out_ || orphaned() ||
        !receiver_.fits(seg.payload)) {
        return std::nullopt;
    }
    return on_predicted_text(seg, now);
}

/// New data have been acknowledged, and there is no text.
SegmentResult Connection::on_predicted_ack(const Segment& seg, TimePoint now) {
    const Verdict verdict = take_ack(seg, now);
    remember_timestamp(seg, now);
    probes_ = 0;
    restart_keep_alive(now);
    return {.verdict = verdict};
}

/// The next text, where none has come early; of what else the segment says only window and ECN can be
/// new.
SegmentResult Connection::on_predicted_text(const Segment& seg, TimePoint now) {
    take_window(seg);
    if (ecn_) take_ecn(seg, now);
    remember_timestamp(seg, now);
    probes_ = 0;
    restart_keep_alive(now);
    if (!receiver_.accept_next(seg.payload)) return refuse_text(Drop::TcpNoMemory);
    const u32 length = static_cast<u32>(seg.payload.size());
    unacked_ += length;
    owe_ack(length, now);
    traffic_.took(length, false);
    notify();
    return {.verdict = Verdict::DataInOrder};
}

}  // namespace tapestry
