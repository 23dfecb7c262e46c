#include "apps/router/iptables_line.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "apps/nearest.h"

/// Theory of operation. A line is read from the left to the right, each option by a small function
/// that finds its value and puts it into the draft; whether the options fit together is asked when all
/// are known (iptables_check.cpp), because they may stand in any order.

namespace tapestry {
namespace {

/// What an option is called, and what it does to the draft.
struct Option {
    using Read = void (*)(IptablesDraft&, IptablesWords&, const IptablesWord& option, bool negated);
    std::string_view name;
    std::array<std::string_view, 2> others;
    bool negatable;
    Read read;
};

void set_command(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                 IptablesLine::Command command) {
    if (draft.line.command != IptablesLine::Command::Append || draft.chain) {
        refuse_word(option, "one command in a line: -A, -I, -P or -F");
    }
    draft.line.command = command;
    if (command == IptablesLine::Command::Flush &&
        (words.empty() || words.peek()->text.starts_with('-'))) {
        return;
    }
    draft.chain = words.value(option, "the name of a chain");
}

void read_append(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    set_command(draft, words, option, IptablesLine::Command::Append);
}

void read_insert(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    set_command(draft, words, option, IptablesLine::Command::Insert);
    const IptablesWord* next = words.peek();
    if (next == nullptr || next->text.starts_with('-') || next->text == "!") return;
    draft.line.place_word = words.take();
    draft.line.place = read_number(draft.line.place_word, 1, 1000000);
}

void read_policy(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    set_command(draft, words, option, IptablesLine::Command::Policy);
    draft.policy = words.value(option, "ACCEPT or DROP behind the chain");
}

void read_flush(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    set_command(draft, words, option, IptablesLine::Command::Flush);
}

void read_table(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    draft.table = words.value(option, "nat or filter");
}

/// 0.0.0.0/0 says nothing, and is not said again when rules are printed.
void set_prefix(std::optional<Negatable<Ipv4Prefix>>& into, const IptablesWord& word, bool no) {
    const Ipv4Prefix prefix = read_prefix(word);
    if (prefix.length == 0 && no) refuse_word(word, "no address is outside of " + word.text);
    if (prefix.length != 0) into = {prefix, no};
}

void read_source(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool no) {
    set_prefix(draft.line.rule.match.source, words.value(option, "an address"), no);
}

void read_destination(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                      bool no) {
    set_prefix(draft.line.rule.match.destination, words.value(option, "an address"), no);
}

void read_in(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool no) {
    draft.line.rule.match.in = {read_interface(words.value(option, "an interface")), no};
}

void read_out(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool no) {
    draft.line.rule.match.out = {read_interface(words.value(option, "an interface")), no};
}

void read_protocol_option(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                          bool no) {
    const IptablesWord& word = words.value(option, "tcp, udp, icmp, all or a number");
    const auto protocol = read_protocol(word);
    if (!protocol && no) refuse_word(word, "no packet is of no protocol: leave out \"! -p all\"");
    if (protocol) draft.line.rule.match.protocol = {*protocol, no};
}

void read_jump(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    draft.target = words.value(option, "a target like ACCEPT");
}

void read_match(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    constexpr std::array<std::string_view, 8> kKnown{"tcp",       "udp",   "icmp",  "multiport",
                                                     "conntrack", "state", "limit", "comment"};
    const IptablesWord& word = words.value(option, "the name of a match");
    if (std::ranges::find(kKnown, word.text) == kKnown.end()) {
        refuse_word(
            word, expected("tcp, udp, icmp, multiport, conntrack, state, limit or comment", word));
    }
    draft.modules.emplace(word.text, word);
}

void read_source_port(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                      bool no) {
    draft.line.rule.match.source_port = {read_ports(words.value(option, "a port")), no};
}

void read_destination_port(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                           bool no) {
    draft.line.rule.match.destination_port = {read_ports(words.value(option, "a port")), no};
}

void read_source_ports(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                       bool) {
    draft.line.rule.match.source_ports = read_port_list(words.value(option, "ports"));
}

void read_destination_ports(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                            bool) {
    draft.line.rule.match.destination_ports = read_port_list(words.value(option, "ports"));
}

void read_syn(IptablesDraft& draft, IptablesWords&, const IptablesWord&, bool no) {
    constexpr u8 kLooked = TcpFlags::kFin | TcpFlags::kSyn | TcpFlags::kRst | TcpFlags::kAck;
    draft.line.rule.match.tcp_flags = {{kLooked, TcpFlags::kSyn}, no};
}

void read_flags(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool no) {
    const u8 mask = read_tcp_flags(words.value(option, "the flags to look at"));
    const IptablesWord& word = words.value(option, "the flags that must be set");
    const u8 set = read_tcp_flags(word);
    if ((set & ~mask) != 0) {
        refuse_word(word, "not all of " + word.text + " are among the flags to look at, so no " +
                              "packet can match: name them in the first list, too");
    }
    draft.line.rule.match.tcp_flags = {{mask, set}, no};
}

void read_icmp(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool no) {
    const IptablesWord& word = words.value(option, "a type");
    const auto type = read_icmp_type(word);
    if (!type && no) refuse_word(word, "no message is of no type: leave out \"! --icmp-type any\"");
    if (type) draft.line.rule.match.icmp = {*type, no};
}

void read_state(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool no) {
    draft.line.rule.match.state = {read_states(words.value(option, "NEW, ESTABLISHED ...")), no};
}

void read_limit_option(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                       bool) {
    draft.line.rule.match.limit = read_limit(words.value(option, "a rate like 5/min"));
}

void read_burst(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    draft.burst = read_number(words.value(option, "a number"), 1, 10000);
}

void read_comment(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    constexpr std::size_t kMaxComment = 255;
    const IptablesWord& word = words.value(option, "a text");
    if (word.text.size() > kMaxComment) refuse_word(word, "a comment has 255 characters at most");
    draft.line.rule.comment = word.text;
}

void translate(IptablesDraft& draft, const IptablesWord& word) {
    const Translation translation = read_translation(word);
    draft.line.rule.to = translation.to;
    draft.line.rule.to_ports = translation.ports;
    if (translation.ports) draft.ports_of_target = word;
}

void read_to_source(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    translate(draft, words.value(option, "an address"));
}

void read_to_ports(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option, bool) {
    const IptablesWord& word = words.value(option, "ports like 1024-2000");
    draft.line.rule.to_ports = read_target_ports(word, word.text);
    draft.ports_of_target = word;
}

void read_reject_with(IptablesDraft& draft, IptablesWords& words, const IptablesWord& option,
                      bool) {
    draft.line.rule.reject_with = read_reject(words.value(option, "an answer"));
}

constexpr Option kOptions[] = {
    {"--append", {"-A"}, false, read_append},
    {"--insert", {"-I"}, false, read_insert},
    {"--policy", {"-P"}, false, read_policy},
    {"--flush", {"-F"}, false, read_flush},
    {"--table", {"-t"}, false, read_table},
    {"--source", {"-s", "--src"}, true, read_source},
    {"--destination", {"-d", "--dst"}, true, read_destination},
    {"--in-interface", {"-i"}, true, read_in},
    {"--out-interface", {"-o"}, true, read_out},
    {"--protocol", {"-p", "--proto"}, true, read_protocol_option},
    {"--jump", {"-j"}, false, read_jump},
    {"--match", {"-m"}, false, read_match},
    {"--source-port", {"--sport"}, true, read_source_port},
    {"--destination-port", {"--dport"}, true, read_destination_port},
    {"--source-ports", {"--sports"}, false, read_source_ports},
    {"--destination-ports", {"--dports"}, false, read_destination_ports},
    {"--syn", {}, true, read_syn},
    {"--tcp-flags", {}, true, read_flags},
    {"--icmp-type", {}, true, read_icmp},
    {"--ctstate", {"--state"}, true, read_state},
    {"--limit", {}, false, read_limit_option},
    {"--limit-burst", {}, false, read_burst},
    {"--comment", {}, false, read_comment},
    {"--to-source", {}, false, read_to_source},
    {"--to-destination", {}, false, read_to_source},
    {"--to-ports", {}, false, read_to_ports},
    {"--reject-with", {}, false, read_reject_with},
};

/// What iptables knows and we do not, and what to do instead.
constexpr std::array<std::string_view, 2> kUnknown[] = {
    {"-N", "chains of one's own are not known: put the rules into the chain itself"},
    {"--new-chain", "chains of one's own are not known: put the rules into the chain itself"},
    {"-X", "chains of one's own are not known: there is nothing to delete; -F empties a chain"},
    {"-g", "chains of one's own are not known: use -j with a target"},
    {"-D", "single rules are not deleted: leave out the line that adds it, or empty with -F"},
    {"--delete", "single rules are not deleted: leave out the line that adds it, or empty with -F"},
    {"-R", "rules are not replaced: change the line that adds it"},
    {"-C", "-C asks, and changes nothing: see the rules with tapestry nat --rules"},
    {"-L", "-L lists, and changes nothing: see the rules with tapestry nat --rules"},
    {"-S", "-S lists, and changes nothing: see the rules with tapestry nat --save"},
    {"-Z", "counters begin at zero, and stay: leave the line out"},
    {"-E", "chains of one's own are not known: there is nothing to rename"},
    {"-f", "the rules see whole packets, put together from their fragments: leave -f out"},
    {"--fragment", "the rules see whole packets, put together from their fragments: leave it out"},
    {"-6", "only IPv4 is known"},
    {"--random", "ports are chosen at random where the host's own is taken: leave --random out"},
    {"--random-fully", "ports are chosen at random where the host's own is taken: leave it out"},
    {"--persistent", "a host keeps its outside address as it is: leave --persistent out"},
    {"--ports", "say --sports or --dports"},
    {"--to", "say --to-source or --to-destination"},
};

[[noreturn]] void refuse_unknown(const IptablesWord& word) {
    for (const auto& [name, why] : kUnknown) {
        if (word.text == name) refuse_word(word, std::string(why));
    }
    if (!word.text.starts_with('-')) {
        refuse_word(word, "expected an option, found \"" + word.text + '"');
    }
    std::vector<std::string_view> names;
    for (const Option& option : kOptions) {
        names.push_back(option.name);
        for (const std::string_view other : option.others) {
            if (other.starts_with("--")) names.push_back(other);
        }
    }
    refuse_word(word, "the option is not known" + did_you_mean(word.text, names));
}

const Option& find_option(const IptablesWord& word) {
    for (const Option& option : kOptions) {
        if (word.text == option.name) return option;
        if (!word.text.empty() &&
            std::ranges::find(option.others, word.text) != option.others.end())
            return option;
    }
    refuse_unknown(word);
}

/// "[packets:bytes]", as iptables-save -c begins its lines.
void read_counters(const IptablesWord& word, Rule& rule) {
    unsigned long long packets = 0;
    unsigned long long bytes = 0;
    if (std::sscanf(word.text.c_str(), "[%llu:%llu]", &packets, &bytes) != 2) {
        refuse_word(word, expected("counters like [12:3456]", word));
    }
    rule.packets = packets;
    rule.bytes = bytes;
}

void skip_command_name(IptablesWords& words) {
    if (!words.empty() && words.peek()->text == "sudo") words.take();
    if (!words.empty() && words.peek()->text == "iptables") words.take();
}

}  // namespace

IptablesLine read_iptables_line(std::string_view line) {
    IptablesWords words(line);
    IptablesDraft draft;
    skip_command_name(words);
    if (!words.empty() && words.peek()->text.starts_with('[')) {
        read_counters(words.take(), draft.line.rule);
    }
    while (!words.empty()) {
        IptablesWord word = words.take();
        const bool negated = word.text == "!";
        if (negated) word = words.value(word, "an option behind it");
        const Option& option = find_option(word);
        if (negated && !option.negatable) {
            refuse_word(word, "there is no ! " + word.text + " here: leave out the !");
        }
        const bool again = !draft.options.emplace(option.name, word).second;
        if (again && option.name != "--match") refuse_word(word, word.text + " is said twice");
        option.read(draft, words, word, negated);
    }
    check_iptables_draft(draft);
    return std::move(draft.line);
}

}  // namespace tapestry
