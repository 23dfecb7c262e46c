#include <algorithm>
#include <set>

#include "apps/inspect/chinese_words.h"
#include "apps/inspect/packet_changes.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/terminal/screen_parts.h"
#include "apps/inspect/verdict_words.h"

namespace tapestry {
namespace {

using Kind = Timeline::Step::Kind;
constexpr u32 kNone = Timeline::kNone;
constexpr int kMostLines = 4;
constexpr int kTimeWidth = 8;
constexpr int kRouterGap = 5;  ///< between the two sides of a router

/// Draws one row for each stop, the newest at the bottom.
class LadderRows {
public:
    LadderRows(const Walk& walk, const View& view, const Area& area, Screen& screen)
        : walk_(walk), timeline_(walk.timeline()), view_(view), area_(area), screen_(screen) {
        choose_rows();
        choose_lines();
        const bool times = area.width() >= (lines_.size() > 2 ? 60 : 44);
        left_ = area.left + (times ? kTimeWidth : 1);
        place_lines();
    }

    void draw() {
        const bool heads_with_addresses = area_.height() >= 6;
        const int top = area_.top + (heads_with_addresses ? 2 : 1);
        for (std::size_t i = 0; i < lines_.size(); ++i) head(i, heads_with_addresses);
        int row = top;
        std::optional<Duration> before;
        for (const std::size_t stop : rows_) {
            for (const u32 line : lines_) {
                screen_.fill(row, column(line), column(line) + 1, bar(), Look::Dim);
            }
            if (left_ - area_.left > 1 && before != walk_.time(stop)) {
                screen_.put(row, area_.left, short_time(walk_.time(stop)), Look::Dim, left_ - 1);
            }
            before = walk_.time(stop);
            draw_stop(row, stop);
            if (stop == view_.stop) {
                screen_.paint(row, area_.left, area_.right, Look::Now);
                screen_.fill(row, left_ - 1, left_, U'>', Look::Now);
            }
            ++row;
        }
        for (; row < area_.bottom; ++row) {
            for (const u32 line : lines_) {
                screen_.fill(row, column(line), column(line) + 1, bar(), Look::Dim);
            }
        }
    }

private:
    /// As exact as there is room for.
    static std::string short_time(Duration time) {
        std::string text = time_text(time);
        const auto most = static_cast<std::size_t>(kTimeWidth - 1);
        if (text.size() > most && text.find('.') < most) text.resize(most);
        return text;
    }

    char32_t bar() const { return view_.glyphs == Glyphs::Unicode ? U'│' : U'|'; }
    char32_t shaft() const { return view_.glyphs == Glyphs::Unicode ? U'─' : U'-'; }

    /// The stops that have a row: those before, and the one that the reader is at.
    void choose_rows() {
        const auto most =
            static_cast<std::size_t>(std::max(area_.height() - (area_.height() >= 6 ? 2 : 1), 1));
        const bool filtered = !view_.shown.empty();
        for (std::size_t stop = view_.stop + 1; stop-- > 0 && rows_.size() < most;) {
            const bool passes = !filtered || std::ranges::binary_search(view_.shown, stop);
            if (passes || stop == view_.stop) rows_.push_back(stop);
        }
        std::ranges::reverse(rows_);
    }

    u32 line_of(const Timeline::Place& place) const {
        if (place.host == kNone || place.host >= timeline_.hosts.size()) return kNone;
        const auto& interfaces = timeline_.hosts[place.host].interfaces;
        if (place.interface >= interfaces.size()) return kNone;
        return interfaces[place.interface].lifeline;
    }
    u32 line_of_host(u32 host) const { return host == kNone ? kNone : line_of({host, 0}); }

    /// Which lifelines are drawn: all, or where the latest that happened did.
    void choose_lines() {
        std::set<u32> chosen;
        if (timeline_.lifelines.size() <= kMostLines) {
            for (u32 i = 0; i < timeline_.lifelines.size(); ++i) chosen.insert(i);
        }
        const auto want = [&](u32 line) {
            if (line != kNone && chosen.size() < kMostLines) chosen.insert(line);
        };
        const auto want_stop = [&](std::size_t stop) {
            const Timeline::Step& step = walk_.main_step(stop);
            want(line_of_host(step.host));
            if (step.frame == kNone) return;
            want(line_of(timeline_.frames[step.frame].from));
            want(line_of(timeline_.frames[step.frame].to));
        };
        for (std::size_t i = rows_.size(); i-- > 0;) want_stop(rows_[i]);
        for (u32 i = 0; i < timeline_.lifelines.size() && chosen.size() < 2; ++i) want(i);
        lines_.assign(chosen.begin(), chosen.end());
    }

    std::optional<std::size_t> place_of(u32 line) const {
        const auto it = std::ranges::find(lines_, line);
        if (it == lines_.end()) return std::nullopt;
        return static_cast<std::size_t>(it - lines_.begin());
    }
    int column(u32 line) const { return columns_[place_of(line).value_or(0)]; }

