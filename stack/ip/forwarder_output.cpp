#include <algorithm>

#include "stack/ip/forwarder.h"
#include "stack/ip/ipv4.h"
#include "stack/wire/checksum.h"
#include "stack/wire/udp.h"

/// How a packet leaves the router: changed and sent, cut where it must be, or answered.

namespace tapestry {
namespace {

constexpr std::size_t kEthernet = EthernetView::kHeaderSize;

/// Where the checksum of a transport header is.
std::optional<u16> checksum_offset(IpProtocol protocol) {
    if (protocol == IpProtocol::Tcp) return u16{TcpView::kChecksum};
    if (protocol == IpProtocol::Udp) return u16{UdpView::kChecksum};
    return std::nullopt;
}

/// A device may claim anything about its frames: what it has left to us has to be the checksum, and
/// the cutting, of just this packet.
bool offload_fits(const Offload& offload, Bytes packet) {
    if (!offload.uses_offsets()) return true;
    const std::size_t ip_header = std::size_t{4} * (packet[0] & 0xfU);
    const auto offset = checksum_offset(static_cast<IpProtocol>(packet[Ipv4View::kProtocol]));
    return offset && offload.checksum == Offload::Checksum::Partial &&
           offload.csum_start == kEthernet + ip_header && offload.csum_offset == *offset &&
           packet.size() >= ip_header + *offset + 2;
}

/// IPv4 and transport header; of a fragment, or a packet that nobody has looked into, as many bytes
/// behind the IPv4 header as hold any checksum that a device may be told to finish.
std::size_t header_bytes(Bytes packet, std::size_t known) {
    const std::size_t ip_header = std::size_t{4} * (packet[0] & 0xfU);
    return std::min(packet.size(), std::max(known, ip_header + TcpView::kMinHeaderSize));
}

}  // namespace

/// No larger than the outgoing MTU; of a super-frame, its segments.
bool Forwarder::fits(const Passage& passage) const {
    const u32 mtu = passage.out->mtu();
    const u32 size = static_cast<u32>(passage.packet.size());
    if (size <= mtu) return true;
    const Offload& offload = passage.offload;
    if (offload.gso_size == 0 || size > passage.out->max_super_frame()) return false;
    return offload.header_length + u32{offload.gso_size} <= mtu + kEthernet;
}

void Forwarder::change(Passage& passage) const {
    if (passage.flow == nullptr || !passage.flow->translated()) return;
    if (passage.transit.kind == Transit::Kind::IcmpError) {
        rewrite_icmp_error(passage.packet, passage.leaving, passage.from, passage.to);
    } else {
        rewrite_packet(passage.packet, passage.leaving, passage.offload);
    }
}

std::expected<void, Drop> Forwarder::transmit(Passage& passage) {
    if (!offload_fits(passage.offload, passage.packet)) {
        return std::unexpected(Drop::OffloadInvalid);
    }
    redirect(passage);
    const std::size_t headers = header_bytes(passage.packet, passage.transit.header_size);
    std::array<u8, Frame::kHeaderCapacity> before;
    std::copy_n(passage.packet.data(), headers, before.data());
    change(passage);
    decrement_ttl(passage.packet);
    ++services_.counters.ip_forwarded;
    if (services_.trace != nullptr) {
        services_.trace->on_forward({passage.now, passage.in.index(), passage.out->index(),
                                     Bytes(before).first(headers), passage.packet.first(headers),
                                     passage.flow != nullptr ? passage.flow->id() : 0});
    }
    const SendResult sent = fits(passage) ? send_whole(passage, headers) : send_pieces(passage);
    if (!accepted(sent)) return std::unexpected(drop_of(sent));
    return {};
}

SendResult Forwarder::send_whole(Passage& passage, std::size_t headers) {
    Frame frame(passage.packet.subspan(headers));
    std::memcpy(frame.push(headers), passage.packet.data(), headers);
    frame.offload = passage.offload;
    if (frame.offload.uses_offsets()) {
        // They counted from the Ethernet header that the packet came with; the next one counts again.
        frame.offload.csum_start = static_cast<u16>(frame.offload.csum_start - kEthernet);
        frame.offload.header_length = static_cast<u16>(frame.offload.header_length - kEthernet);
    }
    return passage.out->output(frame, passage.next_hop, passage.now);
}

SendResult Forwarder::send_pieces(Passage& passage) {
    const Bytes packet = passage.packet;
    const std::size_t ip_header = std::size_t{4} * (packet[0] & 0xfU);
    const std::size_t headers = header_bytes(packet, passage.transit.header_size);
    Frame payload(packet.subspan(headers));
    std::memcpy(payload.push(headers - ip_header), packet.data() + ip_header, headers - ip_header);
    payload.offload = passage.offload;
    payload.offload.csum_start = 0;
    complete_checksum(payload, static_cast<IpProtocol>(packet[Ipv4View::kProtocol]), passage.from,
                      passage.to);
    return send_fragments(payload, packet.first(ip_header), passage.out->mtu(),
                          {.send =
                               [&](Frame& piece) {
                                   const SendResult sent =
                                       passage.out->output(piece, passage.next_hop, passage.now);
                                   if (accepted(sent)) ++services_.counters.ip_fragments_created;
                                   return sent;
                               },
                           .lost =
                               [&](const Frame& piece, SendResult why) {
                                   services_.refuse(drop_of(why), piece.headers(), passage.now);
                               }});
}

void Forwarder::report(const Passage& passage, IcmpType type, u8 code, u32 second) {
    ip_.icmp_.send_error(type, code, second, passage.packet, passage.link_broadcast, passage.now);
}

/// RFC 1812 5.2.7.2: a host that sends to us what a neighbour of its own should have is told so.
void Forwarder::redirect(const Passage& passage) {
    const bool translated = passage.flow != nullptr && passage.flow->translated();
    if (!services_.config.send_redirects || passage.out != &passage.in || translated) return;
    if (!passage.in.prefix().contains(passage.from)) return;
    constexpr u8 kHost = 1;
    report(passage, IcmpType::Redirect, kHost, passage.next_hop.value());
}

void Forwarder::reject(const Passage& passage, RejectWith with) {
    u8 code = 0;
    switch (with) {
        case RejectWith::TcpReset:
            return send_reset(passage);
        case RejectWith::NetUnreachable:
            code = code_of(UnreachableCode::Network);
            break;
        case RejectWith::HostUnreachable:
            code = code_of(UnreachableCode::Host);
            break;
        case RejectWith::ProtoUnreachable:
            code = code_of(UnreachableCode::Protocol);
            break;
        case RejectWith::PortUnreachable:
            code = code_of(UnreachableCode::Port);
            break;
        case RejectWith::NetProhibited:
            code = code_of(UnreachableCode::NetworkProhibited);
            break;
        case RejectWith::HostProhibited:
            code = code_of(UnreachableCode::HostProhibited);
            break;
        case RejectWith::AdminProhibited:
            code = code_of(UnreachableCode::AdministrativelyProhibited);
            break;
    }
    report(passage, IcmpType::DestinationUnreachable, code);
}

/// As if the one that it was sent to had no such connection (RFC 9293 3.5.2).
void Forwarder::send_reset(const Passage& passage) {
    const auto packet = Ipv4View::parse_quoted(passage.packet);
    if (!packet || packet->protocol() != IpProtocol::Tcp) return;
    const auto tcp = TcpView::parse(packet->payload());
    if (!tcp || tcp->flags().rst()) return;
    TcpHeader reset;
    reset.source_port = tcp->destination_port();
    reset.destination_port = tcp->source_port();
    if (tcp->flags().ack()) {
        reset.sequence = tcp->acknowledgment();
        reset.flags = {TcpFlags::kRst};
    } else {
        const u32 length = static_cast<u32>(tcp->payload().size()) +
                           (tcp->flags().syn() ? 1U : 0U) + (tcp->flags().fin() ? 1U : 0U);
        reset.acknowledgment = tcp->sequence() + length;
        reset.flags = {TcpFlags::kRst | TcpFlags::kAck};
    }
    Frame frame;
    u8* p = frame.push(TcpView::kMinHeaderSize);
    reset.write(p);
    auto sum = pseudo_header(packet->destination(), packet->source(),
                             static_cast<u8>(IpProtocol::Tcp), TcpView::kMinHeaderSize);
    sum.add(frame.headers());
    store_be16(p + TcpView::kChecksum, sum.checksum());
    const Ipv4Header header{.total_length = Ipv4View::kMinHeaderSize + TcpView::kMinHeaderSize,
                            .dont_fragment = true,
                            .protocol = IpProtocol::Tcp,
                            .source = packet->destination(),
                            .destination = packet->source()};
    header.write(frame.push(Ipv4View::kMinHeaderSize));
    const auto way = ip_.route(packet->source());
    const SendResult sent =
        way ? way->interface->output(frame, way->next_hop, passage.now) : SendResult::NoRoute;
    if (!accepted(sent)) services_.refuse(drop_of(sent), frame.headers(), passage.now);
}

bool Forwarder::may_leave(const Interface& out, const Ipv4Header& header, const Frame& payload,
                          TimePoint now) {
    if (!following()) return true;
    // The transport header, and the whole quote of an ICMP error, in one piece.
    std::vector<u8> packet(Ipv4View::kMinHeaderSize + payload.size());
    header.write(packet.data());
    payload.copy_to(packet.data() + Ipv4View::kMinHeaderSize);
    const auto view = Ipv4View::parse_quoted(packet);
    const auto read = view ? read_transit(*view) : std::unexpected(view.error());
    // An error may quote what cannot be read, and is to be sent all the same.
    Transit transit = read.value_or(Transit());
    if (!read) transit.kind = Transit::Kind::Other;
    RuleSubject about{.in = {},
                      .out = out.name(),
                      .tuple = transit.tuple,
                      .flags = transit.flags,
                      .icmp_type = transit.icmp_type,
                      .icmp_code = transit.icmp_code,
                      .size = transit.size};
    FlowTable::Found found;
    if (transit.kind == Transit::Kind::Conversation) {
        found = flows_.find(transit.tuple);
        const bool answered = found.flow != nullptr &&
                              (found.flow->replied() || found.direction == FlowDirection::Reply);
        const bool opens =
            transit.tuple.protocol != IpProtocol::Tcp || FlowTcp::opens(transit.flags);
        if (answered) about.state = ConnectionState::kEstablished;
        if (found.flow == nullptr && !opens) about.state = ConnectionState::kInvalid;
    } else {
        about.tuple = {{header.source, 0}, {header.destination, 0}, header.protocol, 0};
        about.state = ConnectionState::kRelated;
    }
    if (filter_.judge(Chain::Output, about, now).target != Target::Accept) {
        services_.refuse(Drop::FilterDropped, packet, now);
        return false;
    }
    if (transit.kind != Transit::Kind::Conversation || about.state == ConnectionState::kInvalid) {
        return true;
    }
    if (found.flow == nullptr) {
        const auto made = flows_.add(transit.tuple, transit.tuple.reversed(), now);
        if (!made) {
            services_.refuse(made.error(), packet, now);
            return false;
        }
        found.flow = *made;
    }
    flows_.passed(*found.flow, found.direction, transit.flags, transit.size, 1, now);
    return true;
}

bool Forwarder::has_translated(const Ipv4View& packet) const {
    const auto transit = read_transit(packet);
    if (!transit) return false;
    const auto found = flows_.find(transit->tuple.reversed());
    return found.flow != nullptr && found.flow->translated();
}

void Forwarder::undeliverable(Packet& packet, TimePoint now) {
    if (!services_.config.forwarding) return;
    const auto view = Ipv4View::parse_quoted(packet.bytes());
    const auto transit = view ? read_transit(*view) : std::unexpected(view.error());
    if (transit && transit->kind == Transit::Kind::Conversation) {
        // It left as the answer's tuple reversed; its sender knows it as it came.
        const auto found = flows_.find(transit->tuple.reversed());
        if (found.flow != nullptr && found.flow->translated()) {
            rewrite_packet(packet.mutable_bytes(), found.flow->incoming(other(found.direction)),
                           packet.offload);
        }
    }
    ip_.icmp_.send_error(IcmpType::DestinationUnreachable, code_of(UnreachableCode::Host), 0,
                         packet.bytes(), false, now);
}

}  // namespace tapestry
