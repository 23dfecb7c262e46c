#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/oracle/rows.h"
#include "tests/support/raw_packet.h"

namespace tapestry::test {

/// The frames that a row speaks of, made from its case and the words of its input. What a row does not
/// say (ports, addresses, how much data) is as the lengths in Linux's answers show it to have been.
using OracleFrames = std::vector<std::vector<u8>>;
using OracleRecipe = std::function<OracleFrames(const OracleRow&)>;

namespace recipe {

inline const Ipv4Address kSubnetBroadcast = *Ipv4Prefix{kUs, 24}.subnet_broadcast();

inline std::vector<u8> echo_packet(std::size_t data = 8, Ipv4Address from = kPeer,
                                   Ipv4Address to = kUs) {
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.source = from;
    header.destination = to;
    return ip_packet(header, echo_request(pattern_bytes(data)));
}
inline std::vector<u8> ip_frame(const std::vector<u8>& packet, MacAddress to = kOurMac) {
    return ethernet_frame(EtherType::Ipv4, packet, to);
}
inline std::vector<u8> echo_with_options(std::vector<u8> options) {
    return ip_frame(ip_packet_with_options(ip_header(IpProtocol::Icmp), std::move(options),
                                           echo_request(pattern_bytes(8))));
}
inline OracleFrames syn_with_options(std::vector<u8> options) {
    return {RawTcp{.options = std::move(options)}.frame()};
}
/// "FD010000": bytes as they stand.
inline std::vector<u8> hex_bytes(const std::string& digits) {
    std::vector<u8> bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        bytes.push_back(static_cast<u8>(std::stoul(digits.substr(at, 2), nullptr, 16)));
    }
    return bytes;
}

inline OracleFrames ethernet(const OracleRow& row) {
    if (row.id == "ETH-01") {
        auto frame = ip_frame(echo_packet());
        frame.resize(row.number());
        return {frame};
    }
    const ArpPacket request{ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs};
    if (row.id == "ETH-07") {
        auto frame = arp_frame(request, MacAddress::broadcast());
        const u16 vid = static_cast<u16>(row.number());
        const std::vector<u8> tag{0x81, 0x00, static_cast<u8>(vid >> 8), static_cast<u8>(vid)};
        frame.insert(frame.begin() + 12, tag.begin(), tag.end());
        return {frame};
    }
    if (row.id == "ETH-11") return {ip_frame(echo_packet(), MacAddress({2, 0, 0, 0, 0, 9}))};
    return {ip_frame(RawTcp{}.packet(), MacAddress::broadcast())};
}

inline OracleFrames arp(const OracleRow& row) {
    ArpPacket packet{ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs};
    if (row.has("0.0.0.0")) packet.sender_ip = Ipv4Address();
    if (row.has("own IP")) packet.sender_ip = kUs;
    if (row.has("opcode")) packet.operation = static_cast<ArpOperation>(row.number());
    auto frame = arp_frame(packet, MacAddress::broadcast());
    constexpr std::size_t kHardwareLength = 14 + 4;
    if (row.has("hlen")) frame[kHardwareLength] = static_cast<u8>(row.number("hlen"));
    return {frame};
}

/// Headers that are wrong in one place.
inline OracleFrames ip_header_field(const OracleRow& row) {
    const auto echo = echo_packet();
    if (row.has("total_length +")) return {ip_frame(patched(echo, {{3, u8(echo.size() + 1)}}))};
    if (row.has("total_length")) return {ip_frame(patched(echo, {{3, u8(row.number())}}))};
    if (row.has("ihl")) return {ip_frame(patched(echo, {{0, u8(0x40 | row.number("ihl"))}}))};
    if (row.has("version")) return {ip_frame(patched(echo, {{0, u8(row.number() << 4 | 5)}}))};
    if (row.has("ttl")) return {ip_frame(patched(echo, {{Ipv4View::kTtl, u8(row.number())}}))};
    if (row.has("reserved")) return {ip_frame(patched(echo, {{Ipv4View::kFlagsAndOffset, 0x80}}))};
    auto broken = echo;  // the checksum
    ++broken[Ipv4View::kChecksum + 1];
    return {ip_frame(broken)};
}

inline OracleFrames ip_address(const OracleRow& row) {
    if (row.has("land")) return {RawTcp{.source_port = 80}.frame(kUs, kUs)};
    Ipv4Address from = kPeer;
    Ipv4Address to = kUs;
    Ipv4Address& named = row.has("src") ? from : to;
    named = kSubnetBroadcast;
    const std::string last = row.input.substr(row.input.rfind(' ') + 1);
    if (const auto address = Ipv4Address::parse(last)) named = *address;
    const bool broadcast = to == kSubnetBroadcast;
    return {ip_frame(echo_packet(8, from, to), broadcast ? MacAddress::broadcast() : kOurMac)};
}

inline OracleFrames ip_option(const OracleRow& row) {
    constexpr u8 kRecordRoute = 7;
    constexpr u8 kLooseSourceRoute = 131;
    if (row.has("LSRR")) return {echo_with_options({kLooseSourceRoute, 7, 4, 10, 0, 0, 1})};
    if (row.has("RR length 0")) return {echo_with_options({kRecordRoute, 0, 0, 0})};
    if (row.has("past header")) return {echo_with_options({kRecordRoute, 40, 4, 0})};
    if (row.has("NOP")) return {echo_with_options(std::vector<u8>(row.number(), 1))};
    if (row.has("EOL")) return {echo_with_options({0, 0xde, 0xad, 0xbe, 0xef, 7, 0, 131})};
    return {echo_with_options({kRecordRoute, 7, 4, 0, 0, 0, 0})};
}

inline OracleFrames ip_protocol(const OracleRow& row) {
    const auto protocol = static_cast<IpProtocol>(row.number("proto="));
    return {ip_frame(ip_packet(ip_header(protocol), pattern_bytes(40)))};
}

inline OracleFrames icmp(const OracleRow& row) {
    const auto type = static_cast<IcmpType>(row.number("type="));
    const auto code = static_cast<u8>(row.number("code="));
    const std::size_t data = static_cast<u8>(type) == 13 ? 12 : 32;
    return {ip_frame(ip_packet(ip_header(IpProtocol::Icmp),
                               icmp_message({type, code, 0x10001}, pattern_bytes(data))))};
}

inline OracleFrames fragments(const OracleRow& row) {
    const Ipv4Header header = ip_header(IpProtocol::Icmp);
    const auto piece = [&](const std::vector<u8>& whole, std::size_t at, std::size_t size,
                           bool more) {
        return ip_frame(fragment_of(whole, at, size, more, header));
    };
    if (row.has("ping of death")) {
        Ipv4Header far = header;
        far.fragment_offset = 8 * row.number("off");
        return {ip_frame(ip_packet(far, pattern_bytes(row.number("len"))))};
    }
    if (row.has("teardrop")) {
        const auto whole = echo_request(pattern_bytes(32));
        return {piece(whole, 0, 36, true), piece(whole, 24, 4, false)};
    }
    const auto whole = echo_request(pattern_bytes(row.has("duplicate") ? 64 : 8));
    const std::size_t cut = row.has("duplicate") ? 48 : 8;
    const auto first = piece(whole, 0, cut, true);
    const auto last = piece(whole, cut, whole.size() - cut, false);
    if (row.has("duplicate")) return {first, first, last, last};
    return {first, last};
}

inline OracleFrames udp(const OracleRow& row) {
    constexpr u16 kClosed = 9;
    const bool broadcast = row.has("broadcast");
    const Ipv4Address to = broadcast ? kSubnetBroadcast : kUs;
    auto datagram = udp_datagram(5000, row.has("dport") ? u16(row.number("dport")) : kClosed,
                                 pattern_bytes(3), kPeer, to);
    if (row.has("length >")) {
        store_be16(&datagram[UdpView::kLength], static_cast<u16>(datagram.size() + 1));
    } else if (row.has("length")) {
        store_be16(&datagram[UdpView::kLength], static_cast<u16>(row.number("length")));
    }
    if (row.has("bad checksum")) ++datagram[UdpView::kChecksum];
    Ipv4Header header = ip_header(IpProtocol::Udp);
    header.destination = to;
    return {ip_frame(ip_packet(header, datagram), broadcast ? MacAddress::broadcast() : kOurMac)};
}

inline OracleFrames tcp(const OracleRow& row) {
    RawTcp syn;
    if (row.has("flags=")) {
        syn.flags = static_cast<u8>(row.number("flags="));
        syn.seq = row.number("seq=");
        syn.ack = row.number("ack=");
        if (row.has("CLOSED")) syn.destination_port = 81;
    }
    if (row.has("data offset")) syn.data_offset = static_cast<u8>(row.number("data offset"));
    if (row.has("checksum")) syn.checksum_error = 1;
    if (row.has("sport")) syn.source_port = static_cast<u16>(row.number("sport"));
    if (row.has("data in SYN")) syn.text = pattern_bytes(100);
    if (row.has("broadcast")) {
        return {ip_frame(syn.packet(kPeer, kSubnetBroadcast), MacAddress::broadcast())};
    }
    return {syn.frame()};
}

inline OracleFrames tcp_option(const OracleRow& row) {
    if (row.has("last byte")) return syn_with_options({1, 1, 1, 2});
    if (row.has("MSS len")) return syn_with_options({2, u8(row.number()), 0, 0});
    if (row.has("MSS")) return syn_with_options({2, 4, 0, u8(row.number())});
    if (row.has("SACK")) return syn_with_options({5, u8(row.number("len")), 0, 0});
    if (row.has("WS")) return syn_with_options({3, 3, u8(row.number()), 0});
    if (row.has("NOP")) return syn_with_options(std::vector<u8>(row.number(), 1));
    if (row.has("kind")) {
        return syn_with_options({u8(row.number("kind")), u8(row.number("len")), 0, 0});
    }
    return syn_with_options(hex_bytes(row.input));
}

}  // namespace recipe

