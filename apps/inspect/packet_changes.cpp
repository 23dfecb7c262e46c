#include "apps/inspect/packet_changes.h"

#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/tcp.h"

namespace tapestry {
namespace {

bool has_ports(const Ipv4View& packet) {
    const IpProtocol protocol = packet.protocol();
    return (protocol == IpProtocol::Tcp || protocol == IpProtocol::Udp) &&
           packet.fragment_offset() == 0 && packet.payload().size() >= 4;
}

std::string source_of(const Ipv4View& packet) {
    if (!has_ports(packet)) return packet.source().to_string();
    return Endpoint{packet.source(), load_be16(&packet.payload()[0])}.to_string();
}

std::string destination_of(const Ipv4View& packet) {
    if (!has_ports(packet)) return packet.destination().to_string();
    return Endpoint{packet.destination(), load_be16(&packet.payload()[2])}.to_string();
}

/// Of an ICMP echo.
std::optional<u16> identifier_of(const Ipv4View& packet) {
    if (packet.protocol() != IpProtocol::Icmp || packet.is_fragment()) return std::nullopt;
    const Bytes icmp = packet.payload();
    if (icmp.size() < IcmpView::kHeaderSize) return std::nullopt;
    const auto type = static_cast<IcmpType>(icmp[IcmpView::kType]);
    if (type != IcmpType::EchoRequest && type != IcmpType::EchoReply) return std::nullopt;
    return load_be16(&icmp[IcmpView::kIdentifier]);
}

}  // namespace

std::vector<Rewrite> packet_changes(Bytes before, Bytes after) {
    std::vector<Rewrite> changes;
    const auto was = Ipv4View::parse_quoted(before);
    const auto is = Ipv4View::parse_quoted(after);
    if (!was || !is) return changes;
    const auto add = [&changes](const char* field, const std::string& a, const std::string& b) {
        if (a != b) changes.push_back({field, a, b});
    };
    add("src", source_of(*was), source_of(*is));
    add("dst", destination_of(*was), destination_of(*is));
    const auto old_id = identifier_of(*was);
    const auto new_id = identifier_of(*is);
    if (old_id && new_id) add("id", std::to_string(*old_id), std::to_string(*new_id));
    add("ttl", std::to_string(was->ttl()), std::to_string(is->ttl()));
    return changes;
}

std::optional<Ipv4View> ipv4_of_frame(Bytes frame) {
    const auto ethernet = EthernetView::parse(frame);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return std::nullopt;
    return ipv4_of(ethernet->payload());
}

std::optional<Ipv4View> ipv4_of(Bytes bytes) {
    if (!bytes.empty() && bytes[0] >> 4U == 4) {
        if (const auto packet = Ipv4View::parse_quoted(bytes)) return *packet;
    }
    const auto ethernet = EthernetView::parse(bytes);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return std::nullopt;
    const auto packet = Ipv4View::parse_quoted(ethernet->payload());
    if (!packet) return std::nullopt;
    return *packet;
}

std::string who_to_whom(const Ipv4View& packet) {
    return source_of(packet) + " > " + destination_of(packet);
}

bool is_routine(const Ipv4View& packet) {
    if (packet.protocol() != IpProtocol::Tcp || packet.payload().size() < TcpView::kMinHeaderSize) {
        return false;
    }
    const u8 flags = packet.payload()[TcpView::kFlags];
    return (flags & ~(TcpFlags::kAck | TcpFlags::kPsh)) == 0;
}

}  // namespace tapestry
