#include "apps/inspect/packet_changes.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/terminal/screen_parts.h"

namespace tapestry {
namespace {

using Kind = Timeline::Step::Kind;
constexpr u32 kNone = Timeline::kNone;

/// Of a step that no rule of TCP decides: what a beginner should know of it.
Phrase plain_words(const Walk& walk, std::size_t stop) {
    const Timeline::Step& step = walk.main_step(stop);
    if (step.frame != kNone) {
        const FrameFacts::Kind kind = walk.facts()[step.frame].kind;
        if (kind == FrameFacts::Kind::ArpRequest) return Phrase::AskedForAddress;
        if (kind == FrameFacts::Kind::ArpReply) return Phrase::ToldAddress;
    }
    if (step.kind == Kind::Call) return Phrase::AProgramAsks;
    if (step.kind == Kind::Result) return Phrase::AProgramIsTold;
    return Phrase::None;
}

/// What a segment is for, whoever sends it.
std::string segment_words(const Walk& walk, u32 frame, Language language) {
    const FrameFacts& facts = walk.facts()[frame];
    if (facts.kind != FrameFacts::Kind::Tcp) return "";
    const std::string kind = kind_of_segment(facts);
    const u32 again = walk.timeline().frames[frame].again;
    std::string words;
    if (again != kNone) {
        words = phrase(Phrase::SentAgain, language, {std::to_string(walk.number(again))});
    }
    const Phrase what = kind == "SYN"             ? Phrase::WhatSyn
                        : kind == "SYN-ACK"       ? Phrase::WhatSynAck
                        : kind.starts_with("FIN") ? Phrase::WhatFin
                        : kind.starts_with("RST") ? Phrase::WhatRst
                        : kind == "data"          ? Phrase::WhatData
                                                  : Phrase::WhatAck;
    return words + phrase(what, language, {std::to_string(facts.length)});
}

/// What a router does with a packet, if there is one at that stop.
std::string router_words(const Walk& walk, std::size_t stop, Language language) {
    std::string words;
    const Stop& range = walk.stops()[stop];
    for (std::size_t i = range.first; i <= range.last; ++i) {
        const Timeline::Step& step = walk.timeline().steps[i];
        if (step.kind != Kind::Rewrite) continue;
        const Timeline::Rewrite& rewrite = walk.timeline().rewrites[step.rewrite];
        for (const Rewrite& change : packet_changes(rewrite.before, rewrite.after)) {
            const Phrase said = change.field == "src"   ? Phrase::NewSource
                                : change.field == "dst" ? Phrase::NewDestination
                                : change.field == "ttl" ? Phrase::OneHopLess
                                                        : Phrase::None;
            words += phrase(said, language);
        }
    }
    return words;
}

/// When a frame that is on its way will be there.
std::string arrival(const Walk& walk, std::size_t stop, Language language) {
    const Timeline::Step& step = walk.main_step(stop);
    if (step.kind != Kind::Sent) return "";
    const Timeline::Frame& frame = walk.timeline().frames[step.frame];
    if (!frame.lost.empty() || !frame.arrived || frame.arrived == frame.sent) return "";
    return phrase(Phrase::OnItsWay, language, {time_text(*frame.arrived)});
}

std::string both(const StepText& text, Language language) {
    return paragraph_of({text.what, text.why}, language);
}

}  // namespace

Words words_at(const Walk& walk, std::size_t stop, int width, Language language) {
    Words words;
    const auto add = [&](std::string_view paragraph) {
        for (std::string& line : wrapped(paragraph, width)) words.lines.push_back(std::move(line));
    };
    add(walk.headline(stop, language));
    words.bold = words.lines.size();
    const StepText text = walk.text(stop, language);
    const Timeline::Step& step = walk.main_step(stop);
    if (step.kind == Kind::Sent) {
        add(arrival(walk, stop, language));
        add(segment_words(walk, step.frame, language));
        add(phrase(plain_words(walk, stop), language));
        if (walk.facts()[step.frame].kind != FrameFacts::Kind::Tcp) {
            // A flush that could not send yet: its own words are those of one that did.
            if (walk.end(stop) != kNone) add(phrase(Phrase::SegmentWaits, language));
            return words;
        }
        if (!text.empty()) add(both(text, language));
    } else if (!text.empty()) {
        add(both(text, language));
    } else {
        add(phrase(plain_words(walk, stop), language));
        add(router_words(walk, stop, language));
    }
    if (!text.mistake.empty()) add(phrase(Phrase::OftenWrong, language, {text.mistake}));
    if (!text.rule.empty()) add(phrase(Phrase::RuleIs, language, {text.rule}));
    if (stop == 0) {
        const Timeline& timeline = walk.timeline();
        const std::string& title = timeline.title_in(language);
        if (!title.empty()) add(phrase(Phrase::ThisIs, language, {title}));
        add(paragraph_of(timeline.watch_in(language), language));
    }
    return words;
}

}  // namespace tapestry
