#include "stack/ip/forwarder.h"
#include "stack/ip/ipv4.h"

/// What rules look at, where they are kept, and the addresses that they make ours.

namespace tapestry {

RuleChain& Forwarder::chain_of(Chain chain) {
    if (chain == Chain::Prerouting) return nat_.prerouting();
    if (chain == Chain::Postrouting) return nat_.postrouting();
    return filter_.chain(chain);
}

const RuleChain& Forwarder::chain(Chain chain) const {
    if (chain == Chain::Prerouting) return nat_.prerouting();
    if (chain == Chain::Postrouting) return nat_.postrouting();
    return filter_.chain(chain);
}

void Forwarder::append(Chain chain, Rule rule) {
    insert(chain, this->chain(chain).rules().size(), std::move(rule));
}

void Forwarder::insert(Chain chain, std::size_t place, Rule rule) {
    claim_addresses(chain, rule);
    chain_of(chain).insert(place, std::move(rule));
}

void Forwarder::clear_rules() {
    for (std::size_t i = 0; i < kChainCount; ++i) chain_of(static_cast<Chain>(i)).clear();
}

/// An outside address of a rule that lies in the subnet of one of our interfaces is ours: somebody
/// has to answer ARP for it.
void Forwarder::claim_addresses(Chain chain, const Rule& rule) {
    AddressRange range = rule.to;
    if (chain == Chain::Prerouting && rule.target == Target::Dnat) {
        const auto& asked = rule.match.destination;
        if (!asked || asked->negated || asked->value.length != 32) return;
        range = {asked->value.address, asked->value.address};
    } else if (rule.target != Target::Snat) {
        return;
    }
    for (Interface* interface : ip_.interfaces_) {
        const Ipv4Prefix& subnet = interface->prefix();
        const u32 low = std::max(range.first.value(), subnet.network().value());
        const u32 high = std::min(range.last.value(), subnet.network().value() | ~subnet.mask());
        for (u64 value = low; value <= high; ++value) {
            const Ipv4Address address(static_cast<u32>(value));
            if (address != interface->address()) interface->arp().add_alias(address);
        }
    }
}

RuleSubject Forwarder::subject(const Passage& passage, const FlowTuple& tuple) const {
    RuleSubject about{.in = passage.in.name(),
                      .out = {},
                      .tuple = tuple,
                      .flags = passage.transit.flags,
                      .icmp_type = passage.transit.icmp_type,
                      .icmp_code = passage.transit.icmp_code,
                      .state = passage.state,
                      .size = passage.transit.size};
    // An ICMP error is judged by its own addresses, not by those that it quotes.
    if (passage.transit.kind != Transit::Kind::Conversation) {
        const Ipv4Address source = Ipv4Address::load(&passage.packet[Ipv4View::kSource]);
        about.tuple = {{source, 0}, {passage.to, 0}, IpProtocol::Icmp, 0};
    }
    return about;
}

const Interface* Forwarder::owner_of(Ipv4Address address) const {
    for (const Interface* interface : ip_.interfaces_) {
        if (interface->has_address(address)) return interface;
    }
    return nullptr;
}

bool Forwarder::is_external(Ipv4Address address) const {
    const Interface* owner = owner_of(address);
    return owner != nullptr && nat_.is_external(address, owner->name(), owner->address());
}

}  // namespace tapestry
