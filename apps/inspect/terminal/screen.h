#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/inspect/wide_text.h"
#include "stack/base/types.h"

namespace tapestry {

/// What a piece of a screen means; a terminal decides how that looks.
enum class Look : u8 {
    Plain,
    Dim,      ///< not what matters now
    Bold,     ///< a heading
    Bar,      ///< the first and the last row
    Now,      ///< the step that the reader is at
    Changed,  ///< a variable that this step has changed
    Cursor,   ///< bytes of the field under the cursor
    Alarm,    ///< lost, refused
};

/// The characters that are drawn with: not every terminal has those beyond ASCII.
enum class Glyphs : u8 { Ascii, Unicode };

/// A screen as a grid of cells, put together in any order. It knows no terminal, so tests can read it.
class Screen {
public:
    struct Cell {
        char32_t glyph = U' ';  ///< 0: the right half of a wide one
        Look look = Look::Plain;
        friend bool operator==(const Cell&, const Cell&) = default;
    };

    Screen(int width, int height);
    int width() const { return width_; }
    int height() const { return height_; }
    const Cell& at(int row, int column) const;

    /// Writes UTF-8. What does not fit between `column` and `end` (-1: the right edge) is left out, and
    /// the last cell that is left says so. Returns the column behind it.
    int put(int row, int column, std::string_view text, Look look = Look::Plain, int end = -1);
    /// Fills cells with one character.
    void fill(int row, int column, int end, char32_t glyph, Look look = Look::Plain);
    /// Changes how cells look, and leaves what is in them.
    void paint(int row, int column, int end, Look look);
    /// Every row as UTF-8, without blanks at its end.
    std::vector<std::string> lines() const;
    friend bool operator==(const Screen&, const Screen&) = default;

private:
    bool inside(int row, int column) const {
        return row >= 0 && row < height_ && column >= 0 && column < width_;
    }
    void set(int row, int column, const Cell& cell);

    int width_;
    int height_;
    std::vector<Cell> cells_;
};

}  // namespace tapestry
