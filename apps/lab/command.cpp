#include "apps/lab/command.h"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "apps/lab/command_reader.h"

/// How it works. The first word is a machine, and the second what it does, or the first is something
/// that is done to the network. Each verb has a function that reads the words behind it; a word that
/// does not fit is thrown as a CommandError, which parse_command() hands back.

namespace tapestry {
namespace {

using Parse = void (*)(CommandReader& in, Command& command);

struct Row {
    std::string_view word;
    Verb verb;
    Parse parse;
};

void parse_port(CommandReader& in, Command& command) { command.port = in.port(); }

void parse_listen(CommandReader& in, Command& command) {
    command.port = in.port();
    command.paused = in.take_if("paused");
}

/// What may stand behind most calls, in any order.
void parse_tail(CommandReader& in, Command& command, bool from, bool keep_alive) {
    while (!in.at_end()) {
        if (from && in.take_if("from")) {
            command.port = in.port();
        } else if (keep_alive && in.take_if("keep-alive")) {
            command.keep_alive = in.duration();
        } else if (in.take_if("within")) {
            command.within = in.duration();
        } else {
            in.unexpected(keep_alive ? "'from PORT', 'keep-alive TIME', 'within TIME' or the end"
                          : from     ? "'from PORT', 'within TIME' or the end"
                                     : "'within TIME' or the end");
        }
    }
}

void parse_get(CommandReader& in, Command& command) {
    command.urls.push_back(in.url());
    while (!in.at_end() && in.peek() != "from" && in.peek() != "within") {
        command.urls.push_back(in.url());
    }
    parse_tail(in, command, true, false);
}

void parse_connect(CommandReader& in, Command& command) {
    command.remote = in.endpoint();
    parse_tail(in, command, true, true);
}

void parse_send(CommandReader& in, Command& command) {
    command.text = in.data();
    parse_tail(in, command, false, false);
}

void parse_nothing(CommandReader& /*in*/, Command& /*command*/) {}

void parse_ping(CommandReader& in, Command& command) {
    command.remote.address = in.address();
    command.count = 3;
    command.time = 1s;
    while (!in.at_end()) {
        if (in.take_if("-c")) {
            command.count = in.number(1, 1000);
        } else if (in.take_if("-i")) {
            command.time = in.duration();
        } else if (in.take_if("within")) {
            command.within = in.duration();
        } else {
            in.unexpected("'-c COUNT', '-i TIME', 'within TIME' or the end");
        }
    }
}

void parse_traceroute(CommandReader& in, Command& command) {
    command.remote.address = in.address();
    command.count = in.take_if("-m") ? in.number(1, 64) : 16;
}

void parse_flood(CommandReader& in, Command& command) {
    command.remote = in.endpoint();
    command.count = in.number(1, 100000);
    if (!in.at_end()) {
        command.rate = in.number(1, 1000000);
        in.take("per");
        in.take("second");
    }
}

void parse_text(CommandReader& in, Command& command) {
    command.text_column = in.column();
    command.text = in.rest();
}

void parse_link(CommandReader& in, Command& command) {
    in.take_if("link");
    command.link = in.link();
}

void parse_lose(CommandReader& in, Command& command) {
    command.count = in.number(1, 1000);
    if (in.take_if("syn")) command.kind = LoseKind::Syn;
    if (in.take_if("data")) command.kind = LoseKind::Data;
    if (in.take_if("ack")) command.kind = LoseKind::Ack;
    if (command.kind == LoseKind::Any && in.peek() != "from") {
        in.unexpected("'syn', 'data', 'ack' or 'from MACHINE'");
    }
    in.take("from");
    std::tie(command.machine, command.interface) = in.interface();
    if (in.take_if("after")) command.skip = in.number(1, 100000);
}

void parse_wait(CommandReader& in, Command& command) { command.time = in.duration(); }

constexpr std::array kMachineVerbs{
    Row{"serve", Verb::Serve, parse_port},
    Row{"echo", Verb::Echo, parse_port},
    Row{"listen", Verb::Listen, parse_listen},
    Row{"pause", Verb::Pause, parse_port},
    Row{"resume", Verb::Resume, parse_port},
    Row{"get", Verb::Get, parse_get},
    Row{"connect", Verb::Connect, parse_connect},
    Row{"send", Verb::Send, parse_send},
    Row{"close", Verb::Close, parse_nothing},
    Row{"ping", Verb::Ping, parse_ping},
    Row{"traceroute", Verb::Traceroute, parse_traceroute},
    Row{"flood", Verb::Flood, parse_flood},
    Row{"iptables", Verb::Iptables, parse_text},
    Row{"table", Verb::Table, parse_nothing},
};
constexpr std::array kOtherVerbs{
    Row{"cut", Verb::Cut, parse_link},   Row{"restore", Verb::Restore, parse_link},
    Row{"lose", Verb::Lose, parse_lose}, Row{"wait", Verb::Wait, parse_wait},
    Row{"say", Verb::Say, parse_text},
};

const Row* find(std::span<const Row> rows, std::string_view word) {
    const auto found = std::ranges::find(rows, word, &Row::word);
    return found == rows.end() ? nullptr : &*found;
}

std::string words_of(std::span<const Row> rows) {
    std::string text;
    for (const Row& row : rows) text += (text.empty() ? "" : ", ") + std::string(row.word);
    return text;
}

Command parse(CommandReader& in, const CommandNames& names) {
    Command command;
    const Row* row = find(kOtherVerbs, in.peek());
    if (row != nullptr) {
        in.take(row->word);
        command.line = in.whole();
    } else {
        if (in.at_end() || !in.is_machine()) {
            std::string expected = "a machine (";
            for (const auto& machine : names.machines) expected += machine.name + ", ";
            expected.resize(expected.size() - 2);
            in.unexpected(expected + ") or " + words_of(kOtherVerbs));
        }
        command.machine = in.machine();
        command.line = in.rest_of_line();
        row = find(kMachineVerbs, in.peek());
        if (row == nullptr) in.unexpected("one of " + words_of(kMachineVerbs));
        const bool for_router = row->verb == Verb::Iptables || row->verb == Verb::Table;
        if (for_router && !names.machines[command.machine].router) {
            in.fail("only a router has '" + std::string(row->word) + "', and " +
                    names.machines[command.machine].name + " is a host");
        }
        in.take(row->word);
    }
    command.verb = row->verb;
    row->parse(in, command);
    if (!in.at_end()) in.unexpected("the end of the line");
    command.background = in.background();
    return command;
}

}  // namespace

std::expected<Command, CommandError> parse_command(std::string_view line,
                                                   const CommandNames& names) {
    try {
        CommandReader in(line, names);
        return parse(in, names);
    } catch (const CommandError& error) {
        return std::unexpected(error);
    }
}

}  // namespace tapestry
