#include <array>

#include "apps/inspect/explain_tables.h"

/// Acknowledgments, losses and how they are mended.

namespace tapestry {
namespace {

using enum Verdict;

constexpr auto kRows = std::to_array<VerdictText>({
    {AckDuplicate,
     {"The same ACK again: {SEG.ACK}[, number {DUPACKS}]. SND.UNA stays.",
      "Something has left the network (else there would be no ACK), but it was not what the "
      "receiver waits for. One or two may come from reordering; the third counts as a loss.",
      "Only an ACK without data, with the same number and the same window, while data are "
      "under way, is a duplicate ACK. A window update is none."}},
    {AckOld,
     {"The ACK {SEG.ACK} is below SND.UNA {SND.UNA} and is ignored.",
      "It was overtaken by a later one on its way. Acknowledgments are cumulative, so a later "
      "one says all that an earlier one does.",
      "Never let SND.UNA go backwards, and do not take the window from an old segment."}},
    {AckAdvances,
     {"The ACK takes SND.UNA forward from {WAS.SND.UNA} to {SND.UNA}: the peer has everything "
      "below. Those bytes leave the send buffer.",
      "An acknowledgment is cumulative. It stops or restarts the retransmission timer, may "
      "give a sample of the round trip, and lets the congestion window grow[ (cwnd is {CWND} "
      "now)].",
      "If all is acknowledged the timer must be off; if not, it starts anew with the full RTO"
      "[ {RTO}]."}},
    {AckWindowUpdate,
     {"The ACK brings nothing but a new window: SND.WND is {SND.WND} bytes now.",
      "The receiver's application has read, or the receiver has thought again of its room. "
      "SND.WL1 and SND.WL2 remember from which segment the window was taken, so that an older "
      "segment cannot set it back.",
      "This is not a duplicate ACK although SEG.ACK is the same: do not count it as a sign of "
      "loss."}},
    {FastRetransmit,
     {"The third duplicate ACK: the segment at SND.UNA {SND.UNA} is taken for lost and sent "
      "again at once.[ ssthresh is {SSTHRESH}, cwnd {CWND}.]",
      "Three later segments have arrived before it; reordering that far is rare. Waiting for "
      "the timer would cost a whole RTO with an idle network. The loss is a sign of "
      "congestion, so the window shrinks too, but not to one segment: ACKs still flow.",
      "ssthresh comes from what is under way, not from cwnd, and the reduction happens once "
      "for each window of losses."}},
    {PartialAck,
     {"During recovery an ACK moves SND.UNA to {SND.UNA}, but not to the recovery point: the "
      "next hole is sent again at once.",
      "When several segments of one window are lost, each retransmission that arrives "
      "uncovers the next hole. NewReno mends one in each round trip without waiting for new "
      "duplicate ACKs.",
      "Recovery ends only when everything that was under way at its beginning is "
      "acknowledged."}},
    {AckSack,
     {"A duplicate ACK with SACK: more has arrived behind a hole ({SACKED} bytes are known to "
      "be there).",
      "SACK tells exactly which ranges the receiver holds, so that only what is missing must "
      "be sent again.",
      "SACK is only advice: the sender must keep the data until the cumulative ACK covers "
      "them."}},
    {AckDuplicateSack,
     {"A D-SACK: the first SACK block tells that a segment of ours came twice.",
      "So at least one retransmission was not needed, or the network doubled a segment. The "
      "sender can learn that it was too impatient.",
      "This block lies below the ACK, or inside of the next block; it does not mean that "
      "bytes behind a hole have arrived."}},
    {SackRecovery,
     {"From the SACKed ranges it follows that the segment at {SND.UNA} is lost: recovery "
      "begins.[ ssthresh is {SSTHRESH}, cwnd {CWND}.]",
      "Enough bytes behind it have arrived. The sender then counts what is really in the "
      "network (pipe[, {PIPE} bytes]) and fills the window with retransmissions and new data.",
      "Without SACK one would have to guess; with it several holes are mended in one round "
      "trip."}},
    {SackPartialAck,
     {"Recovery goes on: the ACK moves to {SND.UNA}, and holes are left.",
      "The scoreboard says which ranges are missing. The next hole, or new data, is sent as "
      "long as pipe[ ({PIPE} bytes)] is below the window.",
      "A segment that has been sent again in this recovery is not sent a third time because "
      "of the same reports."}},
    {SackReneged,
     {"The receiver has dropped data that it had SACKed: all its reports are forgotten.",
      "That is allowed when its memory runs out, because SACK is only advice. What the "
      "cumulative ACK does not cover counts as not delivered.",
      "This is why SACKed data must stay in the send buffer."}},
    {RackRecovery,
     {"A segment that was sent later has arrived, the one at {SND.UNA} has not: RACK takes it "
      "for lost. Recovery begins[, ssthresh {SSTHRESH}, cwnd {CWND}].",
      "RACK goes by the time of sending and not by counting duplicates: what was sent a "
      "little earlier than something that has arrived should have arrived, too. A reordering "
      "window (a part of the round trip) is granted before.",
      "It finds lost retransmissions as well, which counting duplicates cannot."}},
    {LossProbeRepaired,
     {"The loss probe has replaced a segment that was lost at the end of the data: the window "
      "is reduced as for any loss.",
      "The probe mended the loss so quietly that no recovery ever began. But a loss is a sign "
      "of congestion all the same.",
      "Without this step a sender would lose its last segments again and again and never slow "
      "down."}},
    {SpuriousRecovery,
     {"What was sent again had only been late: the retransmission was not needed. The "
      "congestion window is given back[ (cwnd {CWND})].",
      "The timestamp echoed in the ACK, or a D-SACK, shows that the original arrived. So "
      "there was no loss and no reason to slow down.",
      "An ACK of retransmitted data alone does not say which of the two copies it is for."}},
});

}  // namespace

std::span<const VerdictText> english_acks() { return kRows; }

}  // namespace tapestry
