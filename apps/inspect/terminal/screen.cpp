#include "apps/inspect/terminal/screen.h"

#include <algorithm>

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

std::vector<std::string> wrapped(std::string_view text, int width) {
    std::vector<std::string> lines;
    std::u32string line;
    int used = 0;
    std::size_t blank = std::u32string::npos;  // where the line can be broken
    const auto measure = [](std::u32string_view part) {
        int cells = 0;
        for (const char32_t c : part) cells += cells_of(c);
        return cells;
    };
    for (const char32_t c : characters(text)) {
        if (c == U' ' && line.empty() && !lines.empty()) continue;
        if (used + cells_of(c) > std::max(width, 2)) {
            std::u32string rest;
            if (c != U' ' && blank != std::u32string::npos) {
                rest = line.substr(blank + 1);
                line.resize(blank);
            }
            lines.push_back(utf8(line));
            line = rest;
            used = measure(line);
            blank = std::u32string::npos;
            if (c == U' ' && line.empty()) continue;
        }
        if (c == U' ') blank = line.size();
        line += c;
        used += cells_of(c);
    }
    if (!line.empty()) lines.push_back(utf8(line));
    return lines;
}

Screen::Screen(int width, int height)
    : width_(std::max(width, 0)),
      height_(std::max(height, 0)),
      cells_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_)) {}

const Screen::Cell& Screen::at(int row, int column) const {
    return cells_.at(static_cast<std::size_t>(row * width_ + column));
}

int Screen::put(int row, int column, std::string_view text, Look look, int end) {
    end = end < 0 ? width_ : std::min(end, width_);
    const std::u32string all = characters(text);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const int size = cells_of(all[i]);
        const bool last = i + 1 == all.size();
        if (!inside(row, column) || column + size > end) return column;
        const bool cut = !last && column + size + cells_of(all[i + 1]) > end;
        const auto cell = static_cast<std::size_t>(row * width_ + column);
        cells_[cell] = {cut ? U'~' : all[i], look};
        if (size == 2) cells_[cell + 1] = {cut ? U' ' : U'\0', look};
        column += size;
        if (cut) return column;
    }
    return column;
}

void Screen::fill(int row, int column, int end, char32_t glyph, Look look) {
    for (; column < end; ++column) {
        if (inside(row, column)) {
            cells_[static_cast<std::size_t>(row * width_ + column)] = {glyph, look};
        }
    }
}

void Screen::paint(int row, int column, int end, Look look) {
    for (; column < end; ++column) {
        if (inside(row, column))
            cells_[static_cast<std::size_t>(row * width_ + column)].look = look;
    }
}

std::vector<std::string> Screen::lines() const {
    std::vector<std::string> lines;
    for (int row = 0; row < height_; ++row) {
        std::u32string line;
        for (int column = 0; column < width_; ++column) {
            const char32_t glyph = at(row, column).glyph;
            if (glyph != U'\0') line += glyph;
        }
        while (!line.empty() && line.back() == U' ') line.pop_back();
        lines.push_back(utf8(line));
    }
    return lines;
}

}  // namespace tapestry
