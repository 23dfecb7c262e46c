#include "apps/inspect/terminal/screen_model.h"

#include <algorithm>

#include "apps/inspect/terminal/help.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/terminal/screen_parts.h"

namespace tapestry {
namespace {

constexpr int kSmallestWidth = 20;
constexpr int kSmallestHeight = 6;

/// Where the parts are. An area without height is not drawn.
struct Layout {
    int panel = 0;  ///< columns of each
    int ladder = 0;
    int states = 0;  ///< 1: there are no panels, one line says the states
    int words = 0;
    int bytes = 0;
};

Layout layout_of(int width, int height, bool frame) {
    Layout layout;
    layout.panel = width >= 70 ? std::min((width - 44) / 2, 30) : 0;
    layout.states = layout.panel == 0 && height >= 8 ? 1 : 0;
    const int rule = height >= 12 ? 1 : 0;
    int rest = height - 2 - rule - layout.states;
    const bool roomy = height >= 20;
    // The ladder stays where it is, whether a step has a frame or not.
    layout.ladder = roomy ? 10 + (height - 24) / 2 : rest / 2;
    rest -= layout.ladder;
    if (frame && roomy) layout.bytes = std::min(5 + std::max(height - 24, 0) / 4, 12);
    layout.words = rest - layout.bytes;
    return layout;
}

/// What stands in the first row.
std::string position(const Walk& walk, const View& view) {
    const auto say = [&](Phrase key, const std::string& what) {
        return what.empty() ? "" : phrase(key, view.language, {what});
    };
    const std::string line =
        phrase(Phrase::StepOf, view.language,
               {std::to_string(view.stop + 1), std::to_string(walk.stops().size()),
                time_text(walk.time(view.stop))});
    return line + say(Phrase::InBranch, view.branch) + say(Phrase::FilteredBy, view.filter) +
           say(Phrase::StopsAt, view.breaks);
}

void draw_bar(const Walk& walk, const View& view, Screen& screen) {
    screen.fill(0, 0, screen.width(), U' ', Look::Bar);
    const std::string where = position(walk, view);
    int at = 1;
    if (cells_of(where) + cells_of(walk.timeline().name) + 5 <= screen.width()) {
        at = screen.put(0, at, walk.timeline().name + ":  ", Look::Bar);
    }
    screen.put(0, at, where, Look::Bar);
}

void draw_keys(const View& view, bool first, Screen& screen) {
    const int row = screen.height() - 1;
    if (!view.prompt.empty()) {
        screen.put(row, 0, view.prompt, Look::Bold);
        return;
    }
    if (!view.message.empty()) {
        screen.put(row, 0, view.message, Look::Changed);
        return;
    }
    screen.fill(row, 0, screen.width(), U' ', Look::Bar);
    screen.put(row, 1, keys_line(screen.width() - 2, first, view), Look::Bar);
}

void draw_words(const Walk& walk, const View& view, const Area& area, Screen& screen) {
    if (area.height() < 1) return;
    const Words words = words_at(walk, view.stop, area.width() - 1, view.language);
    const int size = static_cast<int>(words.lines.size());
    const int scroll = std::clamp(view.scroll, 0, std::max(size - area.height(), 0));
    const bool all = size - scroll <= area.height();
    const std::string_view more = phrase(Phrase::More, view.language);
    const int end = area.right - cells_of(more);
    for (int i = 0; i < area.height() && scroll + i < size; ++i) {
        const auto at = static_cast<std::size_t>(scroll + i);
        const bool cut = !all && i + 1 == area.height();
        screen.put(area.top + i, area.left, words.lines[at],
                   at < words.bold ? Look::Bold : Look::Plain, cut ? end : area.right);
    }
    if (!all) screen.put(area.bottom - 1, end, more, Look::Bar);
}

/// Without panels: "laptop SYN-SENT   server -".
void draw_states(const Walk& walk, const View& view, int row, Screen& screen) {
    const Pair pair = pair_at(walk, view.stop);
    int column = 1;
    for (const u32 end : {pair.left, pair.right}) {
        if (end == Timeline::kNone) continue;
        const Timeline& timeline = walk.timeline();
        const TcpSnapshot* state = walk.after(end, view.stop);
        const TcpSnapshot* before = walk.before(end, view.stop);
        const bool changed = state != nullptr && before->state != state->state;
        column =
            screen.put(row, column, timeline.hosts[timeline.ends[end].host].name + ' ', Look::Dim);
        column = screen.put(
            row, column,
            (changed ? "*" : "") + (state == nullptr ? "-" : std::string(name(state->state))),
            changed ? Look::Changed : Look::Plain);
        column += 3;
    }
}

void draw_help(const View& view, Screen& screen) {
    int row = 1;
    for (const std::string& paragraph : help_lines(view)) {
        const auto lines = wrapped(paragraph, view.width - 2);
        if (lines.empty()) ++row;
        for (const std::string& line : lines) {
            if (row >= view.height - 1) break;
            screen.put(row++, 1, line);
        }
    }
    screen.put(view.height - 1, 1, phrase(Phrase::AnyKey, view.language), Look::Bold);
}

}  // namespace

Screen draw(const Walk& walk, const View& view) {
    Screen screen(view.width, view.height);
    if (view.height < 1 || walk.stops().empty()) return screen;
    draw_bar(walk, view, screen);
    if (view.width < kSmallestWidth || view.height < kSmallestHeight) {
        screen.put(1, 0, phrase(Phrase::TooSmall, view.language));
        return screen;
    }
    if (view.help) {
        draw_help(view, screen);
        return screen;
    }
    const Layout layout =
        layout_of(view.width, view.height, walk.frame(view.stop) != Timeline::kNone);
    const int below = 1 + layout.ladder;
    const Area ladder{1, below, layout.panel, view.width - layout.panel};
    draw_ladder(walk, view, ladder, screen);
    if (layout.panel > 0) {
        const Pair pair = pair_at(walk, view.stop);
        draw_panel(walk, view, pair.left, {1, below, 0, layout.panel - 1}, screen);
        draw_panel(walk, view, pair.right, {1, below, view.width - layout.panel + 1, view.width},
                   screen);
    }
    int row = below;
    if (layout.states > 0) draw_states(walk, view, row++, screen);
    if (view.height >= 12) {
        screen.fill(row, 0, view.width, view.glyphs == Glyphs::Unicode ? U'─' : U'-', Look::Dim);
        ++row;
    }
    draw_words(walk, view, {row, row + layout.words, 1, view.width}, screen);
    row += layout.words;
    draw_bytes(walk, view, {row, row + layout.bytes, 1, view.width}, screen);
    draw_keys(view, view.stop == 0, screen);
    return screen;
}

}  // namespace tapestry
