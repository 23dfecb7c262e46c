#include "apps/inspect/timeline_recorder.h"

#include <algorithm>
#include <utility>

#include "apps/inspect/tcp_digest.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/udp.h"

/// How it works. A stack tells of things in this order: a frame has come in, what it did to its
/// connection, what was sent at once because of it (a reset, a challenge ACK), that it was refused;
/// then of each connection that has something to send, the frames that left and that the flush is
/// over. The steps are in the same order, but that what became of a frame stands in the frame's step.

namespace tapestry {
namespace {

/// Frames on links that are remembered; those that were for several leave in this way only.
constexpr std::size_t kInFlight = 4096;

/// A segment as one end sees it, of a whole frame.
std::optional<TcpDigest> digest_of(Bytes frame, Direction direction, const Offload& offload) {
    return tcp_digest({{}, direction, 0, frame, {}, offload});
}

/// Where the transport checksum of a frame stands, or its size: on a link it is complete, in a stack that
/// leaves it to the device it is not.
std::size_t checksum_place(Bytes frame) {
    const auto ethernet = EthernetView::parse(frame);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return frame.size();
    const auto ip = Ipv4View::parse_quoted(ethernet->payload());
    if (!ip) return frame.size();
    const std::size_t at = EthernetView::kHeaderSize + ip->header_size();
    if (ip->protocol() == IpProtocol::Tcp) return at + TcpView::kChecksum;
    return ip->protocol() == IpProtocol::Udp ? at + UdpView::kChecksum : frame.size();
}

/// Whether `arrived` is the frame of which `kept` has the beginning.
bool same_frame(Bytes kept, Bytes arrived) {
    const std::size_t sum = std::min(checksum_place(kept), kept.size());
    const std::size_t behind = std::min(sum + 2, kept.size());
    return std::ranges::equal(kept.first(sum), arrived.first(sum)) &&
           std::ranges::equal(kept.subspan(behind), arrived.subspan(behind, kept.size() - behind));
}

}  // namespace

class TimelineRecorder::Ear final : public TraceSink {
public:
    Ear(TimelineRecorder& recorder, u32 host) : recorder_(recorder), host_(host) {}
    void on_frame(const FrameEvent& event) override {
        recorder_.hear(event.now);
        recorder_.on_frame(host_, event);
    }
    void on_drop(const DropEvent& event) override {
        recorder_.hear(event.now);
        recorder_.on_drop(host_, event);
    }
    void on_tcp(const TcpEvent& event) override {
        recorder_.hear(event.now);
        recorder_.on_tcp(host_, event);
    }
    void on_flow(const FlowEvent& event) override {
        recorder_.hear(event.now);
        recorder_.on_flow(host_, event);
    }
    void on_forward(const ForwardEvent& event) override {
        recorder_.hear(event.now);
        recorder_.on_forward(host_, event);
    }

private:
    TimelineRecorder& recorder_;
    u32 host_;
};

TimelineRecorder::TimelineRecorder(Timeline& timeline, Frames frames, Clock clock)
    : timeline_(timeline), frames_(frames), clock_(std::move(clock)) {}

TimelineRecorder::~TimelineRecorder() = default;

TraceSink& TimelineRecorder::ear(u32 host) {
    Machine& machine = machines_[host];
    if (!machine.ear) machine.ear = std::make_unique<Ear>(*this, host);
    return *machine.ear;
}

void TimelineRecorder::hear(TimePoint time) {
    if (clock_) return;
    if (!std::exchange(started_, true)) timeline_.start = now_ = time;
    now_ = std::max(now_, time);
}

TimelineRecorder::Step& TimelineRecorder::add(Step::Kind kind, u32 host) {
    Machine& machine = machines_[host];
    Step step;
    step.kind = kind;
    step.host = host;
    step.time = now();
    using enum Step::Kind;
    const bool by_itself =
        kind == Received || kind == Timer || kind == Call || kind == Network || kind == Note;
    if (!by_itself && machine.cause != Timeline::kNone &&
        timeline_.steps[machine.cause].time == step.time) {
        step.cause = machine.cause;
    }
    timeline_.steps.push_back(std::move(step));
    if (by_itself) machine.cause = last_step();
    if (by_itself) machine.received = Timeline::kNone;
    return timeline_.steps.back();
}

void TimelineRecorder::say(Step::Kind kind, u32 host, const std::string& text,
                           const std::string& chinese) {
    Step& step = add(kind, host);
    step.text = text;
    step.chinese = chinese;
}

u32 TimelineRecorder::add_frame(const FrameEvent& event) {
    std::vector<u8> bytes(event.headers.begin(), event.headers.end());
    for (const Bytes piece : event.payload) bytes.insert(bytes.end(), piece.begin(), piece.end());
    return add_frame(std::move(bytes), event.offload);
}

u32 TimelineRecorder::add_frame(std::vector<u8> bytes, const Offload& offload) {
    Timeline::Frame frame;
    frame.wire_size = static_cast<u32>(bytes.size());
    frame.offload = offload;
    frame.bytes = std::move(bytes);
    if (kept_ > kKeptWhole && frame.bytes.size() > kKeptOfEach) {
        frame.bytes.resize(kKeptOfEach);
        frame.bytes.shrink_to_fit();
    }
    kept_ += frame.bytes.size();
    timeline_.frames.push_back(std::move(frame));
    return static_cast<u32>(timeline_.frames.size() - 1);
}

void TimelineRecorder::on_link(u32 link, Timeline::Place from, Timeline::Place to, Bytes bytes,
                               const std::string& lost) {
    const u32 index = add_frame({bytes.begin(), bytes.end()}, {});
    Timeline::Frame& frame = timeline_.frames[index];
    frame.link = link;
    frame.from = from;
    frame.to = to;
    frame.sent = now();
    frame.lost = lost;
    add(Step::Kind::Sent, from.host).frame = index;
    note_sent(from.host, last_step());
    if (!lost.empty()) {
        const u32 sent = last_step();
        Step& step = add(Step::Kind::Lost, from.host);
        step.frame = index;
        step.cause = sent;
        return;
    }
    const auto ethernet = EthernetView::parse(bytes);
    in_flight_.push_back({index, ethernet && ethernet->destination().is_group(), {}});
    if (in_flight_.size() > kInFlight) in_flight_.pop_front();
}

/// Remembers whose flush it belongs to, and whether its text, SYN or FIN has been sent before.
void TimelineRecorder::note_sent(u32 host, u32 step) {
    const u32 index = timeline_.steps[step].frame;
    Timeline::Frame& frame = timeline_.frames[index];
    const auto digest = digest_of(frame.bytes, Direction::Out, frame.offload);
    if (!digest) return;
    const Ends ends{digest->local, digest->remote};
    machines_[host].unflushed[ends] = step;
    if (digest->end() == digest->seq) return;
    frame.again =
        sent_before_[{frame.link, ends}].note(digest->seq, digest->end(), index, Timeline::kNone);
}

u32 TimelineRecorder::find_in_flight(u32 host, u32 interface, Bytes bytes) {
    const u32 link = timeline_.hosts[host].interfaces.at(interface).link;
    for (auto it = in_flight_.begin(); it != in_flight_.end(); ++it) {
        const Timeline::Frame& frame = timeline_.frames[it->frame];
        const bool here = frame.link == link && frame.from.host != host;
        if (!here || frame.wire_size != bytes.size()) continue;
        if (!same_frame(frame.bytes, bytes)) continue;
        if (std::ranges::count(it->arrived, host) > 0) continue;
        const u32 found = it->frame;
        it->arrived.push_back(host);
        if (!it->group && frame.to.host == host) in_flight_.erase(it);
        return found;
    }
    return Timeline::kNone;
}

void TimelineRecorder::on_frame(u32 host, const FrameEvent& event) {
    const bool in = event.direction == Direction::In;
    if (!in && frames_ == Frames::OnLinks) return;
    u32 index = in ? find_in_flight(host, event.interface, event.headers) : Timeline::kNone;
    if (index == Timeline::kNone) {
        index = add_frame(event);
        const Timeline::Place here{host, event.interface};
        const Timeline::Place there{host == 0 && timeline_.hosts.size() > 1 ? 1U : 0U, 0};
        Timeline::Frame& frame = timeline_.frames[index];
        frame.from = in ? there : here;
        frame.to = in ? here : there;
    }
    Timeline::Frame& frame = timeline_.frames[index];
    if (in) {
        if (frame.to.host == host) frame.arrived = now();
        add(Step::Kind::Received, host).frame = index;
        machines_[host].received = last_step();
    } else {
        frame.sent = now();
        add(Step::Kind::Sent, host).frame = index;
        note_sent(host, last_step());
        if (machines_.size() < 2) return;  // nobody will tell of its arrival
        in_flight_.push_back({index, false, {}});
        if (in_flight_.size() > kInFlight) in_flight_.pop_front();
    }
}

/// The step that an event of a connection belongs to.
TimelineRecorder::Step& TimelineRecorder::step_of(u32 host, const TcpEvent& event) {
    Machine& machine = machines_[host];
    switch (event.stimulus) {
        case Stimulus::Segment:
            if (machine.received != Timeline::kNone) {
                Step& step = timeline_.steps[machine.received];
                if (step.time == now()) {
                    if (step.end == Timeline::kNone) return step;
                    // The same segment once more: it has made the connection, and goes on in it.
                    const u32 frame = step.frame;
                    Step& second = add(Step::Kind::Decision, host);
                    second.frame = frame;
                    return second;
                }
            }
            return add(Step::Kind::Decision, host);
        case Stimulus::Timer:
            return add(Step::Kind::Timer, host);
        case Stimulus::User:
            return add(Step::Kind::Call, host);
        case Stimulus::Flush:
            break;
    }
    const auto sent = machine.unflushed.find({event.after.local, event.after.remote});
    if (sent == machine.unflushed.end()) return add(Step::Kind::Decision, host);
    Step& step = timeline_.steps[sent->second];
    machine.unflushed.erase(sent);
    return step.time == now() ? step : add(Step::Kind::Decision, host);
}

u32 TimelineRecorder::end_of(u32 host, const TcpEvent& event) {
    Machine& machine = machines_[host];
    const Ends ends{event.after.local, event.after.remote};
    const auto known = machine.ends.find(ends);
    const bool begins = event.verdict == Verdict::UserOpen || comes_out_of_listen(event.verdict);
    if (known != machine.ends.end() && !begins) return known->second;
    const auto index = static_cast<u32>(timeline_.ends.size());
    timeline_.ends.push_back({host, ends.first, ends.second});
    last_state_.push_back(Timeline::kNone);
    machine.ends[ends] = index;
    return index;
}

/// The index of a state; it is mostly the one before.
u32 TimelineRecorder::keep(const TcpSnapshot& state, u32 like) {
    if (like != Timeline::kNone && timeline_.states[like] == state) return like;
    timeline_.states.push_back(state);
    return static_cast<u32>(timeline_.states.size() - 1);
}

/// An answer that is sent at once (a duplicate ACK, a challenge ACK) changes what was advertised, and the
/// stack tells of it only with the next event: the change is that of the step which sent it.
void TimelineRecorder::note_reply(u32 host, u32 end, const TcpSnapshot& now) {
    const u32 last = last_state_[end];
    if (last == Timeline::kNone || timeline_.states[last] == now) return;
    auto& unflushed = machines_[host].unflushed;
    const auto sent = unflushed.find({timeline_.ends[end].local, timeline_.ends[end].remote});
    if (sent == unflushed.end()) return;
    Step& step = timeline_.steps[sent->second];
    unflushed.erase(sent);
    step.end = end;
    step.stimulus = Stimulus::Flush;
    step.before = last;
    step.after = last_state_[end] = keep(now, last);
}

void TimelineRecorder::on_tcp(u32 host, const TcpEvent& event) {
    if (event.after.remote.port == 0) return;  // a socket that is nobody's partner yet
    // An application that reads finds nothing most of the time.
    if (event.verdict == Verdict::UserReceive && event.before == event.after) return;
    const u32 end = end_of(host, event);
    TcpSnapshot before = event.before;
    if (comes_out_of_listen(event.verdict)) {
        // The connection did not exist before its SYN; a listener took it.
        before.state = TcpState::Listen;
        before.local = event.after.local;
    }
    note_reply(host, end, before);
    Step& step = step_of(host, event);
    step.end = end;
    step.stimulus = event.stimulus;
    step.verdict = event.verdict;
    step.drop = event.drop;
    step.before = keep(before, last_state_[end]);
    step.after = last_state_[end] = keep(event.after, step.before);
}

void TimelineRecorder::on_drop(u32 host, const DropEvent& event) {
    Machine& machine = machines_[host];
    if (machine.received != Timeline::kNone) {
        Step& step = timeline_.steps[machine.received];
        const Timeline::Frame& frame = timeline_.frames[step.frame];
        const bool same = step.time == now() && frame.wire_size == event.bytes.size() &&
                          same_frame(frame.bytes, event.bytes);
        if (same && (!step.drop || step.drop == event.drop)) {
            step.drop = event.drop;
            return;
        }
    }
    const u32 what = event.bytes.empty() ? Timeline::kNone
                                         : add_frame({event.bytes.begin(), event.bytes.end()}, {});
    Step& step = add(Step::Kind::Drop, host);
    step.frame = what;
    step.drop = event.drop;
}

void TimelineRecorder::on_flow(u32 host, const FlowEvent& event) {
    timeline_.flows.push_back(event);
    add(Step::Kind::Flow, host).flow = static_cast<u32>(timeline_.flows.size() - 1);
}

void TimelineRecorder::on_forward(u32 host, const ForwardEvent& event) {
    timeline_.rewrites.push_back({event.in,
                                  event.out,
                                  {event.before.begin(), event.before.end()},
                                  {event.after.begin(), event.after.end()},
                                  event.flow});
    add(Step::Kind::Rewrite, host).rewrite = static_cast<u32>(timeline_.rewrites.size() - 1);
}

/// Two stacks that are heard at their borders: what was sent before something that has arrived, and has
/// not arrived itself, is lost. What was sent last may still be on its way.
void TimelineRecorder::note_lost() {
    std::vector<u32> latest(timeline_.hosts.size());  // of each sender: behind what has arrived
    for (u32 i = 0; i < timeline_.frames.size(); ++i) {
        const Timeline::Frame& frame = timeline_.frames[i];
        if (frame.sent && frame.arrived) latest[frame.from.host] = i;
    }
    std::vector<Step> steps;
    std::vector<u32> moved;  // where each step is now
    for (Step& step : timeline_.steps) {
        if (step.cause != Timeline::kNone) step.cause = moved[step.cause];
        moved.push_back(static_cast<u32>(steps.size()));
        steps.push_back(std::move(step));
        if (steps.back().kind != Step::Kind::Sent) continue;
        Timeline::Frame& frame = timeline_.frames[steps.back().frame];
        if (frame.arrived || steps.back().frame >= latest[frame.from.host]) continue;
        frame.lost = "lost on the way";
        Step lost;
        lost.kind = Step::Kind::Lost;
        lost.time = steps.back().time;
        lost.host = steps.back().host;
        lost.frame = steps.back().frame;
        lost.cause = moved.back();
        steps.push_back(std::move(lost));
    }
    timeline_.steps = std::move(steps);
}

void TimelineRecorder::finish() {
    if (frames_ == Frames::AtBorders && machines_.size() > 1) note_lost();
    pair_ends(timeline_);
}

void pair_ends(Timeline& timeline) {
    std::vector<u32> last(timeline.ends.size(), Timeline::kNone);
    for (const Timeline::Step& step : timeline.steps) {
        if (step.end != Timeline::kNone) last[step.end] = step.after;
    }
    std::map<std::pair<u32, u32>, u32> known;  // ISS and IRS
    u32 streams = 0;
    for (u32 i = 0; i < last.size(); ++i) {
        Timeline::End& end = timeline.ends[i];
        end.stream = Timeline::kNone;
        if (last[i] != Timeline::kNone) {
            const TcpSnapshot& state = timeline.states[last[i]];
            const u32 iss = state.iss.value();
            const u32 irs = state.irs.value();
            const auto other = known.find({irs, iss});
            if (other != known.end()) {
                end.peer = other->second;
                timeline.ends[end.peer].peer = i;
                end.stream = timeline.ends[end.peer].stream;
            }
            known[{iss, irs}] = i;
        }
        if (end.stream == Timeline::kNone) end.stream = streams++;
    }
}

}  // namespace tapestry
