#include <array>

#include "apps/inspect/explain_tables.h"

/// User calls, LISTEN and SYN-SENT, flushes.

namespace tapestry {
namespace {

using enum Verdict;

constexpr auto kRows = std::to_array<VerdictText>({
    {None,
     {"Nothing had to be decided here.",
      "The connection was asked, looked, and found nothing to do.", ""}},
    {UserOpen,
     {"The application opens a connection. TCP chooses an initial sequence number ISS, puts a "
      "SYN in the queue and goes from {WAS} to {STATE}.",
      "Both sides must tell each other where their sequence numbers begin before any data can "
      "be counted. The ISS is not 0 but hard to guess and higher than that of an earlier "
      "connection between the same ports, so that old segments and forged ones do not fit.",
      "The SYN takes one sequence number, although it carries no data: afterwards SND.NXT is "
      "ISS+1."}},
    {UserSend,
     {"The application hands data to TCP. They wait in the send buffer[ ({SEND.QUEUED} bytes "
      "now)]; what may leave is decided when the connection is flushed.",
      "TCP is a stream of bytes: how the application cuts its writes means nothing on the "
      "wire. The data stay in the buffer until they have been acknowledged, because they may "
      "have to be sent again.",
      "One write is not one segment, and a write that has returned says nothing about whether "
      "the data have arrived."}},
    {UserReceive,
     {"The application reads. The bytes it takes make room in the receive buffer.",
      "The window that we advertise is the room that is left. When reading makes much room, "
      "the peer has to be told with a new ACK, or it would go on waiting.",
      "A window that grows by a few bytes is not told at once: small updates would invite "
      "small segments (the silly window syndrome)."}},
    {UserClose,
     {"The application has nothing more to send. TCP puts a FIN behind the last byte and goes "
      "from {WAS} to {STATE}.",
      "CLOSE means \"I will send no more\", not \"the connection is over\". Data that wait "
      "are sent first, and the other direction stays open until the peer sends a FIN of its "
      "own.",
      "The FIN takes one sequence number, is retransmitted like data, and must be "
      "acknowledged."}},
    {UserShutdown,
     {"The application closes its half: a FIN follows the data that wait, but it goes on "
      "reading.",
      "Each direction of a connection ends by itself. A client can say in this way that its "
      "request is complete and still get the answer.",
      "After a half close data may still come in for a long time; TCP must go on "
      "acknowledging them."}},
    {UserAbort,
     {"The application gives the connection up. TCP sends a reset, forgets everything and is "
      "CLOSED.",
      "ABORT is the rude end: data on their way are thrown away on both sides, and the peer's "
      "application gets an error rather than an end of file. There is no TIME-WAIT.",
      "The reset carries SND.NXT as its sequence number; with any other number the peer would "
      "not believe it."}},
    {ListenRst,
     {"A reset comes to a listener and is ignored.",
      "A reset can only be about something that was sent before, and a listener has sent "
      "nothing.",
      "Never answer a reset with a reset: two hosts would do so for ever."}},
    {ListenAck,
     {"A segment with an ACK comes to a listener: it is answered with a reset.",
      "A listener has sent nothing, so nothing can be acknowledged. The sender must believe "
      "in a connection that does not exist here, perhaps from before a restart, and the reset "
      "tells it.",
      "The reset takes its sequence number from SEG.ACK, so that the other side accepts it."}},
    {ListenSyn,
     {"A SYN comes to a listener. TCP notes IRS, sets RCV.NXT to the number behind the SYN, "
      "chooses an ISS and answers with SYN and ACK: {WAS} to {STATE}.",
      "The SYN tells from where the peer counts; our answer acknowledges that and tells our "
      "own number. Only the third segment shows that the peer really gets what we send.",
      "This is not ESTABLISHED yet: the address may be forged, and the application is not "
      "told of the connection before the third segment."}},
    {ListenCookie,
     {"An ACK comes to a listener that knows of no such connection, but the number it acknowledges "
      "is a "
      "SYN cookie: the connection is made from the ACK alone, {WAS} to {STATE}.",
      "The listener's queue was full, so it kept nothing of the SYN. Its ISS was a keyed sum of "
      "addresses, ports, IRS and the time, with the MSS in three bits; the sum is computed again "
      "and "
      "compared. Nobody who has not seen the SYN-ACK can know it.",
      "Cookies are no normal operation: options survive only in the timestamp's low bits, and the "
      "SYN-ACK is never sent again, because nobody knows that it was sent."}},
    {SynSentBadAck,
     {"An ACK comes that is not for our SYN ({SEG.ACK} acknowledges something that this "
      "connection has not sent): it is answered with a reset.",
      "A segment of an older connection between the same ports, still on its way, could look "
      "like an answer. Because the numbers do not fit, it is recognised, and the reset ends "
      "whatever the peer still believes in.",
      "We stay in SYN-SENT: the reset is for the other side, our own attempt goes on."}},
    {SynSentReset,
     {"The peer answers our SYN with a reset whose ACK fits: the connection is refused. {WAS} "
      "to {STATE}.",
      "The ACK proves that whoever sent the reset has seen our SYN. As a rule nobody listens "
      "on that port.",
      "The check of the ACK comes first: without it anybody who guesses the ports could stop "
      "us from connecting."}},
    {SynSentResetIgnored,
     {"A reset comes in SYN-SENT that does not acknowledge our SYN: it is ignored.",
      "It cannot be an answer to what we have sent, so it is old or forged.",
      "To believe every reset in SYN-SENT makes connecting easy to disturb."}},
    {SynSentEstablished,
     {"The peer has sent SYN and ACK, and the ACK is for our SYN: the connection stands. IRS "
      "and RCV.NXT are set, SND.UNA moves forward, the third segment acknowledges the peer's "
      "SYN. {WAS} to {STATE}.",
      "Now this side knows that its SYN has arrived and where the peer's numbers begin. The "
      "peer learns the same of its own SYN when our ACK reaches it.",
      "The client may send data with or right after this ACK; it is established one half "
      "round trip before the server is."}},
    {SynSentSimultaneous,
     {"A SYN without an ACK comes while we have sent one ourselves: both sides open at the "
      "same time. {WAS} to {STATE}, and SYN and ACK are sent.",
      "Each side has told its number and now acknowledges the other's. The result is one "
      "connection, not two, with four segments in place of three.",
      "This is rare but legal, and it is how two hosts behind NATs can meet. Our ISS stays as "
      "it was."}},
    {SynSentIgnored,
     {"A segment with neither SYN nor RST comes in SYN-SENT and is dropped.",
      "As long as the peer's initial number is unknown, RCV.NXT means nothing and data cannot "
      "be put in their place.",
      "Do not store such data \"for later\": nobody knows where they belong."}},
    {FlushSent,
     {"TCP sends what it may send now. SND.NXT is {SND.NXT}, the peer's window {SND.WND} "
      "bytes[, the congestion window {CWND}].",
      "Three things decide how much leaves: what the application has written, what the "
      "receiver has room for (SND.WND) and what the network is believed to carry (cwnd). An "
      "ACK that is due rides on the data.",
      "The smaller of the two windows counts, less what is under way already. A small last "
      "segment may wait for an ACK (Nagle's algorithm)."}},
    {FlushBlocked,
     {"There is something to send, but the device takes no more frames just now.",
      "State changes only after a frame has really been taken. So nothing is lost: the "
      "connection keeps its data and tries again in a moment.",
      "A full device is no loss in the network: the congestion window does not shrink because "
      "of it."}},
});

}  // namespace

std::span<const VerdictText> english_calls() { return kRows; }

}  // namespace tapestry
