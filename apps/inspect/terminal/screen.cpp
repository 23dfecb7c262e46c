#include "apps/inspect/terminal/screen.h"

#include <algorithm>

namespace tapestry {

Screen::Screen(int width, int height)
    : width_(std::max(width, 0)),
      height_(std::max(height, 0)),
      cells_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_)) {}

const Screen::Cell& Screen::at(int row, int column) const {
    return cells_.at(static_cast<std::size_t>(row * width_ + column));
}

/// A wide character of which half is written over becomes a blank.
void Screen::set(int row, int column, const Cell& cell) {
    const auto at = static_cast<std::size_t>(row * width_ + column);
    if (cells_[at].glyph == U'\0' && column > 0) cells_[at - 1].glyph = U' ';
    if (cells_of(cells_[at].glyph) == 2 && column + 1 < width_) cells_[at + 1].glyph = U' ';
    cells_[at] = cell;
}

int Screen::put(int row, int column, std::string_view text, Look look, int end) {
    end = end < 0 ? width_ : std::min(end, width_);
    const std::u32string all = characters(text);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const int size = cells_of(all[i]);
        const bool last = i + 1 == all.size();
        if (!inside(row, column) || column + size > end) return column;
        const bool cut = !last && column + size + cells_of(all[i + 1]) > end;
        set(row, column, {cut ? U'~' : all[i], look});
        if (size == 2) {
            set(row, column + 1, {U' ', look});
            if (!cut) cells_[static_cast<std::size_t>(row * width_ + column + 1)].glyph = U'\0';
        }
        column += size;
        if (cut) return column;
    }
    return column;
}

void Screen::fill(int row, int column, int end, char32_t glyph, Look look) {
    for (; column < end; ++column) {
        if (inside(row, column)) set(row, column, {glyph, look});
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
