#include "tests/support/script_options.h"

#include <utility>

#include "stack/wire/endian.h"
#include "stack/wire/tcp_options.h"

namespace tapestry::test {
namespace {

using Kind = ScriptOption::Kind;

u8 wire_kind(Kind kind) {
    switch (kind) {
        case Kind::Eol:
            return static_cast<u8>(TcpOptionKind::EndOfList);
        case Kind::Mss:
            return static_cast<u8>(TcpOptionKind::MaximumSegmentSize);
        case Kind::WindowScale:
            return static_cast<u8>(TcpOptionKind::WindowScale);
        case Kind::SackOk:
            return static_cast<u8>(TcpOptionKind::SackPermitted);
        case Kind::Timestamps:
            return static_cast<u8>(TcpOptionKind::Timestamps);
        case Kind::Sack:
            return static_cast<u8>(TcpOptionKind::Sack);
        default:
            return static_cast<u8>(TcpOptionKind::NoOperation);
    }
}

u8 hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<u8>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<u8>(c - 'a' + 10);
    throw ScriptSyntaxError("wanted pairs of hexadecimal digits (0-9, a-f)");
}

std::vector<u8> parse_hex(std::string_view text) {
    std::vector<u8> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<u8>(hex_digit(text[i]) * 16 + hex_digit(text[i + 1])));
    }
    if (text.size() % 2 != 0 || bytes.empty()) hex_digit('?');
    return bytes;
}

ScriptOption parse_option(Cursor& cursor) {
    const std::string name(cursor.word());
    if (name == "nop") return {.kind = Kind::Nop};
    if (name == "eol") return {.kind = Kind::Eol};
    if (name == "sackOK") return {.kind = Kind::SackOk};
    if (name == "mss") return {.kind = Kind::Mss, .value = cursor.number()};
    if (name == "wscale") return {.kind = Kind::WindowScale, .value = cursor.number()};
    if (name == "raw") return {.kind = Kind::Raw, .raw = parse_hex(cursor.word())};
    if (name == "TS") {
        ScriptOption option{.kind = Kind::Timestamps};
        cursor.need("val");
        option.value = cursor.number();
        cursor.need("ecr");
        option.echo = cursor.number();
        return option;
    }
    if (name == "sack") {
        ScriptOption option{.kind = Kind::Sack};
        do {
            const u32 left = cursor.number();
            cursor.need(":");
            option.blocks.emplace_back(left, cursor.number());
        } while (cursor.peek() >= '0' && cursor.peek() <= '9');
        return option;
    }
    cursor.fail("mss, wscale, sackOK, TS, sack, nop, eol or raw instead of \"" + name +
                "\" before");
}

/// `data` is what follows kind and length; an option with a wrong length stays raw.
ScriptOption decode_option(Bytes whole) {
    const Bytes data = whole.subspan(2);
    switch (static_cast<TcpOptionKind>(whole[0])) {
        case TcpOptionKind::MaximumSegmentSize:
            if (data.size() == 2) return {.kind = Kind::Mss, .value = load_be16(data.data())};
            break;
        case TcpOptionKind::WindowScale:
            if (data.size() == 1) return {.kind = Kind::WindowScale, .value = data[0]};
            break;
        case TcpOptionKind::SackPermitted:
            if (data.empty()) return {.kind = Kind::SackOk};
            break;
        case TcpOptionKind::Timestamps:
            if (data.size() == 8) {
                return {.kind = Kind::Timestamps,
                        .value = load_be32(&data[0]),
                        .echo = load_be32(&data[4])};
            }
            break;
        case TcpOptionKind::Sack:
            if (data.size() % 8 == 0) {
                ScriptOption option{.kind = Kind::Sack};
                for (std::size_t i = 0; i < data.size(); i += 8) {
                    option.blocks.emplace_back(load_be32(&data[i]), load_be32(&data[i + 4]));
                }
                return option;
            }
            break;
        default:
            break;
    }
    return {.kind = Kind::Raw, .raw = {whole.begin(), whole.end()}};
}

void append_be32(std::vector<u8>& out, u32 value) {
    const std::size_t at = out.size();
    out.resize(at + 4);
    store_be32(&out[at], value);
}

