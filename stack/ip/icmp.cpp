#include "stack/ip/icmp.h"

#include "stack/ip/ipv4.h"
#include "stack/ip/ping_port.h"

namespace tapestry {
namespace {

/// A quote has to reach past the ports, or the identifier, of the packet at fault (RFC 792).
constexpr std::size_t kMinQuotedPayload = 8;

}  // namespace

Errno errno_of(IcmpType type, u8 code) {
    if (type != IcmpType::DestinationUnreachable) {
        return type == IcmpType::TimeExceeded ? Errno::HostUnreachable : Errno::ProtocolUnreachable;
    }
    switch (static_cast<UnreachableCode>(code)) {
        case UnreachableCode::Network:
            return Errno::NetworkUnreachable;
        case UnreachableCode::Protocol:
            return Errno::ProtocolUnreachable;
        case UnreachableCode::Port:
            return Errno::ConnectionRefused;
        case UnreachableCode::FragmentationNeeded:
            return Errno::MessageSize;
        default:
            break;
    }
    // RFC 1122 3.2.2.1: 6 is an unknown network, 9 a prohibited one, 11 an unreachable one for the
    // type of service; all others are about the host.
    const bool network = code == 6 || code == 9 || code == 11;
    return network ? Errno::NetworkUnreachable : Errno::HostUnreachable;
}

Icmp::Icmp(Services& services, Ipv4& ip)
    : services_(services),
      ip_(ip),
      error_limit_(services.config.icmp.errors_per_second, services.config.icmp.error_burst,
                   services.rng) {}

Icmp::~Icmp() = default;

std::expected<void, Drop> Icmp::input(const Ipv4Datagram& datagram, TimePoint now) {
    ++services_.counters.icmp_in_msgs;
    // No device leaves the sum of an ICMP message to others, so it is always checked.
    const auto message = IcmpView::parse(datagram.payload);
    if (!message) return std::unexpected(message.error());
    switch (message->type()) {
        case IcmpType::EchoRequest:
            return answer_echo(*message, datagram, now);
        case IcmpType::EchoReply:
            return take_reply(*message, datagram, now);
        case IcmpType::DestinationUnreachable:
        case IcmpType::TimeExceeded:
        case IcmpType::ParameterProblem:
            return take_error(*message, datagram, now);
        // RFC 6633 section 3: hosts ignore source quenches. Redirects would let any neighbour turn
        // our traffic to itself; RFC 1122 3.2.2.2 has hosts follow them, a stack with configured
        // gateways need not.
        case IcmpType::SourceQuench:
        case IcmpType::Redirect:
            return std::unexpected(Drop::IcmpIgnored);
    }
    // RFC 1122 3.2.2: "If an ICMP message of unknown type is received, it MUST be silently
    // discarded."
    return std::unexpected(Drop::IcmpUnknownType);
}

std::expected<void, Drop> Icmp::answer_echo(const IcmpView& request, const Ipv4Datagram& datagram,
                                            TimePoint now) {
    if (request.code() != 0) return std::unexpected(Drop::IcmpUnknownType);
    // RFC 1122 3.2.2.6: "An ICMP Echo Request destined to an IP broadcast or IP multicast address
    // MAY be silently discarded."
    if (datagram.broadcast) return std::unexpected(Drop::IcmpBroadcastEcho);
    if (!services_.config.icmp.answer_echo) return std::unexpected(Drop::IcmpIgnored);
    // RFC 1122 3.2.2.6: "Data received in an ICMP Echo Request MUST be entirely included in the
    // resulting Echo Reply."
    Frame reply(request.payload());
    const u32 second = u32{request.identifier()} << 16 | request.sequence();
    IcmpHeader{IcmpType::EchoReply, 0, second}.write(reply.push(IcmpView::kHeaderSize),
                                                     request.payload());
    // RFC 1122 3.2.2.6: the source address of the reply is the request's specific destination.
    const Ipv4SendOptions options{.source = datagram.destination,
                                  .destination = datagram.source,
                                  .protocol = IpProtocol::Icmp,
                                  .tos = datagram.tos,
                                  .dont_fragment = false};
    const SendResult sent = ip_.output(reply, options, now);
    if (!accepted(sent)) return std::unexpected(drop_of(sent));
    ++services_.counters.icmp_out_msgs;
    return {};
}

std::expected<void, Drop> Icmp::take_reply(const IcmpView& reply, const Ipv4Datagram& datagram,
                                           TimePoint now) {
    const auto found = ports_.find(reply.identifier());
    if (found == ports_.end() || reply.code() != 0) return std::unexpected(Drop::IcmpNoMatch);
    return queue(*found->second, {.source = datagram.source,
                                  .destination = datagram.source,
                                  .sequence = reply.sequence(),
                                  .ttl = datagram.ttl,
                                  .size = reply.payload().size(),
                                  .arrived = now,
                                  .error = std::nullopt});
}

std::expected<void, Drop> Icmp::take_error(const IcmpView& error, const Ipv4Datagram& datagram,
                                           TimePoint now) {
    // An error is about one packet of ours: nobody has to tell it to everybody.
    if (datagram.broadcast) return std::unexpected(Drop::IcmpIgnored);
    const auto quoted = Ipv4View::parse_quoted(error.payload());
    if (!quoted) return std::unexpected(quoted.error());
    // Later fragments have no transport header that could be recognised.
    if (quoted->fragment_offset() != 0 || quoted->payload().size() < kMinQuotedPayload ||
        quoted->total_length() < quoted->header_size() + kMinQuotedPayload) {
        return std::unexpected(Drop::IcmpBadQuote);
    }
    if (!ip_.is_local(quoted->source())) return std::unexpected(Drop::IcmpNoMatch);
    // RFC 1122 3.2.2: "the IP protocol number MUST be extracted from the original header and used
    // to select the appropriate transport protocol entity to handle the error."
    TransportProtocol* transport = ip_.transports_[static_cast<u8>(quoted->protocol())];
    if (transport == nullptr) return std::unexpected(Drop::IcmpNoMatch);
    const bool too_big = error.type() == IcmpType::DestinationUnreachable &&
                         error.code() == static_cast<u8>(UnreachableCode::FragmentationNeeded);
    const IcmpError report{.reporter = datagram.source,
                           .type = error.type(),
                           .code = error.code(),
                           .next_hop_mtu = too_big ? error.next_hop_mtu() : u16{0},
                           .source = quoted->source(),
                           .destination = quoted->destination(),
                           .quoted_size = quoted->total_length(),
                           .quoted_payload = quoted->payload()};
    return transport->icmp_error(report, now);
}

std::expected<void, Drop> Icmp::icmp_error(const IcmpError& error, TimePoint now) {
    if (error.quoted_payload.size() < IcmpView::kHeaderSize) {
        return std::unexpected(Drop::IcmpBadQuote);
    }
    // The quote ends early, so that its checksum says nothing.
    const u8* quote = error.quoted_payload.data();
    if (static_cast<IcmpType>(quote[IcmpView::kType]) != IcmpType::EchoRequest) {
        return std::unexpected(Drop::IcmpNoMatch);
    }
    const auto found = ports_.find(load_be16(quote + IcmpView::kIdentifier));
    if (found == ports_.end() || found->second->last_destination != error.destination) {
        return std::unexpected(Drop::IcmpNoMatch);
    }
    if (error.type == IcmpType::DestinationUnreachable &&
        error.code == static_cast<u8>(UnreachableCode::FragmentationNeeded)) {
        ip_.lower_path_mtu(error, now);
    }
    return queue(*found->second, {.source = error.reporter,
                                  .destination = error.destination,
                                  .sequence = load_be16(quote + IcmpView::kSequence),
                                  .arrived = now,
                                  .error = error.type,
                                  .code = error.code});
}

/// RFC 1122 3.2.2, "An ICMP error message MUST NOT be sent as the result of receiving": one line
/// for each of its rules.
bool Icmp::may_report(const Ipv4View& packet, bool link_broadcast) const {
    const Ipv4Address source = packet.source();
    const Ipv4Address destination = packet.destination();
    if (packet.protocol() == IpProtocol::Icmp) {
        // "an ICMP error message": one that is too short to tell may be one.
        const Bytes message = packet.payload();
        if (message.empty() || is_icmp_error(static_cast<IcmpType>(message[0]))) return false;
    }
    if (ip_.is_broadcast(destination) || destination.is_multicast()) return false;
    if (link_broadcast) return false;
    if (packet.fragment_offset() != 0) return false;
    return source.is_unicast() && !ip_.is_broadcast(source) && !ip_.is_local(source);
}

void Icmp::send_error(IcmpType type, u8 code, u32 second, Bytes packet, bool link_broadcast,
                      TimePoint now) {
    const auto view = Ipv4View::parse_quoted(packet);
    if (!view || !may_report(*view, link_broadcast)) return;
    if (!error_limit_.take(now)) {
        ++services_.counters.icmp_out_rate_limited;
        return;
    }
    // RFC 1812 4.3.2.3: "The ICMP datagram SHOULD contain as much of the original datagram as
    // possible without the length of the ICMP datagram exceeding 576 bytes."
    constexpr std::size_t kHeaders = Ipv4View::kMinHeaderSize + IcmpView::kHeaderSize;
    const std::size_t least = view->header_size() + kMinQuotedPayload;
    const std::size_t limit = services_.config.icmp.error_max_size;
    const std::size_t room = std::max(least, limit > kHeaders ? limit - kHeaders : 0);
    const Bytes quote = packet.first(std::min(packet.size(), room));

    Frame message(quote);
    IcmpHeader{type, code, second}.write(message.push(IcmpView::kHeaderSize), quote);
    // RFC 1122 3.2.2: "An ICMP error message SHOULD be sent with normal (i.e., zero) TOS bits."
    const bool to_us = ip_.is_local(view->destination());
    const Ipv4SendOptions options{.source = to_us ? view->destination() : Ipv4Address(),
                                  .destination = view->source(),
                                  .protocol = IpProtocol::Icmp,
                                  .dont_fragment = false};
    const SendResult sent = ip_.output(message, options, now);
    if (accepted(sent)) {
        ++services_.counters.icmp_out_msgs;
    } else {
        services_.refuse(drop_of(sent), quote, now);
    }
}

PingSocket Icmp::socket() {
    // Far fewer than there are identifiers, so that a free one is found at once.
    constexpr std::size_t kMaxSockets = 4096;
    if (ports_.size() >= kMaxSockets) return {};
    auto identifier = static_cast<u16>(services_.rng.next());
    if (services_.choices != nullptr) {
        identifier = services_.choices->echo_identifier().value_or(identifier);
    }
    while (ports_.contains(identifier)) ++identifier;
    auto& port = ports_[identifier];
    port = std::make_unique<PingPort>();
    port->identifier = identifier;
    return {*this, *port};
}

std::expected<void, Errno> Icmp::send_request(PingPort& port, Ipv4Address destination, u16 sequence,
                                              Bytes data) {
    if (data.size() > 65535 - Ipv4View::kMinHeaderSize - IcmpView::kHeaderSize) {
        return std::unexpected(Errno::MessageSize);
    }
    Frame request(data);
    const u32 second = u32{port.identifier} << 16 | sequence;
    IcmpHeader{IcmpType::EchoRequest, 0, second}.write(request.push(IcmpView::kHeaderSize), data);
    const Ipv4SendOptions options{.source = Ipv4Address(),
                                  .destination = destination,
                                  .protocol = IpProtocol::Icmp,
                                  .ttl = port.ttl,
                                  .dont_fragment = port.dont_fragment,
                                  .allow_broadcast = port.broadcast};
    const SendResult sent = ip_.output(request, options, services_.last_now);
    if (!accepted(sent)) return std::unexpected(errno_of(sent));
    port.last_destination = destination;
    ++services_.counters.icmp_out_msgs;
    return {};
}

std::expected<void, Drop> Icmp::queue(PingPort& port, const PingReply& reply) {
    if (port.replies.size() >= PingPort::kMaxQueued) return std::unexpected(Drop::IcmpQueueFull);
    port.replies.push_back(reply);
    port.watch.notify();
    return {};
}

}  // namespace tapestry
