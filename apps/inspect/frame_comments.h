#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// What a timeline says of its frames, as text for a capture file: who sent it and why, how a router
/// changed it, what became of it. Of each the first line says what happened, then come why, the rule
/// and the common mistake. A frame of which nothing is decided has no comment.
class FrameComments {
public:
    /// The number that a frame has in the file that is written, for comments that speak of other
    /// frames; 0: it has none.
    using Number = std::function<u64(u32 frame)>;

    /// The timeline outlives it and does not change.
    explicit FrameComments(const Timeline& timeline, Number number = {});

    /// "": there is nothing to say.
    std::string of(u32 frame) const;

private:
    using Step = Timeline::Step;

    using Ends = std::tuple<u32, Endpoint, Endpoint>;  ///< host, ours, the peer's

    void note_flush(u32 step);
    /// What has been said, and has not left its host yet.
    struct Waiting {
        std::map<Ends, u32> wanted;                                         ///< calls and timers
        std::map<std::pair<u32, std::string>, std::deque<u32>> on_the_way;  ///< rewrites
    };
    void note_sent(u32 step, Waiting& waiting);
    void note_segment(u32 step, Waiting& waiting);
    const Step* decision_of(u32 step) const;
    u64 number(u32 frame) const { return number_ ? number_(frame) : 0; }
    std::string host(const Step& step) const { return timeline_.hosts[step.host].name; }
    bool is_explained_otherwise(u32 frame) const;
    std::string sent(u32 step) const;
    std::string occasion(const Step& sent) const;
    std::string received(const Step& step) const;
    std::string passed_on(const Step& step) const;
    std::string came_through(u32 sent) const;

    const Timeline& timeline_;
    Number number_;
    std::vector<std::vector<u32>> by_frame_;  ///< steps that a frame has a part in, or has led to
    std::vector<u32> flush_;                  ///< by step: of a Sent the one that has its decision
    std::vector<u32> wanted_;   ///< by step: of a Sent what had to wait for the neighbour's address
    std::vector<u32> rewrite_;  ///< by step: of a Received the Rewrite that it led to
};

}  // namespace tapestry