void encode_option(const ScriptOption& option, std::vector<u8>& out) {
    if (option.kind == Kind::Raw) {
        out.insert(out.end(), option.raw.begin(), option.raw.end());
        return;
    }
    const std::size_t start = out.size();
    out.push_back(wire_kind(option.kind));
    if (option.kind == Kind::Nop || option.kind == Kind::Eol) return;
    out.push_back(0);
    if (option.kind == Kind::Mss) out.push_back(static_cast<u8>(option.value >> 8U));
    if (option.kind == Kind::Mss || option.kind == Kind::WindowScale) {
        out.push_back(static_cast<u8>(option.value));
    }
    if (option.kind == Kind::Timestamps) {
        append_be32(out, option.value);
        append_be32(out, option.echo);
    }
    for (const auto& [left, right] : option.blocks) {
        append_be32(out, left);
        append_be32(out, right);
    }
    out[start + 1] = static_cast<u8>(out.size() - start);
}

std::string to_string(const ScriptOption& option) {
    switch (option.kind) {
        case Kind::Eol:
            return "eol";
        case Kind::Nop:
            return "nop";
        case Kind::SackOk:
            return "sackOK";
        case Kind::Mss:
            return "mss " + std::to_string(option.value);
        case Kind::WindowScale:
            return "wscale " + std::to_string(option.value);
        case Kind::Timestamps:
            return "TS val " + std::to_string(option.value) + " ecr " + std::to_string(option.echo);
        case Kind::Sack: {
            std::string text = "sack";
            for (const auto& [left, right] : option.blocks) {
                text += ' ' + std::to_string(left) + ':' + std::to_string(right);
            }
            return text;
        }
        case Kind::Raw:
            break;
    }
    std::string text = "raw ";
    for (const u8 byte : option.raw) {
        text += "0123456789abcdef"[byte >> 4U];
        text += "0123456789abcdef"[byte & 15U];
    }
    return text;
}

}  // namespace

ScriptOptions parse_options(Cursor& cursor) {
    ScriptOptions options;
    if (cursor.take("...")) {
        options.any = true;
    } else {
        do {
            options.list.push_back(parse_option(cursor));
        } while (cursor.take(","));
    }
    cursor.need(">");
    return options;
}

std::vector<ScriptOption> decode_options(Bytes bytes) {
    std::vector<ScriptOption> options;
    while (!bytes.empty()) {
        std::size_t length = 1;
        if (bytes[0] > static_cast<u8>(TcpOptionKind::NoOperation)) {
            const bool sane = bytes.size() > 1 && bytes[1] >= 2 && bytes[1] <= bytes.size();
            length = sane ? bytes[1] : bytes.size();
            options.push_back(
                sane ? decode_option(bytes.first(length))
                     : ScriptOption{.kind = Kind::Raw, .raw = {bytes.begin(), bytes.end()}});
        } else {
            options.push_back({.kind = bytes[0] == 0 ? Kind::Eol : Kind::Nop});
        }
        bytes = bytes.subspan(length);
    }
    return options;
}

std::vector<u8> encode_options(const std::vector<ScriptOption>& options) {
    std::vector<u8> bytes;
    for (const ScriptOption& option : options) encode_option(option, bytes);
    bytes.resize((bytes.size() + 3) / 4 * 4);
    if (bytes.size() > TcpOptions::kMaxSize) throw ScriptSyntaxError("too many options");
    return bytes;
}

std::vector<ScriptOption> translated(std::vector<ScriptOption> options,
                                     const OptionNumbers& numbers) {
    for (ScriptOption& option : options) {
        if (option.kind == Kind::Timestamps) {
            option.value = numbers.stamp(option.value);
            option.echo = numbers.echo(option.echo);
        }
        for (auto& [left, right] : option.blocks) {
            left = numbers.sequence(left);
            right = numbers.sequence(right);
        }
    }
    return options;
}

std::string to_string(const std::vector<ScriptOption>& options) {
    std::string text;
    for (const ScriptOption& option : options) {
        text += (text.empty() ? "<" : ",") + to_string(option);
    }
    return text.empty() ? text : text + '>';
}

}  // namespace tapestry::test
