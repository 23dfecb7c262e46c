#include "stack/ip/forwarder.h"

#include "stack/ip/ipv4.h"

/// Theory of operation. A Passage is filled in from the top to the bottom: what the packet is
/// (read_transit), which conversation it belongs to and what it will carry (find_conversation,
/// begin), whether it stays here or where it goes (check_route), whether it may (judge), as whom
/// (translate_source). Up to here every step can refuse, and nothing has changed. Then the flow is
/// made and counted, and the packet is changed and sent: see forwarder_output.cpp.

namespace tapestry {

Forwarder::Forwarder(Services& services, Ipv4& ip)
    : services_(services),
      ip_(ip),
      flows_(services,
             [this](Flow& flow, TimePoint /*now*/) {
                 if (flow.mappings[0] != nullptr) {
                     nat_.release(*flow.mappings[0], flow.original().destination);
                 }
                 if (flow.mappings[1] != nullptr) {
                     nat_.release(*flow.mappings[1], flow.reply().destination);
                 }
             }),
      nat_(services, flows_) {}

std::expected<void, Drop> Forwarder::input(const Arrived& arrived) {
    Passage passage(arrived);
    const auto packet = Ipv4View::parse_quoted(arrived.packet);
    if (!packet) return std::unexpected(packet.error());
    passage.leaving = {{packet->source(), 0}, {packet->destination(), 0}, packet->protocol(), 0};
    passage.from = packet->source();
    passage.to = packet->destination();
    passage.transit.tuple = passage.leaving;
    passage.transit.header_size = static_cast<u16>(packet->header_size());
    passage.transit.size = static_cast<u32>(packet->bytes().size());
    // RFC 4787 REQ-14: "A NAT MUST support receiving fragments in-order and out-of-order"; only the
    // first one has ports. Where nobody asks for ports the pieces go on as they are (RFC 1812
    // 4.2.2.7 has routers not reassemble what they forward).
    if (packet->is_fragment() && (following() || is_for_us(passage))) {
        const auto whole = ip_.fragments_.add(*packet, arrived.link_broadcast, arrived.now);
        if (!whole) return std::unexpected(whole.error());
        if (!*whole) return {};
        passage.packet = **whole;
        passage.offload = {};
    }
    if (following()) return follow(passage);
    return is_for_us(passage) ? for_us(passage) : send_on(passage);
}

std::expected<void, Drop> Forwarder::follow(Passage& passage) {
    const auto packet = Ipv4View::parse_quoted(passage.packet);
    if (!packet) return std::unexpected(packet.error());
    const auto transit = read_transit(*packet);
    if (!transit) return std::unexpected(transit.error());
    passage.transit = *transit;
    passage.leaving = transit->tuple;
    const bool group = passage.to.is_multicast() || ip_.is_broadcast(passage.to);
    if (group || transit->kind == Transit::Kind::Other) {
        if (!group) passage.state = ConnectionState::kInvalid;
    } else if (transit->kind == Transit::Kind::IcmpError) {
        find_subject(passage);
    } else if (const auto found = find_conversation(passage); !found) {
        return found;
    }
    return is_for_us(passage) ? for_us(passage) : send_on(passage);
}

/// An ICMP error concerns a packet that went the other way: as it left us it is quoted, as it came to
/// us it has to be quoted on the other side (RFC 5508 REQ-4 and REQ-5).
void Forwarder::find_subject(Passage& passage) {
    const auto found = flows_.find(passage.transit.tuple.reversed());
    if (found.flow == nullptr) {
        passage.state = ConnectionState::kInvalid;
        return;
    }
    const Flow& flow = *found.flow;
    passage.flow = found.flow;
    passage.direction = found.direction;
    passage.state = ConnectionState::kRelated;
    passage.leaving = flow.incoming(other(found.direction));
    passage.to = passage.leaving.source.address;
    // Who reports from behind a translation must not show an address of there: RFC 5508 REQ-5 has
    // it leave with the address that stands for the inside host.
    const Ipv4Address inside = flow.outgoing(found.direction).source.address;
    const bool hidden = inside != flow.incoming(found.direction).source.address;
    if (hidden) passage.from = inside;
}

std::expected<void, Drop> Forwarder::find_conversation(Passage& passage) {
    const auto found = flows_.find(passage.transit.tuple);
    if (found.flow == nullptr) return begin(passage);
    passage.flow = found.flow;
    passage.direction = found.direction;
    const bool answered = found.flow->replied() || found.direction == FlowDirection::Reply;
    passage.state = answered ? ConnectionState::kEstablished : ConnectionState::kNew;
    passage.leaving = found.flow->outgoing(found.direction);
    passage.from = passage.leaving.source.address;
    passage.to = passage.leaving.destination.address;
    if (found.flow->waits_for_reply && found.direction == FlowDirection::Original) {
        return std::unexpected(Drop::NatUnsolicited);
    }
    return {};
}

std::expected<void, Drop> Forwarder::begin(Passage& passage) {
    const Transit& transit = passage.transit;
    const bool tcp = transit.tuple.protocol == IpProtocol::Tcp;
    const bool opens = tcp ? FlowTcp::opens(transit.flags) || services_.config.flow.tcp_loose
                           : transit.icmp_type == static_cast<u8>(IcmpType::EchoRequest) ||
                                 transit.tuple.protocol != IpProtocol::Icmp;
    if (!opens) {
        passage.state = ConnectionState::kInvalid;
        return {};
    }
    if (const auto may = flows_.may_add(transit.tuple.source.address); !may) {
        report(passage, IcmpType::DestinationUnreachable,
               code_of(UnreachableCode::AdministrativelyProhibited));
        return may;
    }
    const auto going = nat_.destination(subject(passage, transit.tuple), passage.now);
    passage.begins = true;
    passage.through = going.mapping;
    passage.leaving.destination = going.endpoint;
    passage.to = going.endpoint.address;
    return {};
}

bool Forwarder::is_for_us(const Passage& passage) const {
    if (passage.in.has_address(passage.to) || passage.in.is_broadcast(passage.to)) return true;
    // RFC 1812 5.2.3: a router takes a packet for any of its addresses, wherever it came in; but
    // from outside nobody may speak to the inside address of a router that hides it.
    return ip_.is_local(passage.to) && !is_external(passage.in.address());
}

std::expected<void, Drop> Forwarder::for_us(Passage& passage) {
    if (passage.leaving != passage.transit.tuple &&
        passage.transit.kind == Transit::Kind::Conversation) {
        return std::unexpected(Drop::NatToSelf);
    }
    if (const auto good = judge(Chain::Input, passage); !good) return good;
    if (passage.begins) {
        if (const auto made = make_flow(passage, nullptr); !made) return made;
    }
    count(passage);
    const auto packet = Ipv4View::parse_quoted(passage.packet);
    // RFC 5382 REQ-4: "A NAT MUST NOT respond to an unsolicited inbound SYN packet for at least 6
    // seconds after the packet is received." We never do; its REQ-4a has that as the safe way.
    const bool answer = !is_external(passage.to);
    const auto taken = ip_.deliver(passage.in, *packet, passage.offload, passage.link_broadcast,
                                   answer, passage.now);
    // What nobody here wants to hear is not worth a place in the table.
    if (!taken && passage.begins) flows_.erase(*passage.flow, passage.now);
    // Not the words of a host, which would have answered.
    const bool unheard =
        !taken && (taken.error() == Drop::TcpNoConnection || taken.error() == Drop::UdpNoSocket);
    if (unheard && !answer) return std::unexpected(Drop::NatUnsolicited);
    return taken;
}

std::expected<void, Drop> Forwarder::send_on(Passage& passage) {
    if (const auto good = check_route(passage); !good) return good;
    if (const auto good = judge(Chain::Forward, passage); !good) return good;
    if (following()) {
        if (const auto good = translate_source(passage); !good) return good;
        count(passage);
    }
    return transmit(passage);
}

std::expected<void, Drop> Forwarder::check_route(Passage& passage) {
    const Ipv4Address to = passage.to;
    // RFC 1812 5.3.7: what no router should forward to, directed broadcasts (5.3.5.2) included.
    if (!to.is_unicast() || ip_.is_broadcast(to) || passage.link_broadcast) {
        return std::unexpected(Drop::Ipv4BadDestination);
    }
    if (ip_.is_local(to)) return std::unexpected(Drop::Ipv4NotForUs);
    if (services_.config.reverse_path_filter) {
        const Route* back = ip_.routes_.find(passage.transit.tuple.source.address);
        if (back == nullptr || back->interface != &passage.in) {
            return std::unexpected(Drop::Ipv4ReversePath);
        }
    }
    const Route* route = ip_.routes_.find(to);
    if (route == nullptr) {
        report(passage, IcmpType::DestinationUnreachable, code_of(UnreachableCode::Network));
        return std::unexpected(Drop::Ipv4NoRoute);
    }
    passage.out = route->interface;
    passage.next_hop = route->gateway.is_unspecified() ? to : route->gateway;
    // RFC 1812 5.3.1: "If the TTL is reduced to zero (or less), the packet MUST be discarded, and if
    // the destination is not a multicast address the router MUST send an ICMP Time Exceeded message,
    // Code 0 (TTL Exceeded in Transit) message to the source."
    if (passage.packet[Ipv4View::kTtl] <= 1) {
        report(passage, IcmpType::TimeExceeded, 0);
        return std::unexpected(Drop::Ipv4TtlExceeded);
    }
    const bool whole =
        (load_be16(&passage.packet[Ipv4View::kFlagsAndOffset]) & Ipv4View::kDontFragment) != 0;
    if (whole && !fits(passage)) {
        // RFC 1191 section 4: the MTU of the next hop goes with the error.
        report(passage, IcmpType::DestinationUnreachable,
               code_of(UnreachableCode::FragmentationNeeded), passage.out->mtu());
        return std::unexpected(Drop::Ipv4TooBig);
    }
    return {};
}

std::expected<void, Drop> Forwarder::judge(Chain chain, Passage& passage) {
    if (filter_.idle()) return {};
    FlowTuple tuple = passage.transit.tuple;
    tuple.destination = passage.leaving.destination;
    RuleSubject about = subject(passage, tuple);
    if (passage.out != nullptr) about.out = passage.out->name();
    const Filter::Verdict verdict = filter_.judge(chain, about, passage.now);
    if (verdict.target == Target::Accept) return {};
    if (verdict.target != Target::Reject) return std::unexpected(Drop::FilterDropped);
    reject(passage, verdict.reject_with);
    return std::unexpected(Drop::FilterRejected);
}

std::expected<void, Drop> Forwarder::translate_source(Passage& passage) {
    const bool unknown = passage.state == ConnectionState::kInvalid;
    if (!passage.begins && !unknown) return {};
    FlowTuple tuple = passage.transit.tuple;
    tuple.destination = passage.leaving.destination;
    RuleSubject about = subject(passage, tuple);
    // From inside to an outside address of ours, and so back inside: that address is the side on which
    // both hosts are to see each other (RFC 4787 REQ-9a, "External source IP address and port").
    const Interface* as = passage.out;
    if (tuple.destination != passage.transit.tuple.destination) {
        const Interface* asked = owner_of(passage.transit.tuple.destination.address);
        if (asked != nullptr && asked != &passage.in) as = asked;
    }
    about.out = as->name();
    const auto mapping = nat_.source(about, as->address(), passage.now);
    if (!mapping) {
        report(passage, IcmpType::DestinationUnreachable,
               code_of(UnreachableCode::AdministrativelyProhibited));
        return std::unexpected(mapping.error());
    }
    if (unknown) {
        // It would have to be translated, and there is nothing to do it by: an inside address must
        // not get out.
        if (*mapping == nullptr) return {};
        nat_.discard(**mapping);
        return std::unexpected(Drop::FlowInvalid);
    }
    if (*mapping != nullptr) {
        passage.leaving = leaving_as(passage.leaving, (*mapping)->external);
        passage.from = passage.leaving.source.address;
    }
    const bool admitted =
        passage.through == nullptr || nat_.admits(*passage.through, passage.leaving.source);
    // Between two hosts inside the first packet of each opens its own side for the other's.
    if (!admitted && *mapping == nullptr) return std::unexpected(Drop::NatUnsolicited);
    if (const auto made = make_flow(passage, *mapping); !made) return made;
    passage.flow->waits_for_reply = !admitted;
    if (!admitted) return std::unexpected(Drop::NatUnsolicited);
    return {};
}

std::expected<void, Drop> Forwarder::make_flow(Passage& passage, NatMapping* source) {
    const auto flow = flows_.add(passage.transit.tuple, passage.leaving.reversed(), passage.now);
    if (!flow) {
        if (source != nullptr) nat_.discard(*source);
        return std::unexpected(flow.error());
    }
    passage.flow = *flow;
    passage.flow->mappings = {source, passage.through};
    if (source != nullptr) nat_.use(*source, (*flow)->original().destination);
    if (passage.through != nullptr) nat_.use(*passage.through, (*flow)->reply().destination);
    return {};
}

void Forwarder::count(Passage& passage) {
    if (passage.flow == nullptr || passage.transit.kind != Transit::Kind::Conversation) return;
    if (passage.direction == FlowDirection::Reply) passage.flow->waits_for_reply = false;
    const u32 headers = passage.transit.header_size;
    const u32 payload = passage.transit.size - headers;
    const u32 gso_size = passage.offload.gso_size;
    const u32 segments = gso_size == 0 ? 1 : std::max(1U, (payload + gso_size - 1) / gso_size);
    flows_.passed(*passage.flow, passage.direction, passage.transit.flags,
                  payload + u64{segments} * headers, segments, passage.now);
}

}  // namespace tapestry
