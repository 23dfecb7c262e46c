#include <algorithm>
#include <optional>

#include "apps/inspect/field_writer.h"
#include "stack/wire/tcp.h"
#include "stack/wire/tcp_options.h"

namespace tapestry {
namespace {

std::string flags_text(u8 flags) {
    static constexpr std::array<const char*, 8> kNames{"FIN", "SYN", "RST", "PSH",
                                                       "ACK", "URG", "ECE", "CWR"};
    std::string text;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if ((flags >> i & 1U) != 0) text += (text.empty() ? "" : ", ") + std::string(kNames[i]);
    }
    return text.empty() ? "none" : text;
}

void flags(FieldWriter& out, std::size_t at) {
    out.add("tcp.flags", "Flags", flags_text(out.byte(at)), at, 1);
    out.bit("tcp.flags.cwr", "CWR", at, 0x80);
    out.bit("tcp.flags.ece", "ECE", at, 0x40);
    out.bit("tcp.flags.urg", "Urgent", at, 0x20);
    out.bit("tcp.flags.ack", "Acknowledgment", at, 0x10);
    out.bit("tcp.flags.push", "Push", at, 0x08);
    out.bit("tcp.flags.reset", "Reset", at, 0x04);
    out.bit("tcp.flags.syn", "Syn", at, 0x02);
    out.bit("tcp.flags.fin", "Fin", at, 0x01);
}

/// One option of `length` bytes, of which the first two are kind and length.
void option(FieldWriter& out, std::size_t at, std::size_t length) {
    const auto kind = static_cast<TcpOptionKind>(out.byte(at));
    if (kind == TcpOptionKind::MaximumSegmentSize && length == 4) {
        return out.number("tcp.options.mss_val", "MSS Value", at + 2, 2, 2);
    }
    if (kind == TcpOptionKind::WindowScale && length == 3) {
        return out.number("tcp.options.wscale.shift", "Window scale shift", at + 2, 1, 2);
    }
    if (kind == TcpOptionKind::Timestamps && length == 10) {
        out.number("tcp.options.timestamp.tsval", "Timestamp value", at + 2, 4, 2);
        return out.number("tcp.options.timestamp.tsecr", "Timestamp echo reply", at + 6, 4, 2);
    }
    if (kind == TcpOptionKind::Sack && length % 8 == 2) {
        for (std::size_t edge = at + 2; edge + 8 <= at + length; edge += 8) {
            out.number("tcp.options.sack_le", "SACK left edge", edge, 4, 2);
            out.number("tcp.options.sack_re", "SACK right edge", edge + 4, 4, 2);
        }
    }
}

struct OptionName {
    const char* name;
    const char* label;
};
OptionName option_name(u8 kind) {
    switch (static_cast<TcpOptionKind>(kind)) {
        case TcpOptionKind::EndOfList:
            return {"tcp.options.eol", "End of Option List"};
        case TcpOptionKind::NoOperation:
            return {"tcp.options.nop", "No-Operation"};
        case TcpOptionKind::MaximumSegmentSize:
            return {"tcp.options.mss", "Maximum segment size"};
        case TcpOptionKind::WindowScale:
            return {"tcp.options.wscale", "Window scale"};
        case TcpOptionKind::SackPermitted:
            return {"tcp.options.sack_perm", "SACK permitted"};
        case TcpOptionKind::Sack:
            return {"tcp.options.sack", "SACK"};
        case TcpOptionKind::Timestamps:
            return {"tcp.options.timestamp", "Timestamps"};
    }
    return {"tcp.options.unknown", "Unknown option"};
}

void options(FieldWriter& out, std::size_t at, std::size_t end) {
    while (at < end) {
        const u8 kind = out.byte(at);
        const OptionName known = option_name(kind);
        if (kind <= static_cast<u8>(TcpOptionKind::NoOperation)) {
            out.add(known.name, known.label, "", at, 1);
            if (kind == 0) return;
            ++at;
            continue;
        }
        const std::size_t length = at + 1 < end ? out.byte(at + 1) : 0;
        if (length < 2 || at + length > end) {
            return out.broken("tcp.options", "Options",
                              "a length below 2, or past the header: what follows cannot be found",
                              at, end - at);
        }
        out.add(known.name, known.label,
                "kind " + std::to_string(kind) + ", " + std::to_string(length) + " bytes", at,
                length);
        option(out, at, length);
        at += length;
    }
}

}  // namespace

void tcp_fields(FieldWriter& out, std::size_t at, std::size_t size, std::optional<u16> checksum) {
    constexpr std::size_t kMin = TcpView::kMinHeaderSize;
    if (out.left(at) < kMin && out.left(at) >= 8) {
        // What an ICMP error quotes: the ports and the number.
        out.add("tcp", "Transmission Control Protocol", "its beginning", at, out.left(at), 0);
        out.number("tcp.srcport", "Source Port", at, 2);
        out.number("tcp.dstport", "Destination Port", at + 2, 2);
        out.number("tcp.seq", "Sequence Number", at + 4, 4);
        return;
    }
    if (!out.header("tcp", "Transmission Control Protocol", at, kMin)) return;
    const std::size_t header = (out.byte(at + 12) >> 4U) * 4U;
    const bool bad = header < kMin || header > std::min(size, out.left(at));
    out.add("tcp", "Transmission Control Protocol", "", at, bad ? kMin : header, 0);
    out.number("tcp.srcport", "Source Port", at, 2);
    out.number("tcp.dstport", "Destination Port", at + 2, 2);
    out.number("tcp.seq", "Sequence Number", at + 4, 4);
    out.number("tcp.ack", "Acknowledgment Number", at + 8, 4);
    out.add("tcp.hdr_len", "Header Length",
            std::to_string(header) + " bytes" + (bad ? ": below 20, or past the segment" : ""),
            at + 12, 1, 1, bad);
    flags(out, at + 13);
    out.number("tcp.window_size_value", "Window", at + 14, 2);
    const bool wrong =
        checksum.value_or(0) != 0 && out.offload().checksum == Offload::Checksum::InFrame;
    out.add("tcp.checksum", "Checksum", checksum_text(out, out.half(at + 16), checksum), at + 16, 2,
            1, wrong);
    out.number("tcp.urgent_pointer", "Urgent Pointer", at + 18, 2);
    if (bad) return;
    options(out, at + kMin, at + header);
    const std::size_t text = std::min(size, out.left(at)) - header;
    if (text > 0) {
        out.add("tcp.payload", "TCP payload", std::to_string(text) + " bytes", at + header, text,
                0);
    }
}

}  // namespace tapestry
