#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapestry {

/// Text as characters that a terminal may be given: control characters and broken UTF-8 become '?'.
std::u32string characters(std::string_view utf8);
std::string utf8(std::u32string_view characters);
/// How many cells a character takes: 2 for those of East Asia, else 1.
int cells_of(char32_t glyph);
/// ... and a text.
int cells_of(std::string_view utf8);
/// Breaks text into lines of at most `width` cells: between words, and between Chinese characters, but
/// with no comma or full stop at the beginning of a line.
std::vector<std::string> wrapped(std::string_view text, int width);

}  // namespace tapestry
