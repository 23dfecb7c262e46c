#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/inspect/language.h"
#include "apps/inspect/observed.h"
#include "stack/trace/trace.h"

namespace tapestry {

/// One vertical line of a ladder: a machine, or one side of a router.
struct Lifeline {
    std::string machine;  ///< "router"
    std::string side;     ///< "inside": the interface of a router that has a line for each; else ""
    std::string address;  ///< "192.168.3.1"; "" where there are several

    /// "router inside", "laptop".
    std::string label() const { return side.empty() ? machine : machine + ' ' + side; }
    friend bool operator==(const Lifeline&, const Lifeline&) = default;
};

/// Everything that happened in a run, one step after the other, wherever it comes from: a lab, a live
/// stack, a replay or a capture. Every view is drawn from this and from nothing else, so a view can
/// go backwards, and a timeline from a file shows what the run itself showed. Plain data.
///
/// What is large or the same many times over stands in a list of its own, and steps name it by its
/// index: frames, states, flow events, rewrites. kNone stands for "none".
struct Timeline {
    /// Of the form that docs/timeline.md describes. A reader refuses a later one.
    static constexpr u32 kVersion = 1;
    static constexpr u32 kNone = ~u32{0};

    enum class Source : u8 {
        Lab,     ///< all hosts are our stacks in virtual time: all states are the truth
        Live,    ///< one stack of ours and a peer of whom only the frames are known
        Replay,  ///< one stack of ours that plays a host of a capture
        Capture  ///< nobody's stack: states are what the frames show, and verdicts what they suggest
    };

    struct Interface {
        std::string name;     ///< "eth0", "outside"
        std::string address;  ///< "192.168.3.10/24"; of a capture without the length
        u32 lifeline = 0;     ///< where it is drawn
        u32 link = kNone;     ///< that it is on, where that is known
        friend bool operator==(const Interface&, const Interface&) = default;
    };
    struct Host {
        std::string name;
        bool router = false;
        bool ours = false;  ///< a stack of ours: its states and verdicts are the truth
        std::vector<Interface> interfaces;
        friend bool operator==(const Host&, const Host&) = default;
    };
    /// A host's interface; host kNone: not known.
    struct Place {
        u32 host = kNone;
        u32 interface = 0;
        friend bool operator==(const Place&, const Place&) = default;
    };

    /// One frame on its whole way. Those who sent it, got it or lost it are steps with its index.
    struct Frame {
        std::vector<u8> bytes;  ///< from the Ethernet header on; perhaps cut, see wire_size
        u32 wire_size = 0;      ///< what it had; more than bytes.size(): the rest was not kept
        Offload offload;        ///< a super-frame, a checksum that a device was to complete
        u32 link = kNone;       ///< index of links
        Place from;
        Place to;
        std::optional<Duration> sent;     ///< since the start, as far as it is known
        std::optional<Duration> arrived;  ///< nothing: it did not, or nobody knows
        std::string lost;                 ///< why it does not arrive; "": it does, or nobody knows
        u32 again = kNone;  ///< the frame that carried (the first of) its text, SYN or FIN before
        u64 record = 0;     ///< of a capture: the number of its record in the file, from 1
        friend bool operator==(const Frame&, const Frame&) = default;
    };

    /// One end of a TCP connection.
    struct End {
        u32 host = kNone;
        Endpoint local;
        Endpoint remote;     ///< as this end knows it: behind a NAT not what the other calls itself
        u32 peer = kNone;    ///< the other end, if its host is part of the timeline
        u32 stream = kNone;  ///< both ends of a connection have the same, from 0
        friend bool operator==(const End&, const End&) = default;
    };

    /// A packet on its way through a router, as it came in and as it left: from the IPv4 header on.
    struct Rewrite {
        u32 in = 0;  ///< interfaces of the host
        u32 out = 0;
        std::vector<u8> before;
        std::vector<u8> after;
        u64 flow = 0;  ///< FlowSnapshot::id; 0: routed without being followed
        friend bool operator==(const Rewrite&, const Rewrite&) = default;
    };

