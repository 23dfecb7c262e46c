#include "apps/inspect/story_build.h"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "apps/inspect/chinese_words.h"
#include "apps/inspect/frame_reader.h"
#include "apps/inspect/packet_changes.h"
#include "apps/inspect/timeline_events.h"
#include "apps/inspect/verdict_words.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"

namespace tapestry {
namespace {

/// What a connection does by itself, or learns, besides changing its state. A segment on the ladder
/// shows the rest.
bool worth_telling(Verdict verdict) {
    switch (verdict) {
        case Verdict::TimerRetransmit:
        case Verdict::TimerSynRetransmit:
        case Verdict::TimerPersist:
        case Verdict::TimerKeepAlive:
        case Verdict::TimerKeepAliveDead:
        case Verdict::TimerUserTimeout:
        case Verdict::TimerGivenUp:
        case Verdict::TimerOverride:
        case Verdict::TimerLossProbe:
        case Verdict::TimerReorderLoss:
        case Verdict::FastRetransmit:
        case Verdict::PartialAck:
        case Verdict::SackRecovery:
        case Verdict::RackRecovery:
        case Verdict::SackReneged:
        case Verdict::LossProbeRepaired:
        case Verdict::SpuriousRecovery:
        case Verdict::DataOutOfOrder:
        case Verdict::IcmpHard:
        case Verdict::IcmpSoft:
        case Verdict::ResetAccepted:
        case Verdict::SynSentReset:
            return true;
        default:
            return false;
    }
}

std::string state_text(const TcpEvent& event) {
    if (event.before.state == event.after.state) return "";
    return std::string(name(event.before.state)) + " -> " + std::string(name(event.after.state));
}

/// What is refused on purpose, so that an answer comes: a keep-alive probe has the number before the
/// next one, a zero-window probe a byte for which there is no room.
std::string_view probe_text(const TcpEvent& event, Language language) {
    const bool english = language == Language::English;
    if (event.stimulus != Stimulus::Segment || event.segment == nullptr || !event.drop) return "";
    if (event.segment->flags.syn() || event.segment->flags.rst()) return "";
    const bool empty = event.segment->payload.empty();
    if (empty && event.segment->seq + 1U == event.before.rcv_nxt) {
        return english
                   ? "a probe, with a number from before: answered, so that its sender knows we "
                     "live"
                   : "探测，号码是以前的：回答它，让发送者知道我们还在";
    }
    if (!empty && event.before.rcv_wnd == 0 && event.segment->seq == event.before.rcv_nxt) {
        return english ? "there is no room for this byte: not taken, but answered"
                       : "没有空间放这个字节：不收下，但回答";
    }
    return "";
}

/// Below IP: stations hear frames that are for others, and that is no news.
bool is_noise(Drop drop) { return drop < Drop::NeighborQueueFull; }

std::string timer_text(const TcpEvent& event, Language language) {
    const bool english = language == Language::English;
    std::string text(text_in(event.verdict, language));
    if (event.verdict == Verdict::TimerOverride) {
        text = english ? "a small segment after all: the window has not grown for a while"
                       : "窗口好久没有变大：小报文段也发送";
    }
    if (event.verdict == Verdict::TimerGivenUp) {
        text = english ? "no answer, and sent often enough" : "没有回答，重传的次数也够了";
    }
    if (event.verdict == Verdict::TimerSynRetransmit &&
        event.before.state == TcpState::SynReceived) {
        text = english ? "the SYN-ACK again" : "重发 SYN-ACK";
    }
    const bool again =
        event.verdict == Verdict::TimerRetransmit || event.verdict == Verdict::TimerSynRetransmit;
    if (again && event.before.rto != event.after.rto) {
        text += (english ? "; the next wait is " : "；下次等待 ") + duration_text(event.after.rto);
    }
    return text;
}

/// Goes through the steps of a timeline and says what there is to say.
class Teller {
public:
    Teller(const Timeline& timeline, Language language)
        : timeline_(timeline), language_(language) {}
    Story tell();

private:
    void tell_step(const Timeline::Step& step);
    std::size_t lifeline(std::size_t machine, std::size_t interface) const {
        return timeline_.hosts[machine].interfaces.at(interface).lifeline;
    }
    Step& add(Step::Kind kind, std::size_t machine);
    Step& add_before_answer(std::size_t machine);
    void say(Step::Kind kind, std::size_t machine, const std::string& text) {
        add(kind, machine).text = text;
    }
    void frame(const Timeline::Frame& frame);
    void on_drop(std::size_t machine, Drop drop, Bytes bytes);
    void on_tcp(std::size_t machine, const TcpEvent& event);
    void on_flow(std::size_t machine, const FlowEvent& event);
    void on_forward(std::size_t machine, const Timeline::Rewrite& event);
    bool is_stranger(Ipv4Address address) const {
        return timeline_.strangers && timeline_.strangers->contains(address);
    }

