#include "apps/inspect/terminal/condition_words.h"

#include <array>

namespace tapestry {
namespace {

using Kind = Timeline::Step::Kind;
constexpr u32 kNone = Timeline::kNone;

const FrameFacts* facts(const Walk& walk, std::size_t stop) {
    const u32 frame = walk.frame(stop);
    return frame == kNone ? nullptr : &walk.facts()[frame];
}

template <Kind K>
bool is_kind(const Walk& walk, std::size_t stop) {
    const Stop& range = walk.stops()[stop];
    for (std::size_t i = range.first; i <= range.last; ++i) {
        if (walk.timeline().steps[i].kind == K) return true;
    }
    return false;
}

template <FrameFacts::Kind K>
bool is_frame(const Walk& walk, std::size_t stop) {
    const FrameFacts* of = facts(walk, stop);
    return of != nullptr && of->kind == K;
}

/// A letter of the notation's flags.
template <char Letter>
bool has_flag(const Walk& walk, std::size_t stop) {
    const FrameFacts* of = facts(walk, stop);
    if (of == nullptr || of->kind != FrameFacts::Kind::Tcp) return false;
    return of->notation.substr(0, of->notation.find(' ')).find(Letter) != std::string::npos;
}

bool is_arp(const Walk& walk, std::size_t stop) {
    return is_frame<FrameFacts::Kind::ArpRequest>(walk, stop) ||
           is_frame<FrameFacts::Kind::ArpReply>(walk, stop);
}

bool has_data(const Walk& walk, std::size_t stop) {
    const FrameFacts* of = facts(walk, stop);
    return of != nullptr && of->kind == FrameFacts::Kind::Tcp && of->length > 0;
}

bool is_retransmission(const Walk& walk, std::size_t stop) {
    const Timeline::Step& step = walk.main_step(stop);
    if (step.kind != Kind::Sent) return false;
    const AnalysisSet& seen = step.analysis;  // of a capture
    return walk.timeline().frames[step.frame].again != kNone ||
           seen.has(Analysis::Retransmission) || seen.has(Analysis::FastRetransmission) ||
           seen.has(Analysis::SpuriousRetransmission);
}

bool is_refused(const Walk& walk, std::size_t stop) {
    const Stop& range = walk.stops()[stop];
    for (std::size_t i = range.first; i <= range.last; ++i) {
        if (walk.timeline().steps[i].drop) return true;
    }
    return false;
}

constexpr std::array kWords{
    StopWord{"arp", is_arp},
    StopWord{"tcp", is_frame<FrameFacts::Kind::Tcp>},
    StopWord{"udp", is_frame<FrameFacts::Kind::Udp>},
    StopWord{"icmp", is_frame<FrameFacts::Kind::Icmp>},
    StopWord{"syn", has_flag<'S'>},
    StopWord{"fin", has_flag<'F'>},
    StopWord{"rst", has_flag<'R'>},
    StopWord{"psh", has_flag<'P'>},
    StopWord{"data", has_data},
    StopWord{"retransmission", is_retransmission},
    StopWord{"sent", is_kind<Kind::Sent>},
    StopWord{"received", is_kind<Kind::Received>},
    StopWord{"lost", is_kind<Kind::Lost>},
    StopWord{"refused", is_refused},
    StopWord{"timer", is_kind<Kind::Timer>},
    StopWord{"call", is_kind<Kind::Call>},
    StopWord{"result", is_kind<Kind::Result>},
    StopWord{"rewrite", is_kind<Kind::Rewrite>},
    StopWord{"flow", is_kind<Kind::Flow>},
    StopWord{"turn", [](const Walk& walk, std::size_t stop) { return walk.is_turn(stop); }},
};

using Value = std::optional<std::string>;

/// The digits behind a word of a segment's notation: "ack 1".
Value behind(const Walk& walk, std::size_t stop, std::string_view word) {
    const FrameFacts* of = facts(walk, stop);
    if (of == nullptr || of->kind != FrameFacts::Kind::Tcp) return std::nullopt;
    const std::size_t at = of->notation.find(word);
    if (at == std::string::npos) return std::nullopt;
    const std::size_t begin = at + word.size();
    const std::size_t end = of->notation.find_first_not_of("0123456789", begin);
    return of->notation.substr(begin, end - begin);
}

Value length(const Walk& walk, std::size_t stop) {
    if (!is_frame<FrameFacts::Kind::Tcp>(walk, stop)) return std::nullopt;
    return std::to_string(facts(walk, stop)->length);
}

Value frame_number(const Walk& walk, std::size_t stop) {
    const u32 frame = walk.frame(stop);
    return frame == kNone ? Value() : std::to_string(walk.number(frame));
}

Value host(const Walk& walk, std::size_t stop) {
    const u32 at = walk.main_step(stop).host;
    return at == kNone ? Value() : walk.timeline().hosts[at].name;
}

Value stream(const Walk& walk, std::size_t stop) {
    const u32 end = walk.end(stop);
    return end == kNone ? Value() : std::to_string(walk.timeline().ends[end].stream);
}

constexpr std::array kValues{
    StopValue{"seq", [](const Walk& w, std::size_t s) { return behind(w, s, " "); }},
    StopValue{"ack", [](const Walk& w, std::size_t s) { return behind(w, s, " ack "); }},
    StopValue{"win", [](const Walk& w, std::size_t s) { return behind(w, s, " win "); }},
    StopValue{"len", length},
    StopValue{"frame", frame_number},
    StopValue{"step", [](const Walk&, std::size_t s) { return Value(std::to_string(s + 1)); }},
    StopValue{"time", [](const Walk& w,
                         std::size_t s) { return Value(std::to_string(to_seconds(w.time(s)))); }},
    StopValue{"host", host},
    StopValue{"stream", stream},
};

}  // namespace

std::span<const StopWord> stop_words() { return kWords; }
std::span<const StopValue> stop_values() { return kValues; }

}  // namespace tapestry
