#include "apps/inspect/frame_fields.h"

#include <algorithm>
#include <array>
#include <optional>

#include "apps/inspect/field_writer.h"
#include "stack/wire/address.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"

namespace tapestry {
namespace {

std::string mac(const FieldWriter& out, std::size_t at) {
    return MacAddress::load(out.frame().data() + at).to_string();
}
std::string address(const FieldWriter& out, std::size_t at) {
    return Ipv4Address::load(out.frame().data() + at).to_string();
}

std::string type_text(u16 type) {
    const char* name = "";
    if (type == static_cast<u16>(EtherType::Ipv4)) name = " (IPv4)";
    if (type == static_cast<u16>(EtherType::Arp)) name = " (ARP)";
    if (type == static_cast<u16>(EtherType::Vlan)) name = " (VLAN)";
    if (type == static_cast<u16>(EtherType::Ipv6)) name = " (IPv6)";
    return FieldWriter::hex(type, 4) + name;
}

void arp(FieldWriter& out, std::size_t at) {
    constexpr std::size_t kSize = 28;
    if (!out.header("arp", "Address Resolution Protocol", at, kSize)) return;
    out.add("arp", "Address Resolution Protocol", "", at, kSize, 0);
    out.number("arp.hw.type", "Hardware type", at, 2);
    out.add("arp.proto.type", "Protocol type", type_text(out.half(at + 2)), at + 2, 2);
    out.number("arp.hw.size", "Hardware size", at + 4, 1);
    out.number("arp.proto.size", "Protocol size", at + 5, 1);
    if (out.byte(at + 4) != 6 || out.byte(at + 5) != 4) {
        out.broken("arp.hw.size", "Sizes", "not those of Ethernet and IPv4", at + 4, 2);
        return;
    }
    const u16 opcode = out.half(at + 6);
    const char* meaning = opcode == 1 ? " (request)" : opcode == 2 ? " (reply)" : "";
    out.add("arp.opcode", "Opcode", std::to_string(opcode) + meaning, at + 6, 2);
    out.add("arp.src.hw_mac", "Sender MAC address", mac(out, at + 8), at + 8, 6);
    out.add("arp.src.proto_ipv4", "Sender IP address", address(out, at + 14), at + 14, 4);
    out.add("arp.dst.hw_mac", "Target MAC address", mac(out, at + 18), at + 18, 6);
    out.add("arp.dst.proto_ipv4", "Target IP address", address(out, at + 24), at + 24, 4);
}

void ipv4(FieldWriter& out, std::size_t at, bool quoted);

void icmp(FieldWriter& out, std::size_t at, std::size_t size, bool whole) {
    if (!out.header("icmp", "Internet Control Message Protocol", at, 8)) return;
    const u8 type = out.byte(at);
    out.add("icmp", "Internet Control Message Protocol", "", at, 8, 0);
    out.number("icmp.type", "Type", at, 1);
    out.number("icmp.code", "Code", at + 1, 1);
    std::optional<u16> sum;
    if (whole) sum = internet_checksum(out.frame().subspan(at, size));
    out.add("icmp.checksum", "Checksum", checksum_text(out, out.half(at + 2), sum), at + 2, 2, 1,
            sum.value_or(0) != 0);
    if (type == 0 || type == 8) {
        out.number("icmp.ident", "Identifier", at + 4, 2);
        out.number("icmp.seq", "Sequence number", at + 6, 2);
        out.payload(at + 8, std::min(size, out.left(at)) - 8);
        return;
    }
    if (type == 3 && out.byte(at + 1) == 4) out.number("icmp.mtu", "MTU of next hop", at + 6, 2);
    if (type == 3 || type == 11 || type == 12) ipv4(out, at + 8, true);
}

void udp(FieldWriter& out, std::size_t at, std::size_t size, std::optional<u16> sum) {
    if (!out.header("udp", "User Datagram Protocol", at, 8)) return;
    out.add("udp", "User Datagram Protocol", "", at, 8, 0);
    out.number("udp.srcport", "Source Port", at, 2);
    out.number("udp.dstport", "Destination Port", at + 2, 2);
    const u16 length = out.half(at + 4);
    const bool wrong = length < 8 || length > size;
    out.add("udp.length", "Length",
            std::to_string(length) + (wrong ? ": below 8, or past the packet" : ""), at + 4, 2, 1,
            wrong);
    const bool none = out.half(at + 6) == 0;
    if (none) sum.reset();
    out.add("udp.checksum", "Checksum",
            none ? "0x0000 (none)" : checksum_text(out, out.half(at + 6), sum), at + 6, 2, 1,
            sum.value_or(0) != 0 && out.offload().checksum == Offload::Checksum::InFrame);
    if (!wrong) out.payload(at + 8, std::min<std::size_t>(length, out.left(at)) - 8);
}

void transport(FieldWriter& out, std::size_t at, u8 protocol, std::size_t size, bool whole,
               std::size_t ip) {
    std::optional<u16> sum;
    if (whole && protocol != static_cast<u8>(IpProtocol::Icmp)) {
        auto pseudo = pseudo_header(Ipv4Address::load(out.frame().data() + ip + 12),
                                    Ipv4Address::load(out.frame().data() + ip + 16), protocol,
                                    static_cast<u32>(size));
        pseudo.add(out.frame().subspan(at, size));
        sum = pseudo.checksum();
    }
    if (protocol == static_cast<u8>(IpProtocol::Tcp)) return tcp_fields(out, at, size, sum);
    if (protocol == static_cast<u8>(IpProtocol::Udp)) return udp(out, at, size, sum);
    if (protocol == static_cast<u8>(IpProtocol::Icmp)) return icmp(out, at, size, whole);
    out.payload(at, std::min(size, out.left(at)));
}

void ipv4_flags(FieldWriter& out, std::size_t at) {
    const u16 flags = out.half(at + 6);
    out.add("ip.flags", "Flags", FieldWriter::hex(flags >> 13U, 1), at + 6, 1);
    out.bit("ip.flags.rb", "Reserved", at + 6, 0x80);
    out.bit("ip.flags.df", "Don't fragment", at + 6, 0x40);
    out.bit("ip.flags.mf", "More fragments", at + 6, 0x20);
    out.add("ip.frag_offset", "Fragment Offset", std::to_string((flags & 0x1fffU) * 8), at + 6, 2);
}

void ipv4_fixed(FieldWriter& out, std::size_t at, std::size_t header, std::size_t total) {
    const u8 tos = out.byte(at + 1);
    out.add("ip.version", "Version", std::to_string(out.byte(at) >> 4U), at, 1);
    out.add("ip.hdr_len", "Header Length", std::to_string(header) + " bytes", at, 1);
    out.add("ip.dsfield", "Differentiated Services Field", FieldWriter::hex(tos, 2), at + 1, 1);
    out.add("ip.dsfield.dscp", "DSCP", std::to_string(tos >> 2U), at + 1, 1, 2);
    out.add("ip.dsfield.ecn", "ECN", std::to_string(tos & 3U), at + 1, 1, 2);
    out.add("ip.len", "Total Length", std::to_string(total), at + 2, 2);
    out.number("ip.id", "Identification", at + 4, 2);
    ipv4_flags(out, at);
    out.number("ip.ttl", "Time to Live", at + 8, 1);
    out.number("ip.proto", "Protocol", at + 9, 1);
}

void ipv4(FieldWriter& out, std::size_t at, bool quoted) {
    if (!out.header("ip", "Internet Protocol", at, 20)) return;
    const std::size_t header = (out.byte(at) & 15U) * 4U;
    const std::size_t total = out.half(at + 2);
    const bool bad = out.byte(at) >> 4U != 4 || header < 20 || header > out.left(at);
    out.add("ip", "Internet Protocol Version 4", "", at, bad ? 20 : header, 0);
    ipv4_fixed(out, at, header, total);
    std::optional<u16> sum;
    if (!bad) sum = internet_checksum(out.frame().subspan(at, header));
    out.add("ip.checksum", "Header Checksum", checksum_text(out, out.half(at + 10), sum), at + 10,
            2, 1, sum.value_or(0) != 0);
    out.add("ip.src", "Source Address", address(out, at + 12), at + 12, 4);
    out.add("ip.dst", "Destination Address", address(out, at + 16), at + 16, 4);
    if (bad) {
        return out.broken("ip.hdr_len", "Header", "not version 4, or its length cannot be", at, 1);
    }
    if (header > 20) {
        out.add("ip.options", "Options", std::to_string(header - 20) + " bytes", at + 20,
                header - 20);
    }
    if (total < header) {
        return out.broken("ip.len", "Total Length", "below that of the header", at + 2, 2);
    }
    const bool fragment = (out.half(at + 6) & 0x1fffU) != 0;
    const std::size_t size = total - header;
    if (fragment) return out.payload(at + header, std::min(size, out.left(at + header)));
    const bool more = (out.byte(at + 6) & 0x20U) != 0;
    const bool whole = !quoted && !more && size <= out.left(at + header);
    transport(out, at + header, out.byte(at + 9), size, whole, at);
}

}  // namespace

std::string checksum_text(const FieldWriter& out, u16 field, std::optional<u16> computed) {
    std::string text = FieldWriter::hex(field, 4);
    if (!computed) return text;
    if (*computed == 0) return text + " (right)";
    return text + (out.offload().checksum == Offload::Checksum::InFrame ? " (wrong)"
                                                                        : " (left to the device)");
}

std::vector<FrameField> frame_fields(Bytes frame, const Offload& offload) {
    FieldWriter out(frame, offload);
    if (!out.header("eth", "Ethernet", 0, EthernetView::kHeaderSize)) return out.take();
    out.add("eth", "Ethernet II", "", 0, EthernetView::kHeaderSize, 0);
    out.add("eth.dst", "Destination", mac(out, 0), 0, 6);
    out.add("eth.src", "Source", mac(out, 6), 6, 6);
    out.add("eth.type", "Type", type_text(out.half(12)), 12, 2);
    std::size_t at = EthernetView::kHeaderSize;
    u16 type = out.half(12);
    while (type == static_cast<u16>(EtherType::Vlan)) {
        if (!out.header("vlan", "802.1Q Virtual LAN", at, 4)) return out.take();
        out.add("vlan", "802.1Q Virtual LAN", "", at, 4, 0);
        out.add("vlan.priority", "Priority", std::to_string(out.byte(at) >> 5U), at, 1);
        out.add("vlan.id", "ID", std::to_string(out.half(at) & 0xfffU), at, 2);
        type = out.half(at + 2);
        out.add("vlan.etype", "Type", type_text(type), at + 2, 2);
        at += 4;
    }
    if (type == static_cast<u16>(EtherType::Arp)) {
        arp(out, at);
    } else if (type == static_cast<u16>(EtherType::Ipv4)) {
        ipv4(out, at, false);
    } else {
        out.payload(at, out.left(at));
    }
    return out.take();
}

int field_at(const std::vector<FrameField>& fields, std::size_t offset) {
    int found = -1;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const FrameField& field = fields[i];
        if (offset < field.offset || offset >= field.offset + field.length) continue;
        // A later one is further inside; of the parts of one byte the byte's own field counts.
        if (found < 0 || field.level < 2) found = static_cast<int>(i);
    }
    return found;
}

}  // namespace tapestry
