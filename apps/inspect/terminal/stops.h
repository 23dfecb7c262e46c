#pragma once

#include "apps/inspect/explain.h"
#include "apps/inspect/story.h"
#include "apps/inspect/timeline_index.h"

namespace tapestry {

/// Where a walk through a timeline stops: steps that a learner sees as one. An application's call and
/// what TCP did about it; a frame that leaves and its loss; a packet that a router gets and what it
/// changes in it.
struct Stop {
    std::size_t first = 0;  ///< steps, both included
    std::size_t last = 0;
    friend bool operator==(const Stop&, const Stop&) = default;
};

std::vector<Stop> stops_of(const Timeline& timeline);

/// A timeline made ready for being walked through: everything that a screen asks for at every stop.
class Walk {
public:
    explicit Walk(Timeline timeline);
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    const Timeline& timeline() const { return timeline_; }
    const TimelineIndex& index() const { return index_; }
    const std::vector<FrameFacts>& facts() const { return facts_; }
    const std::vector<Stop>& stops() const { return stops_; }

    /// The step of a stop that its picture, time and place are those of.
    const Timeline::Step& main_step(std::size_t stop) const;
    Duration time(std::size_t stop) const { return main_step(stop).time; }
    /// The frame that a stop is about; kNone: it is about none.
    u32 frame(std::size_t stop) const;
    /// A frame's number, as it is shown: from 1; of a capture that of its record.
    u64 number(u32 frame) const {
        const u64 record = timeline_.frames.at(frame).record;
        return record != 0 ? record : u64{frame} + 1;
    }
    /// The frame that can be dropped there: the one that is sent, or comes in.
    u32 frame_on_wire(std::size_t stop) const;
    /// The end whose state a stop decides; kNone: no end's.
    u32 end(std::size_t stop) const;
    /// The state of an end before a stop and when it is over; null before it exists.
    const TcpSnapshot* before(u32 end, std::size_t stop) const;
    const TcpSnapshot* after(u32 end, std::size_t stop) const;
    /// Whether a stop takes an end into another state.
    bool is_turn(std::size_t stop) const;
    /// "laptop sends frame 3: S 0:0(0) win 65535": what happens, in one line.
    std::string headline(std::size_t stop, Language language) const;
    /// Why, if there is something to say.
    StepText text(std::size_t stop, Language language) const;

private:
    std::string told(const Timeline::Step& step, Language language) const;
    std::string frame_told(const Timeline::Step& step, Language language) const;
    const std::string& host(const Timeline::Step& step) const {
        return timeline_.hosts.at(step.host).name;
    }

    Timeline timeline_;
    TimelineIndex index_;
    std::vector<FrameFacts> facts_;
    std::vector<Stop> stops_;
};

/// "SYN, ACK 0:0(0) ..." has too much for a beginner: the flags of the notation as words: "SYN-ACK".
std::string kind_of_segment(const FrameFacts& facts);
/// ... for a reader of that language.
std::string kind_in(const FrameFacts& facts, Language language);
/// "0.020"
std::string time_text(Duration time);

}  // namespace tapestry
