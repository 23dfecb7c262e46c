#include "apps/http/byte_range.h"

#include <algorithm>

namespace tapestry {
namespace {

/// 1*DIGIT; what is too large for any file is the largest number.
std::optional<u64> parse_position(std::string_view text) {
    if (text.empty()) return std::nullopt;
    u64 value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const u64 digit = static_cast<u64>(c - '0');
        value = value > (~u64{0} - digit) / 10 ? ~u64{0} : value * 10 + digit;
    }
    return value;
}

}  // namespace

ByteRange parse_range(std::string_view field, u64 size) {
    constexpr std::string_view kUnit = "bytes=";
    const ByteRange whole{.length = size};
    if (!field.starts_with(kUnit)) return whole;
    field.remove_prefix(kUnit.size());
    const std::size_t dash = field.find('-');
    if (dash == std::string_view::npos) return whole;
    const auto first = parse_position(field.substr(0, dash));
    const auto last = parse_position(field.substr(dash + 1));
    if (!first && dash != 0) return whole;
    if (!last && dash + 1 != field.size()) return whole;
    if (!first && !last) return whole;

    constexpr auto kPart = ByteRange::Kind::Part;
    const ByteRange unsatisfiable{.kind = ByteRange::Kind::Unsatisfiable};
    if (!first) {  // the last so many
        if (*last == 0 || size == 0) return unsatisfiable;
        const u64 length = std::min(*last, size);
        return {kPart, size - length, length};
    }
    if (last && *last < *first) return whole;  // RFC 9110 14.1.1: invalid, so ignored
    if (*first >= size) return unsatisfiable;
    const u64 end = last ? std::min(*last, size - 1) : size - 1;
    return {kPart, *first, end - *first + 1};
}

}  // namespace tapestry