    bool same_machine(std::size_t place) const {
        return place + 1 < lines_.size() && timeline_.lifelines[lines_[place]].machine ==
                                                timeline_.lifelines[lines_[place + 1]].machine;
    }

    /// Spreads the lifelines over the area; the two sides of a router stand close together.
    void place_lines() {
        const int span = area_.right - left_ - 1;
        int close = 0;
        for (std::size_t i = 0; i < lines_.size(); ++i) close += same_machine(i) ? 1 : 0;
        const int wide = std::max(static_cast<int>(lines_.size()) - 1 - close, 1);
        int at = left_;
        int passed = 0;
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            columns_.push_back(i + 1 == lines_.size() && i > 0 ? area_.right - 1 : at);
            if (same_machine(i)) {
                at += kRouterGap;
            } else {
                ++passed;
                const int to = passed * (span - close * kRouterGap) / wide;
                at += to - (passed - 1) * (span - close * kRouterGap) / wide;
            }
        }
    }

    /// The name above a lifeline: at the edges beginning and ending with it, else in the middle.
    void head(std::size_t place, bool with_address) {
        const Lifeline& line = timeline_.lifelines[lines_[place]];
        const bool second = place > 0 && same_machine(place - 1);
        const bool first = !second && same_machine(place);
        const int room =
            first || second ? kTimeWidth : (area_.right - left_) / (lines_.size() > 2 ? 3 : 2);
        const auto one = [&](int row, std::string text, Look look) {
            if (cells_of(text) > room) {
                text.resize(static_cast<std::size_t>(std::max(room, 1)));
            }
            const int size = static_cast<int>(text.size());
            const int middle = columns_[place];
            int at = middle - size / 2;
            if (place == 0 || second) at = middle;
            if (first && place > 0) at = middle - size + 1;
            if (place > 0 && place + 1 == lines_.size()) at = area_.right - size;
            screen_.put(row, at, text, look, area_.right);
        };
        // The name of a router stands once above its two sides.
        if (!second) one(area_.top, line.machine, Look::Bold);
        if (with_address)
            one(area_.top + 1, line.side.empty() ? line.address : line.side, Look::Dim);
    }

    void draw_stop(int row, std::size_t stop) {
        const Timeline::Step& step = walk_.main_step(stop);
        // Of a frame from somebody who is no stack of ours only the arrival is known.
        const bool only_arrival = step.kind == Kind::Received && !timeline_.frames[step.frame].sent;
        if (step.kind == Kind::Sent || step.kind == Kind::Lost || only_arrival) {
            arrow(row, step, stop);
            return;
        }
        const bool of_nobody = step.kind == Kind::Note || step.kind == Kind::Network;
        const u32 line =
            step.kind == Kind::Received ? line_of(arrived_at(step)) : line_of_host(step.host);
        if (of_nobody || !place_of(line)) {
            screen_.put(row, left_ + 2, note(stop), Look::Plain, area_.right - 1);
            return;
        }
        beside(row, line, note(stop),
               walk_.timeline().steps[walk_.stops()[stop].last].drop ? Look::Alarm : Look::Plain);
    }

    /// A frame for everybody arrives at more than whom it is for.
    Timeline::Place arrived_at(const Timeline::Step& step) const {
        const Timeline::Place& to = timeline_.frames[step.frame].to;
        return to.host == step.host ? to : Timeline::Place{step.host, 0};
    }

    /// Text beside a lifeline: right of it, or left where that is the longer way.
    void beside(int row, u32 line, const std::string& text, Look look) {
        const int at = column(line);
        if (at - left_ < area_.right - at) {
            screen_.put(row, at + 2, text, look, area_.right - 1);
            return;
        }
        const int size = cells_of(text);
        screen_.put(row, std::max(left_ + 1, at - 1 - size), text, look, at - 1);
    }

    /// What a stop without an arrow says in a few words.
    std::string note(std::size_t stop) const {
        const Timeline::Step& step = walk_.main_step(stop);
        if (step.drop)
            return phrase(Phrase::RefusedNote, language_, {std::string(name(*step.drop))});
        if (const std::string turn = turn_text(stop); !turn.empty()) return turn;
        switch (step.kind) {
            case Kind::Received:
                if (const std::string text = rewrite_note(stop); !text.empty()) return text;
                if (walk_.facts()[step.frame].notation.starts_with("ARP")) {
                    return std::string(phrase(Phrase::ArpArrives, language_));
                }
                return phrase(Phrase::Arrives, language_,
                              {kind_in(walk_.facts()[step.frame], language_)});
            case Kind::Timer:
                return phrase(Phrase::TimerNote, language_,
                              {std::string(text_in(step.verdict, language_))});
            case Kind::Call:
                return "$ " + (step.text.empty() ? std::string(text_in(step.verdict, language_))
                                                 : step.text);
            case Kind::Flow:
                return flow_text(timeline_.flows[step.flow], language_);
            case Kind::Decision:
                return std::string(text_in(step.verdict, language_));
            case Kind::Rewrite:
                return std::string(phrase(Phrase::PassesOn, language_));
            default:
                return Timeline::text_in(step, language_);
        }
    }

