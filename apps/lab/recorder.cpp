#include "apps/lab/recorder.h"

#include <utility>

#include "apps/lab/packet_changes.h"
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
    // The connection did not exist before its SYN; a listener took it.
    const TcpState before =
        event.verdict == Verdict::ListenSyn ? TcpState::Listen : event.before.state;
    if (before == event.after.state) return "";
    return std::string(name(before)) + " -> " + std::string(name(event.after.state));
}

/// What is refused on purpose, so that an answer comes: a keep-alive probe has the number before the
/// next one, a zero-window probe a byte for which there is no room.
std::string_view probe_text(const TcpEvent& event) {
    if (event.stimulus != Stimulus::Segment || event.segment == nullptr || !event.drop) return "";
    if (event.segment->flags.syn() || event.segment->flags.rst()) return "";
    const bool empty = event.segment->payload.empty();
    if (empty && event.segment->seq + 1U == event.before.rcv_nxt) {
        return "a probe, with a number from before: answered, so that its sender knows we live";
    }
    if (!empty && event.before.rcv_wnd == 0 && event.segment->seq == event.before.rcv_nxt) {
        return "there is no room for this byte: not taken, but answered";
    }
    return "";
}

/// Below IP: stations hear frames that are for others, and that is no news.
bool is_noise(Drop drop) { return drop < Drop::NeighborQueueFull; }

std::string timer_text(const TcpEvent& event) {
    std::string text(tapestry::text(event.verdict));
    if (event.verdict == Verdict::TimerOverride) {
        text = "a small segment after all: the window has not grown for a while";
    }
    if (event.verdict == Verdict::TimerGivenUp) text = "no answer, and sent often enough";
    if (event.verdict == Verdict::TimerSynRetransmit &&
        event.before.state == TcpState::SynReceived) {
        text = "the SYN-ACK again";
    }
    const bool again =
        event.verdict == Verdict::TimerRetransmit || event.verdict == Verdict::TimerSynRetransmit;
    if (again && event.before.rto != event.after.rto) {
        text += "; the next wait is " + duration_text(event.after.rto);
    }
    return text;
}

}  // namespace

class Recorder::Ear final : public TraceSink {
public:
    Ear(Recorder& recorder, std::size_t machine) : recorder_(recorder), machine_(machine) {}
    void on_drop(const DropEvent& event) override { recorder_.on_drop(machine_, event); }
    void on_tcp(const TcpEvent& event) override { recorder_.on_tcp(machine_, event); }
    void on_flow(const FlowEvent& event) override { recorder_.on_flow(machine_, event); }
    void on_forward(const ForwardEvent& event) override { recorder_.on_forward(machine_, event); }

private:
    Recorder& recorder_;
    std::size_t machine_;
};

Recorder::Recorder(const Scenario& scenario, Story& story, Clock clock)
    : scenario_(scenario), story_(story), clock_(std::move(clock)) {
    for (std::size_t m = 0; m < scenario.machines.size(); ++m) {
        const ScenarioMachine& machine = scenario.machines[m];
        ears_.push_back(std::make_unique<Ear>(*this, m));
        lifelines_.emplace_back();
        for (const ScenarioInterface& interface : machine.interfaces) {
            const bool another = lifelines_[m].empty() || machine.two_lines;
            if (another) {
                story.lifelines.push_back({machine.name, machine.two_lines ? interface.name : "",
                                           interface.address.address.to_string()});
            } else {
                story.lifelines.back().address.clear();
            }
            lifelines_[m].push_back(story.lifelines.size() - 1);
        }
    }
}

Recorder::~Recorder() = default;

TraceSink& Recorder::sink(std::size_t machine) { return *ears_.at(machine); }

std::size_t Recorder::lifeline(std::size_t machine, std::size_t interface) const {
    return lifelines_.at(machine).at(interface);
}

Step& Recorder::add(Step::Kind kind, std::size_t machine) {
    Step& step = story_.steps.emplace_back();
    step.kind = kind;
    step.time = clock_();
    step.from = step.to = lifeline(machine, 0);
    return step;
}

