#include <algorithm>
#include <cstdio>

#include "apps/router/iptables_line.h"

/// Rules in iptables' own two notations. The long one, of `iptables-save`, can be read back; the
/// columns of `-L -n -v` are for eyes and for scripts that know them.

namespace tapestry {
namespace {

std::string name_of(std::span<const IptablesName> names, u8 value) {
    for (const IptablesName& known : names) {
        if (known.value == value) return std::string(known.name);
    }
    return "";
}

/// "SYN,ACK": the names of the bits that are set.
std::string bits(std::span<const IptablesName> names, u8 value) {
    std::string text;
    for (const IptablesName& known : names) {
        if ((value & known.value) == 0) continue;
        text += (text.empty() ? "" : ",") + std::string(known.name);
    }
    return text.empty() ? "NONE" : text;
}

std::string range(const PortRange& ports, char between) {
    std::string text = std::to_string(ports.first);
    if (ports.last != ports.first) text += between + std::to_string(ports.last);
    return text;
}

std::string list(const std::vector<PortRange>& ports) {
    std::string text;
    for (const PortRange& one : ports) text += (text.empty() ? "" : ",") + range(one, ':');
    return text;
}

std::string rate(const RateLimit& limit) {
    std::string_view unit = "day";
    if (limit.period() <= 3600s) unit = "hour";
    if (limit.period() <= 60s) unit = "min";
    if (limit.period() <= 1s) unit = "sec";
    return std::to_string(limit.count()) + '/' + std::string(unit);
}

std::string protocol_name(IpProtocol protocol) {
    const std::string name = flow_protocol_name(protocol);
    return name == "unknown" ? std::to_string(static_cast<unsigned>(protocol)) : name;
}

/// "203.0.113.5-203.0.113.9:1024-2000".
std::string translation(const Rule& rule) {
    std::string text = rule.to.first.to_string();
    if (rule.to.last != rule.to.first) text += '-' + rule.to.last.to_string();
    if (rule.to_ports) text += ':' + range(*rule.to_ports, '-');
    return text;
}

/// In quotes, unless it is one simple word.
std::string quoted(std::string_view text) {
    const bool simple = !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '-';
    });
    if (simple && text.front() != '-') return std::string(text);
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

/// " ! --sport 80"; nothing when it is not asked for.
template <typename T, typename Print>
std::string said(const std::optional<Negatable<T>>& wanted, std::string_view option, Print print) {
    if (!wanted) return "";
    return std::string(wanted->negated ? " ! " : " ") + std::string(option) + ' ' +
           print(wanted->value);
}

std::string save_transport(const RuleMatch& match) {
    const auto ports = [](const PortRange& p) { return range(p, ':'); };
    std::string text;
    if (match.source_port || match.destination_port || match.tcp_flags || match.icmp) {
        text += " -m " + protocol_name(match.protocol->value);
    }
    text += said(match.source_port, "--sport", ports);
    text += said(match.destination_port, "--dport", ports);
    text += said(match.tcp_flags, "--tcp-flags", [](const TcpFlagMatch& flags) {
        return bits(tcp_flag_names(), flags.mask) + ' ' + bits(tcp_flag_names(), flags.set);
    });
    text += said(match.icmp, "--icmp-type", [](const IcmpMatch& icmp) {
        const std::string type = std::to_string(static_cast<unsigned>(icmp.type));
        return icmp.code ? type + '/' + std::to_string(*icmp.code) : type;
    });
    return text;
}

std::string save_match(const RuleMatch& match) {
    const auto prefix = [](const Ipv4Prefix& p) { return p.to_string(); };
    const auto same = [](const std::string& name) { return name; };
    std::string text = said(match.source, "-s", prefix) + said(match.destination, "-d", prefix) +
                       said(match.in, "-i", same) + said(match.out, "-o", same) +
                       said(match.protocol, "-p", protocol_name) + save_transport(match);
    if (!match.source_ports.empty() || !match.destination_ports.empty()) text += " -m multiport";
    if (!match.source_ports.empty()) text += " --sports " + list(match.source_ports);
    if (!match.destination_ports.empty()) text += " --dports " + list(match.destination_ports);
    if (match.state) {
        text += " -m conntrack" + said(match.state, "--ctstate", [](u8 states) {
                    return bits(connection_state_names(), states);
                });
    }
    if (match.limit) {
        text += " -m limit --limit " + rate(*match.limit);
        if (match.limit->burst() != kDefaultBurst) {
            text += " --limit-burst " + std::to_string(match.limit->burst());
        }
    }
    return text;
}

std::string save_target(const Rule& rule) {
    if (rule.target == Target::None) return "";
    std::string text = " -j " + name_of(target_names(), static_cast<u8>(rule.target));
    if (rule.target == Target::Snat) text += " --to-source " + translation(rule);
    if (rule.target == Target::Dnat) text += " --to-destination " + translation(rule);
    if (rule.target == Target::Masquerade && rule.to_ports) {
        text += " --to-ports " + range(*rule.to_ports, '-');
    }
    if (rule.target == Target::Reject) {
        text += " --reject-with " + name_of(reject_names(), static_cast<u8>(rule.reject_with));
    }
    return text;
}

std::string policy_name(const RuleChain& chain) {
    return name_of(target_names(), static_cast<u8>(chain.policy()));
}

/// Text of a fixed width at least, or as printf would have it.
template <typename... Values>
std::string format(const char* pattern, Values... values) {
    char buffer[128];
    const int size = std::snprintf(buffer, sizeof buffer, pattern, values...);
    return std::string(buffer, std::min(sizeof buffer - 1, static_cast<std::size_t>(size)));
}

/// Above 99999 in thousands, then in millions ...
std::string counter(u64 value) {
    if (value <= 99999) return std::to_string(value);
    constexpr std::string_view kUnits = "KMGT";
    for (const char unit : kUnits) {
        value = (value + 500) / 1000;
        if (value <= 9999 || unit == kUnits.back()) return std::to_string(value) + unit;
    }
    return "";
}

/// "!10.0.0.0/8"; a single host goes without its /32.
std::string column(const std::optional<Negatable<Ipv4Prefix>>& prefix) {
    if (!prefix || prefix->value.length == 0) return " 0.0.0.0/0";
    const Ipv4Prefix& value = prefix->value;
    return (prefix->negated ? "!" : " ") +
           (value.length == 32 ? value.address.to_string() : value.to_string());
}

std::string column(const std::optional<Negatable<std::string>>& name) {
    return name ? (name->negated ? "!" : "") + name->value : "*";
}

std::string list_ports(std::string_view name, const std::optional<Negatable<PortRange>>& ports) {
    if (!ports) return "";
    const bool one = ports->value.first == ports->value.last;
    return ' ' + std::string(name) + (one ? ":" : "s:") + (ports->negated ? "!" : "") +
           range(ports->value, ':');
}

std::string list_transport(const RuleMatch& match) {
    std::string text;
    if (match.source_port || match.destination_port || match.tcp_flags) {
        text += ' ' + protocol_name(match.protocol->value);
    }
    text += list_ports("spt", match.source_port) + list_ports("dpt", match.destination_port);
    if (match.tcp_flags) {
        const TcpFlagMatch& flags = match.tcp_flags->value;
        text += format(match.tcp_flags->negated ? " flags:!0x%02X/0x%02X" : " flags:0x%02X/0x%02X",
                       unsigned{flags.mask}, unsigned{flags.set});
    }
    if (match.icmp) {
        const IcmpMatch& icmp = match.icmp->value;
        text += match.icmp->negated ? " icmp !type " : " icmptype ";
        text += std::to_string(static_cast<unsigned>(icmp.type));
        if (icmp.code) text += " code " + std::to_string(*icmp.code);
    }
    return text;
}

/// What stands behind the columns.
std::string list_extras(const Rule& rule) {
    const RuleMatch& match = rule.match;
    std::string text = list_transport(match);
    if (!match.source_ports.empty()) text += " multiport sports " + list(match.source_ports);
    if (!match.destination_ports.empty()) {
        text += " multiport dports " + list(match.destination_ports);
    }
    if (match.state) {
        text += std::string(match.state->negated ? " ! ctstate " : " ctstate ") +
                bits(connection_state_names(), match.state->value);
    }
    if (match.limit) {
        text +=
            " limit: avg " + rate(*match.limit) + " burst " + std::to_string(match.limit->burst());
    }
    if (!rule.comment.empty()) text += " /* " + rule.comment + " */";
    if (rule.target == Target::Snat || rule.target == Target::Dnat) {
        text += " to:" + translation(rule);
    }
    if (rule.target == Target::Masquerade && rule.to_ports) {
        text += " masq ports: " + range(*rule.to_ports, '-');
    }
    if (rule.target == Target::Reject) {
        text += " reject-with " + name_of(reject_names(), static_cast<u8>(rule.reject_with));
    }
    return text;
}

std::string list_rule(const Rule& rule) {
    const auto& protocol = rule.match.protocol;
    const std::string target = name_of(target_names(), static_cast<u8>(rule.target));
    std::string line = format("%5s ", counter(rule.packets).c_str()) +
                       format("%5s ", counter(rule.bytes).c_str()) +
                       format("%-9s ", target.c_str()) +
                       (protocol && protocol->negated ? '!' : ' ') +
                       format("%-5s", protocol ? protocol_name(protocol->value).c_str() : "all") +
                       "-- " + format(" %-6s ", column(rule.match.in).c_str()) +
                       format("%-6s ", column(rule.match.out).c_str()) +
                       format("%-20s ", column(rule.match.source).c_str()) +
                       format("%-20s ", column(rule.match.destination).c_str()) + list_extras(rule);
    line.resize(line.find_last_not_of(' ') + 1);
    return line + '\n';
}

}  // namespace