    /// "changes src, ttl": what a router does with the packet that has come in.
    std::string rewrite_note(std::size_t stop) const {
        const Stop& range = walk_.stops()[stop];
        std::string fields;
        for (std::size_t i = range.first; i <= range.last; ++i) {
            const Timeline::Step& step = timeline_.steps[i];
            if (step.kind != Kind::Rewrite) continue;
            const Timeline::Rewrite& rewrite = timeline_.rewrites[step.rewrite];
            for (const Rewrite& change : packet_changes(rewrite.before, rewrite.after)) {
                fields += (fields.empty() ? "" : ", ") + change.field;
            }
        }
        return fields.empty() ? "" : phrase(Phrase::ChangesFields, language_, {fields});
    }

    std::string turn_text(std::size_t stop) const {
        const u32 end = walk_.end(stop);
        if (end == kNone || !walk_.is_turn(stop)) return "";
        return std::string(name(walk_.before(end, stop)->state)) + " -> " +
               std::string(name(walk_.after(end, stop)->state));
    }

    enum class Way : u8 { Arrived, UnderWay, Lost };

    Way way(u32 frame) const {
        if (!timeline_.frames[frame].lost.empty()) return Way::Lost;
        const std::size_t last = walk_.stops()[view_.stop].last;
        for (const u32 step : walk_.index().steps_of(frame)) {
            if (timeline_.steps[step].kind == Kind::Received) {
                return step <= last ? Way::Arrived : Way::UnderWay;
            }
        }
        return Way::Arrived;  // nobody knows
    }

    void arrow(int row, const Timeline::Step& step, std::size_t stop) {
        const Timeline::Frame& frame = timeline_.frames[step.frame];
        const auto from = place_of(line_of(frame.from));
        const auto to = place_of(line_of(frame.to));
        if (!from || !to || *from == *to) {
            screen_.put(row, left_ + 2, walk_.headline(stop, language_), Look::Plain,
                        area_.right - 1);
            return;
        }
        const bool right = *from < *to;
        const int low = column(lines_[std::min(*from, *to)]) + 1;
        const int high = column(lines_[std::max(*from, *to)]);
        const Way way = this->way(step.frame);
        const Look look = way == Way::Lost ? Look::Alarm : Look::Plain;
        const int gap = (high - low) / 4;
        if (way == Way::Arrived) {
            screen_.fill(row, low, high, shaft());
            screen_.fill(row, right ? high - 1 : low, right ? high : low + 1, right ? U'>' : U'<');
        } else {
            const int begin = right ? low : low + gap;
            const int end = right ? high - gap : high;
            screen_.fill(row, begin, end, shaft(), look);
            const int tip = right ? end - 1 : begin;
            screen_.fill(row, tip, tip + 1, way == Way::Lost ? U'x' : right ? U'>' : U'<', look);
            label(row, step.frame, begin + 1, end - 1, look);
            return;
        }
        label(row, step.frame, low + 1, high - 1, look);
    }

    /// What a frame says, in the middle of its arrow: as much as fits.
    void label(int row, u32 frame, int low, int high, Look look) {
        const FrameFacts& facts = walk_.facts()[frame];
        const auto fits = [&](const std::string& text) { return cells_of(text) + 4 <= high - low; };
        std::string text = facts.brief.empty() ? facts.notation : facts.brief;
        if (!facts.quote.empty() && fits(text + "  " + facts.quote)) text += "  " + facts.quote;
        const std::string role = role_in(facts.role, language_);
        if (!role.empty() && fits(text + ", " + role)) text += ", " + role;
        if (!fits(text)) text = short_label(facts, high - low - 4);
        if (text.empty()) return;
        screen_.put(row, low + 1, ' ' + text + ' ', look, high);
    }

    std::string short_label(const FrameFacts& facts, int room) const {
        const std::string kind = kind_in(facts, language_);
        const std::string role = role_in(facts.role, language_);
        const std::string with_role = role.empty() ? kind : kind + ", " + role;
        // Without the options, which are the longest and the least.
        const std::string plain = facts.brief.substr(0, facts.brief.find(" <"));
        // That it comes again is more than its numbers.
        const bool again = facts.role.find("again") != std::string::npos;
        for (const std::string& text :
             {plain + ", " + role, again ? with_role : plain, with_role}) {
            if (!text.empty() && cells_of(text) <= room) return text;
        }
        return kind;
    }

    const Walk& walk_;
    const Timeline& timeline_;
    const View& view_;
    Language language_ = view_.language;
    Area area_;
    Screen& screen_;
    int left_ = 0;
    std::vector<std::size_t> rows_;
    std::vector<u32> lines_;
    std::vector<int> columns_;  ///< of the lines
};

}  // namespace

void draw_ladder(const Walk& walk, const View& view, const Area& area, Screen& screen) {
    if (area.height() < 2 || area.width() < 8 || walk.timeline().lifelines.empty()) return;
    LadderRows(walk, view, area, screen).draw();
}

}  // namespace tapestry