/// By the beginning of the case; an empty function for one that nobody has written a recipe for.
inline OracleRecipe recipe_for(const OracleRow& row) {
    static const std::map<std::string, OracleRecipe> recipes = {
        {"ARP", recipe::arp},
        {"ETH", recipe::ethernet},
        {"FRG", recipe::fragments},
        {"ICM-16", recipe::icmp},
        {"IP4-01", recipe::ip_header_field},
        {"IP4-02", recipe::ip_header_field},
        {"IP4-03", recipe::ip_header_field},
        {"IP4-04", recipe::ip_header_field},
        {"IP4-05", recipe::ip_header_field},
        {"IP4-06", recipe::ip_header_field},
        {"IP4-08", recipe::ip_address},
        {"IP4-09", recipe::ip_address},
        {"IP4-10", recipe::ip_address},
        {"IP4-12", recipe::ip_address},
        {"IP4-14", recipe::ip_header_field},
        {"IP4-15", recipe::ip_protocol},
        {"IP4-17", recipe::ip_option},
        {"IP4-20", recipe::ip_option},
        {"IP4-22", recipe::ip_option},
        {"IP4-25", recipe::ip_option},
        {"OPT", recipe::tcp_option},
        {"TCP", recipe::tcp},
        {"TST-21", recipe::tcp},
        {"UDP", recipe::udp},
    };
    for (const auto& [begin, make] : recipes) {
        if (row.id.starts_with(begin)) return make;
    }
    return {};
}

}  // namespace tapestry::test
