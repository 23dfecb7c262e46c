#include "stack/ip/rule_chain.h"

#include <algorithm>

namespace tapestry {
namespace {

/// `test` of the value, the other way round behind a "!"; true when nothing is said.
template <typename T, typename Test>
bool holds(const std::optional<Negatable<T>>& wanted, const Test& test) {
    return !wanted || test(wanted->value) != wanted->negated;
}

/// iptables: "If the interface name ends in a "+", then any interface which begins with this name
/// will match."
bool is_interface(std::string_view name, std::string_view wanted) {
    if (wanted.ends_with('+')) return name.starts_with(wanted.substr(0, wanted.size() - 1));
    return name == wanted;
}

bool has_ports(IpProtocol protocol) {
    return protocol == IpProtocol::Tcp || protocol == IpProtocol::Udp;
}

bool any_contains(const std::vector<PortRange>& ranges, u16 port) {
    return ranges.empty() || std::ranges::any_of(ranges, [&](const PortRange& range) {
               return range.contains(port);
           });
}

bool ports_match(const RuleMatch& match, const FlowTuple& tuple) {
    const bool asked = match.source_port || match.destination_port || !match.source_ports.empty() ||
                       !match.destination_ports.empty();
    if (!asked) return true;
    if (!has_ports(tuple.protocol)) return false;
    const u16 from = tuple.source.port;
    const u16 to = tuple.destination.port;
    return holds(match.source_port, [&](const PortRange& r) { return r.contains(from); }) &&
           holds(match.destination_port, [&](const PortRange& r) { return r.contains(to); }) &&
           any_contains(match.source_ports, from) && any_contains(match.destination_ports, to);
}

bool transport_matches(const RuleMatch& match, const RuleSubject& subject) {
    const IpProtocol protocol = subject.tuple.protocol;
    if (match.tcp_flags && protocol != IpProtocol::Tcp) return false;
    if (match.icmp && protocol != IpProtocol::Icmp) return false;
    return holds(match.tcp_flags,
                 [&](const TcpFlagMatch& f) { return (subject.flags.bits & f.mask) == f.set; }) &&
           holds(match.icmp, [&](const IcmpMatch& icmp) {
               return subject.icmp_type == static_cast<u8>(icmp.type) &&
                      (!icmp.code || *icmp.code == subject.icmp_code);
           });
}

}  // namespace

bool matches(RuleMatch& match, const RuleSubject& subject, TimePoint now) {
    const FlowTuple& tuple = subject.tuple;
    return holds(match.in, [&](const std::string& n) { return is_interface(subject.in, n); }) &&
           holds(match.out, [&](const std::string& n) { return is_interface(subject.out, n); }) &&
           holds(match.source,
                 [&](const Ipv4Prefix& p) { return p.contains(tuple.source.address); }) &&
           holds(match.destination,
                 [&](const Ipv4Prefix& p) { return p.contains(tuple.destination.address); }) &&
           holds(match.protocol, [&](IpProtocol p) { return p == tuple.protocol; }) &&
           ports_match(match, tuple) && transport_matches(match, subject) &&
           holds(match.state, [&](u8 states) { return (states & subject.state) != 0; }) &&
           (!match.limit || match.limit->take(now));
}

bool leaves_by(const RuleMatch& match, std::string_view interface_name) {
    return holds(match.out, [&](const std::string& n) { return is_interface(interface_name, n); });
}

const Rule* RuleChain::decide(const RuleSubject& subject, TimePoint now) {
    for (Rule& rule : rules_) {
        if (!matches(rule.match, subject, now)) continue;
        ++rule.packets;
        rule.bytes += subject.size;
        if (rule.target == Target::Return) break;
        if (rule.target != Target::None) return &rule;
    }
    ++policy_packets_;
    policy_bytes_ += subject.size;
    return nullptr;
}

}  // namespace tapestry
