#include "apps/inspect/wide_text.h"

#include <algorithm>
#include <utility>

namespace tapestry {
namespace {

constexpr char32_t kUnknown = U'?';

/// The character at the beginning of the text, and how many bytes it has; broken ones have one.
std::pair<char32_t, std::size_t> decode(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) return {first < 0x20 || first == 0x7f ? kUnknown : first, 1};
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (size == 0 || text.size() < size) return {kUnknown, 1};
    char32_t value = first & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0U) != 0x80) return {kUnknown, 1};
        value = value << 6U | (next & 0x3fU);
    }
    // The C1 controls steer terminals, too.
    return {value < 0xa0 || value > 0x10ffff ? kUnknown : value, size};
}

void append(std::string& text, char32_t c) {
    const auto byte = [&](char32_t value) { text += static_cast<char>(value); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xc0U | c >> 6U);
        byte(0x80U | (c & 0x3fU));
    } else if (c < 0x10000) {
        byte(0xe0U | c >> 12U);
        byte(0x80U | (c >> 6U & 0x3fU));
        byte(0x80U | (c & 0x3fU));
    } else {
        byte(0xf0U | c >> 18U);
        byte(0x80U | (c >> 12U & 0x3fU));
        byte(0x80U | (c >> 6U & 0x3fU));
        byte(0x80U | (c & 0x3fU));
    }
}

}  // namespace

std::u32string characters(std::string_view text) {
    std::u32string out;
    while (!text.empty()) {
        const auto [c, size] = decode(text);
        out += c;
        text.remove_prefix(size);
    }
    return out;
}

std::string utf8(std::u32string_view characters) {
    std::string text;
    for (const char32_t c : characters) append(text, c);
    return text;
}

int cells_of(char32_t glyph) {
    const bool wide =
        (glyph >= 0x1100 && glyph <= 0x115f) || (glyph >= 0x2e80 && glyph <= 0xa4cf) ||
        (glyph >= 0xac00 && glyph <= 0xd7a3) || (glyph >= 0xf900 && glyph <= 0xfaff) ||
        (glyph >= 0xfe30 && glyph <= 0xfe6f) || (glyph >= 0xff00 && glyph <= 0xff60) ||
        (glyph >= 0x1f300 && glyph <= 0x3fffd);
    return wide ? 2 : 1;
}

int cells_of(std::string_view text) {
    int cells = 0;
    for (const char32_t c : characters(text)) cells += cells_of(c);
    return cells;
}

namespace {

/// What stays with the character before it, or (opening) with the one behind it.
bool closes(char32_t c) {
    return std::u32string_view(U"，。、；：！？）》」』】”’…,.;:!?)").find(c) !=
           std::u32string_view::npos;
}
bool opens(char32_t c) {
    return std::u32string_view(U"（《「『【“‘(").find(c) != std::u32string_view::npos;
}

/// Whether a line may end between the two.
bool can_break(char32_t before, char32_t behind) {
    if (closes(behind) || opens(before)) return false;
    return cells_of(before) == 2 || cells_of(behind) == 2;
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, int width) {
    std::vector<std::string> lines;
    const std::u32string all = characters(text);
    width = std::max(width, 2);
    std::size_t begin = 0;
    while (begin < all.size()) {
        while (!lines.empty() && begin < all.size() && all[begin] == U' ') ++begin;
        if (begin == all.size()) break;
        std::size_t end = begin;    // of what fits
        std::size_t place = begin;  // the last where the line may end
        for (int used = 0; end < all.size(); ++end) {
            if (end > begin && (all[end] == U' ' || can_break(all[end - 1], all[end]))) place = end;
            used += cells_of(all[end]);
            if (used > width) break;
        }
        if (end == all.size()) place = end;
        if (place == begin) place = std::max(end, begin + 1);
        std::size_t last = place;
        while (last > begin + 1 && all[last - 1] == U' ') --last;
        lines.push_back(utf8(std::u32string_view(all).substr(begin, last - begin)));
        begin = place;
    }
    return lines;
}

}  // namespace tapestry