std::string to_string(Chain chain, const Rule& rule) {
    std::string text = "-A ";
    for (const IptablesChain& known : iptables_chains()) {
        if (known.chain == chain) text += known.name;
    }
    text += save_match(rule.match);
    if (!rule.comment.empty()) text += " -m comment --comment " + quoted(rule.comment);
    return text + save_target(rule);
}

std::string iptables_save(const Forwarder& forwarder, bool counters) {
    const auto pair = [](u64 packets, u64 bytes) {
        return '[' + std::to_string(packets) + ':' + std::to_string(bytes) + ']';
    };
    std::string text;
    for (const std::string_view table : {"nat", "filter"}) {
        text += '*' + std::string(table) + '\n';
        for (const IptablesChain& known : iptables_chains()) {
            if (known.table != table) continue;
            const RuleChain& chain = forwarder.chain(known.chain);
            text += ':' + std::string(known.name) + ' ' + policy_name(chain) + ' ' +
                    pair(chain.policy_packets(), chain.policy_bytes()) + '\n';
        }
        for (const IptablesChain& known : iptables_chains()) {
            if (known.table != table) continue;
            for (const Rule& rule : forwarder.chain(known.chain).rules()) {
                if (counters) text += pair(rule.packets, rule.bytes) + ' ';
                text += to_string(known.chain, rule) + '\n';
            }
        }
        text += "COMMIT\n";
    }
    return text;
}

std::string iptables_list(const Forwarder& forwarder, std::string_view table) {
    std::string text;
    for (const IptablesChain& known : iptables_chains()) {
        if (known.table != table) continue;
        const RuleChain& chain = forwarder.chain(known.chain);
        if (!text.empty()) text += '\n';
        text += "Chain " + std::string(known.name) + " (policy " + policy_name(chain) + ' ' +
                counter(chain.policy_packets()) + " packets, " + counter(chain.policy_bytes()) +
                " bytes)\n pkts bytes target     prot opt in     out     source               "
                "destination\n";
        for (const Rule& rule : chain.rules()) text += list_rule(rule);
    }
    return text;
}

}  // namespace tapestry
