#pragma once

#include "apps/inspect/timeline_recorder.h"

namespace tapestry {

/// A timeline of one stack of ours and a far end of whom only the frames are known: of a live run, and of
/// a replay. Host 0 is ours; in a network in memory host 1 is, too.
class TimelineLive {
public:
    /// `name`: what the run is about, a URL or a file. `peer` "": not one address.
    TimelineLive(Timeline::Source source, const std::string& name, const std::string& address,
                 const std::string& peer);

    TraceSink& ear() { return recorder_.ear(0); }
    /// For the far end's stack, where it is one of ours.
    TraceSink& peer_ear() {
        timeline_.hosts.at(1).ours = true;
        return recorder_.ear(1);
    }
    /// What our application asks for, and what came of it.
    void call(const std::string& text) { recorder_.say(Timeline::Step::Kind::Call, 0, text); }
    void result(const std::string& text, const std::string& chinese) {
        recorder_.say(Timeline::Step::Kind::Result, 0, text, chinese);
    }
    /// The timeline, when the stack is over.
    const Timeline& finish() {
        recorder_.finish();
        return timeline_;
    }

private:
    Timeline timeline_;
    TimelineRecorder recorder_{timeline_, TimelineRecorder::Frames::AtBorders};
};

}  // namespace tapestry
