#include "apps/replay/datagram_actor.h"

#include <algorithm>

#include "stack/wire/arp.h"
#include "stack/wire/icmp.h"
#include "stack/wire/udp.h"

namespace tapestry {
namespace {

constexpr u8 kPortUnreachable = 3;

std::optional<Ipv4View> ip_of(const RecordedFrame& frame) {
    if (EthernetView::parse(frame.bytes)->type() != EtherType::Ipv4) return std::nullopt;
    const auto ip = Ipv4View::parse(frame.packet());
    if (!ip) return std::nullopt;
    return *ip;
}

std::string protocol_name(u8 protocol) {
    if (protocol == 2) return "IGMP";
    return "IP protocol " + std::to_string(protocol);
}

}  // namespace

DatagramActor::DatagramActor(const Recording& recording) : recording_(recording) {
    for (const auto& frame : recording.frames()) {
        if (!frame->ours) continue;
        const auto ethernet = EthernetView::parse(frame->bytes);
        const auto arp = ArpPacket::parse(frame->packet());
        if (ethernet->type() == EtherType::Arp && arp && arp->operation == ArpOperation::Request &&
            ethernet->destination().is_broadcast()) {
            asked_for_.insert(arp->target_ip);
        }
        const auto ip = ip_of(*frame);
        if (ip && ip->fragment_offset() == 0 && ip->protocol() != IpProtocol::Tcp) {
            identifications_[{ip->destination(), ip->protocol()}].push_back(ip->identification());
        }
    }
}

void DatagramActor::start(Stack& stack) {
    stack_ = &stack;
    plan_sockets();
}

/// A port is somebody's if the host ever sent from it, or took datagrams there without saying that nobody
/// is there.
void DatagramActor::plan_sockets() {
    std::set<u16> taken;
    for (const auto& frame : recording_.frames()) {
        const auto ip = ip_of(*frame);
        if (!ip || ip->fragment_offset() != 0) continue;
        if (ip->protocol() == IpProtocol::Udp && ip->payload().size() >= UdpView::kHeaderSize) {
            taken.insert(load_be16(
                &ip->payload()[frame->ours ? UdpView::kSourcePort : UdpView::kDestinationPort]));
        }
        if (!frame->ours || ip->protocol() != IpProtocol::Icmp) continue;
        const auto icmp = IcmpView::parse(ip->payload(), true);
        if (!icmp || icmp->type() != IcmpType::DestinationUnreachable ||
            icmp->code() != kPortUnreachable) {
            continue;
        }
        const auto quoted = Ipv4View::parse_quoted(icmp->payload());
        if (quoted && quoted->protocol() == IpProtocol::Udp && quoted->payload().size() >= 4) {
            unreachable_.insert(load_be16(&quoted->payload()[UdpView::kDestinationPort]));
        }
    }
    for (const u16 port : taken) {
        if (port == 0 || unreachable_.contains(port)) continue;
        UdpSocket socket = stack_->udp_socket();
        socket.set_broadcast(true);
        if (socket.bind({Ipv4Address(), port})) udp_.emplace(port, std::move(socket));
    }
}

void DatagramActor::play(const RecordedFrame& frame) {
    if (!frame.ours || frame.set_aside) return;
    played_.recorded.push_back(&frame);
    act(frame);
}

namespace {

/// An ICMP error about a packet that was for somebody else: the host was its router.
bool is_routers_error(const Ipv4View& ip) {
    const auto icmp = IcmpView::parse(ip.payload(), true);
    if (ip.protocol() != IpProtocol::Icmp || !icmp) return false;
    const IcmpType type = icmp->type();
    if (type != IcmpType::DestinationUnreachable && type != IcmpType::TimeExceeded &&
        type != IcmpType::Redirect) {
        return false;
    }
    const auto quoted = Ipv4View::parse_quoted(icmp->payload());
    return quoted && quoted->destination() != ip.source();
}

}  // namespace

void DatagramActor::act(const RecordedFrame& frame) {
    if (!acted_.insert(&frame).second) return;
    const auto ip = ip_of(frame);
    if (!ip || ip->fragment_offset() != 0) return;
    if (is_routers_error(*ip)) return not_played(frame, "ICMP about packets in transit");
    switch (ip->protocol()) {
        case IpProtocol::Udp:
            return act_on_udp(*ip);
        case IpProtocol::Icmp:
            return act_on_icmp(*ip);
        case IpProtocol::Tcp:
            return;  // in fragments, or broken
    }
    not_played(frame, protocol_name(static_cast<u8>(ip->protocol())));
}

void DatagramActor::act_on_udp(const Ipv4View& ip) {
    const std::vector<u8> datagram = whole(ip);
    const auto udp = UdpView::parse(datagram, ip.source(), ip.destination(), true);
    if (!udp) return;
    const auto socket = udp_.find(udp->source_port());
    if (socket == udp_.end()) return;
    socket->second.set_ttl(ip.ttl());
    static_cast<void>(
        socket->second.send_to(udp->payload(), {ip.destination(), udp->destination_port()}));
}

void DatagramActor::act_on_icmp(const Ipv4View& ip) {
    const std::vector<u8> message = whole(ip);
    const auto icmp = IcmpView::parse(message, true);
    if (!icmp || icmp->type() != IcmpType::EchoRequest) return;  // the stack's own
    next_echo_identifier_ = icmp->identifier();
    auto found = ping_.find(icmp->identifier());
    if (found == ping_.end()) {
        found = ping_.emplace(icmp->identifier(), stack_->ping_socket()).first;
    }
    next_echo_identifier_.reset();
    PingSocket& socket = found->second;
    socket.set_ttl(ip.ttl());
    socket.set_broadcast(true);
    static_cast<void>(socket.send(ip.destination(), icmp->sequence(), icmp->payload()));
}

std::vector<u8> DatagramActor::whole(const Ipv4View& first) const {
    if (!first.more_fragments()) return {first.payload().begin(), first.payload().end()};
    std::vector<u8> text;
    std::size_t known = 0;
    std::size_t size = 0;
    for (const auto& frame : recording_.frames()) {
        const auto part = frame->ours ? ip_of(*frame) : std::nullopt;
        if (!part || part->identification() != first.identification() ||
            part->protocol() != first.protocol() || part->destination() != first.destination()) {
            continue;
        }
        const std::size_t end = part->fragment_offset() + part->payload().size();
        text.resize(std::max(text.size(), end));
        std::copy(part->payload().begin(), part->payload().end(),
                  text.begin() + static_cast<std::ptrdiff_t>(part->fragment_offset()));
        known += part->payload().size();
        if (!part->more_fragments()) size = end;
        if (size != 0 && known >= size) break;
    }
    return text;
}

void DatagramActor::not_played(const RecordedFrame& frame, const std::string& what) {
    ++played_.not_played[what];
    played_.unplayable.insert(&frame);
}

std::optional<Duration> DatagramActor::reassembly_timeout() const {
    constexpr u8 kOfReassembly = 1;
    std::map<std::pair<Ipv4Address, u16>, TimePoint> first_fragments;
    for (const auto& frame : recording_.frames()) {
        const auto ip = ip_of(*frame);
        if (!ip) continue;
        if (!frame->ours && ip->is_fragment()) {
            first_fragments.emplace(std::pair(ip->source(), ip->identification()), frame->time);
        }
        if (!frame->ours || ip->protocol() != IpProtocol::Icmp) continue;
        const auto icmp = IcmpView::parse(ip->payload(), true);
        if (!icmp || icmp->type() != IcmpType::TimeExceeded || icmp->code() != kOfReassembly)
            continue;
        const auto quoted = Ipv4View::parse_quoted(icmp->payload());
        if (!quoted) continue;
        const auto first = first_fragments.find({quoted->source(), quoted->identification()});
        if (first != first_fragments.end()) return frame->time - first->second;
    }
    return std::nullopt;
}

void DatagramActor::settle() {
    std::array<u8, 65536> buffer;  // NOLINT: written before it is read
    for (auto& [port, socket] : udp_) {
        while (socket.receive(buffer)) ++played_.received;
    }
    for (auto& [identifier, socket] : ping_) {
        while (socket.receive()) ++played_.received;
    }
}

std::optional<u16> DatagramActor::identification(const Ipv4Header& header) {
    const auto found = identifications_.find({header.destination, header.protocol});
    if (found == identifications_.end() || found->second.empty()) return std::nullopt;
    const u16 id = found->second.front();
    found->second.pop_front();
    return id;
}

}  // namespace tapestry
