#include "stack/ip/nat.h"

#include <algorithm>

/// Theory of operation. A mapping is found by the inside endpoint on the way out, and by the external
/// one on the way in. Both indexes are hashes with a secret key. Ports in use are bits of a map for
/// each protocol and external address, so that a full map is noticed without a search through
/// mappings. Which remote endpoints count for a mapping is the whole difference between the kinds of
/// NAT of RFC 4787: what does not count is zero in the key.

namespace tapestry {
namespace {

std::size_t hash_endpoints(const SipKey& key, IpProtocol protocol, const Endpoint& a,
                           const Endpoint& b, Ipv4Address c) {
    std::array<u8, 17> bytes;
    a.address.store(bytes.data());
    store_be16(bytes.data() + 4, a.port);
    b.address.store(bytes.data() + 6);
    store_be16(bytes.data() + 10, b.port);
    c.store(bytes.data() + 12);
    bytes[16] = static_cast<u8>(protocol);
    return siphash(key, bytes);
}

/// RFC 4787 section 4.2.1 has well-known ports stay well-known: "If the host's source port was in the
/// range 0-1023, it is RECOMMENDED the NAT's source port be in the same range."
PortRange port_class(IpProtocol protocol, u16 port) {
    if (protocol == IpProtocol::Icmp) return {0, 65535};
    if (protocol != IpProtocol::Tcp && protocol != IpProtocol::Udp) return {0, 0};
    return port < 1024 ? PortRange{1, 1023} : PortRange{1024, 65535};
}

u32 size_of(const AddressRange& range) { return range.last.value() - range.first.value() + 1; }

/// The same source always gets the same of several destinations.
u32 choice(const Endpoint& source, u32 count) {
    return count == 0 ? 0 : source.address.value() % count;
}

}  // namespace

FlowTuple leaving_as(FlowTuple tuple, const Endpoint& external) {
    tuple.source = external;
    if (tuple.protocol == IpProtocol::Icmp) tuple.destination.port = external.port;
    return tuple;
}

std::size_t Nat::Hash::operator()(const Key& k) const {
    return hash_endpoints(key, k.protocol, k.internal, k.remote, k.pool);
}

std::size_t Nat::Hash::operator()(const std::pair<IpProtocol, Endpoint>& external) const {
    return hash_endpoints(key, external.first, external.second, {}, {});
}

Nat::Nat(Services& services, const FlowTable& flows)
    : services_(services),
      config_(services.config.nat),
      flows_(flows),
      mappings_(0, Hash{{services.rng.next(), services.rng.next()}}),
      by_external_(0, Hash{{services.rng.next(), services.rng.next()}}) {}

Nat::Destination Nat::destination(const RuleSubject& subject, TimePoint now) {
    const Endpoint asked = subject.tuple.destination;
    const Rule* rule = prerouting_.decide(subject, now);
    if (rule != nullptr && rule->target == Target::Dnat) {
        const u32 address =
            rule->to.first.value() + choice(subject.tuple.source, size_of(rule->to));
        Endpoint to{Ipv4Address(address), asked.port};
        if (rule->to_ports) {
            const u32 count = u32{rule->to_ports->last} - rule->to_ports->first + 1;
            to.port = static_cast<u16>(rule->to_ports->first +
                                       choice({Ipv4Address(asked.port), 0}, count));
        }
        return {to, nullptr};
    }
    if (rule != nullptr) return {asked, nullptr};  // ACCEPT: not to be translated
    const IpProtocol protocol = subject.tuple.protocol;
    // An identifier is no address: nobody sends queries to it (RFC 5508 section 3).
    if (protocol == IpProtocol::Icmp) return {asked, nullptr};
    const auto found = by_external_.find({protocol, asked});
    if (found == by_external_.end()) return {asked, nullptr};
    return {found->second->internal, found->second};
}

std::expected<NatMapping*, Drop> Nat::source(const RuleSubject& subject, Ipv4Address out_address,
                                             TimePoint now) {
    const Rule* rule = postrouting_.decide(subject, now);
    const bool masquerade = rule != nullptr && rule->target == Target::Masquerade;
    if (rule == nullptr || !(masquerade || rule->target == Target::Snat)) return nullptr;
    const AddressRange pool = masquerade ? AddressRange{out_address, out_address} : rule->to;
    const FlowTuple& tuple = subject.tuple;
    const Key key{tuple.protocol, tuple.source, relevant(tuple.destination), pool.first};
    const auto found = mappings_.find(key);
    if (found != mappings_.end()) return &found->second;
    return make(key, pool, rule->to_ports, tuple);
}

/// What of a remote endpoint distinguishes one mapping from another.
Endpoint Nat::relevant(const Endpoint& remote) const {
    switch (config_.mapping) {
        case NatConfig::Behaviour::EndpointIndependent:
            return {};
        case NatConfig::Behaviour::AddressDependent:
            return {remote.address, 0};
        case NatConfig::Behaviour::AddressAndPortDependent:
            break;
    }
    return remote;
}

std::expected<NatMapping*, Drop> Nat::make(const Key& key, const AddressRange& pool,
                                           const std::optional<PortRange>& ports,
                                           const FlowTuple& tuple) {
    const PortRange range = ports.value_or(port_class(key.protocol, key.internal.port));
    const u32 count = size_of(pool);
    u32 first = choice(key.internal, count);
    // RFC 4787 REQ-2: "It is RECOMMENDED that a NAT have an "IP address pooling" behavior of
    // "Paired"": one inside host, one outside address.
    const auto paired = paired_.find(key.internal.address.value());
    const bool has_one = paired != paired_.end() && pool.contains(paired->second.address);
    if (has_one) first = paired->second.address.value() - pool.first.value();
    if (!has_one && !config_.translate_ports) first = 0;
    bool address_left = false;
    for (u32 i = 0; i < count; ++i) {
        const Ipv4Address address(pool.first.value() + (first + i) % count);
        if (!may_have(key.internal.address, address)) continue;
        address_left = true;
        const auto external = choose(tuple, address, range);
        if (!external) continue;
        NatMapping& mapping = mappings_[key];
        mapping = {key.protocol, key.internal, *external, key.remote, key.pool, 0, {}};
        by_external_.emplace(std::pair(key.protocol, *external), &mapping);
        Pairing& pairing = paired_[key.internal.address.value()];
        if (pairing.mappings++ == 0) pairing.address = address;
        Pairing& owner = owners_[address.value()];
        if (owner.mappings++ == 0) owner.address = key.internal.address;
        return &mapping;
    }
    return std::unexpected(address_left ? Drop::NatPortsExhausted : Drop::NatPoolExhausted);
}

/// Without port translation an external address serves one inside host at a time.
bool Nat::may_have(Ipv4Address internal, Ipv4Address external) const {
    if (config_.translate_ports) return true;
    const auto owner = owners_.find(external.value());
    return owner == owners_.end() || owner->second.address == internal;
}

std::optional<Endpoint> Nat::choose(const FlowTuple& tuple, Ipv4Address address, PortRange range) {
    NatPorts& pool = ports(tuple.protocol, address);
    const u16 wanted = tuple.source.port;
    if (!config_.translate_ports) range = {wanted, wanted};
    // A conversation of somebody else may have the port towards just this remote end, by a rule or as
    // the router's own.
    std::vector<u16> refused;
    std::optional<u16> port;
    for (int tries = 0; tries < 16; ++tries) {
        port = pool.take(wanted, range, services_.rng);
        if (!port || !flows_.contains(leaving_as(tuple, {address, *port}).reversed())) break;
        refused.push_back(*port);
        port.reset();
    }
    for (const u16 other : refused) pool.give_back(other);
    if (!port) return std::nullopt;
    return Endpoint{address, *port};
}

bool Nat::admits(const NatMapping& mapping, const Endpoint& remote) const {
    switch (config_.filtering) {
        case NatConfig::Behaviour::EndpointIndependent:
            return true;
        case NatConfig::Behaviour::AddressDependent:
            return mapping.remotes.contains(remote.address);
        case NatConfig::Behaviour::AddressAndPortDependent:
            break;
    }
    return flows_.contains({remote, mapping.external, mapping.protocol, 0});
}

void Nat::use(NatMapping& mapping, const Endpoint& remote) {
    ++mapping.flows;
    if (config_.filtering == NatConfig::Behaviour::AddressDependent) {
        ++mapping.remotes[remote.address];
    }
}

void Nat::release(NatMapping& mapping, const Endpoint& remote) {
    const auto known = mapping.remotes.find(remote.address);
    if (known != mapping.remotes.end() && --known->second == 0) mapping.remotes.erase(known);
    if (--mapping.flows == 0) remove(mapping);
}

void Nat::remove(NatMapping& mapping) {
    const auto forget = [](auto& table, Ipv4Address address) {
        const auto found = table.find(address.value());
        if (--found->second.mappings == 0) table.erase(found);
    };
    forget(paired_, mapping.internal.address);
    forget(owners_, mapping.external.address);
    ports(mapping.protocol, mapping.external.address).give_back(mapping.external.port);
    by_external_.erase({mapping.protocol, mapping.external});
    mappings_.erase(Key{mapping.protocol, mapping.internal, mapping.remote, mapping.pool});
}

bool Nat::is_external(Ipv4Address address, std::string_view interface_name,
                      Ipv4Address interface_address) const {
    return std::ranges::any_of(postrouting_.rules(), [&](const Rule& rule) {
        if (rule.target == Target::Snat) return rule.to.contains(address);
        return rule.target == Target::Masquerade && address == interface_address &&
               leaves_by(rule.match, interface_name);
    });
}

NatPorts& Nat::ports(IpProtocol protocol, Ipv4Address address) {
    auto& ports = ports_[{protocol, address}];
    if (!ports) ports = std::make_unique<NatPorts>();
    return *ports;
}

std::vector<NatMapping> Nat::mappings() const {
    std::vector<NatMapping> all;
    all.reserve(mappings_.size());
    for (const auto& [key, mapping] : mappings_) all.push_back(mapping);
    std::ranges::sort(all, [](const NatMapping& a, const NatMapping& b) {
        return std::tie(a.internal, a.protocol, a.external) <
               std::tie(b.internal, b.protocol, b.external);
    });
    return all;
}

}  // namespace tapestry