    struct Step {
        enum class Kind : u8 {
            /// A frame leaves `host`; with a decision: the flush that sent it is over, or
            /// (Verdict::None) what an answer that left at once has changed.
            Sent,
            Received,  ///< a frame reaches `host`; with the decision what it did there, or the drop
            Lost,      ///< a frame does not arrive: Frame::lost says why
            Timer,     ///< a timer of a connection has gone off
            Call,      ///< an application calls: its words in `text`, or TCP's share as a decision
            Result,    ///< what an application says that came of it
            Decision,  ///< a connection has changed by itself: a flush that could send nothing
            Drop,      ///< something was refused that is no frame which has just come in
            Flow,      ///< a row of a router's table begins, changes or goes
            Rewrite,   ///< a packet is changed on its way through a router
            Network,   ///< somebody does something to the network
            Note,      ///< words of the author
        };
        Kind kind = Kind::Note;
        Duration time{};   ///< since the start
        u32 host = kNone;  ///< where it happens
        u32 frame =
            kNone;  ///< Sent, Received, Lost; of Drop what was refused, perhaps only a packet; of a
                    ///< Decision the segment that led to it, if one did
        u32 cause = kNone;    ///< the step of this host, at this time, that led to this one
        u32 flow = kNone;     ///< index of flows
        u32 rewrite = kNone;  ///< index of rewrites
        std::string text;     ///< Call, Result, Network, Note
        std::string chinese;  ///< `text` in Chinese; "": it is the same, as a command is

        // The decision of a connection, with `end`.
        u32 end = kNone;     ///< index of ends
        u32 before = kNone;  ///< indices of states
        u32 after = kNone;
        Stimulus stimulus = Stimulus::Segment;
        Verdict verdict = Verdict::None;
        std::optional<Drop> drop;  ///< of a frame, too, that reached no connection
        AnalysisSet analysis;      ///< of a capture's Sent: Wireshark's words for it

        friend bool operator==(const Step&, const Step&) = default;
    };

    /// An author's words in another language; what is empty there stays in English.
    struct Translation {
        std::string title;
        std::vector<std::string> watch;
        std::vector<std::string> summary;
        friend bool operator==(const Translation&, const Translation&) = default;
    };

    Source source = Source::Lab;
    std::string name;                  ///< of the lab; the URL; the capture's file name
    std::string title;                 ///< one line
    std::vector<std::string> watch;    ///< lines: what to look for
    std::vector<std::string> scene;    ///< lines: who there is
    std::vector<std::string> summary;  ///< lines: what there was to see
    Translation chinese;               ///< of title, watch and summary
    u64 seed = 1;
    TimePoint start{};  ///< what the times of steps count from; deadlines in states do not
    /// Of a lab: packets of these addresses are many alike, and may be summed up.
    std::optional<Ipv4Prefix> strangers;

    std::vector<Host> hosts;
    std::vector<Lifeline> lifelines;  ///< in the order in which they are drawn
    std::vector<std::string> links;
    std::vector<Frame> frames;
    std::vector<End> ends;
    std::vector<TcpSnapshot> states;
    std::vector<FlowEvent> flows;
    std::vector<Rewrite> rewrites;
    std::vector<Step> steps;  ///< in the order in which they happened

    const std::string& title_in(Language language) const {
        return language == Language::English || chinese.title.empty() ? title : chinese.title;
    }
    const std::vector<std::string>& watch_in(Language language) const {
        return language == Language::English || chinese.watch.empty() ? watch : chinese.watch;
    }
    const std::vector<std::string>& summary_in(Language language) const {
        return language == Language::English || chinese.summary.empty() ? summary : chinese.summary;
    }
    static const std::string& text_in(const Step& step, Language language) {
        return language == Language::English || step.chinese.empty() ? step.text : step.chinese;
    }
};

}  // namespace tapestry
