#include "apps/inspect/terminal/stops.h"

#include <cstdio>

#include "apps/inspect/chinese_words.h"
#include "apps/inspect/frame_reader.h"
#include "apps/inspect/packet_changes.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/verdict_words.h"

namespace tapestry {
namespace {

using Kind = Timeline::Step::Kind;
constexpr u32 kNone = Timeline::kNone;

bool is_flush(const Timeline::Step& step) {
    return step.kind == Kind::Decision && step.stimulus == Stimulus::Flush && !step.drop;
}

/// Whether `step` is seen as a part of what `before`, the step in front of it, has begun.
bool belongs(const Timeline::Step& before, const Timeline::Step& step) {
    if (before.host != step.host || before.time != step.time) return false;
    switch (step.kind) {
        case Kind::Call:
            return before.kind == Kind::Call && before.end == kNone && step.text.empty();
        case Kind::Decision:
            // The flush that could not send yet, and the second look at the same segment.
            return is_flush(step) ? before.kind == Kind::Sent || before.kind == Kind::Call
                                  : before.kind == Kind::Received && before.frame == step.frame;
        case Kind::Lost:
            return before.kind == Kind::Sent && before.frame == step.frame;
        case Kind::Flow:
        case Kind::Rewrite:
            return (before.kind == Kind::Received && before.end == kNone) ||
                   before.kind == Kind::Flow;
        default:
            return false;
    }
}

/// What a stop is about: what came in or went out before what a router did with it; a decision before
/// the words in front of it.
int weight(const Timeline::Step& step) {
    if (step.kind == Kind::Sent || step.kind == Kind::Received) return 3;
    return step.end != kNone && !is_flush(step) ? 2 : 1;
}

std::string text_with_rule(Drop drop, Language language) {
    return std::string(name(drop)) + std::string(phrase(Phrase::Comma, language)) +
           text_in(drop, language);
}

}  // namespace

std::vector<Stop> stops_of(const Timeline& timeline) {
    std::vector<Stop> stops;
    for (std::size_t i = 0; i < timeline.steps.size(); ++i) {
        if (i > 0 && belongs(timeline.steps[i - 1], timeline.steps[i])) {
            stops.back().last = i;
        } else {
            stops.push_back({i, i});
        }
    }
    return stops;
}

Walk::Walk(Timeline timeline)
    : timeline_(std::move(timeline)),
      index_(timeline_),
      facts_(frame_facts(timeline_)),
      stops_(stops_of(timeline_)) {}

const Timeline::Step& Walk::main_step(std::size_t stop) const {
    const Stop& range = stops_.at(stop);
    const Timeline::Step* main = &timeline_.steps[range.first];
    for (std::size_t i = range.first + 1; i <= range.last; ++i) {
        if (weight(timeline_.steps[i]) > weight(*main)) main = &timeline_.steps[i];
    }
    return *main;
}

u32 Walk::frame(std::size_t stop) const { return main_step(stop).frame; }

u32 Walk::frame_on_wire(std::size_t stop) const {
    const Timeline::Step& step = main_step(stop);
    return step.kind == Kind::Sent || step.kind == Kind::Received ? step.frame : kNone;
}

u32 Walk::end(std::size_t stop) const {
    const Stop& range = stops_.at(stop);
    for (std::size_t i = range.first; i <= range.last; ++i) {
        if (timeline_.steps[i].end != kNone) return timeline_.steps[i].end;
    }
    return kNone;
}

const TcpSnapshot* Walk::before(u32 end, std::size_t stop) const {
    const Stop& range = stops_.at(stop);
    for (std::size_t i = range.first; i <= range.last; ++i) {
        const Timeline::Step& step = timeline_.steps[i];
        if (step.end == end) return &timeline_.states[step.before];
    }
    return after(end, stop);
}

const TcpSnapshot* Walk::after(u32 end, std::size_t stop) const {
    return index_.state(end, stops_.at(stop).last);
}

bool Walk::is_turn(std::size_t stop) const {
    const Stop& range = stops_.at(stop);
    for (std::size_t i = range.first; i <= range.last; ++i) {
        if (tapestry::is_turn(timeline_, timeline_.steps[i])) return true;
    }
    return false;
}

std::string Walk::frame_told(const Timeline::Step& step, Language language) const {
    const FrameFacts& facts = facts_.at(step.frame);
    std::string line = phrase(Phrase::FrameIs, language,
                              {std::to_string(number(step.frame)), kind_in(facts, language)});
    if (!facts.role.empty()) {
        line += phrase(Phrase::Brackets, language, {role_in(facts.role, language)});
    }
    if (facts.kind == FrameFacts::Kind::Tcp) {
        line += std::string(phrase(Phrase::Colon, language)) + facts.notation +
                (facts.quote.empty() ? "" : "  " + facts.quote);
    }
    return line;
}

std::string Walk::told(const Timeline::Step& step, Language language) const {
    const auto say = [&](Phrase key, const std::string& what) {
        return phrase(key, language, {host(step), what});
    };
    const std::string words = Timeline::text_in(step, language);
    switch (step.kind) {
        case Kind::Sent:
            return say(Phrase::Sends, frame_told(step, language));
        case Kind::Received:
            return say(Phrase::Gets, frame_told(step, language));
        case Kind::Lost:
            return phrase(Phrase::NotArrived, language,
                          {loss_in(timeline_.frames[step.frame].lost, language)});
        case Kind::Timer:
            return say(Phrase::TimerGoesOff, std::string(text_in(step.verdict, language)));
        case Kind::Call:
            return say(Phrase::ProgramAsks,
                       words.empty() ? std::string(text_in(step.verdict, language)) : words);
        case Kind::Result:
            return say(Phrase::ProgramIsTold, words);
        case Kind::Decision:
            return say(Phrase::Learns, "");
        case Kind::Drop:
            return say(Phrase::Refuses, text_with_rule(*step.drop, language));
        case Kind::Flow:
            return host(step) + std::string(phrase(Phrase::Colon, language)) +
                   flow_text(timeline_.flows[step.flow], language);
        case Kind::Rewrite: {
            const Timeline::Rewrite& rewrite = timeline_.rewrites[step.rewrite];
            return say(Phrase::PassesOnAs,
                       rewrite_text(packet_changes(rewrite.before, rewrite.after)));
        }
        case Kind::Network:
        case Kind::Note:
            return words;
    }
    return "";
}

std::string Walk::headline(std::size_t stop, Language language) const {
    const Stop& range = stops_.at(stop);
    const std::string sentence(phrase(Phrase::Sentence, language));
    std::string line;
    for (std::size_t i = range.first; i <= range.last; ++i) {
        const Timeline::Step& step = timeline_.steps[i];
        const bool said =
            i > range.first && (step.kind == Kind::Call || step.kind == Kind::Decision);
        if (!said) line += (line.empty() ? "" : sentence) + told(step, language);
        if (tapestry::is_turn(timeline_, step)) {
            line += sentence + host(step) + std::string(phrase(Phrase::Colon, language)) +
                    std::string(name(timeline_.states[step.before].state)) + " -> " +
                    std::string(name(timeline_.states[step.after].state));
        }
    }
    return line;
}

StepText Walk::text(std::size_t stop, Language language) const {
    const Stop& range = stops_.at(stop);
    StepText best;
    int of_weight = -1;
    for (std::size_t i = range.first; i <= range.last; ++i) {
        const Timeline::Step& step = timeline_.steps[i];
        const StepText text = explain(timeline_, step, language);
        const int w = step.drop ? 2 : is_flush(step) ? 0 : 1;
        if (text.empty() || w < of_weight) continue;
        best = text;
        of_weight = w;
    }
    return best;
}

std::string kind_of_segment(const FrameFacts& facts) {
    if (facts.kind != FrameFacts::Kind::Tcp) return facts.notation;
    const std::string flags = facts.notation.substr(0, facts.notation.find(' '));
    const bool ack = flags.find('.') != std::string::npos;
    std::string kind;
    for (const auto& [letter, word] :
         {std::pair{'S', "SYN"}, std::pair{'F', "FIN"}, std::pair{'R', "RST"}}) {
        if (flags.find(letter) != std::string::npos)
            kind += (kind.empty() ? "" : "-") + std::string(word);
    }
    if (kind.empty()) return facts.length > 0 ? "data" : ack ? "ACK" : "segment";
    return ack ? kind + "-ACK" : kind;
}

std::string kind_in(const FrameFacts& facts, Language language) {
    const std::string kind = kind_of_segment(facts);
    if (kind == "data") return std::string(phrase(Phrase::Data, language));
    if (kind == "segment") return std::string(phrase(Phrase::Segment, language));
    return kind;
}

std::string time_text(Duration time) {
    char text[40];
    const bool fine = time.count() % 1'000'000 != 0;
    std::snprintf(text, sizeof text, fine ? "%.6f" : "%.3f", to_seconds(time));
    return text;
}

}  // namespace tapestry
