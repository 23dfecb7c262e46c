#include <array>

#include "apps/inspect/explain_tables.h"

/// The checks of a segment that comes in, its text and its FIN.

namespace tapestry {
namespace {

using enum Verdict;

constexpr auto kRows = std::to_array<VerdictText>({
    {SequenceUnacceptable,
     {"The segment ({SEG.SEQ}, {SEG.LEN} bytes) lies outside of the receive window, which "
      "begins at RCV.NXT {RCV.NXT}. Nothing is taken; an ACK tells the sender where we are.",
      "First of all every segment must have at least one number in the window. Others are old "
      "duplicates, keep-alive probes, or forged. The ACK helps an honest peer that has lost "
      "its way, and answers a probe.",
      "Do not drop it in silence (the peer may be waiting for just that ACK), and never "
      "answer a reset here."}},
    {SequenceZeroWindow,
     {"A segment with data comes while our window is closed. The data are not taken; an ACK "
      "repeats RCV.NXT {RCV.NXT} and the window.",
      "The peer probes whether there is room again, since the segment that opens the window "
      "may get lost. The answer keeps it going.",
      "Even with a window of zero, ACKs, resets and urgent pointers must be processed: only "
      "the data are refused."}},
    {Paws,
     {"The timestamp is older than the last one that was accepted[ ({TS.RECENT})]: the segment "
      "is an old duplicate. It is dropped, and acknowledged.",
      "On a fast path 32 bits of sequence numbers wrap within seconds, so an old segment may "
      "fall into the window by chance. The timestamp, which only grows, tells old from new "
      "(PAWS).",
      "A reset is exempt from this check, and TS.Recent older than 24 days must not be used."}},
    {ResetAccepted,
     {"A reset comes with exactly the number RCV.NXT: the connection is over at once, {WAS} "
      "to {STATE}. The application gets an error.",
      "The peer knows nothing of this connection, or has given it up. That the number is "
      "exactly the next one shows that it comes from the peer or from somebody who sees the "
      "traffic.",
      "A reset is not acknowledged and there is no TIME-WAIT. Data that wait to be sent are "
      "thrown away."}},
    {ResetChallenged,
     {"A reset lies in the window ({SEG.SEQ}), but not exactly at RCV.NXT {RCV.NXT}: a "
      "challenge ACK is sent, the connection stays.",
      "A forger who cannot see the traffic hits the window easily, but not the exact number. "
      "A genuine peer without a connection answers the challenge ACK with a reset that has "
      "exactly the right number.",
      "To believe every reset in the window, as RFC 793 had it, lets strangers cut "
      "connections."}},
    {ResetRefused,
     {"A reset comes whose number lies outside of the window: it is dropped.",
      "Whoever sent it does not know where the connection is, so it is old or forged.",
      "There is no answer: to answer resets invites endless exchanges."}},
    {ResetToListen,
     {"A reset comes while a connection that a listener accepted waits for its third segment: "
      "the attempt is forgotten, the listener goes on.",
      "The peer has changed its mind or never was there (somebody forged its address, and our "
      "SYN-ACK surprised it). The application has not been told of the connection, so it need "
      "not hear of its end.",
      "Only this attempt ends, never the listener."}},
    {SynChallenged,
     {"A SYN comes within a connection that exists: a challenge ACK is sent, nothing changes.",
      "It may be forged, to make us end the connection. If the peer has really restarted, the "
      "ACK does not fit what it expects, it sends a reset with the right number, and its next "
      "SYN is welcome.",
      "RFC 793 answered this with a reset; that let strangers cut connections with one guess."}},
    {SynTimeWait,
     {"A SYN comes in TIME-WAIT that can only be new: its number (or timestamp) is beyond "
      "everything of the old connection. The old one makes room.",
      "TIME-WAIT is there to catch old duplicates. A SYN behind all old numbers cannot be "
      "one, so the same ports may be used again at once.",
      "The new ISS must be beyond the old connection's SND.NXT, too."}},
    {NoAck,
     {"The segment has no ACK bit and is dropped.",
      "After the first SYN every segment carries an acknowledgment. One without is broken or "
      "forged.",
      "SEG.ACK means nothing when the bit is not set, whatever stands in the field."}},
    {AckEstablishes,
     {"The third segment: its ACK {SEG.ACK} acknowledges our SYN. The connection stands, "
      "{WAS} to {STATE}.",
      "Now this side knows, too, that what it sends arrives, and that the peer's address is "
      "not forged. The application can accept the connection.",
      "If this ACK is lost, the first data segment does the same work, as it carries the same "
      "ACK."}},
    {AckOfNothingSent,
     {"In SYN-RECEIVED an ACK comes that is not for our SYN ({SEG.ACK}): it is answered with "
      "a reset.",
      "The peer acknowledges another SYN than ours, perhaps one of an older attempt. The "
      "reset takes its number from SEG.ACK, so that the peer accepts it.",
      "The attempt here is not ended by it: the right ACK may still come."}},
    {AckChallenged,
     {"The ACK {SEG.ACK} is for something never sent, or older than the largest window that "
      "the peer ever offered: a challenge ACK is sent and the segment dropped.",
      "Who sees the traffic knows SND.UNA and SND.NXT well enough. A number far from them is "
      "a guess of somebody who wants to slip in data.",
      "The acceptable range is SND.UNA minus the largest window seen up to SND.NXT, not just "
      "anything below SND.NXT."}},
    {TimeWaitRestart,
     {"In TIME-WAIT the peer's FIN comes again: it is acknowledged again, and the wait of 2 "
      "MSL begins anew.",
      "The peer has not got our last ACK. This is why the side that closes first has to wait: "
      "otherwise nobody would be there to repeat that ACK.",
      "A server that restarts in this minute finds its port in use; that is TIME-WAIT at "
      "work, not a bug."}},
    {DataInOrder,
     {"Data come exactly at RCV.NXT, which goes to {RCV.NXT}. The application can read them"
      "[ ({RECEIVE.QUEUED} bytes wait)].",
      "The receiver takes what comes next in order and tells with its next ACK what it "
      "expects then. The ACK may wait a moment: for a second segment, or for data of our own "
      "that it can ride on.",
      "RCV.NXT acknowledges all bytes below it. It says nothing of bytes that lie beyond a "
      "hole."}},
    {DataOutOfOrder,
     {"Data come at {SEG.SEQ}, beyond a hole: RCV.NXT stays {RCV.NXT}. They are kept"
      "[ ({OUT.OF.ORDER} bytes)], and an ACK is sent at once.",
      "A segment before it is lost or late. The duplicate ACK (with SACK also the range that "
      "is here) tells the sender of it long before its timer would.",
      "This ACK must not be delayed: three of its kind make the sender retransmit."}},
    {DataDuplicate,
     {"Everything in the segment has been received before: it is thrown away and acknowledged "
      "at once.",
      "The sender repeats because our ACK was lost or late. Only another ACK can stop it.",
      "Do not hand the bytes to the application a second time, and do not keep silent."}},
    {DataRefused,
     {"Data come for an application that has closed and reads no more: the connection is "
      "reset.",
      "Nobody will ever read these bytes. To acknowledge them would make the peer believe "
      "that they have been delivered.",
      "A close with unread data, or with data still to come, therefore ends in a reset and "
      "not in FINs."}},
    {FinReceived,
     {"The peer's FIN is next in order: it has finished sending. RCV.NXT moves past it, an "
      "ACK goes out, {WAS} to {STATE}. The application reads an end of file.",
      "A FIN ends one direction only: we may go on sending. Which state follows depends on "
      "whether we have sent a FIN ourselves and whether it has been acknowledged.",
      "A FIN that comes before missing data must wait for them: it takes effect in its place "
      "in order."}},
    {Accepted,
     {"The segment is acceptable, but has nothing new in it.",
      "Its ACK and window are as they were, and it carries no data that count.",
      "An empty segment that repeats an ACK is not answered: ACKs are not acknowledged."}},
    {FinAcked,
     {"Our FIN has been acknowledged: {WAS} to {STATE}.",
      "The peer has got everything that we sent. Whether we now wait for its FIN (FIN-WAIT-2) "
      "or only for old duplicates to die out (TIME-WAIT) depends on whether its FIN has come.",
      "The ACK counts for the FIN only if it is beyond the FIN's own number."}},
    {LastFinAcked,
     {"Our FIN, the last of the two, has been acknowledged: {WAS} to {STATE}. The connection "
      "is over.",
      "The peer closed first and has all that we sent, so nothing is left to do. TIME-WAIT is "
      "the peer's part, because it sent the last ACK.",
      "The side that closes second does not enter TIME-WAIT."}},
});

constexpr Explanation kSynAgain{
    "The SYN that opened this connection comes again: the peer has not got our SYN and ACK. They "
    "are "
    "sent again; RCV.NXT stays {RCV.NXT}.",
    "The number of the SYN lies before RCV.NXT, so the segment has nothing new, as an old "
    "duplicate "
    "has. The answer to it is what tells the peer our number, at last.",
    "It is the same connection, not a second one: ISS and state stay as they are."};

constexpr Explanation kSynSent{
    "The SYN leaves, with an ACK where it answers the peer's. It takes a number: SND.NXT is "
    "{SND.NXT}.",
    "No window holds it back, for neither side knows the other's yet. The retransmission timer "
    "runs: if nothing acknowledges the SYN[ within {RTO}], it is sent again.",
    "The window that a SYN tells is in bytes; window scaling begins behind it."};

}  // namespace

const Explanation& english_syn_again() { return kSynAgain; }
const Explanation& english_syn_sent() { return kSynSent; }

std::span<const VerdictText> english_segments() { return kRows; }

}  // namespace tapestry
