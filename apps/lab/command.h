#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "apps/http/url.h"
#include "stack/base/time.h"
#include "stack/wire/address.h"

namespace tapestry {

/// What a line of a lab's timeline can say; docs/labs.md explains each.
enum class Verb : u8 {
    // for a machine
    Serve,
    Echo,
    Listen,
    Pause,
    Resume,
    Get,
    Connect,
    Send,
    Close,
    Ping,
    Traceroute,
    Flood,
    Iptables,
    Table,
    // for the network, or nobody
    Cut,
    Restore,
    Lose,
    Wait,
    Say,
};

/// Which packets a `lose` is about.
enum class LoseKind : u8 { Any, Syn, Data, Ack };

/// One line of a timeline, read and checked. Which members count depends on the verb.
struct Command {
    Verb verb = Verb::Wait;
    std::string line;                    ///< as it was written, without the machine's name
    std::size_t machine = 0;             ///< index in Scenario::machines, of the verbs for one
    std::size_t interface = 0;           ///< of Lose
    std::size_t link = 0;                ///< of Cut and Restore
    std::vector<Url> urls;               ///< of Get
    Endpoint remote;                     ///< of Connect, Ping, Traceroute, Flood
    u16 port = 0;                        ///< of servers; of Get and Connect: the local one, 0: any
    u32 count = 0;                       ///< of Ping, Traceroute (hops), Flood, Lose
    u32 rate = 1000;                     ///< of Flood: a second
    u32 skip = 0;                        ///< of Lose: so many of that kind pass before
    LoseKind kind = LoseKind::Any;       ///< of Lose
    Duration time{};                     ///< of Wait; of Ping: from one to the next
    std::optional<Duration> within;      ///< patience of Get, Connect, Send, Ping
    std::optional<Duration> keep_alive;  ///< of Connect: when probes begin
    std::string text;                    ///< of Send, Say, Iptables
    std::size_t text_column = 0;         ///< where the text begins in the line as written, from 0
    bool paused = false;                 ///< of Listen
    bool background = false;             ///< the next line does not wait for this one
};

/// Why a line cannot be read.
struct CommandError {
    std::size_t column = 0;  ///< from 0
    std::string message;     ///< "expected ..., not ..."
};

/// Whom a command may name: machines with their interfaces' addresses, and links.
struct CommandNames {
    struct Machine {
        std::string name;
        bool router = false;
        std::vector<std::string> interfaces;
        std::vector<Ipv4Address> addresses;
    };
    std::vector<Machine> machines;
    std::vector<std::string> links;
};

std::expected<Command, CommandError> parse_command(std::string_view line,
                                                   const CommandNames& names);

}  // namespace tapestry
