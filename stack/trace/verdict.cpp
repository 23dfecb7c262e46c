#include "stack/trace/verdict.h"

#include <array>

namespace tapestry {
namespace {

struct Row {
    Verdict verdict;
    std::string_view name;
    std::string_view text;
    std::string_view rfc;
};

using enum Verdict;

constexpr std::array<Row, static_cast<std::size_t>(kCount)> kRows{{
    {None, "None", "nothing to decide", ""},
    {UserOpen, "UserOpen", "OPEN call: send a SYN", "RFC 9293 3.10.1"},
    {UserSend, "UserSend", "SEND call", "RFC 9293 3.10.2"},
    {UserReceive, "UserReceive", "RECEIVE call", "RFC 9293 3.10.3"},
    {UserClose, "UserClose", "CLOSE call", "RFC 9293 3.10.4"},
    {UserShutdown, "UserShutdown", "half close: a FIN after the data", "RFC 9293 3.10.4"},
    {UserAbort, "UserAbort", "ABORT call: send a reset", "RFC 9293 3.10.5"},
    {ListenRst, "ListenRst", "a reset to a listener is ignored", "RFC 9293 3.10.7.2, first"},
    {ListenAck, "ListenAck", "an ACK to a listener is answered with a reset",
     "RFC 9293 3.10.7.2, second"},
    {ListenSyn, "ListenSyn", "check for a SYN", "RFC 9293 3.10.7.2, third"},
    {ListenCookie, "ListenCookie", "the ACK brings back what a SYN cookie has kept",
     "RFC 4987 3.6"},
    {SynSentBadAck, "SynSentBadAck", "the ACK is not for our SYN: reset",
     "RFC 9293 3.10.7.3, first"},
    {SynSentReset, "SynSentReset", "connection refused", "RFC 9293 3.10.7.3, second"},
    {SynSentResetIgnored, "SynSentResetIgnored", "a reset without a good ACK is ignored",
     "RFC 9293 3.10.7.3, second"},
    {SynSentEstablished, "SynSentEstablished", "our SYN has been acknowledged",
     "RFC 9293 3.10.7.3, fourth"},
    {SynSentSimultaneous, "SynSentSimultaneous", "both sides opened at once",
     "RFC 9293 3.10.7.3, fourth"},
    {SynSentIgnored, "SynSentIgnored", "neither SYN nor RST: drop", "RFC 9293 3.10.7.3, fifth"},
    {SequenceUnacceptable, "SequenceUnacceptable", "outside of the window: answer with an ACK",
     "RFC 9293 3.10.7.4, first"},
    {SequenceZeroWindow, "SequenceZeroWindow", "the window is closed: answer with an ACK",
     "RFC 9293 3.10.7.4, first"},
    {Paws, "Paws", "an older timestamp: an old duplicate", "RFC 7323 5.3 R1"},
    {ResetAccepted, "ResetAccepted", "a reset exactly at RCV.NXT", "RFC 5961 3.2 (1)"},
    {ResetChallenged, "ResetChallenged", "a reset elsewhere in the window: challenge ACK",
     "RFC 5961 3.2 (2)"},
    {ResetRefused, "ResetRefused", "a reset outside of the window", "RFC 5961 3.2 (3)"},
    {ResetToListen, "ResetToListen", "the listener goes on, the attempt is forgotten",
     "RFC 9293 3.10.7.4, second"},
    {SynChallenged, "SynChallenged", "a SYN in a synchronized state: challenge ACK",
     "RFC 5961 4.2"},
    {SynTimeWait, "SynTimeWait", "a new connection takes the place of the old",
     "RFC 9293 3.10.7.4, fourth"},
    {NoAck, "NoAck", "no ACK bit: drop", "RFC 9293 3.10.7.4, fifth"},
    {AckEstablishes, "AckEstablishes", "our SYN has been acknowledged", "RFC 9293 3.10.7.4, fifth"},
    {AckOfNothingSent, "AckOfNothingSent", "the ACK is not for our SYN: reset",
     "RFC 9293 3.10.7.4, fifth"},
    {AckChallenged, "AckChallenged", "an ACK for something not sent, or too old: challenge ACK",
     "RFC 5961 5.2"},
    {AckDuplicate, "AckDuplicate", "a duplicate ACK", "RFC 5681 2"},
    {AckOld, "AckOld", "an old ACK is ignored", "RFC 9293 3.10.7.4, fifth"},
    {AckAdvances, "AckAdvances", "the ACK takes SND.UNA forward", "RFC 9293 3.10.7.4, fifth"},
    {AckWindowUpdate, "AckWindowUpdate", "the send window is updated", "RFC 9293 3.10.7.4, fifth"},
    {FinAcked, "FinAcked", "our FIN has been acknowledged", "RFC 9293 3.10.7.4, fifth"},
    {LastFinAcked, "LastFinAcked", "our FIN has been acknowledged: the end",
     "RFC 9293 3.10.7.4, fifth"},
    {TimeWaitRestart, "TimeWaitRestart", "the FIN again: acknowledge, restart 2 MSL",
     "RFC 9293 3.10.7.4, eighth"},
    {DataInOrder, "DataInOrder", "data at RCV.NXT", "RFC 9293 3.10.7.4, seventh"},
    {DataOutOfOrder, "DataOutOfOrder", "data beyond a hole: keep, acknowledge at once",
     "RFC 5681 4.2"},
    {DataDuplicate, "DataDuplicate", "nothing new in it", "RFC 9293 3.10.7.4, first"},
    {DataRefused, "DataRefused", "data for a reader who has gone: reset", "RFC 9293 3.6.1"},
    {FinReceived, "FinReceived", "the other side has finished sending",
     "RFC 9293 3.10.7.4, eighth"},
    {Accepted, "Accepted", "acceptable, nothing new", "RFC 9293 3.10.7.4"},
    {FastRetransmit, "FastRetransmit", "the third duplicate ACK: fast retransmit",
     "RFC 5681 3.2, RFC 6582 3.2"},
    {PartialAck, "PartialAck", "a partial ACK: the next hole is retransmitted", "RFC 6582 3.2"},
    {AckSack, "AckSack", "a duplicate ACK: more has arrived behind a hole", "RFC 6675 2"},
    {AckDuplicateSack, "AckDuplicateSack", "D-SACK: a segment of ours came twice", "RFC 2883 4"},
    {SackRecovery, "SackRecovery", "SACK says that the next segment is lost: a fast retransmit",
     "RFC 6675 5 (4)"},
    {SackPartialAck, "SackPartialAck", "recovery goes on with the holes that are left",
     "RFC 6675 5 (C)"},
    {SackReneged, "SackReneged", "the receiver has dropped what it had SACKed: forget its reports",
     "RFC 2018 8"},
    {RackRecovery, "RackRecovery",
     "what was sent later has arrived: the rest is lost, a fast retransmit", "RFC 8985 6.2"},
    {LossProbeRepaired, "LossProbeRepaired", "the loss probe has replaced a lost segment",
     "RFC 8985 7.4"},
    {SpuriousRecovery, "SpuriousRecovery",
     "what was sent again had only been late: the window is given back", "RFC 4015 3.2"},
    {TimerLossProbe, "TimerLossProbe", "no ACK for two round trips: a loss probe", "RFC 8985 7.3"},
    {TimerReorder, "TimerReorder", "what was late might have been reordered: look again",
     "RFC 8985 6.2"},
    {TimerReorderLoss, "TimerReorderLoss", "the reordering window is over: it is lost",
     "RFC 8985 6.2"},
    {TimerRetransmit, "TimerRetransmit", "retransmission timeout", "RFC 6298 5.4"},
    {TimerSynRetransmit, "TimerSynRetransmit", "the SYN again", "RFC 6298 5.4"},
    {TimerPersist, "TimerPersist", "zero-window probe", "RFC 9293 3.8.6.1"},
    {TimerDelayedAck, "TimerDelayedAck", "the delayed ACK is due", "RFC 9293 3.8.6.3"},
    {TimerKeepAlive, "TimerKeepAlive", "keep-alive probe", "RFC 9293 3.8.4"},
    {TimerKeepAliveDead, "TimerKeepAliveDead", "keep-alive probes went unanswered",
     "RFC 9293 3.8.4"},
    {TimerTimeWait, "TimerTimeWait", "2 MSL have passed", "RFC 9293 3.10.8"},
    {TimerFinWait2, "TimerFinWait2", "nobody waits for the other side's FIN any more",
     "RFC 9293 3.6"},
    {TimerUserTimeout, "TimerUserTimeout", "user timeout", "RFC 9293 3.10.8"},
    {TimerGivenUp, "TimerGivenUp", "R2: too many retransmissions", "RFC 9293 3.8.3"},
    {TimerOverride, "TimerOverride", "the override timer of silly-window avoidance",
     "RFC 9293 3.8.6.2.1"},
    {IcmpHard, "IcmpHard", "the network reports a hard error", "RFC 9293 3.9.2.2"},
    {IcmpSoft, "IcmpSoft", "the network reports a soft error", "RFC 9293 3.9.2.2"},
    {IcmpFragmentationNeeded, "IcmpFragmentationNeeded", "the path's MTU is smaller", "RFC 1191 3"},
    {FlushSent, "FlushSent", "what could be sent was sent", "RFC 9293 3.7"},
    {FlushBlocked, "FlushBlocked", "the device takes no more", ""},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (kRows[i].verdict != static_cast<Verdict>(i)) return false;
    }
    return true;
}
static_assert(in_order(), "one row for each verdict, in the order of the enumeration");

const Row& row(Verdict verdict) { return kRows.at(static_cast<std::size_t>(verdict)); }

}  // namespace

std::string_view name(Verdict verdict) { return row(verdict).name; }
std::string_view text(Verdict verdict) { return row(verdict).text; }
std::string_view rfc(Verdict verdict) { return row(verdict).rfc; }

}  // namespace tapestry
