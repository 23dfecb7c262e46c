#include "stack/ip/ipv4.h"

/// Theory of operation. What comes in is checked from the outside to the inside, and nothing is
/// kept before all checks of its layer have passed: header (Ipv4View::parse), addresses, options,
/// reassembly, then the transport protocol. A refusal is returned to the caller, who counts it; those
/// that are answered with an ICMP error are answered in input() (options that cannot be read) and in
/// deliver() (unknown protocol, no socket). The way out is in ipv4_output.cpp.

namespace tapestry {
namespace {

constexpr u8 kEndOfOptions = 0;
constexpr u8 kNoOperation = 1;
constexpr u8 kLooseSourceRoute = 131;
constexpr u8 kStrictSourceRoute = 137;

/// Why a packet is refused for its options, and where in its header they begin to be wrong.
struct BadOption {
    Drop drop = Drop::Ipv4BadOption;
    std::size_t at = 0;
};

/// RFC 1122 3.2.1.8: options that mean nothing to us are passed over. RFC 7126 section 4 has routes
/// named by the source refused.
std::expected<void, BadOption> check_options(const Ipv4View& packet) {
    const Bytes header = packet.bytes().first(packet.header_size());
    std::size_t at = Ipv4View::kMinHeaderSize;
    while (at < header.size() && header[at] != kEndOfOptions) {
        if (header[at] == kNoOperation) {
            ++at;
            continue;
        }
        if (at + 1 == header.size() || header[at + 1] < 2 || at + header[at + 1] > header.size()) {
            return std::unexpected(BadOption{Drop::Ipv4BadOption, at});
        }
        if (header[at] == kLooseSourceRoute || header[at] == kStrictSourceRoute) {
            return std::unexpected(BadOption{Drop::Ipv4SourceRoute, at});
        }
        at += header[at + 1];
    }
    return {};
}

}  // namespace

Drop drop_of(SendResult result) {
    switch (result) {
        case SendResult::NoRoute:
            return Drop::Ipv4NoRoute;
        case SendResult::TooBig:
            return Drop::Ipv4TooBig;
        case SendResult::NotAllowed:
            return Drop::Ipv4BadSource;
        default:
            return Drop::DeviceFull;
    }
}

Errno errno_of(SendResult result) {
    switch (result) {
        case SendResult::Sent:
        case SendResult::Queued:
            return Errno::None;
        case SendResult::Full:
            return Errno::Again;
        case SendResult::NoRoute:
            return Errno::NetworkUnreachable;
        case SendResult::TooBig:
            return Errno::MessageSize;
        case SendResult::NotAllowed:
            return Errno::AccessDenied;
    }
    return Errno::InvalidArgument;
}

Ipv4::Ipv4(Services& services)
    : services_(services),
      fragments_(services, *this),
      path_mtu_(services),
      icmp_(services, *this),
      forwarder_(services, *this) {
    attach(IpProtocol::Icmp, icmp_);
    for (u64& half : identification_key_) half = services_.rng.next();
    for (u16& id : identifications_) id = static_cast<u16>(services_.rng.next());
}

void Ipv4::add_interface(Interface& interface) {
    interfaces_.push_back(&interface);
    routes_.add({interface.prefix(), &interface, Ipv4Address()});
}

void Ipv4::attach(IpProtocol protocol, TransportProtocol& transport) {
    transports_[static_cast<u8>(protocol)] = &transport;
}

std::expected<void, Drop> Ipv4::input(Interface& in, const Interface::Arrival& arrival,
                                      const Offload& offload, TimePoint now) {
    // RFC 1122 3.2.1: version, header length, total length and checksum.
    const auto packet = Ipv4View::parse(arrival.packet);
    if (!packet) return std::unexpected(packet.error());
    if (const auto good = check_addresses(in, *packet, arrival.link_broadcast); !good) return good;
    if (const auto good = check_options(*packet); !good) {
        if (good.error().drop == Drop::Ipv4BadOption) {
            // RFC 1122 3.2.2.5: "A host SHOULD generate Parameter Problem messages." Its first octet
            // points at the option (RFC 792).
            icmp_.send_error(IcmpType::ParameterProblem, 0, static_cast<u32>(good.error().at) << 24,
                             packet->bytes(), arrival.link_broadcast, now);
        }
        return std::unexpected(good.error().drop);
    }
    if (services_.config.forwarding) {
        return forwarder_.input({in, arrival.packet.first(packet->bytes().size()), offload,
                                 arrival.link_broadcast, now});
    }
    // RFC 1122 3.2.1.7: "A host MUST NOT discard a datagram just because it was received with TTL
    // less than 2."
    if (!packet->is_fragment()) {
        return deliver(in, *packet, offload, arrival.link_broadcast, true, now);
    }

    const auto whole = fragments_.add(*packet, arrival.link_broadcast, now);
    if (!whole) return std::unexpected(whole.error());
    if (!*whole) return {};
    const auto datagram = Ipv4View::parse(**whole);
    if (!datagram) return std::unexpected(datagram.error());
    // What a device has checked was one fragment, not the sum over the datagram.
    return deliver(in, *datagram, Offload(), arrival.link_broadcast, true, now);
}

std::expected<void, Drop> Ipv4::check_addresses(const Interface& in, const Ipv4View& packet,
                                                bool link_broadcast) const {
    const Ipv4Address source = packet.source();
    const Ipv4Address destination = packet.destination();
    const Ipv4Prefix& subnet = in.prefix();
    // RFC 1122 3.2.1.3: "A host MUST silently discard an incoming datagram containing an IP source
    // address that is invalid by the rules of this section." Our own address from outside is one of
    // them: an answer would go round in a circle.
    const bool subnet_itself = subnet.length <= 30 && source == subnet.network();
    if (!source.is_unicast() || is_broadcast(source) || is_local(source) || subnet_itself) {
        return std::unexpected(Drop::Ipv4BadSource);
    }
    const bool group = in.is_broadcast(destination) || destination.is_multicast();
    // RFC 1122 3.3.6: "A host SHOULD silently discard a datagram that is received via a link-layer
    // broadcast (see Section 2.4) but does not specify an IP multicast or broadcast destination
    // address."
    if (link_broadcast && !group) return std::unexpected(Drop::Ipv4LinkBroadcast);
    // Groups would be looked up here.
    if (services_.config.forwarding) return {};
    if (destination != in.address() && !in.is_broadcast(destination)) {
        return std::unexpected(Drop::Ipv4NotForUs);
    }
    return {};
}

std::expected<void, Drop> Ipv4::deliver(const Interface& in, const Ipv4View& packet,
                                        const Offload& offload, bool link_broadcast, bool answer,
                                        TimePoint now) {
    const Ipv4Datagram datagram{
        .source = packet.source(),
        .destination = packet.destination(),
        .protocol = packet.protocol(),
        .tos = packet.tos(),
        .ttl = packet.ttl(),
        .broadcast = link_broadcast || !is_local(packet.destination()),
        .checksum_trusted = offload.checksum_trusted(),
        .answer = answer,
        .gso_size = offload.gso_size,
        .payload = packet.payload(),
        .interface = &in,
    };
    TransportProtocol* transport = transports_[static_cast<u8>(datagram.protocol)];
    if (transport == nullptr) {
        if (answer) {
            icmp_.send_error(IcmpType::DestinationUnreachable, code_of(UnreachableCode::Protocol),
                             0, packet.bytes(), link_broadcast, now);
        }
        return std::unexpected(Drop::Ipv4UnknownProtocol);
    }
    ++services_.counters.ip_in_delivers;
    const auto taken = transport->input(datagram, now);
    const bool nobody =
        !taken && (taken.error() == Drop::UdpNoSocket ||
                   taken.error() == Drop::UdpBadPort);  // at port 0 is never anybody
    if (answer && nobody && services_.config.udp.port_unreachable) {
        icmp_.send_error(IcmpType::DestinationUnreachable, code_of(UnreachableCode::Port), 0,
                         packet.bytes(), link_broadcast, now);
    }
    return taken;
}

void Ipv4::reassembly_expired(Bytes first_fragment, bool link_broadcast, TimePoint now) {
    constexpr u8 kReassemblyTimeExceeded = 1;
    icmp_.send_error(IcmpType::TimeExceeded, kReassemblyTimeExceeded, 0, first_fragment,
                     link_broadcast, now);
}

void Ipv4::undeliverable(Packet& packet, TimePoint now) {
    const auto view = Ipv4View::parse_quoted(packet.bytes());
    if (!view || view->fragment_offset() != 0) return;
    if (!is_local(view->source()) || forwarder_.has_translated(*view)) {
        forwarder_.undeliverable(packet, now);
        return;
    }
    TransportProtocol* transport = transports_[static_cast<u8>(view->protocol())];
    if (transport == nullptr) return;
    // What a router would say, said by ourselves.
    const IcmpError error{.reporter = view->source(),
                          .type = IcmpType::DestinationUnreachable,
                          .code = code_of(UnreachableCode::Host),
                          .next_hop_mtu = 0,
                          .source = view->source(),
                          .destination = view->destination(),
                          .quoted_size = view->total_length(),
                          .quoted_payload = view->payload()};
    // Whether or not a socket wants to know: the packet has been counted as refused already.
    static_cast<void>(transport->icmp_error(error, now));
}

bool Ipv4::is_local(Ipv4Address address) const {
    for (const Interface* interface : interfaces_) {
        if (interface->has_address(address)) return true;
    }
    return false;
}

bool Ipv4::is_broadcast(Ipv4Address address) const {
    for (const Interface* interface : interfaces_) {
        if (interface->is_broadcast(address)) return true;
    }
    return address.is_broadcast();
}

void Ipv4::suspect(Ipv4Address destination, TimePoint now) {
    if (const auto way = route(destination)) way->interface->arp().suspect(way->next_hop, now);
}

u32 Ipv4::lower_path_mtu(const IcmpError& error, TimePoint now) {
    const auto way = route(error.destination);
    if (!way) return 0;
    return path_mtu_.lower(error.destination, way->mtu, error.next_hop_mtu, error.quoted_size, now);
}

}  // namespace tapestry
