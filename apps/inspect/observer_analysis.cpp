#include "apps/inspect/observer.h"

/// What a segment is, by what went before it. The conditions are those that Wireshark documents for
/// `tcp.analysis`, in its order.

namespace tapestry {
namespace {

bool plain(TcpFlags flags) {
    return (flags.bits & (TcpFlags::kSyn | TcpFlags::kFin | TcpFlags::kRst)) == 0;
}

/// Wireshark's: a repetition so soon after the third acknowledgment answers to it.
constexpr Duration kFastRetransmissionWithin = 20ms;

}  // namespace

AnalysisSet Observer::analyze(Stream& stream, const ObservedPacket& arrived, Side from,
                              u32& duplicate) {
    Way& ours = stream.way(from);
    const Way& theirs = stream.way(other(from));
    const Segment& seg = arrived.segment;
    const u32 length = arrived.length;
    const bool expected = ours.next && seg.seq == *ours.next;
    const bool same_ack = ours.acked && seg.flags.ack() && seg.ack == ours.ack;
    AnalysisSet set;

    if (length == 1 && expected && theirs.acked && theirs.window == 0) {
        set.add(Analysis::ZeroWindowProbe);
        note_ack(ours, seg);
        return set;
    }
    if (seg.wnd == 0 && plain(seg.flags)) set.add(Analysis::ZeroWindow);
    if (ours.next && seg.seq.after(*ours.next) && !seg.flags.rst()) set.add(Analysis::LostSegment);
    if (length <= 1 && ours.next && seg.seq == *ours.next - 1 && plain(seg.flags)) {
        set.add(Analysis::KeepAlive);
    }
    const bool bare = length == 0 && expected && plain(seg.flags);
    if (bare && seg.wnd != 0 && seg.wnd != ours.window && same_ack) {
        set.add(Analysis::WindowUpdate);
    }
    if (length > 0 && theirs.acked && plain(seg.flags) && stream.window_known(other(from)) &&
        arrived.end() == theirs.ack + stream.window_of(other(from))) {
        set.add(Analysis::WindowFull);
    }
    const bool repeats = bare && same_ack && seg.wnd == ours.window;
    if (repeats && seg.wnd != 0 && theirs.last.has(Analysis::KeepAlive)) {
        set.add(Analysis::KeepAliveAck);
    } else if (bare && seg.wnd == 0 && ours.window == 0 && ours.acked &&
               (same_ack || seg.ack == ours.ack + 1) &&
               theirs.last.has(Analysis::ZeroWindowProbe)) {
        set.add(Analysis::ZeroWindowProbeAck);
    } else if (repeats && seg.wnd != 0) {
        duplicate = ++ours.duplicates;
        set.add(Analysis::DuplicateAck);
    }
    note_ack(ours, seg);
    if (seg.flags.ack() && theirs.to_be_acked && seg.ack.after(*theirs.to_be_acked)) {
        set.add(Analysis::AckLostSegment);
    }
    analyze_repetition(stream, arrived, from, set);
    return set;
}

/// An acknowledgment of something else ends the count of equal ones.
void Observer::note_ack(Way& ours, const Segment& seg) {
    if (!ours.acked || seg.ack != ours.ack) ours.duplicates = 0;
}

/// A segment that begins below what its side has sent already is sent again, or late.
void Observer::analyze_repetition(Stream& stream, const ObservedPacket& arrived, Side from,
                                  AnalysisSet& set) {
    const Way& ours = stream.way(from);
    const Way& theirs = stream.way(other(from));
    const Segment& seg = arrived.segment;
    const bool says_something = arrived.length > 0 || seg.flags.syn() || seg.flags.fin();
    if (!says_something || !ours.next || !seg.seq.before(*ours.next)) return;
    if (set.has(Analysis::KeepAlive)) return;
    const SeqNum end_of_text = seg.seq + arrived.length;
    if (arrived.length > 0 && theirs.acked && end_of_text.before_or_at(theirs.ack)) {
        set.add(Analysis::SpuriousRetransmission);
        set.add(Analysis::Retransmission);
        return;
    }
    if (theirs.duplicates >= 2 && theirs.ack == seg.seq &&
        arrived.time - theirs.ack_time < kFastRetransmissionWithin) {
        set.add(Analysis::FastRetransmission);
        set.add(Analysis::Retransmission);
        return;
    }
    if (arrived.time - ours.next_time < stream.first_rtt && *ours.next != arrived.end()) {
        set.add(Analysis::OutOfOrder);
        return;
    }
    set.add(Analysis::Retransmission);
}

}  // namespace tapestry
