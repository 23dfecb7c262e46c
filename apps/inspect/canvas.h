#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/inspect/paint.h"
#include "stack/base/types.h"

namespace tapestry {

/// One line of a page that is put together out of order: text at columns, each piece with its colour.
/// Chinese characters take two columns.
class Canvas {
public:
    enum class Style : u8 { Plain, Dim, Bold, Red, Green, Yellow, Cyan };

    explicit Canvas(std::size_t width) : text_(width, U' '), styles_(width, Style::Plain) {}

    /// What does not fit at the right is cut off.
    void put(std::size_t column, std::string_view text, Style style);
    /// The line, without blanks at its end.
    std::string render(const Paint& paint) const;

private:
    std::u32string text_;  ///< a cell each; 0: the right half of a wide character
    std::vector<Style> styles_;
};

}  // namespace tapestry
