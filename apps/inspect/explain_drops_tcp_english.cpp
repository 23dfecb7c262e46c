#include <array>

#include "apps/inspect/explain_tables.h"

/// Refusals: TCP.

namespace tapestry {
namespace {

using enum Drop;

constexpr auto kRows = std::to_array<DropText>({
    {TcpShort,
     {"The segment is shorter than a TCP header of 20 bytes.",
      "Numbers and flags must be there before anything can be decided.", "Check lengths first."}},
    {TcpBadDataOffset,
     {"The data offset is below 5, or goes beyond the segment.",
      "It counts words of 4 bytes and says where the header ends and the data begin.",
      "Options make the header longer than 20 bytes: never take 20 for granted."}},
    {TcpBadOption,
     {"The length of an option is below 2 or goes beyond the header.",
      "What follows it cannot be found any more, so the whole segment is refused.",
      "An option with length 0 lets careless readers run in circles. Unknown options with a "
      "good length are stepped over."}},
    {TcpBadChecksum,
     {"The TCP checksum is wrong: the segment is dropped in silence.",
      "Something was damaged on the way. The sender will send it again when no ACK comes.",
      "The sum covers a pseudo-header with both addresses, too. In a capture on the sending "
      "host it often looks wrong, because the network card fills it in later."}},
    {TcpBadPort,
     {"One of the two ports is 0.", "Port 0 belongs to nobody; such segments are made up.",
      "There is no answer to it."}},
    {TcpBadAddress,
     {"The segment is not from a single host to a single host.",
      "TCP joins exactly two ends. A SYN to a broadcast would draw answers from everybody.",
      "Check the addresses before the state machine sees the segment."}},
    {TcpNoConnection,
     {"There is neither a connection nor a listener for this segment. Unless it is a reset "
      "itself, it is answered with one.",
      "The state here is CLOSED. The reset tells the sender at once that nobody is there, so "
      "it need not wait for timeouts: \"connection refused\".",
      "With an ACK the reset has SEG.ACK as its number; without one it has number 0 and "
      "acknowledges the segment."}},
    {TcpListenReset,
     {"A reset comes to a listener: it is ignored.",
      "A listener has sent nothing that a reset could be about.", "Never answer a reset."}},
    {TcpListenNotSyn,
     {"A listener takes nothing but a SYN.",
      "A segment with an ACK is answered with a reset; anything else without a SYN is "
      "dropped.",
      "Data for a connection that is not known cannot be kept \"in case\"."}},
    {TcpBacklogFull,
     {"Too many handshakes are under way on this port: the SYN is dropped.",
      "Each half-open connection takes memory. In a SYN flood most of them come from forged "
      "addresses.",
      "Dropping in silence is right: an honest client sends its SYN again in a second. A "
      "reset would tell it that nobody listens."}},
    {TcpAcceptQueueFull,
     {"The application has not accepted the earlier connections: this one has to wait.",
      "The queue of finished handshakes is full. The third segment is ignored, and the "
      "handshake will be finished by a later one.",
      "The client believes that it is connected already and may send data; they are "
      "acknowledged later."}},
    {TcpOutOfWindow,
     {"The segment ({SEG.SEQ}, {SEG.LEN} bytes) lies outside of the receive window at "
      "{RCV.NXT}, which has {RCV.WND} bytes.",
      "Nothing of it may be taken. Unless it is a reset, an ACK says where we are.",
      "A segment that lies partly in the window is acceptable: its new part is taken."}},
    {TcpPaws,
     {"The timestamp is older than the last one: an old duplicate.",
      "Sequence numbers repeat, timestamps tell which copy is old.",
      "It is dropped, but acknowledged."}},
    {TcpBadAck,
     {"The acknowledgment ({SEG.ACK}) is for something never sent, or much too old.",
      "SND.UNA is {SND.UNA}, SND.NXT {SND.NXT}. A number outside is a guess, or a leftover of "
      "another connection.",
      "The data of such a segment must not be taken either."}},
    {TcpOldAck,
     {"The acknowledgment ({SEG.ACK}) is old: SND.UNA is {SND.UNA} already.",
      "A later one has overtaken it.", "Old ACKs are normal and no sign of loss."}},
    {TcpUnacceptableReset,
     {"The reset is in the window, but not exactly at RCV.NXT {RCV.NXT}: it is not believed, "
      "and challenged.",
      "Only the exact number proves that the sender knows the connection.",
      "A genuine peer answers the challenge with a reset that fits."}},
    {TcpUnexpectedSyn,
     {"A SYN comes within a connection: it is challenged with an ACK.",
      "It is forged, or the peer has restarted. The ACK makes a restarted peer reset the old "
      "connection.",
      "The connection must not be ended because of the SYN alone."}},
    {TcpNoAck,
     {"A segment without ACK comes within a connection.",
      "After the first SYN every segment acknowledges something.", "There is no answer to it."}},
    {TcpUnexpectedInSynSent,
     {"Neither SYN nor RST comes while we are connecting.",
      "Until the peer has told its initial number, nothing else has a place.",
      "Do not keep it for later."}},
    {TcpDataAfterClose,
     {"Data come for an application that has closed: the connection is reset.",
      "They could never be read; to acknowledge them would be a lie.",
      "This is how a browser's \"stop\" looks on the wire."}},
    {TcpNoMemory,
     {"The memory for connections or buffers is used up.",
      "There is a ceiling, so that others go on working. What is dropped now will be sent "
      "again.",
      "Dropping data that are acknowledged already is not allowed: promise only what you have "
      "room for."}},
});

}  // namespace

std::span<const DropText> english_tcp_drops() { return kRows; }

}  // namespace tapestry
