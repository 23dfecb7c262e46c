#include "apps/inspect/frame_comments.h"

#include <algorithm>
#include <utility>

#include "apps/inspect/explain.h"
#include "apps/inspect/packet_changes.h"
#include "apps/inspect/story.h"
#include "apps/inspect/timeline_events.h"

namespace tapestry {
namespace {

using Kind = Timeline::Step::Kind;

/// What is true of every segment: TCP sends what it may. There is mostly more to say.
bool is_plain_flush(const Timeline::Step& step) {
    return step.end != Timeline::kNone && step.verdict == Verdict::FlushSent;
}

/// " (SYN-SENT -> ESTABLISHED)", or "".
std::string turn(const Timeline& timeline, const Timeline::Step& step) {
    if (step.end == Timeline::kNone) return "";
    const TcpState before = timeline.states[step.before].state;
    const TcpState after = timeline.states[step.after].state;
    if (before == after) return "";
    return " (" + std::string(name(before)) + " -> " + std::string(name(after)) + ')';
}

/// "laptop sends"; of a live run's own host, which is called "us", "We send".
std::string does(const std::string& host, const char* sends, const char* send) {
    return host == "us" ? std::string("We ") + send : host + ' ' + sends;
}

std::string with_reasons(const std::string& first, const StepText& text) {
    std::string all = first + text.what;
    if (!text.why.empty()) all += "\nWhy: " + text.why;
    if (!text.rule.empty()) all += "\nRule: " + text.rule;
    if (!text.mistake.empty()) all += "\nOften wrong: " + text.mistake;
    return all;
}

}  // namespace

FrameComments::FrameComments(const Timeline& timeline, Number number)
    : timeline_(timeline),
      number_(std::move(number)),
      by_frame_(timeline.frames.size()),
      flush_(timeline.steps.size(), Timeline::kNone),
      wanted_(timeline.steps.size(), Timeline::kNone),
      rewrite_(timeline.steps.size(), Timeline::kNone) {
    Waiting waiting;
    for (u32 i = 0; i < timeline.steps.size(); ++i) {
        const Step& step = timeline.steps[i];
        const u32 led =
            step.cause == Timeline::kNone ? step.cause : timeline.steps[step.cause].frame;
        const bool of_cause =
            step.kind == Kind::Drop || step.kind == Kind::Flow || step.kind == Kind::Rewrite;
        const u32 frame = of_cause && led != Timeline::kNone ? led : step.frame;
        if (frame != Timeline::kNone) by_frame_[frame].push_back(i);
        if (step.kind == Kind::Sent) note_sent(i, waiting);
        if (step.kind == Kind::Rewrite) {
            const auto packet = ipv4_of(timeline.rewrites[step.rewrite].after);
            if (packet) waiting.on_the_way[{step.host, who_to_whom(*packet)}].push_back(i);
        }
        const bool leads = step.kind == Kind::Call || step.kind == Kind::Timer;
        if (leads && step.end != Timeline::kNone && explanation_of(timeline_, step) != nullptr) {
            const Timeline::End& end = timeline.ends[step.end];
            waiting.wanted[{step.host, end.local, end.remote}] = i;
        }
    }
}

/// What had to wait leaves later than what it was for: for the neighbour's address, or until a live stack
/// has its next turn.
void FrameComments::note_sent(u32 index, Waiting& waiting) {
    const Step& step = timeline_.steps[index];
    if (timeline_.hosts[step.host].router) {
        const auto packet = ipv4_of_frame(timeline_.frames[step.frame].bytes);
        const auto found = packet ? waiting.on_the_way.find({step.host, who_to_whom(*packet)})
                                  : waiting.on_the_way.end();
        if (found != waiting.on_the_way.end() && !found->second.empty()) {
            rewrite_[index] = found->second.front();
            found->second.pop_front();
        }
    }
    if (step.end != Timeline::kNone) note_flush(index);
    note_segment(index, waiting);
}

void FrameComments::note_segment(u32 index, Waiting& waiting) {
    const Step& step = timeline_.steps[index];
    const bool answer = step.cause != Timeline::kNone &&
                        explanation_of(timeline_, timeline_.steps[step.cause]) != nullptr;
    const auto packet = packet_of(timeline_, step);
    if (answer || !packet) return;
    const Segment& segment = packet->segment;
    const auto found = waiting.wanted.find({step.host, segment.source, segment.destination});
    if (found == waiting.wanted.end()) return;
    wanted_[index] = found->second;
    waiting.wanted.erase(found);
}

/// Where a flush has sent several frames, the last one's step has the decision.
void FrameComments::note_flush(u32 step) {
    const Step& last = timeline_.steps[step];
    const Timeline::End& end = timeline_.ends[last.end];
    flush_[step] = step;
    for (u32 i = step; i-- > 0;) {
        const Step& other = timeline_.steps[i];
        if (other.time != last.time) return;
        if (other.host != last.host) continue;
        if (other.kind != Kind::Sent || other.end != Timeline::kNone) return;
        const auto packet = packet_of(timeline_, other);
        if (packet && packet->segment.source == end.local &&
            packet->segment.destination == end.remote) {
            flush_[i] = step;
        }
    }
}

std::string FrameComments::of(u32 frame) const {
    std::string all;
    const auto add = [&all](const std::string& part) {
        if (!part.empty()) all += (all.empty() ? "" : "\n\n") + part;
    };
    if (!timeline_.frames[frame].lost.empty()) {
        const std::string& why = timeline_.frames[frame].lost;
        add(why == "lost" ? "Lost on its way." : "Does not arrive: " + why + '.');
    }
    for (const u32 i : by_frame_.at(frame)) {
        const Step& step = timeline_.steps[i];
        switch (step.kind) {
            case Kind::Sent:
                add(sent(i));
                break;
            case Kind::Received:
            case Kind::Decision:
                add(received(step));
                break;
            case Kind::Drop:
                add(with_reasons(does(host(step), "refuses it", "refuse it") + ". ",
                                 explain(timeline_, step)));
                break;
            case Kind::Flow:
                add(host(step) + ": " + flow_text(timeline_.flows[step.flow]));
                break;
            case Kind::Rewrite:
                add(passed_on(step));
                break;
            default:
                break;
        }
    }
    return all;
}

/// The decision that sent a frame: its flush's, or what made TCP flush.
const Timeline::Step* FrameComments::decision_of(u32 step) const {
    const Step& sent = timeline_.steps[step];
    if (!packet_of(timeline_, sent)) return nullptr;  // ARP, that a segment may leave
    const Step* flush = flush_[step] == Timeline::kNone ? nullptr : &timeline_.steps[flush_[step]];
    if (flush != nullptr && !is_plain_flush(*flush)) return flush;
    if (wanted_[step] != Timeline::kNone) return &timeline_.steps[wanted_[step]];
    if (sent.cause != Timeline::kNone) {
        const Step& cause = timeline_.steps[sent.cause];
        const bool led = cause.kind == Kind::Timer || cause.kind == Kind::Call;
        if (led && explanation_of(timeline_, cause) != nullptr) return &cause;
    }
    return flush;
}

std::string FrameComments::sent(u32 index) const {
    const Step& step = timeline_.steps[index];
    const Timeline::Frame& frame = timeline_.frames[step.frame];
    const Step* decision = decision_of(index);
    StepText text = decision == nullptr ? StepText() : explain(timeline_, *decision);
    if (decision != nullptr && is_plain_flush(*decision) && is_explained_otherwise(step.frame)) {
        text = {text.what, "", "", ""};
    }
    const std::string through = came_through(index);
    if (!through.empty()) return through;
    std::string first = occasion(step);
    if (frame.again != Timeline::kNone) {
        const u64 before = number(frame.again);
        first += before == 0 ? ", again" : ", what frame " + std::to_string(before) + " had, again";
    }
    if (text.empty() && first.empty()) return "";
    const std::string turned = decision == nullptr ? "" : turn(timeline_, *decision);
    first = does(host(step), "sends", "send") + first + turned + ". ";
    return text.empty() ? first.substr(0, first.size() - 1) : with_reasons(first, text);
}

/// Whether there is more to say of a frame than that it was sent.
bool FrameComments::is_explained_otherwise(u32 frame) const {
    return std::ranges::any_of(by_frame_[frame], [&](u32 i) {
        const Step& step = timeline_.steps[i];
        return step.kind != Kind::Sent && explanation_of(timeline_, step) != nullptr;
    });
}

/// What led to a frame that is sent: " because of frame 3".
std::string FrameComments::occasion(const Step& sent) const {
    if (sent.cause == Timeline::kNone) return "";
    const Step& cause = timeline_.steps[sent.cause];
    if (cause.kind == Kind::Timer) return " because a timer has gone off";
    if (cause.kind == Kind::Call && !cause.text.empty()) return " (" + cause.text + ')';
    if (cause.kind != Kind::Received) return "";
    const u64 before = number(cause.frame);
    return before == 0 ? "" : " because of frame " + std::to_string(before);
}

/// What a router has done to a frame on its way: "router passes on frame 3: src ...".
std::string FrameComments::came_through(u32 sent) const {
    if (rewrite_[sent] == Timeline::kNone) return "";
    const Step& step = timeline_.steps[rewrite_[sent]];
    const Timeline::Rewrite& rewrite = timeline_.rewrites[step.rewrite];
    const u32 came =
        step.cause == Timeline::kNone ? Timeline::kNone : timeline_.steps[step.cause].frame;
    const u64 before = came == Timeline::kNone ? 0 : number(came);
    return does(host(step), "passes on ", "pass on ") +
           (before == 0 ? "what came in" : "frame " + std::to_string(before)) + ": " +
           rewrite_text(packet_changes(rewrite.before, rewrite.after)) + '.';
}

std::string FrameComments::passed_on(const Step& step) const {
    const Timeline::Rewrite& rewrite = timeline_.rewrites[step.rewrite];
    const auto& interfaces = timeline_.hosts[step.host].interfaces;
    const auto side = [&](u32 i) {
        return i < interfaces.size() ? interfaces[i].name : std::to_string(i);
    };
    return does(host(step), "passes it on, from ", "pass it on, from ") + side(rewrite.in) +
           " to " + side(rewrite.out) + ": " +
           rewrite_text(packet_changes(rewrite.before, rewrite.after)) + '.';
}

std::string FrameComments::received(const Step& step) const {
    const StepText text = explain(timeline_, step);
    if (text.empty()) return "";
    const bool refused =
        step.drop && (step.end == Timeline::kNone || step.verdict == Verdict::None);
    const std::string first = step.kind == Kind::Decision ? does(host(step), "goes on", "go on")
                              : refused ? does(host(step), "refuses it", "refuse it")
                                        : does(host(step), "gets it", "get it");
    return with_reasons(first + turn(timeline_, step) + ". ", text);
}

}  // namespace tapestry
