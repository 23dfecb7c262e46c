#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// A field of a packet that a router has changed.
struct Rewrite {
    std::string field;  ///< "src", "dst", "ttl"
    std::string before;
    std::string after;
    friend bool operator==(const Rewrite&, const Rewrite&) = default;
};

/// What a frame says; for people and for scripts.
struct FrameFacts {
    enum class Kind : u8 { Tcp, Udp, Icmp, ArpRequest, ArpReply, Other };
    Kind kind = Kind::Other;
    std::string link;         ///< on which it was
    std::string notation;     ///< all of it: "S 0:0(0) win 65535 <mss 1460>"
    std::string brief;        ///< the same without what has been said before, or can be missed
    std::string role;         ///< "1 of 3", "again"
    std::string quote;        ///< the first line of a text in it
    std::string source;       ///< "192.168.3.10:49152"
    std::string destination;  ///< of ARP: who is asked for
    u32 length = 0;           ///< bytes of payload
    u8 ttl = 0;
    u32 conversation = 0;  ///< frames of one connection on one link have the same number
    bool first = false;    ///< of its conversation
    bool plain = false;    ///< only data, or only an acknowledgment
    std::string lost;      ///< why it does not arrive; "": it does
};

/// One thing that happened in a network of machines. Plain data, good for ever.
struct Step {
    enum class Kind : u8 {
        Frame,    ///< a frame leaves `from` for `to`
        Rewrite,  ///< a packet is changed on its way through a router
        Flow,     ///< a row of a router's table begins, changes or goes
        Drop,     ///< a packet is refused
        Call,     ///< an application asks for something
        Result,   ///< what came of it, or what a server says
        State,    ///< a connection's state has changed
        Timer,    ///< a connection does something by itself, or changes its mind
        Network,  ///< somebody does something to the network
        Note,     ///< words of the author
    };
    Kind kind = Kind::Note;
    TimePoint time{};
    std::size_t from = 0;  ///< index of a lifeline: where it happens
    std::size_t to = 0;    ///< of a frame and a rewrite: where it goes
    std::string text;      ///< all but frames and flows

    std::optional<FrameFacts> frame;
    std::vector<Rewrite> rewrites;
    std::optional<FlowEvent> flow;
    std::optional<Drop> drop;
    std::string rule;     ///< the RFC's section that says so, or ""
    bool first = false;   ///< of a rewrite: the first of its conversation in this direction
    std::string routine;  ///< one of many alike, and their name: "segment"; "": by itself
};

/// "frame", "flow": for JSON.
std::string_view name(Step::Kind kind);

/// A run of a network from its beginning to its end, and what is to be known about it. Everything
/// that is shown of it is made from this: the ladder, JSON, single steps.
struct Story {
    std::string name;
    std::string title;
    std::vector<std::string> watch;  ///< lines: what to look for
    std::vector<std::string> scene;  ///< lines: who there is
    std::vector<Lifeline> lifelines;
    std::vector<Step> steps;
    std::vector<std::string> summary;  ///< lines: what there was to see
    u64 seed = 1;
    Language language = Language::English;
};

/// A row of a router's table in the order in which a packet of the opener meets it; `<->` stands where
/// the router changes one for the other:
///
///     tcp 192.168.3.10:49152 <-> 203.0.113.5:49152 -> 93.184.216.34:80
std::string flow_row(const FlowSnapshot& flow);
/// "NAT + tcp ...": what has become of a row.
std::string flow_text(const FlowEvent& event, Language language = Language::English);
/// "src 192.168.3.10:49152 -> 203.0.113.5:49152   ttl 64->63"
std::string rewrite_text(const std::vector<Rewrite>& rewrites);
/// "2 h 4 min", "40 s", "500 ms": for people.
std::string duration_text(Duration duration);

}  // namespace tapestry
