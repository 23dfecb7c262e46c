#include "apps/inspect/frame_reader.h"

#include <algorithm>
#include <cstdlib>

#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"

namespace tapestry {
namespace {

/// The first line of an HTTP message, or a short text that is all there is; "" of anything else.
std::string first_line(Bytes payload) {
    constexpr std::size_t kMost = 40;
    const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
    const std::string_view line = text.substr(0, text.find('\r'));
    const bool http = line.starts_with("HTTP/1.") || line.ends_with(" HTTP/1.1");
    if (line.size() > kMost || (!http && line.size() < text.size())) return "";
    const bool readable = std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
    return readable && line.size() > 1 ? std::string(line) : "";
}

/// A window that is hardly larger or smaller than the last one that was told is not told again.
bool is_news(u16 told, u16 window) {
    if (told == 0 || window == 0) return true;
    return std::abs(int{window} - int{told}) * 4 > told;
}

/// What a packet that is quoted in an ICMP error was for.
std::string quoted(const IcmpView& icmp) {
    const auto quote = Ipv4View::parse_quoted(icmp.payload());
    if (!quote) return "";
    std::string text = quote->destination().to_string();
    const bool ports = quote->protocol() == IpProtocol::Tcp || quote->protocol() == IpProtocol::Udp;
    if (ports && quote->payload().size() >= 4) {
        text += ':' + std::to_string(load_be16(&quote->payload()[2]));
    }
    return text;
}

void read_icmp(Bytes message, FrameFacts& facts) {
    facts.kind = FrameFacts::Kind::Icmp;
    const auto icmp = IcmpView::parse(message);
    if (!icmp) {
        facts.notation = facts.brief = "ICMP, " + std::string(name(icmp.error()));
        return;
    }
    const std::string number = ' ' + std::to_string(icmp->sequence());
    std::string text;
    switch (icmp->type()) {
        case IcmpType::EchoRequest:
            text = "echo request" + number + ", ttl " + std::to_string(facts.ttl);
            break;
        case IcmpType::EchoReply:
            text = "echo reply" + number + ", ttl " + std::to_string(facts.ttl);
            break;
        case IcmpType::TimeExceeded:
            text = "time exceeded";
            break;
        case IcmpType::DestinationUnreachable:
            text = unreachable_text(icmp->code());
            break;
        default:
            text = "ICMP type " + std::to_string(static_cast<unsigned>(icmp->type()));
    }
    facts.brief = text;
    const bool echo = icmp->type() == IcmpType::EchoRequest || icmp->type() == IcmpType::EchoReply;
    if (echo) {
        facts.notation = "ICMP " + text + ", id " + std::to_string(icmp->identifier());
        facts.length = static_cast<u32>(icmp->payload().size());
    } else {
        facts.notation = "ICMP " + text + " (for " + quoted(*icmp) + ')';
        if (icmp->type() == IcmpType::DestinationUnreachable) facts.brief = facts.notation;
    }
}

void read_arp(Bytes payload, FrameFacts& facts) {
    const auto arp = ArpPacket::parse(payload);
    if (!arp) {
        facts.notation = facts.brief = "ARP, " + std::string(name(arp.error()));
        return;
    }
    const bool request = arp->operation == ArpOperation::Request;
    facts.kind = request ? FrameFacts::Kind::ArpRequest : FrameFacts::Kind::ArpReply;
    facts.source = arp->sender_ip.to_string();
    facts.destination = arp->target_ip.to_string();
    facts.notation = request ? "ARP who has " + arp->target_ip.to_string() + '?'
                             : "ARP " + facts.source + " is at " + arp->sender_mac.to_string();
    facts.brief = request ? facts.notation : "ARP I am " + facts.source;
}

}  // namespace

std::string unreachable_text(u8 code) {
    switch (static_cast<UnreachableCode>(code)) {
        case UnreachableCode::Network:
            return "network unreachable";
        case UnreachableCode::Host:
            return "host unreachable";
        case UnreachableCode::Protocol:
            return "protocol unreachable";
        case UnreachableCode::Port:
            return "port unreachable";
        case UnreachableCode::FragmentationNeeded:
            return "fragmentation needed";
        case UnreachableCode::NetworkProhibited:
        case UnreachableCode::HostProhibited:
        case UnreachableCode::AdministrativelyProhibited:
            return "prohibited";
        default:
            return "unreachable, code " + std::to_string(code);
    }
}

std::vector<FrameFacts> frame_facts(const Timeline& timeline) {
    FrameReader reader;
    std::vector<FrameFacts> facts;
    facts.reserve(timeline.frames.size());
    for (const Timeline::Frame& frame : timeline.frames) {
        const bool linked = frame.link != Timeline::kNone;
        facts.push_back(
            reader.read(frame.bytes, linked ? timeline.links[frame.link] : "", frame.offload));
        facts.back().lost = frame.lost;
    }
    return facts;
}

FrameFacts FrameReader::read(Bytes frame, const std::string& link, const Offload& offload) {
    FrameFacts facts;
    facts.link = link;
    const auto ethernet = EthernetView::parse(frame);
    if (ethernet && ethernet->type() == EtherType::Arp) {
        read_arp(ethernet->payload(), facts);
        return facts;
    }
    facts.notation = facts.brief = describe_frame(frame, frame.size());
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return facts;
    const auto ip = Ipv4View::parse(ethernet->payload());
    if (!ip) return facts;
    facts.source = ip->source().to_string();
    facts.destination = ip->destination().to_string();
    facts.ttl = ip->ttl();
    if (ip->is_fragment()) return facts;
    // As the one who receives it would look at it: then all of it is in one piece.
    const auto digest = tcp_digest({{}, Direction::In, 0, frame, {}, offload});
    if (digest) {
        read_tcp(*digest, facts);
    } else if (ip->protocol() == IpProtocol::Icmp) {
        read_icmp(ip->payload(), facts);
    } else if (ip->protocol() == IpProtocol::Udp && ip->payload().size() >= UdpView::kHeaderSize) {
        const Bytes udp = ip->payload();
        facts.kind = FrameFacts::Kind::Udp;
        facts.source += ':' + std::to_string(load_be16(&udp[UdpView::kSourcePort]));
        facts.destination += ':' + std::to_string(load_be16(&udp[UdpView::kDestinationPort]));
        facts.length = static_cast<u32>(udp.size() - UdpView::kHeaderSize);
        facts.notation = facts.brief = "UDP " + std::to_string(facts.length) + " bytes";
        facts.quote = first_line(udp.subspan(UdpView::kHeaderSize));
    }
    return facts;
}

void FrameReader::read_tcp(const TcpDigest& received, FrameFacts& facts) {
    TcpDigest digest = received;
    const Endpoint& from = received.remote;
    const Endpoint& to = received.local;
    // Which of the two is called "ours" makes no difference, as long as it stays the same.
    digest.direction = from < to ? Direction::Out : Direction::In;
    facts.kind = FrameFacts::Kind::Tcp;
    facts.source = from.to_string();
    facts.destination = to.to_string();
    facts.length = digest.length;
    facts.quote = first_line(digest.text);
    const Key key{facts.link, std::min(from, to), std::max(from, to)};
    auto found = conversations_.find(key);
    facts.first = found == conversations_.end();
    if (facts.first) {
        found =
            conversations_.emplace(key, Known(static_cast<u32>(conversations_.size() + 1))).first;
    }
    Known& known = found->second;
    facts.conversation = static_cast<u32>(known.segments.number());
    TcpNote note = known.segments.note(digest);
    facts.role = known.segments.role(digest);
    if (digest.flags.syn() && !digest.flags.ack() && facts.role == "1 of 3") facts.first = true;
    facts.notation = to_string(note);

    Known::Side& side = known.sides[digest.direction == Direction::Out ? 1 : 0];
    const bool turn = digest.window == 0 || side.told == u16{0};
    const bool news = digest.flags.syn() || !side.told || is_news(*side.told, digest.window);
    const bool duplicate = is_duplicate(digest, note, known);
    if (facts.role.empty() && duplicate) facts.role = "duplicate ACK";
    side.window = digest.window;
    side.ack = note.ack;
    side.end = std::max(side.end, note.seq + note.length);
    if (digest.flags.rst() || !news) {
        note.window.reset();
    } else {
        side.told = digest.window;
    }
    facts.brief = to_string(note);
    facts.plain = (digest.flags.bits & ~(TcpFlags::kAck | TcpFlags::kPsh)) == 0 && !turn &&
                  (facts.role.empty() || duplicate);
}

/// RFC 5681 2: the same acknowledgment again, while there are data that it does not acknowledge.
bool FrameReader::is_duplicate(const TcpDigest& digest, const TcpNote& note, const Known& known) {
    const bool out = digest.direction == Direction::Out;
    const Known::Side& ours = known.sides[out ? 1 : 0];
    const Known::Side& theirs = known.sides[out ? 0 : 1];
    return digest.pure_ack() && ours.ack == note.ack && ours.window == digest.window &&
           digest.window > 0 && theirs.end > note.ack.value_or(0);
}

}  // namespace tapestry
