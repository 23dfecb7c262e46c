#include "stack/ip/transit.h"

#include "stack/wire/checksum.h"
#include "stack/wire/udp.h"

namespace tapestry {
namespace {

/// What RFC 792 has every quote carry of the packet behind its IP header.
constexpr std::size_t kMinQuotedPayload = 8;

bool is_query(IcmpType type) {
    return type == IcmpType::EchoRequest || type == IcmpType::EchoReply;
}

/// The ports, or what takes their place, from the first eight bytes behind the IP header.
FlowTuple tuple_of(const Ipv4View& packet) {
    FlowTuple tuple{{packet.source(), 0}, {packet.destination(), 0}, packet.protocol(), 0};
    const Bytes payload = packet.payload();
    if (tuple.protocol == IpProtocol::Tcp || tuple.protocol == IpProtocol::Udp) {
        tuple.source.port = load_be16(payload.data());
        tuple.destination.port = load_be16(payload.data() + 2);
    } else if (tuple.protocol == IpProtocol::Icmp) {
        tuple.icmp_type = payload[IcmpView::kType];
        tuple.source.port = tuple.destination.port =
            load_be16(payload.data() + IcmpView::kIdentifier);
    }
    return tuple;
}

std::expected<Transit, Drop> read_tcp(const Ipv4View& packet, Transit transit) {
    const auto tcp = TcpView::parse(packet.payload());
    if (!tcp) return std::unexpected(tcp.error());
    transit.tuple = tuple_of(packet);
    transit.flags = tcp->flags();
    transit.header_size = static_cast<u16>(packet.header_size() + tcp->header_size());
    return transit;
}

std::expected<Transit, Drop> read_udp(const Ipv4View& packet, Transit transit) {
    if (packet.payload().size() < UdpView::kHeaderSize) return std::unexpected(Drop::UdpShort);
    transit.tuple = tuple_of(packet);
    transit.header_size = static_cast<u16>(packet.header_size() + UdpView::kHeaderSize);
    return transit;
}

std::expected<Transit, Drop> read_icmp(const Ipv4View& packet, Transit transit) {
    const Bytes message = packet.payload();
    if (message.size() < IcmpView::kHeaderSize) return std::unexpected(Drop::IcmpShort);
    transit.header_size = static_cast<u16>(packet.header_size() + IcmpView::kHeaderSize);
    transit.icmp_type = message[IcmpView::kType];
    transit.icmp_code = message[IcmpView::kCode];
    const auto type = static_cast<IcmpType>(transit.icmp_type);
    transit.tuple = tuple_of(packet);
    if (is_query(type)) return transit;
    transit.kind = Transit::Kind::Other;
    if (!is_icmp_error(type)) return transit;
    const auto error = IcmpView::parse(message);
    if (!error) return std::unexpected(error.error());
    const auto quoted = quoted_tuple(error->payload());
    if (!quoted) return std::unexpected(quoted.error());
    transit.kind = Transit::Kind::IcmpError;
    transit.tuple = *quoted;
    return transit;
}

}  // namespace

std::expected<Transit, Drop> read_transit(const Ipv4View& packet) {
    Transit transit;
    transit.size = static_cast<u32>(packet.bytes().size());
    switch (packet.protocol()) {
        case IpProtocol::Tcp:
            return read_tcp(packet, transit);
        case IpProtocol::Udp:
            return read_udp(packet, transit);
        case IpProtocol::Icmp:
            return read_icmp(packet, transit);
    }
    transit.tuple = tuple_of(packet);
    transit.header_size = static_cast<u16>(packet.header_size());
    return transit;
}

std::expected<FlowTuple, Drop> quoted_tuple(Bytes quote) {
    const auto packet = Ipv4View::parse_quoted(quote);
    if (!packet) return std::unexpected(packet.error());
    const bool whole_header = internet_checksum(quote.first(packet->header_size())) == 0;
    if (!whole_header || packet->fragment_offset() != 0 ||
        packet->payload().size() < kMinQuotedPayload) {
        return std::unexpected(Drop::IcmpBadQuote);
    }
    return tuple_of(*packet);
}

}  // namespace tapestry
