// ARP, ICMP and UDP: each frame of the recorded host has one of ours that says the same.

#include <algorithm>
#include <tuple>

#include "apps/replay/comparison.h"
#include "stack/wire/arp.h"
#include "stack/wire/icmp.h"

namespace tapestry {
namespace {

/// What makes two frames the same message: the kind, whom it is for, and its own numbers.
struct Key {
    u16 type = 0;  ///< EtherType
    u8 protocol = 0;
    Ipv4Address destination;
    u32 first = 0;
    u32 second = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
};

Key key_of(Bytes frame) {
    const auto ethernet = *EthernetView::parse(frame);
    Key key;
    key.type = static_cast<u16>(ethernet.type());
    if (ethernet.type() == EtherType::Arp) {
        const auto arp = ArpPacket::parse(ethernet.payload());
        if (!arp) return key;
        key.destination = arp->target_ip;
        key.first = static_cast<u32>(arp->operation);
        return key;
    }
    const auto ip = Ipv4View::parse(ethernet.payload());
    if (!ip) return key;
    key.protocol = static_cast<u8>(ip->protocol());
    key.destination = ip->destination();
    const Bytes payload = ip->payload();
    if (ip->fragment_offset() != 0) {
        key.first = ip->fragment_offset();
        key.second = static_cast<u32>(payload.size());
    } else if (ip->protocol() == IpProtocol::Udp && payload.size() >= 4) {
        key.first = load_be32(&payload[0]);  // both ports
    } else if (ip->protocol() == IpProtocol::Icmp && payload.size() >= 8) {
        key.first = load_be16(&payload[0]);  // type and code
        const auto type = static_cast<IcmpType>(payload[0]);
        const bool echo = type == IcmpType::EchoRequest || type == IcmpType::EchoReply;
        if (echo) key.second = load_be32(&payload[4]);
    }
    return key;
}

bool is_icmp_error(const Ipv4View& ip) {
    if (ip.protocol() != IpProtocol::Icmp || ip.payload().empty()) return false;
    const auto type = static_cast<IcmpType>(ip.payload()[0]);
    return type == IcmpType::DestinationUnreachable || type == IcmpType::TimeExceeded ||
           type == IcmpType::ParameterProblem;
}

void wrong(CompareRow& row, const std::string& what, std::string_view rfc) {
    row.wrong = true;
    row.what = what;
    row.rfc = rfc;
}

/// Without the checksum, which follows the rest.
void compare_payload(const Ipv4View& a, const Ipv4View& b, u32 cut, CompareRow& row) {
    const Bytes x = a.payload();
    const Bytes y = b.payload();
    constexpr std::size_t kQuoteAt = 8;
    if (is_icmp_error(a)) {
        const std::size_t same = std::min(x.size(), y.size());
        const bool equal =
            same >= kQuoteAt &&
            std::equal(x.begin() + kQuoteAt, x.begin() + static_cast<std::ptrdiff_t>(same),
                       y.begin() + kQuoteAt);
        if (!equal) return wrong(row, "another quote", "RFC 1122 3.2.2");
        if (x.size() != y.size()) row.rules.add(Leeway::IcmpQuote);
        return;
    }
    if (x.size() != y.size()) return wrong(row, "another length", "RFC 768");
    const std::size_t known = x.size() - std::min<std::size_t>(cut, x.size());
    const std::size_t header = std::min<std::size_t>(a.fragment_offset() == 0 ? 8 : 0, known);
    if (!std::equal(x.begin() + static_cast<std::ptrdiff_t>(header),
                    x.begin() + static_cast<std::ptrdiff_t>(known),
                    y.begin() + static_cast<std::ptrdiff_t>(header))) {
        wrong(row, "other bytes", a.protocol() == IpProtocol::Icmp ? "RFC 792" : "RFC 768");
    }
}

void compare(const RecordedFrame& recorded, const SentFrame& sent, CompareRow& row) {
    row.sent = &sent;
    const Duration late = sent.time - recorded.time;
    if (EthernetView::parse(recorded.bytes)->type() == EtherType::Arp) {
        const auto a = ArpPacket::parse(recorded.packet());
        const auto b = ArpPacket::parse(sent.packet());
        // RFC 826: the target's hardware address in a request means nothing.
        const bool same = a && b && a->sender_mac == b->sender_mac &&
                          a->sender_ip == b->sender_ip &&
                          (a->operation == ArpOperation::Request || a->target_mac == b->target_mac);
        if (!same) wrong(row, "other addresses", "RFC 826");
        if (late > 10ms || late < -10ms) row.rules.add(Leeway::ArpTiming);
        return;
    }
    const auto a = Ipv4View::parse(recorded.packet());
    const auto b = Ipv4View::parse(sent.packet());
    if (!a || !b) return wrong(row, "no IPv4 packet", "RFC 791");
    compare_ip(*a, *b, row);
    compare_payload(*a, *b, recorded.cut, row);
    if (late > 10ms) row.rules.add(Leeway::SentLater);
    if (late < -10ms) row.rules.add(Leeway::SentEarlier);
}

/// A question, or an announcement that nobody asked for.
bool is_unasked_arp(Bytes frame) {
    const auto ethernet = *EthernetView::parse(frame);
    const auto arp = ArpPacket::parse(ethernet.payload());
    return ethernet.type() == EtherType::Arp && arp &&
           (arp->operation == ArpOperation::Request || arp->sender_ip == arp->target_ip);
}

}  // namespace

CompareRows compare_datagrams(const PlayedDatagrams& played) {
    std::map<Key, std::deque<const SentFrame*>> places;
    for (const SentFrame& frame : played.sent) places[key_of(frame.bytes)].push_back(&frame);
    CompareRows rows;
    for (const RecordedFrame* frame : played.recorded) {
        if (played.unplayable.contains(frame)) continue;
        CompareRow& row = rows.emplace_back();
        row.recorded = frame;
        row.time = frame->time;
        auto& same = places[key_of(frame->bytes)];
        if (!same.empty()) {
            compare(*frame, *same.front(), row);
            same.pop_front();
        } else if (is_unasked_arp(frame->bytes)) {
            row.rules.add(Leeway::ArpTiming);
        } else {
            wrong(row, "never sent by us", "RFC 1122 3.2");
        }
    }
    for (const auto& [key, frames] : places) {
        for (const SentFrame* frame : frames) {
            CompareRow& row = rows.emplace_back();
            row.sent = frame;
            row.time = frame->time;
            if (is_unasked_arp(frame->bytes)) {
                row.rules.add(Leeway::ArpTiming);
            } else {
                wrong(row, "sent by us only", "RFC 1122 3.2");
            }
        }
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const CompareRow& a, const CompareRow& b) { return a.time < b.time; });
    return rows;
}

}  // namespace tapestry
