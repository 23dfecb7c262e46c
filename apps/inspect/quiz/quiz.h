#pragma once

#include <map>
#include <set>

#include "apps/inspect/observer.h"
#include "apps/inspect/quiz/crossings.h"
#include "apps/inspect/quiz/quiz_conversation.h"
#include "apps/inspect/sent_before.h"

namespace tapestry {

/// Makes questions, and their answers, of what is captured. All of them are on segments, which come
/// from an Observer: what Wireshark shows and what a student can see is what is asked.
class Quiz {
public:
    /// The observer has found a segment.
    void segment(const ObservedSegment& segment);
    /// Every IPv4 packet, for those that a router has rewritten; `other`: of the capture of the
    /// router's other side.
    void packet(u64 frame, TimePoint time, Bytes ipv4, std::size_t wire_size, bool other = false);

    /// Of a run all frames are known, those too that are lost before they come to where it is captured:
    /// which of them are sent again is not concluded, but said here, by the earlier frame. Before the
    /// first segment.
    void known(std::map<u64, u64> again);

    /// The questions on each conversation, in their order, then those on the router. `streams` are the
    /// observer's.
    Questions questions(const std::vector<ObservedStream>& streams) const;

private:
    struct Seen {
        std::vector<QuizSegment> segments;
        std::array<SentBefore, 2> sent;  ///< by Side; of it the places of segments, from 1
    };
    u64 again(Seen& seen, const QuizSegment& segment) const;
    Questions of_conversation(const ObservedStream& stream, const Seen& seen) const;

    std::vector<Seen> seen_;  ///< by stream
    std::optional<std::map<u64, u64>> known_;
    std::set<u64> originals_;  ///< its earlier frames
    Crossings crossings_;
};

/// The questions on the conversation that has most of them, and those that are on none.
Questions worthwhile(const Questions& questions);
/// Those on one conversation, and those that are on none.
Questions of_stream(const Questions& questions, std::size_t stream);

}  // namespace tapestry