void Recorder::say(Step::Kind kind, std::size_t machine, const std::string& text) {
    add(kind, machine).text = text;
}

void Recorder::frame(std::size_t link, ScenarioLink::End from, ScenarioLink::End to, Bytes bytes,
                     const std::string& lost) {
    FrameFacts facts = reader_.read(bytes, scenario_.links[link].name);
    facts.lost = lost;
    Step& step = add(Step::Kind::Frame, from.machine);
    step.from = lifeline(from.machine, from.interface);
    step.to = lifeline(to.machine, to.interface);
    if (facts.plain && lost.empty()) step.routine = facts.length > 0 ? "segment" : "ACK";
    const auto ip = ipv4_of_frame(bytes);
    if (ip && (is_stranger(ip->source()) || is_stranger(ip->destination()))) {
        step.routine = facts.role == "1 of 3"         ? "SYN"
                       : facts.role == "2 of 3"       ? "SYN-ACK"
                       : facts.role == "2 of 3 again" ? "repeated SYN-ACK"
                                                      : "segment";
    }
    step.frame = std::move(facts);
}

/// A refusal comes before what was sent because of it, although the stack tells of it last.
Step& Recorder::add_before_answer(std::size_t machine) {
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

void Recorder::on_drop(std::size_t machine, const DropEvent& event) {
    if (std::exchange(explained_, std::nullopt) == event.drop || is_noise(event.drop)) return;
    Step& step = add_before_answer(machine);
    step.drop = event.drop;
    step.text = std::string(text(event.drop));
    step.rule = std::string(rfc(event.drop));
    const auto ip = ipv4_of(event.bytes);
    if (!ip) return;
    const bool alike = is_stranger(ip->source()) || is_stranger(ip->destination());
    const bool by_rule = event.drop >= Drop::FlowInvalid && event.drop <= Drop::FilterRejected;
    if (by_rule && !alike) step.text += "  (" + who_to_whom(*ip) + ')';
    if (alike) step.routine = "drops (" + std::string(name(event.drop)) + ')';
}

void Recorder::on_tcp(std::size_t machine, const TcpEvent& event) {
    std::string text = state_text(event);
    const bool turn = !text.empty();
    const Verdict last = std::exchange(last_[{machine, event.after.remote}], event.verdict);
    if (const std::string_view probe = probe_text(event); !probe.empty()) {
        explained_ = event.drop;
        add(Step::Kind::Timer, machine).text = probe;
        return;
    }
    // The first of several alike is enough.
    if (event.verdict == Verdict::DataOutOfOrder && last == event.verdict) return;
    if (worth_telling(event.verdict)) {
        text += (turn ? ": " : "") + timer_text(event);
    } else if (!turn) {
        const bool closes = event.before.snd_wnd > 0 && event.after.snd_wnd == 0;
        if (!closes || event.before.state != TcpState::Established) return;
        text = "the peer's window is closed: nothing more may be sent";
    }
    Step& step = add(turn ? Step::Kind::State : Step::Kind::Timer, machine);
    step.text = text;
    step.rule = std::string(rfc(event.verdict));
    if (is_stranger(event.after.remote.address)) step.routine = "changes of state";
}

void Recorder::on_flow(std::size_t machine, const FlowEvent& event) {
    using enum FlowState;
    const FlowState state = event.flow.state;
    const bool tcp = event.flow.original.protocol == IpProtocol::Tcp;
    const bool turn = !tcp || state == Established || state == TimeWait || state == Close;
    auto& steps = story_.steps;
    if (event.kind == FlowEvent::Kind::Destroy && !steps.empty() && steps.back().flow &&
        steps.back().flow->flow.id == event.flow.id && steps.back().time == clock_()) {
        steps.pop_back();  // it was never used
        return;
    }
    // The steps between are seen on the ladder.
    if (event.kind == FlowEvent::Kind::Update && !turn) return;
    Step& step = add(Step::Kind::Flow, machine);
    step.flow = event;
    step.text = flow_text(event);
    if (is_stranger(event.flow.original.source.address)) step.routine = "rows of the table";
}

void Recorder::on_forward(std::size_t machine, const ForwardEvent& event) {
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

}  // namespace tapestry
