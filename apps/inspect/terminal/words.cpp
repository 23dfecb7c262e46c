#include "apps/inspect/terminal/screen_parts.h"

namespace tapestry {
namespace {

using Kind = Timeline::Step::Kind;
constexpr u32 kNone = Timeline::kNone;

/// Of a step that no rule of TCP decides: what a beginner should know of it.
std::string plain_words(const Walk& walk, std::size_t stop) {
    const Timeline::Step& step = walk.main_step(stop);
    if (step.frame != kNone) {
        switch (walk.facts()[step.frame].kind) {
            case FrameFacts::Kind::ArpRequest:
                return "Frames on an Ethernet go to hardware (MAC) addresses. Before the first "
                       "packet "
                       "to a neighbour its IP address is asked for, and all on the link hear that.";
            case FrameFacts::Kind::ArpReply:
                return "The one who has the address tells its hardware address. The asker keeps "
                       "it, so "
                       "this happens once; the packet that waited for it can now leave.";
            default:
                break;
        }
    }
    switch (step.kind) {
        case Kind::Call:
            return "A program asks its TCP for something.";
        case Kind::Result:
            return "This is what the program gets to know; it sees none of the segments.";
        default:
            return "";
    }
}

/// What a segment is for, whoever sends it.
std::string segment_words(const Walk& walk, u32 frame) {
    const FrameFacts& facts = walk.facts()[frame];
    if (facts.kind != FrameFacts::Kind::Tcp) return "";
    const std::string kind = kind_of_segment(facts);
    const u32 again = walk.timeline().frames[frame].again;
    std::string words;
    if (again != kNone) {
        words = "Sent again: frame " + std::to_string(walk.number(again)) +
                " carried this, and nothing has acknowledged it. ";
    }
    if (kind == "SYN") {
        return words +
               "A SYN asks for a connection and tells the number from which this side counts its "
               "bytes, its ISS. Here it is shown as 0.";
    }
    if (kind == "SYN-ACK") {
        return words +
               "It says two things. The ACK: your SYN has arrived, and I expect the number behind "
               "it "
               "next. The SYN: this is the number from which I count.";
    }
    if (kind.starts_with("FIN")) {
        return words +
               "A FIN says that no more data come from this side. It takes a sequence number, so "
               "it "
               "is acknowledged as data are. The other direction stays open.";
    }
    if (kind.starts_with("RST")) {
        return words + "A RST ends a connection at once, or says that there is none.";
    }
    if (kind == "data") {
        return words + std::to_string(facts.length) +
               " bytes of data, with the number of the first. The ACK tells what has arrived from "
               "the other side.";
    }
    return words +
           "No data: it tells that all below its ack number has arrived, and by its window for how "
           "much more there is room.";
}

/// When a frame that is on its way will be there.
std::string arrival(const Walk& walk, std::size_t stop) {
    const Timeline::Step& step = walk.main_step(stop);
    if (step.kind != Kind::Sent) return "";
    const Timeline::Frame& frame = walk.timeline().frames[step.frame];
    if (!frame.lost.empty() || !frame.arrived || frame.arrived == frame.sent) return "";
    return "On its way: it arrives at " + time_text(*frame.arrived) + " s.";
}

}  // namespace

Words words_at(const Walk& walk, std::size_t stop, int width) {
    Words words;
    const auto add = [&](const std::string& paragraph) {
        for (std::string& line : wrapped(paragraph, width)) words.lines.push_back(std::move(line));
    };
    add(walk.headline(stop));
    words.bold = words.lines.size();
    const StepText text = walk.text(stop);
    const Timeline::Step& step = walk.main_step(stop);
    if (step.kind == Kind::Sent) {
        add(arrival(walk, stop));
        add(segment_words(walk, step.frame));
        add(plain_words(walk, stop));
        if (walk.facts()[step.frame].kind != FrameFacts::Kind::Tcp) {
            // A flush that could not send yet: its own words are those of one that did.
            if (walk.end(stop) != kNone) add("The segment waits for the answer.");
            return words;
        }
        if (!text.empty()) add(text.what + ' ' + text.why);
    } else if (!text.empty()) {
        add(text.what + ' ' + text.why);
    } else {
        add(plain_words(walk, stop));
    }
    if (!text.mistake.empty()) add("Often got wrong: " + text.mistake);
    if (!text.rule.empty()) add("Rule: " + text.rule);
    if (stop == 0) {
        add("");
        add(walk.timeline().title.empty() ? "" : "This is: " + walk.timeline().title + ".");
        for (const std::string& line : walk.timeline().watch) add(line);
    }
    return words;
}

}  // namespace tapestry
