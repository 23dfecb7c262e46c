#include <algorithm>

#include "apps/router/iptables_line.h"

namespace tapestry {
namespace {

using Command = IptablesLine::Command;

constexpr IptablesChain kChains[] = {{"PREROUTING", "nat", Chain::Prerouting},
                                     {"POSTROUTING", "nat", Chain::Postrouting},
                                     {"INPUT", "filter", Chain::Input},
                                     {"FORWARD", "filter", Chain::Forward},
                                     {"OUTPUT", "filter", Chain::Output}};

const IptablesWord* find(const IptablesDraft& draft, std::string_view option) {
    const auto found = draft.options.find(option);
    return found == draft.options.end() ? nullptr : &found->second;
}

void check_table(IptablesDraft& draft) {
    draft.line.table = "filter";
    if (!draft.table) return;
    if (draft.table->text == "nat") {
        draft.line.table = "nat";
    } else if (draft.table->text != "filter") {
        refuse_word(*draft.table,
                    expected("nat or filter", *draft.table) + "; other tables are not known");
    }
}

void check_chain(IptablesDraft& draft) {
    if (!draft.chain) {
        if (draft.line.command == Command::Flush) return;
        throw IptablesRefusal({0, "", "expected -A, -I, -P or -F, and a chain"});
    }
    const IptablesWord& word = *draft.chain;
    for (const IptablesChain& known : kChains) {
        if (known.name != word.text) continue;
        draft.line.chain = known.chain;
        if (known.table == draft.line.table) return;
        if (known.table == "nat") {
            refuse_word(word, word.text + " is a chain of the nat table: add -t nat");
        }
        refuse_word(word, "the nat table has PREROUTING and POSTROUTING here, and no " + word.text +
                              ": leave out -t nat for a rule of the filter table");
    }
    const std::string own =
        draft.line.table == "nat" ? "PREROUTING or POSTROUTING" : "INPUT, FORWARD or OUTPUT";
    refuse_word(word, expected(own, word) + "; chains of one's own are not known");
}

void check_policy(IptablesDraft& draft) {
    const IptablesWord& word = *draft.policy;
    if (word.text == "ACCEPT") {
        draft.line.policy = Target::Accept;
    } else if (word.text != "DROP") {
        refuse_word(word, expected("ACCEPT or DROP", word) +
                              "; end the chain with a rule to answer otherwise");
    } else if (draft.line.table == "nat") {
        refuse_word(word, "the nat table does not filter: DROP in FORWARD or INPUT");
    } else {
        draft.line.policy = Target::Drop;
    }
}

/// -P and -F have nothing to do with rules.
void check_nothing_else(const IptablesDraft& draft) {
    for (const auto& [name, word] : draft.options) {
        if (name == "--table" || name == "--policy" || name == "--flush") continue;
        refuse_word(word, word.text + " is for rules: use -A or -I");
    }
}

bool speaks(const IptablesDraft& draft, std::initializer_list<IpProtocol> protocols) {
    const auto& said = draft.line.rule.match.protocol;
    return said && !said->negated && std::ranges::find(protocols, said->value) != protocols.end();
}

void check_protocol(const IptablesDraft& draft) {
    const bool tcp = speaks(draft, {IpProtocol::Tcp});
    const bool ports = tcp || speaks(draft, {IpProtocol::Udp});
    const bool icmp = speaks(draft, {IpProtocol::Icmp});
    const auto needs = [&](std::string_view option, bool met, const std::string& what) {
        const IptablesWord* word = find(draft, option);
        if (word != nullptr && !met) refuse_word(*word, word->text + " needs " + what);
    };
    for (const auto* option :
         {"--source-port", "--destination-port", "--source-ports", "--destination-ports"}) {
        needs(option, ports, "-p tcp or -p udp");
    }
    needs("--syn", tcp, "-p tcp");
    needs("--tcp-flags", tcp, "-p tcp");
    needs("--icmp-type", icmp, "-p icmp");
    if (draft.ports_of_target && !ports) {
        refuse_word(*draft.ports_of_target, "a translation with ports needs -p tcp or -p udp");
    }
    for (const auto& [module, protocol] : {std::pair{"tcp", IpProtocol::Tcp},
                                           {"udp", IpProtocol::Udp},
                                           {"icmp", IpProtocol::Icmp}}) {
        const auto found = draft.modules.find(module);
        if (found != draft.modules.end() && !speaks(draft, {protocol})) {
            refuse_word(found->second, "-m " + found->first + " needs -p " + found->first);
        }
    }
    if (find(draft, "--syn") != nullptr && find(draft, "--tcp-flags") != nullptr) {
        refuse_word(*find(draft, "--syn"), "--syn is short for --tcp-flags: say one of them");
    }
}

/// An option of a match extension, and the extension.
struct Extension {
    std::string_view option;
    std::string_view module;
    std::string_view other;
    bool required;  ///< -m alone says nothing
};
constexpr Extension kExtensions[] = {
    {"--ctstate", "conntrack", "state", true},       {"--source-ports", "multiport", "", false},
    {"--destination-ports", "multiport", "", false}, {"--limit", "limit", "", false},
    {"--limit-burst", "limit", "", false},           {"--comment", "comment", "", true}};

void check_modules(IptablesDraft& draft) {
    const auto loaded = [&](std::string_view name) {
        const auto found = draft.modules.find(std::string(name));
        return found == draft.modules.end() ? nullptr : &found->second;
    };
    for (const Extension& extension : kExtensions) {
        const IptablesWord* word = find(draft, extension.option);
        const IptablesWord* module = loaded(extension.module);
        if (module == nullptr) module = loaded(extension.other);
        if (word != nullptr && module == nullptr) {
            const bool state = word->text == "--state";
            refuse_word(*word, word->text + " needs -m " +
                                   std::string(state ? extension.other : extension.module));
        }
        if (word == nullptr && module != nullptr && extension.required) {
            refuse_word(*module,
                        "-m " + module->text + " says nothing without its option --" +
                            std::string(module->text == "conntrack" ? "ctstate" : module->text));
        }
    }
    const IptablesWord* multiport = loaded("multiport");
    RuleMatch& match = draft.line.rule.match;
    if (multiport != nullptr && match.source_ports.empty() && match.destination_ports.empty()) {
        refuse_word(*multiport, "-m multiport says nothing without --sports or --dports");
    }
    if (loaded("limit") == nullptr) return;
    // xt_limit's own default: three in an hour.
    const RateLimit rate = match.limit.value_or(RateLimit(3, 3600s, kDefaultBurst));
    match.limit = RateLimit(rate.count(), rate.period(), draft.burst.value_or(rate.burst()));
}

void check_interfaces(const IptablesDraft& draft) {
    const Chain chain = *draft.line.chain;
    const std::string name = draft.chain->text;
    const IptablesWord* in = find(draft, "--in-interface");
    const IptablesWord* out = find(draft, "--out-interface");
    if (in != nullptr && (chain == Chain::Postrouting || chain == Chain::Output)) {
        refuse_word(*in, name + " sees packets on their way out: say -o, or use another chain");
    }
    if (out != nullptr && (chain == Chain::Prerouting || chain == Chain::Input)) {
        refuse_word(*out, name + " sees packets before they have a way out: say -i");
    }
}

/// Which targets belong where.
void check_place(const IptablesDraft& draft) {
    const IptablesWord& word = *draft.target;
    const Chain chain = *draft.line.chain;
    const bool nat = draft.line.table == "nat";
    switch (draft.line.rule.target) {
        case Target::Drop:
        case Target::Reject:
            if (nat) {
                refuse_word(word,
                            "the nat table does not filter: " + word.text + " in FORWARD or INPUT");
            }
            break;
        case Target::Snat:
        case Target::Masquerade:
            if (chain != Chain::Postrouting) {
                refuse_word(word, word.text + " belongs into -t nat -A POSTROUTING");
            }
            break;
        case Target::Dnat:
            if (chain != Chain::Prerouting) {
                refuse_word(word, "DNAT belongs into -t nat -A PREROUTING");
            }
            break;
        case Target::None:
        case Target::Accept:
        case Target::Return:
            break;
    }
}

void find_target(IptablesDraft& draft) {
    const IptablesWord& word = *draft.target;
    std::string known;
    for (const IptablesName& target : target_names()) {
        if (target.name == word.text) draft.line.rule.target = static_cast<Target>(target.value);
        known += (known.empty() ? "" : ", ") + std::string(target.name);
    }
    if (draft.line.rule.target != Target::None) return;
    std::string why = expected("one of " + known, word);
    if (word.text == "LOG") why += "; tapestry nat -E and pcap = show what passes";
    if (word.text == "REDIRECT") why += "; the router itself has no services";
    refuse_word(word, why);
}

/// An option of a target, and the target.
struct TargetOption {
    std::string_view option;
    std::string_view name;
    Target target;
    bool required;
};
constexpr TargetOption kTargetOptions[] = {{"--to-source", "SNAT", Target::Snat, true},
                                           {"--to-destination", "DNAT", Target::Dnat, true},
                                           {"--to-ports", "MASQUERADE", Target::Masquerade, false},
                                           {"--reject-with", "REJECT", Target::Reject, false}};

void check_target(IptablesDraft& draft) {
    if (draft.target) find_target(draft);
    const Target target = draft.line.rule.target;
    for (const TargetOption& known : kTargetOptions) {
        const IptablesWord* word = find(draft, known.option);
        const std::string option(known.option);
        if (word != nullptr && target != known.target) {
            refuse_word(*word, option + " needs -j " + std::string(known.name));
        }
        if (word == nullptr && target == known.target && known.required) {
            refuse_word(*draft.target, draft.target->text + " needs " + option + " and an address");
        }
    }
    if (draft.target) check_place(draft);
    if (target == Target::Reject && draft.line.rule.reject_with == RejectWith::TcpReset &&
        !speaks(draft, {IpProtocol::Tcp})) {
        refuse_word(*find(draft, "--reject-with"), "--reject-with tcp-reset needs -p tcp");
    }
}

}  // namespace

std::span<const IptablesChain> iptables_chains() { return kChains; }

void check_iptables_draft(IptablesDraft& draft) {
    check_table(draft);
    check_chain(draft);
    const Command command = draft.line.command;
    if (command == Command::Policy || command == Command::Flush) {
        check_nothing_else(draft);
        if (command == Command::Policy) check_policy(draft);
        return;
    }
    check_protocol(draft);
    check_modules(draft);
    check_interfaces(draft);
    check_target(draft);
}

}  // namespace tapestry
