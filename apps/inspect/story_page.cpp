#include "apps/inspect/story_page.h"

#include <algorithm>
#include <cstdio>

#include "apps/inspect/chinese_words.h"
#include "apps/inspect/traffic_run.h"
#include "apps/inspect/wide_text.h"

namespace tapestry {
namespace {

/// Of a longer run of steps alike only the beginning and the end are shown.
constexpr std::size_t kLongRun = 20;
constexpr std::size_t kHead = 12;
constexpr std::size_t kTail = 2;

std::string time_text(TimePoint time) {
    char text[32];
    std::snprintf(text, sizeof text, "%8.3f", to_seconds(time.time_since_epoch()));
    return text;
}

/// As much of a note as there is room for: options go first, then the window.
std::string fitted(std::string note, std::size_t room) {
    for (const char* part : {" (", " <", " win", " ack"}) {
        if (note.size() <= room) return note;
        const std::size_t at = note.find(part);
        if (at != std::string::npos) note.resize(at);
    }
    if (note.size() > room) note.resize(room);
    return note;
}

bool is_arp(const Step& step) {
    return step.frame && (step.frame->kind == FrameFacts::Kind::ArpRequest ||
                          step.frame->kind == FrameFacts::Kind::ArpReply);
}

}  // namespace

StoryPage::StoryPage(const Story& story, Paint paint)
    : story_(story), paint_(paint), layout_(story) {
    find_known_arp();
    find_runs();
}

/// A question that is answered goes without saying, and so does an answer that was heard before.
void StoryPage::find_known_arp() {
    constexpr std::size_t kNear = 200;
    std::set<std::pair<std::string, std::string>> heard;
    for (std::size_t i = 0; i < story_.steps.size(); ++i) {
        const Step& step = story_.steps[i];
        if (!is_arp(step)) continue;
        const FrameFacts& facts = *step.frame;
        if (facts.kind == FrameFacts::Kind::ArpReply) {
            if (!heard.insert({facts.link, facts.source}).second) hidden_.insert(i);
            continue;
        }
        const std::size_t end = std::min(story_.steps.size(), i + kNear);
        for (std::size_t k = i + 1; k < end && facts.lost.empty(); ++k) {
            const Step& answer = story_.steps[k];
            if (is_arp(answer) && answer.frame->kind == FrameFacts::Kind::ArpReply &&
                answer.frame->source == facts.destination && answer.frame->link == facts.link) {
                hidden_.insert(i);
                break;
            }
        }
    }
}

void StoryPage::find_runs() {
    std::size_t begin = 0;
    while (begin < story_.steps.size()) {
        std::size_t end = begin;
        while (end < story_.steps.size() && !story_.steps[end].routine.empty()) ++end;
        if (end - begin > kLongRun) {
            for (std::size_t i = begin + kHead; i < end - kTail; ++i) hidden_.insert(i);
            summaries_[begin + kHead] = summary(begin + kHead, end - kTail);
        }
        begin = end + 1;
    }
}

/// One of a run, as the sum names it: "segments to laptop".
std::string StoryPage::routine_of(const Step& step) const {
    const bool frame = step.kind == Step::Kind::Frame;
    const std::string to = frame ? story_.lifelines[step.to].label() : "";
    if (story_.language == Language::English) return step.routine + (frame ? "s to " + to : "");
    return (frame ? "发往 " + to + " 的 " : "") + routine_in(step.routine, story_.language);
}

/// "... 412 more segments to laptop, 600 kB; 206 ACKs to server ..."
std::string StoryPage::summary(std::size_t begin, std::size_t end) const {
    struct Count {
        u64 number = 0;
        u64 bytes = 0;
    };
    std::vector<std::pair<std::string, Count>> counts;
    for (std::size_t i = begin; i < end; ++i) {
        const Step& step = story_.steps[i];
        if (step.kind == Step::Kind::Rewrite) continue;
        const std::string what = routine_of(step);
        auto found = std::ranges::find(counts, what, [](const auto& c) { return c.first; });
        if (found == counts.end()) found = counts.insert(counts.end(), {what, {}});
        ++found->second.number;
        if (step.kind == Step::Kind::Frame) found->second.bytes += step.frame->length;
    }
    const bool english = story_.language == Language::English;
    std::string text = english ? "..." : "…… 还有";
    for (const auto& [what, count] : counts) {
        const bool first = &what == &counts.front().first;
        const std::string number = std::to_string(count.number);
        if (english) text += (first ? " " : "; ") + number + (first ? " more " : " ") + what;
        if (!english) text += (first ? " " : "；") + number + " 个" + what;
        if (count.bytes > 0) text += (english ? ", " : "，") + human_size(count.bytes);
    }
    return text + (english ? " ..." : " ……");
}

std::vector<std::string> StoryPage::beginning() const {
    Lines lines{paint_.bold(story_.name + ": " + story_.title), ""};
    lines.insert(lines.end(), story_.watch.begin(), story_.watch.end());
    if (!story_.watch.empty()) lines.emplace_back();
    for (const std::string& line : story_.scene) lines.push_back("  " + paint_.dim(line));
    lines.emplace_back();
    for (const Canvas& line : layout_.heading()) lines.push_back(line.render(paint_));
    return lines;
}

std::vector<std::string> StoryPage::ending() const {
    Lines lines{layout_.empty_line().render(paint_)};
    if (story_.summary.empty()) return lines;
    lines.emplace_back();
    lines.insert(lines.end(), story_.summary.begin(), story_.summary.end());
    return lines;
}

std::vector<std::vector<std::string>> StoryPage::steps() {
    std::vector<Lines> all;
    for (std::size_t i = 0; i < story_.steps.size(); ++i) {
        const auto summed = summaries_.find(i);
        if (summed != summaries_.end()) {
            all.push_back(ruled(summed->second));
            marks_.clear();
        } else if (hidden_.contains(i)) {
            all.emplace_back();
        } else {
            all.push_back(draw(i));
        }
    }
    return all;
}

void StoryPage::put_time(Canvas& line, TimePoint time) {
    const i64 milliseconds = time.time_since_epoch() / 1ms;
    if (last_time_ == milliseconds) return;
    last_time_ = milliseconds;
    line.put(0, time_text(time), Style::Dim);
}

StoryPage::Lines StoryPage::draw(std::size_t index) {
    const Step& step = story_.steps[index];
    const std::string& machine = story_.lifelines[step.from].machine;
    switch (step.kind) {
        case Step::Kind::Frame:
            return draw_frame(step);
        case Step::Kind::Rewrite:
            return draw_rewrite(step);
        case Step::Kind::Flow:
            return beside(step, step.text, Style::Yellow);
        case Step::Kind::Drop:
            return beside(step, "x " + std::string(name(*step.drop)) + ": " + step.text,
                          Style::Red);
        case Step::Kind::Call:
            return beside(step, machine + "$ " + step.text, Style::Bold);
        case Step::Kind::Result:
            return beside(step, machine + ": " + step.text, Style::Bold);
        case Step::Kind::State:
            return beside(step, step.text, Style::Plain);
        case Step::Kind::Timer:
            return beside(step, "* " + step.text, Style::Plain);
        case Step::Kind::Network:
            if (step.text.starts_with("iptables")) {
                return beside(step, machine + "# " + step.text, Style::Bold);
            }
            return ruled(step.text);
        case Step::Kind::Note:
            break;
    }
    Lines lines{layout_.empty_line().render(paint_)};
    for (std::string& line : ruled("--- " + step.text + " ---")) lines.push_back(std::move(line));
    return lines;
}

/// A line across all lifelines.
StoryPage::Lines StoryPage::ruled(const std::string& text) const {
    Lines lines;
    for (const std::string& part : wrapped(text, StoryLayout::kWidth - 14)) {
        Canvas line = layout_.empty_line();
        line.put(11, ' ' + part + ' ', Style::Cyan);
        lines.push_back(line.render(paint_));
    }
    return lines;
}

StoryPage::Lines StoryPage::beside(const Step& step, const std::string& text, Style style) {
    using Align = StoryLayout::Place::Align;
    const StoryLayout::Place place = layout_.place(step.from);
    Lines lines;
    const int room = static_cast<int>(std::min<std::size_t>(place.room, 108));
    for (const std::string& part : wrapped(text, room)) {
        Canvas line = layout_.empty_line();
        std::size_t column = place.column;
        const auto size = static_cast<std::size_t>(cells_of(part));
        if (place.align == Align::Right) column = place.column + 1 - size;
        if (place.align == Align::Centre) column = layout_.centred(place.column, size);
        if (lines.empty()) put_time(line, step.time);
        line.put(column - 1, ' ' + part + ' ', style);
        lines.push_back(line.render(paint_));
    }
    return lines;
}

StoryPage::Lines StoryPage::draw_rewrite(const Step& step) {
    const bool two_sides = layout_.other_side(step.to).has_value();
    // That a router counts the time to live down is worth a line once, and of TCP none.
    const bool dull = !step.first || !step.routine.empty();
    if (!two_sides && dull && step.rewrites.size() == 1) return {};
    if (step.first || !two_sides) {
        return beside(step, '[' + step.text + ']', Style::Yellow);
    }
    std::string mark;
    for (const Rewrite& r : step.rewrites) mark += (mark.empty() ? "" : " ") + r.field;
    marks_[step.to] = mark;
    return {};
}

void StoryPage::put_arrow(Canvas& line, const Step& step) const {
    const FrameFacts& facts = *step.frame;
    const bool right = step.to > step.from;
    const std::size_t low = layout_.column(std::min(step.from, step.to)) + 1;
    const std::size_t high = layout_.column(std::max(step.from, step.to)) - 1;
    const bool lost = !facts.lost.empty();
    // A lost frame does not reach the other side.
    const std::size_t begin = lost && !right ? low + 5 : low;
    const std::size_t end = lost && right ? high - 5 : high;
    const Style style = lost ? Style::Red : right ? Style::Cyan : Style::Green;
    line.put(low, std::string(high + 1 - low, ' '), Style::Plain);
    line.put(begin, std::string(end + 1 - begin, '-'), style);
    if (right) line.put(end, lost ? "x" : ">", style);
    if (!right) line.put(begin, lost ? "x" : "<", style);

    const std::size_t room = end - begin - 7;
    std::string note = facts.brief;
    const std::string quote = facts.quote.empty() ? "" : "  \"" + facts.quote + '"';
    // The part that a segment plays is worth more than its options, and than what it carries.
    const auto role_size = static_cast<std::size_t>(cells_of(facts.role));
    const std::size_t role_room = role_size == 0 ? 0 : role_size + 4;
    if (note.size() + quote.size() + role_room <= room) note += quote;
    note = fitted(note, role_room + 12 < room ? room - role_room : room);
    line.put(begin + (right ? 2 : 3), ' ' + note + ' ', Style::Plain);
    if (!facts.role.empty() && note.size() + role_room <= room) {
        line.put(end - 4 - role_size + (right ? 0 : 1), ' ' + facts.role + ' ', Style::Yellow);
    }
}

StoryPage::Lines StoryPage::draw_frame(const Step& step) {
    const FrameFacts& facts = *step.frame;
    Canvas line = layout_.empty_line();
    put_time(line, step.time);
    put_arrow(line, step);
    const auto mark = marks_.find(step.from);
    if (mark != marks_.end() && !is_arp(step)) {
        const std::size_t other = layout_.column(*layout_.other_side(step.from));
        const std::size_t middle = (layout_.column(step.from) + other + 1) / 2;
        line.put(middle - mark->second.size() / 2, mark->second, Style::Yellow);
        marks_.erase(mark);
    }
    Lines lines{line.render(paint_)};
    std::string more;
    if (facts.first) more = facts.source + " > " + facts.destination;
    if (!facts.lost.empty() && facts.lost != "lost") more = loss_in(facts.lost, story_.language);
    if (more.empty()) return lines;
    const auto size = static_cast<std::size_t>(cells_of(more));
    const std::size_t low = layout_.column(std::min(step.from, step.to));
    const std::size_t high = layout_.column(std::max(step.from, step.to));
    if (size + 4 > high - low) return lines;
    Canvas below = layout_.empty_line();
    below.put((low + high) / 2 - size / 2 - 1, ' ' + more + ' ', Style::Dim);
    lines.push_back(below.render(paint_));
    return lines;
}

}  // namespace tapestry
