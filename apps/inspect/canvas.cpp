#include "apps/inspect/canvas.h"

#include "apps/inspect/wide_text.h"

namespace tapestry {
namespace {

std::string painted(const Paint& paint, std::string_view text, Canvas::Style style) {
    switch (style) {
        case Canvas::Style::Plain:
            return std::string(text);
        case Canvas::Style::Dim:
            return paint.dim(text);
        case Canvas::Style::Bold:
            return paint.bold(text);
        case Canvas::Style::Red:
            return paint.red(text);
        case Canvas::Style::Green:
            return paint.green(text);
        case Canvas::Style::Yellow:
            return paint.yellow(text);
        case Canvas::Style::Cyan:
            return paint.cyan(text);
    }
    return std::string(text);
}

}  // namespace

void Canvas::put(std::size_t column, std::string_view text, Style style) {
    for (const char32_t c : characters(text)) {
        const auto size = static_cast<std::size_t>(cells_of(c));
        if (column + size > text_.size()) return;
        text_[column] = c;
        if (size == 2) text_[column + 1] = U'\0';
        for (std::size_t i = 0; i < size; ++i) styles_[column++] = style;
    }
}

std::string Canvas::render(const Paint& paint) const {
    const std::size_t end = text_.find_last_not_of(U' ');
    if (end == std::u32string::npos) return "";
    std::string line;
    std::size_t at = 0;
    while (at <= end) {
        std::size_t next = at;
        while (next <= end && styles_[next] == styles_[at]) ++next;
        std::u32string piece = text_.substr(at, next - at);
        std::erase(piece, U'\0');
        line += painted(paint, utf8(piece), styles_[at]);
        at = next;
    }
    return line;
}

}  // namespace tapestry
