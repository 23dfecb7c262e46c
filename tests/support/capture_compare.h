#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/capture_replay.h"

namespace tapestry::test {

/// The ways in which the stack may differ from a recorded Linux and be right all the same. Times,
/// window values, timestamps, the IP identification and the TTL are not compared at all.
enum class Leeway : u8 {
    None,            ///< no reason is known: a failure
    SackNotOffered,  ///< Linux offers selective acknowledgments (RFC 2018 section 2: optional)
    Push,            ///< PSH on other segments (RFC 9293 3.9.1.2: MAY-16 to SHLD-27 leave room)
    Segmentation,    ///< the same bytes cut at other boundaries
    AckCoalesced,  ///< Linux acknowledges each segment here; one in two is enough (RFC 9293 3.8.6.3)
    AckOnText,     ///< a text segment carries an older or newer ACK than the recorded one
    WindowUpdate,  ///< an ACK that only moves the window, sent by one of the two (RFC 9293 3.8.6.2.2)
    RepeatedAck,  ///< other numbers of duplicate ACKs
    Recovery,     ///< other retransmissions: Linux has SACK, RACK and tail loss probes
    SentLater,    ///< a segment left later than the recorded one, by more than 10 ms
    SentEarlier,  ///< ... or earlier
    ProbeForm,    ///< a window probe carries an octet (RFC 9293 3.8.6.1); Linux's carries none
    ProbeTiming,  ///< other times or numbers of window probes
    ResetForm,    ///< a reset with or without an ACK, or another number in it
    ResetAtDeath,  ///< Linux resets a connection that it gives up; RFC 9293 3.8.3 and 3.8.4 ask for none
};
std::string_view name(Leeway rule);

struct Difference {
    Leeway rule = Leeway::None;
    std::string what;
};

/// What the stack sent against what the recorded host sent.
struct Comparison {
    std::vector<Difference> differences;
    /// "us FIN", "them RST" ... in order.
    std::vector<std::string> recorded_ending, ending;
    /// Everything, line by line, for when something is wrong.
    std::string history;

    std::set<Leeway> rules() const;
    /// Differences whose rule is not in `allowed`, one a line.
    std::string unexplained(const std::set<Leeway>& allowed) const;
};

Comparison compare(const CaptureReplay& replay);

/// The FINs and resets of both sides, repeated FINs once, in the order in which they passed the played
/// host; `ours` is what that host sent.
std::vector<std::string> ending_of(const CaptureReplay& replay,
                                   const std::vector<TimedSegment>& ours);
/// What came, what Linux sent and what we sent, in the order of time.
std::string history_of(const CaptureReplay& replay);

}  // namespace tapestry::test
