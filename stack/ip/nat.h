#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "stack/ip/flow_table.h"
#include "stack/ip/nat_ports.h"
#include "stack/ip/rule_chain.h"

namespace tapestry {

/// One line of the translation table: an inside endpoint and the outside endpoint that stands for it.
struct NatMapping {
    IpProtocol protocol = IpProtocol::Tcp;
    Endpoint internal;
    Endpoint external;
    /// To whom it speaks, as far as the mapping depends on that (RFC 4787 section 4.1): zero in what
    /// does not count.
    Endpoint remote;
    Ipv4Address pool;                    ///< the first address of those that were to choose from
    u32 flows = 0;                       ///< conversations that use it; with the last one it goes
    std::map<Ipv4Address, u32> remotes;  ///< with how many, for address-dependent filtering
};

/// What a packet with this tuple carries once its source is translated. An ICMP query has one
/// identifier for both ends.
FlowTuple leaving_as(FlowTuple tuple, const Endpoint& external);

/// Who is who on both sides of the router (RFC 3022; RFC 4787 for UDP, 5382 for TCP, 5508 for ICMP).
///
/// Rules decide on the first packet of a conversation; the mapping and the flow remember it. An
/// external port belongs to one inside endpoint as long as a conversation uses it: there is no port
/// overloading (RFC 4787 REQ-3a). When nothing is left, the new conversation is refused.
class Nat {
public:
    /// Both outlive it.
    Nat(Services& services, const FlowTable& flows);

    RuleChain& prerouting() { return prerouting_; }
    RuleChain& postrouting() { return postrouting_; }
    const RuleChain& prerouting() const { return prerouting_; }
    const RuleChain& postrouting() const { return postrouting_; }
    bool idle() const { return prerouting_.empty() && postrouting_.empty(); }

    /// Where a new conversation is really going, and the mapping that says so, unless it was a rule.
    struct Destination {
        Endpoint endpoint;
        NatMapping* mapping = nullptr;
    };
    Destination destination(const RuleSubject& subject, TimePoint now);

    /// As whom a new conversation leaves: a mapping, old or new, or null where it keeps its source.
    /// `out_address` is that of the interface that it leaves by. Not counted as used yet.
    /// Refuses: NatPortsExhausted, NatPoolExhausted.
    std::expected<NatMapping*, Drop> source(const RuleSubject& subject, Ipv4Address out_address,
                                            TimePoint now);

    /// Whether the mapping lets this stranger in (RFC 4787 section 5).
    bool admits(const NatMapping& mapping, const Endpoint& remote) const;

    /// A conversation uses the mapping, or does no longer. `remote` is its other end.
    void use(NatMapping& mapping, const Endpoint& remote);
    void release(NatMapping& mapping, const Endpoint& remote);
    /// A mapping that source() has made and nobody has used.
    void discard(NatMapping& mapping) {
        if (mapping.flows == 0) remove(mapping);
    }

    /// Inside hosts show themselves with this address on that interface.
    bool is_external(Ipv4Address address, std::string_view interface_name,
                     Ipv4Address interface_address) const;
    std::size_t size() const { return mappings_.size(); }
    /// In the order of their inside endpoints.
    std::vector<NatMapping> mappings() const;

private:
    struct Key {
        IpProtocol protocol = IpProtocol::Tcp;
        Endpoint internal;
        Endpoint remote;
        Ipv4Address pool;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct Hash {
        SipKey key{};
        std::size_t operator()(const Key& k) const;
        std::size_t operator()(const std::pair<IpProtocol, Endpoint>& external) const;
    };
    /// Whom an external address belongs to, or an inside host is paired with.
    struct Pairing {
        Ipv4Address address;
        u32 mappings = 0;
    };

    Endpoint relevant(const Endpoint& remote) const;
    std::expected<NatMapping*, Drop> make(const Key& key, const AddressRange& pool,
                                          const std::optional<PortRange>& ports,
                                          const FlowTuple& tuple);
    std::optional<Endpoint> choose(const FlowTuple& tuple, Ipv4Address address, PortRange range);
    bool may_have(Ipv4Address internal, Ipv4Address external) const;
    void remove(NatMapping& mapping);
    NatPorts& ports(IpProtocol protocol, Ipv4Address address);

    Services& services_;
    const NatConfig& config_;
    const FlowTable& flows_;
    RuleChain prerouting_;
    RuleChain postrouting_;
    std::unordered_map<Key, NatMapping, Hash> mappings_;
    std::unordered_map<std::pair<IpProtocol, Endpoint>, NatMapping*, Hash> by_external_;
    std::map<std::pair<IpProtocol, Ipv4Address>, std::unique_ptr<NatPorts>> ports_;
    std::unordered_map<u32, Pairing> paired_;  ///< by inside address
    std::unordered_map<u32, Pairing> owners_;  ///< by external address; without port translation
};

}  // namespace tapestry
