#include "apps/inspect/canvas.h"

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
    for (std::size_t i = 0; i < text.size() && column + i < text_.size(); ++i) {
        text_[column + i] = text[i];
        styles_[column + i] = style;
    }
}

std::string Canvas::render(const Paint& paint) const {
    const std::size_t end = text_.find_last_not_of(' ');
    if (end == std::string::npos) return "";
    std::string line;
    std::size_t at = 0;
    while (at <= end) {
        std::size_t next = at;
        while (next <= end && styles_[next] == styles_[at]) ++next;
        line += painted(paint, std::string_view(text_).substr(at, next - at), styles_[at]);
        at = next;
    }
    return line;
}

}  // namespace tapestry
