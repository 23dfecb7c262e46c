#pragma once

#include <string_view>

#include "stack/base/types.h"

namespace tapestry {

/// Which step decided what became of a connection's stimulus: a paragraph of RFC 9293 section 3.10 or
/// of an RFC that amends it.
enum class Verdict : u8 {
    None,
    // User calls, 3.10.1 to 3.10.6
    UserOpen,
    UserSend,
    UserReceive,
    UserClose,
    UserShutdown,
    UserAbort,
    // LISTEN, 3.10.7.2
    ListenRst,
    ListenAck,
    ListenSyn,
    ListenCookie,
    // SYN-SENT, 3.10.7.3
    SynSentBadAck,
    SynSentReset,
    SynSentResetIgnored,
    SynSentEstablished,
    SynSentSimultaneous,
    SynSentIgnored,
    // Other states, 3.10.7.4
    SequenceUnacceptable,
    SequenceZeroWindow,
    Paws,
    ResetAccepted,
    ResetChallenged,
    ResetRefused,
    ResetToListen,
    SynChallenged,
    SynTimeWait,
    NoAck,
    AckEstablishes,
    AckOfNothingSent,
    AckChallenged,
    AckDuplicate,
    AckOld,
    AckAdvances,
    AckWindowUpdate,
    FinAcked,
    LastFinAcked,
    TimeWaitRestart,
    DataInOrder,
    DataOutOfOrder,
    DataDuplicate,
    DataRefused,
    FinReceived,
    Accepted,
    FastRetransmit,
    PartialAck,
    AckSack,
    AckDuplicateSack,
    SackRecovery,
    SackPartialAck,
    SackReneged,
    RackRecovery,
    LossProbeRepaired,
    SpuriousRecovery,
    // Timers, 3.10.8
    TimerLossProbe,
    TimerReorder,
    TimerReorderLoss,
    TimerRetransmit,
    TimerSynRetransmit,
    TimerPersist,
    TimerDelayedAck,
    TimerKeepAlive,
    TimerKeepAliveDead,
    TimerTimeWait,
    TimerFinWait2,
    TimerUserTimeout,
    TimerGivenUp,
    TimerOverride,
    // What the network reports
    IcmpHard,
    IcmpSoft,
    IcmpFragmentationNeeded,
    // A flush
    FlushSent,
    FlushBlocked,
    kCount,
};

/// The enumerator's name, for JSON.
std::string_view name(Verdict verdict);
/// What the step says, in a few words.
std::string_view text(Verdict verdict);
/// Where it stands: "RFC 9293 3.10.7.4, first".
std::string_view rfc(Verdict verdict);

/// A listener has made a connection: what was CLOSED before was its LISTEN.
constexpr bool comes_out_of_listen(Verdict verdict) {
    return verdict == Verdict::ListenSyn || verdict == Verdict::ListenCookie;
}

}  // namespace tapestry
