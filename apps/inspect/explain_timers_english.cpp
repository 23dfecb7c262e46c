#include <array>

#include "apps/inspect/explain_tables.h"

/// Timers, and what the network reports.

namespace tapestry {
namespace {

using enum Verdict;

constexpr auto kRows = std::to_array<VerdictText>({
    {TimerLossProbe,
     {"For about two round trips no ACK has come: a loss probe is sent (the last segment "
      "again, or new data).",
      "If the last segments of a burst are lost, nothing comes after them that could cause "
      "duplicate ACKs. The probe draws an ACK out of the receiver, and so makes a quick "
      "recovery possible in place of a timeout.",
      "The probe is no timeout: the congestion window stays as it is."}},
    {TimerReorder,
     {"The reordering window is over for some segments: TCP looks again at what is missing, "
      "and finds nothing lost yet.",
      "RACK waits a moment before it calls a late segment lost, since the network may have "
      "changed the order.",
      "Late is not lost: to retransmit at the first sign of disorder wastes bandwidth."}},
    {TimerReorderLoss,
     {"The reordering window is over, and what was late has not come: it counts as lost and "
      "is sent again.[ ssthresh {SSTHRESH}, cwnd {CWND}.]",
      "A part of the round trip has been granted for disorder on the way. Whoever has not "
      "come by then is not on the way any more.",
      "This timer belongs to RACK and is much shorter than the RTO."}},
    {TimerRetransmit,
     {"The retransmission timer has gone off: nothing has been acknowledged for a whole RTO. "
      "The segment at {SND.UNA} is sent again[; the next wait is {RTO}. cwnd falls to {CWND}, "
      "ssthresh is {SSTHRESH}].",
      "Without any ACK for so long, nobody knows what is still in the network: TCP begins "
      "again with one segment in slow start. The wait is doubled each time (exponential "
      "backoff), so that many senders do not press a broken network.",
      "Only the oldest segment is sent again, not all of them. And no round trip may be "
      "measured from it (Karn's algorithm), unless timestamps say which copy was answered."}},
    {TimerSynRetransmit,
     {"No answer to the SYN (or to the SYN and ACK): it is sent again[; the next wait is "
      "{RTO}].",
      "Segments of the handshake get lost like any other. There is no measured round trip "
      "yet, so the first wait is a second, and it is doubled each time.",
      "It is the very same SYN with the same ISS. A new number would be a new connection."}},
    {TimerPersist,
     {"The peer's window is zero and the persist timer has gone off: a probe is sent[; the "
      "next one in {RTO} or more].",
      "The segment that opened the window may have been lost, and ACKs are not retransmitted. "
      "Without probes both sides would wait for ever.",
      "An answer that still says zero is no failure: a receiver may keep its window closed as "
      "long as it answers."}},
    {TimerDelayedAck,
     {"The delayed ACK is due: RCV.NXT {RCV.NXT} is acknowledged now.",
      "TCP waits a moment with an ACK, in the hope of a second segment or of data to send "
      "with it. It must not wait longer than half a second, or the sender would think that "
      "its data are lost.",
      "Every second full segment is acknowledged at once; the timer is only for the odd one."}},
    {TimerKeepAlive,
     {"The connection has been quiet for long: a keep-alive probe is sent, with a number "
      "before SND.NXT and no new data.",
      "Its number has been acknowledged already, so a living peer answers with an ACK. This "
      "finds peers that have vanished without a FIN, and keeps a NAT's table entry alive.",
      "Keep-alive is off unless the application asks for it, and one unanswered probe proves "
      "nothing: any segment can be lost."}},
    {TimerKeepAliveDead,
     {"Several keep-alive probes went unanswered: the peer is taken for dead, and the "
      "connection is closed.",
      "The application wanted to know, and it gets an error. A reset is sent in case somebody "
      "is still there.",
      "One probe is not enough: with some loss on the path good connections would be cut."}},
    {TimerTimeWait,
     {"2 MSL have passed in TIME-WAIT: the connection is forgotten.",
      "Until now the last ACK could be repeated, and old duplicates could die out in the "
      "network before the same ports are used again.",
      "Only the side that closed first is in TIME-WAIT; the wait is not a delay of the "
      "application."}},
    {TimerFinWait2,
     {"Nobody waits for the other side's FIN any more: the connection in FIN-WAIT-2 is "
      "forgotten.",
      "The application has closed completely, so nothing could be done with further data. A "
      "peer that never closes would keep the memory for ever.",
      "An application that has only closed its half (shutdown) may wait as long as it likes: "
      "this timer is for orphans."}},
    {TimerUserTimeout,
     {"The user timeout is over: data have been waiting for an acknowledgment for too long. "
      "The connection is aborted, {WAS} to {STATE}.",
      "The application has said how long it is willing to wait. Then it gets an error.",
      "It counts from the last progress, not from the beginning of the connection."}},
    {TimerGivenUp,
     {"Too many retransmissions without an answer (R2): TCP gives the connection up, {WAS} to "
      "{STATE}. The application gets \"timed out\".",
      "Somewhere there must be an end. For data R2 is at least 100 seconds, for a SYN at "
      "least 3 minutes, so that short interruptions do no harm.",
      "Giving up is a matter of time or count, never of a single ICMP message."}},
    {TimerOverride,
     {"A small segment has been held back in the hope of a larger one for long enough: it is "
      "sent now.",
      "The sender avoids silly windows: it does not send small segments only because the "
      "peer's window has little room. The override timer makes sure that this never waits for "
      "ever.",
      "It is not Nagle's algorithm: that waits for an ACK, this for the window."}},
    {IcmpHard,
     {"An ICMP error says that the destination cannot be reached in this way (a hard error).",
      "While connecting, this is the answer: the application gets it as an error at once. "
      "ICMP messages are checked first: the sequence number that they quote must be one that "
      "is under way, because they are easily forged.",
      "In a connection that stands, a hard error must not end it either: the retransmissions "
      "decide."}},
    {IcmpSoft,
     {"An ICMP error reports trouble on the path (a soft error). It is remembered; nothing "
      "else changes.",
      "Routes come and go, and retransmissions may still get through. If the connection times "
      "out later, the application is told this reason.",
      "To abort on a soft error would make every short failure of a router fatal."}},
    {IcmpFragmentationNeeded,
     {"A router says that a packet was larger than the next link takes and must not be "
      "fragmented: the effective MSS is {MSS} now, and the segment is sent again in smaller "
      "pieces.",
      "All our packets say \"don't fragment\", so that we learn the path's MTU. Without this "
      "message a connection hangs as soon as it sends full segments (a black hole).",
      "It is no loss by congestion, so cwnd does not shrink. And the quoted sequence number "
      "is checked: forged messages could make us send tiny segments."}},
});

}  // namespace

std::span<const VerdictText> english_timers() { return kRows; }

}  // namespace tapestry