    const Timeline& timeline_;
    Language language_;
    Story story_;
    TimePoint now_{};
    FrameReader reader_;
    std::optional<Drop> explained_;  ///< a refusal that needs no words of its own
    std::map<std::pair<std::size_t, Endpoint>, Verdict> last_;  ///< of a machine with a peer
    /// Conversations, in each direction, whose translation has been told.
    std::set<std::tuple<std::size_t, u64, std::string>> told_;
};

Story Teller::tell() {
    story_.name = timeline_.name;
    story_.language = language_;
    story_.title = timeline_.title_in(language_);
    story_.watch = timeline_.watch_in(language_);
    story_.scene = timeline_.scene;
    story_.summary = timeline_.summary_in(language_);
    story_.seed = timeline_.seed;
    story_.lifelines = timeline_.lifelines;
    for (const Timeline::Step& step : timeline_.steps) {
        now_ = timeline_.start + step.time;
        tell_step(step);
    }
    return std::move(story_);
}

void Teller::tell_step(const Timeline::Step& step) {
    using Kind = Timeline::Step::Kind;
    const std::size_t machine = step.host;
    const auto* frame = step.frame == Timeline::kNone ? nullptr : &timeline_.frames[step.frame];
    if (step.kind == Kind::Sent) this->frame(*frame);
    // What an answer has changed the stack tells with its next event.
    const bool told = step.verdict != Verdict::None || step.stimulus != Stimulus::Flush;
    if (step.end != Timeline::kNone && told) {
        const auto packet = packet_of(timeline_, step);
        on_tcp(machine, tcp_event(timeline_, step, packet));
    } else if (step.kind == Kind::Call) {
        say(Step::Kind::Call, machine, step.text);
    }
    if (step.drop) on_drop(machine, *step.drop, frame == nullptr ? Bytes() : Bytes(frame->bytes));
    const std::string& words = Timeline::text_in(step, language_);
    if (step.kind == Kind::Result) say(Step::Kind::Result, machine, words);
    if (step.kind == Kind::Network) say(Step::Kind::Network, machine, words);
    if (step.kind == Kind::Note) say(Step::Kind::Note, machine, words);
    if (step.kind == Kind::Flow) on_flow(machine, timeline_.flows[step.flow]);
    if (step.kind == Kind::Rewrite) on_forward(machine, timeline_.rewrites[step.rewrite]);
}

Step& Teller::add(Step::Kind kind, std::size_t machine) {
    Step& step = story_.steps.emplace_back();
    step.kind = kind;
    step.time = now_;
    step.from = step.to = lifeline(machine, 0);
    return step;
}

void Teller::frame(const Timeline::Frame& frame) {
    const Bytes bytes = frame.bytes;
    FrameFacts facts = reader_.read(
        bytes, frame.link == Timeline::kNone ? "" : timeline_.links[frame.link], frame.offload);
    facts.lost = frame.lost;
    Step& step = add(Step::Kind::Frame, frame.from.host);
    step.from = lifeline(frame.from.host, frame.from.interface);
    step.to = lifeline(frame.to.host, frame.to.interface);
    if (facts.plain && frame.lost.empty()) step.routine = facts.length > 0 ? "segment" : "ACK";
    const auto ip = ipv4_of_frame(bytes);
    if (ip && (is_stranger(ip->source()) || is_stranger(ip->destination()))) {
        step.routine = facts.role == "1 of 3"         ? "SYN"
                       : facts.role == "2 of 3"       ? "SYN-ACK"
                       : facts.role == "2 of 3 again" ? "repeated SYN-ACK"
                                                      : "segment";
    }
    facts.role = role_in(facts.role, language_);
    step.frame = std::move(facts);
}

/// A refusal comes before what was sent because of it, although the stack tells of it last.
Step& Teller::add_before_answer(std::size_t machine) {
    Step drop = add(Step::Kind::Drop, machine);
    auto& steps = story_.steps;
    steps.pop_back();
    auto place = steps.end();
    if (!steps.empty() && steps.back().time == drop.time && steps.back().frame) {
        const Step& last = steps.back();
        const FrameFacts& facts = *last.frame;
        const bool same =
            story_.lifelines[last.from].machine == story_.lifelines[drop.from].machine;
        if (same && (facts.role == "reset" || facts.kind == FrameFacts::Kind::Icmp)) --place;
    }
    return *steps.insert(place, std::move(drop));
}

void Teller::on_drop(std::size_t machine, Drop drop, Bytes bytes) {
    if (std::exchange(explained_, std::nullopt) == drop || is_noise(drop)) return;
    Step& step = add_before_answer(machine);
    step.drop = drop;
    step.text = text_in(drop, language_);
    step.rule = std::string(rfc(drop));
    const auto ip = ipv4_of(bytes);
    if (!ip) return;
    const bool alike = is_stranger(ip->source()) || is_stranger(ip->destination());
    const bool by_rule = drop >= Drop::FlowInvalid && drop <= Drop::FilterRejected;
    if (by_rule && !alike) step.text += "  (" + who_to_whom(*ip) + ')';
    if (alike) step.routine = "drops (" + std::string(name(drop)) + ')';
}

void Teller::on_tcp(std::size_t machine, const TcpEvent& event) {
    std::string text = state_text(event);
    const bool turn = !text.empty();
    const Verdict last = std::exchange(last_[{machine, event.after.remote}], event.verdict);
    if (const std::string_view probe = probe_text(event, language_); !probe.empty()) {
        explained_ = event.drop;
        add(Step::Kind::Timer, machine).text = probe;
        return;
    }
    // The first of several alike is enough.
    if (event.verdict == Verdict::DataOutOfOrder && last == event.verdict) return;
    if (worth_telling(event.verdict)) {
        text += (turn ? ": " : "") + timer_text(event, language_);
    } else if (!turn) {
        const bool closes = event.before.snd_wnd > 0 && event.after.snd_wnd == 0;
        if (!closes || event.before.state != TcpState::Established) return;
        text = language_ == Language::English
                   ? "the peer's window is closed: nothing more may be sent"
                   : "对方的窗口已关闭：不能再发送";
    }
    Step& step = add(turn ? Step::Kind::State : Step::Kind::Timer, machine);
    step.text = text;
    step.rule = std::string(rfc(event.verdict));
    if (is_stranger(event.after.remote.address)) step.routine = "changes of state";
}

void Teller::on_flow(std::size_t machine, const FlowEvent& event) {
    using enum FlowState;
    const FlowState state = event.flow.state;
    const bool tcp = event.flow.original.protocol == IpProtocol::Tcp;
    const bool turn = !tcp || state == Established || state == TimeWait || state == Close;
    auto& steps = story_.steps;
    if (event.kind == FlowEvent::Kind::Destroy && !steps.empty() && steps.back().flow &&
        steps.back().flow->flow.id == event.flow.id && steps.back().time == now_) {
        steps.pop_back();  // it was never used
        return;
    }
    // The steps between are seen on the ladder.
    if (event.kind == FlowEvent::Kind::Update && !turn) return;
    Step& step = add(Step::Kind::Flow, machine);
    step.flow = event;
    step.text = flow_text(event, language_);
    if (is_stranger(event.flow.original.source.address)) step.routine = "rows of the table";
}

void Teller::on_forward(std::size_t machine, const Timeline::Rewrite& event) {
    Step& step = add(Step::Kind::Rewrite, machine);
    step.from = lifeline(machine, event.in);
    step.to = lifeline(machine, event.out);
    step.rewrites = packet_changes(event.before, event.after);
    step.text = rewrite_text(step.rewrites);
    const auto before = ipv4_of(event.before);
    if (!before) return;
    step.first = told_.insert({machine, event.flow, who_to_whom(*before)}).second;
    const bool translated = step.rewrites.size() > 1;
    if (is_stranger(before->source()) || is_stranger(before->destination())) {
        step.routine = "rewrite";
    }
    if (!translated && before->protocol() == IpProtocol::Tcp) step.routine = "rewrite";
    if (is_routine(*before) && !(step.first && translated)) step.routine = "rewrite";
}

}  // namespace

Story story_of(const Timeline& timeline, Language language) {
    return Teller(timeline, language).tell();
}

}  // namespace tapestry
