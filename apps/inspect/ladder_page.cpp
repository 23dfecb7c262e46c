#include "apps/inspect/ladder_page.h"

#include <cstdio>

namespace tapestry {
namespace {

std::string padded(std::string_view text, std::size_t width) {
    std::string result(text);
    if (result.size() < width) result.resize(width, ' ');
    return result;
}

std::string time_text(Duration time) {
    char text[32];
    std::snprintf(text, sizeof text, "%8.6f", to_seconds(time));
    return text;
}

/// Cuts off the first line of at most `width` characters, at a blank where there is one.
std::string take_line(std::string_view& text, std::size_t width) {
    std::size_t end = text.size();
    if (end > width) {
        end = text.rfind("  ", width);  // between two changes
        if (end == std::string_view::npos || end == 0) end = text.rfind(' ', width);
        if (end == std::string_view::npos || end == 0) end = width;
    }
    std::string line(text.substr(0, end));
    text.remove_prefix(end);
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

}  // namespace

void LadderPage::title() {
    out_(paint_.dim(padded("    time our state    ", kTextColumn) + padded("we", kNoteWidth + 1) +
                    "the peer"));
}

std::string LadderPage::beginning(Duration time, std::string_view state) const {
    return paint_.dim(time_text(time)) + ' ' + paint_.bold(padded(state, 12)) + ' ';
}

void LadderPage::frame(Duration time, std::string_view state, Direction direction,
                       std::string_view note, std::string_view role) {
    const bool out = direction == Direction::Out;
    const auto arrow = [&](std::string_view text) {
        return out ? paint_.cyan(text) : paint_.green(text);
    };
    std::string line = beginning(time, state) + arrow(out ? "--> " : "<-- ") +
                       padded(note, kNoteWidth) + arrow(out ? " -->" : " <--");
    if (!role.empty()) line += ' ' + paint_.yellow(role);
    out_(line);
}

void LadderPage::event(Duration time, std::string_view state, const std::string& text,
                       std::string_view rule) {
    const std::size_t used = kTextColumn + text.size() + rule.size();
    out_(beginning(time, state) + "    " + text +
         std::string(used < kWidth ? kWidth - used : 1, ' ') + paint_.dim(rule));
}

void LadderPage::indented(const std::string& text, std::string_view rule,
                          const std::function<std::string(std::string_view)>& painted) {
    std::string_view rest = text;
    bool first = true;
    while (!rest.empty() || (first && !rule.empty())) {
        const std::size_t room = kWidth - kTextColumn - (rule.empty() ? 0 : rule.size() + 2);
        const std::string part = take_line(rest, room);
        std::string line = std::string(kTextColumn, ' ') + painted(part);
        if (!rule.empty()) {
            line += std::string(kWidth - kTextColumn - part.size() - rule.size(), ' ') +
                    paint_.dim(rule);
        }
        out_(line);
        rule = {};
        first = false;
    }
}

void LadderPage::detail(const std::string& text, std::string_view rule) {
    indented(text, rule, [this](std::string_view part) { return paint_.dim(part); });
}

void LadderPage::quote(const std::string& text) { out_(std::string(kTextColumn, ' ') + text); }

void LadderPage::skipped(const std::string& text) {
    out_(std::string(kTextColumn, ' ') + paint_.dim("... " + text));
}

void LadderPage::alarm(const std::string& text, std::string_view rule) {
    indented(text, rule, [this](std::string_view part) { return paint_.red(part); });
}

}  // namespace tapestry
