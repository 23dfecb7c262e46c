#include "stack/trace/notation.h"
#include "stack/wire/arp.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"

/// One line for a whole frame. The payload may be somewhere else, so lengths come from the headers
/// and are held against the size on the wire; transport checksums are not looked at, since whether
/// they are finished is known to the offload data only.

namespace tapestry {
namespace {

std::string refused(Drop drop) {
    return std::string(name(drop)) + " (" + std::string(text(drop)) + ')';
}

std::string hex16(u16 value) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text = "0x";
    for (int shift = 12; shift >= 0; shift -= 4) text += kDigits[value >> shift & 0xf];
    return text;
}

std::string length_text(std::size_t length) { return ", length " + std::to_string(length); }

std::string protocol_name(IpProtocol protocol) {
    switch (protocol) {
        case IpProtocol::Icmp:
            return "ICMP";
        case IpProtocol::Tcp:
            return "TCP";
        case IpProtocol::Udp:
            return "UDP";
        default:
            return "ip-proto-" + std::to_string(static_cast<unsigned>(protocol));
    }
}

std::string describe_arp(Bytes payload, std::size_t size) {
    const auto arp = ArpPacket::parse(payload);
    if (!arp) return "ARP, " + refused(arp.error()) + length_text(size);
    std::string line = "ARP, ";
    if (arp->operation == ArpOperation::Request) {
        line +=
            "Request who-has " + arp->target_ip.to_string() + " tell " + arp->sender_ip.to_string();
    } else {
        line += "Reply " + arp->sender_ip.to_string() + " is-at " + arp->sender_mac.to_string();
    }
    return line + length_text(size);
}

/// What the packet quoted in an ICMP error was for: "10.0.0.1 udp port 53", "10.0.0.1".
std::string describe_quote(const Ipv4View& quote, bool with_port) {
    std::string line = quote.destination().to_string();
    const bool udp = quote.protocol() == IpProtocol::Udp;
    if (with_port && (udp || quote.protocol() == IpProtocol::Tcp) && quote.payload().size() >= 4) {
        line += std::string(udp ? " udp" : " tcp") + " port " +
                std::to_string(load_be16(&quote.payload()[2]));
    }
    return line;
}

std::string describe_unreachable(const IcmpView& icmp) {
    const auto quote = Ipv4View::parse_quoted(icmp.payload());
    if (!quote) return "unreachable, " + refused(quote.error());
    switch (static_cast<UnreachableCode>(icmp.code())) {
        case UnreachableCode::Network:
            return "net " + describe_quote(*quote, false) + " unreachable";
        case UnreachableCode::Host:
            return "host " + describe_quote(*quote, false) + " unreachable";
        case UnreachableCode::Protocol:
            return describe_quote(*quote, false) + " protocol " +
                   std::to_string(static_cast<unsigned>(quote->protocol())) + " unreachable";
        case UnreachableCode::Port:
            return describe_quote(*quote, true) + " unreachable";
        case UnreachableCode::FragmentationNeeded:
            return describe_quote(*quote, false) + " unreachable - need to frag (mtu " +
                   std::to_string(icmp.next_hop_mtu()) + ')';
        case UnreachableCode::AdministrativelyProhibited:
            return describe_quote(*quote, false) + " unreachable - admin prohibited";
        default:
            return describe_quote(*quote, false) + " unreachable - code " +
                   std::to_string(icmp.code());
    }
}

std::string describe_icmp(Bytes message) {
    const auto icmp = IcmpView::parse(message, true);
    if (!icmp) return refused(icmp.error());
    const auto echo = [&icmp](std::string_view kind) {
        return "echo " + std::string(kind) + ", id " + std::to_string(icmp->identifier()) +
               ", seq " + std::to_string(icmp->sequence());
    };
    switch (icmp->type()) {
        case IcmpType::EchoRequest:
            return echo("request");
        case IcmpType::EchoReply:
            return echo("reply");
        case IcmpType::DestinationUnreachable:
            return describe_unreachable(*icmp);
        case IcmpType::TimeExceeded:
            return icmp->code() == 1 ? "ip reassembly time exceeded" : "time exceeded in-transit";
        case IcmpType::Redirect:
            return "redirect to host " + Ipv4Address::load(&message[4]).to_string();
        case IcmpType::SourceQuench:
            return "source quench";
        case IcmpType::ParameterProblem:
            return "parameter problem - octet " + std::to_string(message[4]);
    }
    return "type-#" + std::to_string(static_cast<unsigned>(icmp->type()));
}

/// `size` counts header and data as the IP header says it, of which `bytes` is what is here.
std::string describe_tcp(const Ipv4View& ip, Bytes bytes, std::size_t size) {
    const auto tcp = TcpView::parse(bytes);
    if (!tcp) return "TCP, " + refused(tcp.error()) + length_text(size);
    const auto options = TcpOptions::parse(tcp->options());
    TcpNote note;
    note.flags = tcp->flags();
    note.seq = tcp->sequence().value();
    note.length = static_cast<u32>(size - tcp->header_size());
    if (tcp->flags().ack()) note.ack = tcp->acknowledgment().value();
    note.window = tcp->window();
    if (tcp->flags().urg()) note.urgent = tcp->urgent_pointer();
    note.options = options.value_or(TcpOptions{});
    std::string line = ip.source().to_string() + '.' + std::to_string(tcp->source_port()) + " > " +
                       ip.destination().to_string() + '.' +
                       std::to_string(tcp->destination_port()) + ": " + to_string(note);
    if (!options) line += ", " + refused(options.error());
    return line;
}

std::string describe_udp(const Ipv4View& ip, Bytes bytes, std::size_t size) {
    if (bytes.size() < UdpView::kHeaderSize) {
        return "UDP, " + refused(Drop::UdpShort) + length_text(size);
    }
    const std::size_t length = load_be16(&bytes[UdpView::kLength]);
    const std::string line = ip.source().to_string() + '.' +
                             std::to_string(load_be16(&bytes[UdpView::kSourcePort])) + " > " +
                             ip.destination().to_string() + '.' +
                             std::to_string(load_be16(&bytes[UdpView::kDestinationPort])) + ": UDP";
    if (length < UdpView::kHeaderSize || length > size) {
        return line + ", " + refused(Drop::UdpBadLength) + length_text(size);
    }
    return line + length_text(length - UdpView::kHeaderSize);
}

std::string describe_fragment(const Ipv4View& ip, std::size_t size) {
    return ip.source().to_string() + " > " + ip.destination().to_string() + ": " +
           protocol_name(ip.protocol()) + " fragment id " + std::to_string(ip.identification()) +
           ", offset " + std::to_string(ip.fragment_offset()) + (ip.more_fragments() ? "+" : "") +
           length_text(size);
}

/// The view of a packet of which only the first bytes are here, `size` on the wire.
std::expected<Ipv4View, Drop> parse_ipv4(Bytes packet, std::size_t size) {
    auto whole = Ipv4View::parse(packet);
    if (whole || whole.error() != Drop::Ipv4BadTotalLength) return whole;
    const auto view = Ipv4View::parse_quoted(packet);
    if (!view || view->total_length() < view->header_size() || view->total_length() > size) {
        return std::unexpected(Drop::Ipv4BadTotalLength);
    }
    if (internet_checksum(packet.first(view->header_size())) != 0) {
        return std::unexpected(Drop::Ipv4BadChecksum);
    }
    return view;
}

std::string describe_ipv4(Bytes packet, std::size_t packet_size) {
    const auto ip = parse_ipv4(packet, packet_size);
    if (!ip) return "IP " + refused(ip.error()) + length_text(packet_size);
    const std::size_t size = ip->total_length() - ip->header_size();
    const Bytes payload = ip->payload();
    if (ip->is_fragment()) return "IP " + describe_fragment(*ip, size);
    if (ip->protocol() == IpProtocol::Tcp) return "IP " + describe_tcp(*ip, payload, size);
    if (ip->protocol() == IpProtocol::Udp) return "IP " + describe_udp(*ip, payload, size);
    std::string line = "IP " + ip->source().to_string() + " > " + ip->destination().to_string() +
                       ": " + protocol_name(ip->protocol());
    if (ip->protocol() == IpProtocol::Icmp) line += ' ' + describe_icmp(payload);
    return line + length_text(size);
}

}  // namespace

std::string describe_frame(Bytes headers, std::size_t frame_size) {
    // What is said to be smaller than what is here would make the lengths below wrap.
    if (frame_size < headers.size()) frame_size = headers.size();
    const auto ethernet = EthernetView::parse(headers);
    if (!ethernet) return refused(ethernet.error()) + length_text(frame_size);
    const std::size_t payload_size = frame_size - EthernetView::kHeaderSize;
    switch (ethernet->type()) {
        case EtherType::Arp:
            return describe_arp(ethernet->payload(), payload_size);
        case EtherType::Ipv4:
            return describe_ipv4(ethernet->payload(), payload_size);
        case EtherType::Vlan:
            return "VLAN" + length_text(payload_size);
        case EtherType::Ipv6:
            return "IP6" + length_text(payload_size);
    }
    const u16 type = static_cast<u16>(ethernet->type());
    if (type < 0x600) return "802.3" + length_text(type);
    return "ethertype " + hex16(type) + length_text(payload_size);
}

}  // namespace tapestry
