#include "apps/inspect/story_layout.h"

#include <algorithm>
#include <set>

namespace tapestry {

StoryLayout::StoryLayout(const Story& story) : story_(story) {
    std::set<std::size_t> busy;  // gaps that arrows between neighbours need
    for (const Step& step : story.steps) {
        const auto [low, high] = std::minmax(step.from, step.to);
        if (step.kind == Step::Kind::Frame && high == low + 1) busy.insert(low);
    }
    const std::size_t count = story.lifelines.size();
    std::vector<std::size_t> gaps(count > 0 ? count - 1 : 0);
    std::size_t left = kWidth - 1 - kFirst;
    std::size_t wide = 0;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
        const bool sides = other_side(i) == i + 1;
        if (!sides && busy.contains(i)) {
            ++wide;
            continue;
        }
        gaps[i] = sides ? kRouterGap : label_width(i) + 2;
        // The last label stands to the left of its line.
        if (!sides && i + 1 == gaps.size()) gaps[i] += label_width(i + 1);
        left -= std::min(left, gaps[i]);
    }
    columns_.push_back(kFirst);
    for (std::size_t& gap : gaps) {
        if (gap == 0) gap = std::min(kWidest, left / std::max<std::size_t>(1, wide));
        columns_.push_back(columns_.back() + gap);
    }
}

std::optional<std::size_t> StoryLayout::other_side(std::size_t lifeline) const {
    const auto& lines = story_.lifelines;
    if (lines[lifeline].side.empty()) return std::nullopt;
    const auto same = [&](std::size_t other) {
        return lines[other].machine == lines[lifeline].machine && !lines[other].side.empty();
    };
    if (lifeline + 1 < lines.size() && same(lifeline + 1)) return lifeline + 1;
    if (lifeline > 0 && same(lifeline - 1)) return lifeline - 1;
    return std::nullopt;
}

std::size_t StoryLayout::label_width(std::size_t lifeline) const {
    const Lifeline& line = story_.lifelines[lifeline];
    return std::max({line.machine.size(), line.side.size(), line.address.size()});
}

Canvas StoryLayout::empty_line() const {
    Canvas line(kWidth);
    for (const std::size_t column : columns_) line.put(column, "|", Canvas::Style::Dim);
    return line;
}

void StoryLayout::put_label(Canvas& line, std::size_t lifeline, const std::string& text,
                            Canvas::Style style) const {
    const bool last = lifeline + 1 == columns_.size();
    const auto other = other_side(lifeline);
    const bool to_the_left = other ? *other > lifeline : last && lifeline > 0;
    const std::size_t at = columns_[lifeline];
    line.put(to_the_left && at + 1 > text.size() ? at + 1 - text.size() : at, text, style);
}

std::vector<Canvas> StoryLayout::heading() const {
    std::vector<Canvas> lines(3, Canvas(kWidth));
    bool sides = false;
    lines[0].put(4, story_.language == Language::English ? "time" : "时间", Canvas::Style::Dim);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const Lifeline& lifeline = story_.lifelines[i];
        put_label(lines[0], i, lifeline.machine, Canvas::Style::Bold);
        put_label(lines[1], i, lifeline.side, Canvas::Style::Bold);
        put_label(lines[2], i, lifeline.address, Canvas::Style::Plain);
        sides = sides || !lifeline.side.empty();
    }
    if (!sides) lines.erase(lines.begin() + 1);
    return lines;
}

std::size_t StoryLayout::centred(std::size_t middle, std::size_t size) {
    const std::size_t begin = middle > size / 2 ? middle - size / 2 : 0;
    const std::size_t last = kWidth > size + 1 ? kWidth - size - 1 : 0;
    return std::max(kFirst + 2, std::min(begin, last));
}

StoryLayout::Place StoryLayout::place(std::size_t lifeline) const {
    using enum Place::Align;
    const auto other = other_side(lifeline);
    if (other) {
        const std::size_t middle = (columns_[lifeline] + columns_[*other]) / 2;
        return {middle, kWidth - kFirst - 3, Centre};
    }
    const std::size_t at = columns_[lifeline];
    const bool right = lifeline > 0 && at + at > kWidth;
    if (right) return {at - 2, at - 4 - kFirst, Right};
    return {at + 2, kWidth - at - 2, Left};
}

}  // namespace tapestry
