#include "apps/inspect/terminal/step_browser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace tapestry {
namespace {

constexpr std::size_t kLongestAnswer = 200;

}  // namespace

std::string branch_text(const std::set<u32>& dropped, Language language) {
    if (dropped.empty()) return "";
    std::string frames;
    for (const u32 frame : dropped) {
        frames += (frames.empty() ? "" : ", ") + std::to_string(frame);
    }
    return phrase(dropped.size() == 1 ? Phrase::BranchOf : Phrase::BranchOfMany, language,
                  {frames});
}

StepBrowser::StepBrowser(const Walk& walk, Phrase no_branch, Language language)
    : walk_(&walk), no_branch_(no_branch), language_(language) {}

Wish StepBrowser::press(const Key& key) {
    message_.clear();
    if (help_) {
        help_ = false;
        return {};
    }
    if (question_ != Question::None) {
        answer(key);
        return {};
    }
    switch (key.kind) {
        case Key::Kind::Character:
            return character(key.character);
        case Key::Kind::Enter:
        case Key::Kind::Right:
        case Key::Kind::Down:
            step(1);
            break;
        case Key::Kind::Left:
        case Key::Kind::Up:
        case Key::Kind::Backspace:
            step(-1);
            break;
        case Key::Kind::Home:
            go_to(shown_.empty() ? 0 : shown_.front());
            break;
        case Key::Kind::End:
            go_to(shown_.empty() ? walk_->stops().size() - 1 : shown_.back());
            break;
        case Key::Kind::PageUp:
            scroll_ = std::max(scroll_ - 2, 0);
            break;
        case Key::Kind::PageDown:
            scroll_ = std::min(scroll_ + 2, 1000);
            break;
        case Key::Kind::Tab:
            move_cursor(1);
            break;
        case Key::Kind::BackTab:
            move_cursor(-1);
            break;
        case Key::Kind::Escape:
            break;
    }
    return {};
}

Wish StepBrowser::character(char32_t c) {
    switch (c) {
        case U' ':
            step(1);
            break;
        case U'n':
            turn(1);
            break;
        case U'p':
            turn(-1);
            break;
        case U'b':
            ask(Question::Break);
            break;
        case U'c':
            go_on(0);
            break;
        case U'/':
            ask(Question::Filter);
            break;
        case U'g':
            ask(Question::Time);
            break;
        case U'd':
            return drop();
        case U'u':
        case U'U':
            if (dropped_.empty()) {
                say(Phrase::NotDropped);
                break;
            }
            return {c == U'u' ? Wish::Kind::Undo : Wish::Kind::UndoAll, 0};
        case U'a':
            numbers_ = numbers_ == Numbers::Relative ? Numbers::Absolute : Numbers::Relative;
            break;
        case U'l':
            return {Wish::Kind::Language, 0};
        case U't':
            return {Wish::Kind::Theme, 0};
        case U'?':
            help_ = true;
            break;
        case U'q':
            return {Wish::Kind::Quit, 0};
        default:
            say(Phrase::NoSuchKey);
    }
    return {};
}

Wish StepBrowser::drop() {
    const u32 frame = walk_->frame_on_wire(stop_);
    if (no_branch_ != Phrase::None) {
        say(no_branch_);
    } else if (frame == Timeline::kNone) {
        say(Phrase::NothingToDrop);
    } else if (!walk_->timeline().frames[frame].lost.empty()) {
        say(Phrase::LostAnyway);
    } else {
        return {Wish::Kind::Drop, frame + 1};
    }
    return {};
}

void StepBrowser::follow(const Walk& walk, const std::set<u32>& dropped, u32 frame) {
    walk_ = &walk;
    dropped_ = dropped;
    if (filter_) {
        shown_.clear();
        for (std::size_t i = 0; i < walk.stops().size(); ++i) {
            if (filter_->holds(walk, i)) shown_.push_back(i);
        }
    }
    std::size_t at = std::min(stop_, walk.stops().size() - 1);
    for (std::size_t i = 0; i < walk.stops().size() && frame != 0; ++i) {
        if (walk.frame_on_wire(i) != frame - 1) continue;
        at = i;
        break;
    }
    go_to(at);
    message_.clear();
}

void StepBrowser::ask(Question question) {
    question_ = question;
    typed_.clear();
    wrong_.clear();
}

void StepBrowser::answer(const Key& key) {
    wrong_.clear();
    switch (key.kind) {
        case Key::Kind::Escape:
            question_ = Question::None;
            break;
        case Key::Kind::Backspace:
            // One character, of however many bytes.
            while (!typed_.empty() && (static_cast<unsigned char>(typed_.back()) & 0xc0U) == 0x80) {
                typed_.pop_back();
            }
            if (!typed_.empty()) typed_.pop_back();
            break;
        case Key::Kind::Enter:
            answered();
            break;
        case Key::Kind::Character:
            if (typed_.size() < kLongestAnswer && key.character >= U' ') {
                typed_ += utf8(std::u32string(1, key.character));
            }
            break;
        default:
            break;
    }
}

void StepBrowser::answered() {
    const Question question = question_;
    question_ = Question::None;
    if (question == Question::Filter) set_filter();
    if (question == Question::Break) set_break();
    if (question == Question::Time) go_to_time();
    if (!wrong_.empty()) question_ = question;
}

/// What was typed as a condition; nothing, and wrong_ says why, where it is none.
std::optional<Condition> StepBrowser::typed_condition() {
    auto condition = Condition::parse(typed_, language_);
    if (condition) return std::move(*condition);
    wrong_ = phrase(Phrase::AtColumn, language_,
                    {std::to_string(condition.error().column + 1), condition.error().what});
    return std::nullopt;
}

void StepBrowser::set_filter() {
    if (typed_.empty()) {
        filter_.reset();
        shown_.clear();
        say(Phrase::AllShown);
        return;
    }
    auto condition = typed_condition();
    if (!condition) return;
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < walk_->stops().size(); ++i) {
        if (condition->holds(*walk_, i)) shown.push_back(i);
    }
    if (shown.empty()) {
        wrong_ = phrase(Phrase::HoldsNowhere, language_);
        return;
    }
    filter_ = std::move(*condition);
    shown_ = std::move(shown);
    const auto next = std::ranges::lower_bound(shown_, stop_);
    go_to(next == shown_.end() ? shown_.back() : *next);
    say(Phrase::SomeShown, {std::to_string(shown_.size()), std::to_string(walk_->stops().size())});
}

/// One more condition, and on to where it holds; "-1" takes one away, "-" all.
void StepBrowser::set_break() {
    if (typed_.starts_with('-')) return remove_break();
    if (typed_.empty()) {
        if (breaks_.empty()) return say(Phrase::NoBreak);
        return say(Phrase::BreaksAre, {breaks()});
    }
    auto condition = typed_condition();
    if (!condition) return;
    const std::string text = condition->text();
    std::erase_if(breaks_, [&](const Condition& known) { return known.text() == text; });
    breaks_.push_back(std::move(*condition));
    go_on(breaks_.size() - 1);
}

void StepBrowser::remove_break() {
    if (typed_ == "-") {
        breaks_.clear();
        return say(Phrase::NoBreak);
    }
    const std::string number = typed_.substr(1);
    std::size_t at = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), at);
    const bool whole = error == std::errc() && end == number.data() + number.size();
    if (!whole || at == 0 || at > breaks_.size()) {
        wrong_ = phrase(Phrase::NoSuchBreak, language_, {number, std::to_string(breaks_.size())});
        return;
    }
    const std::string gone = breaks_[at - 1].text();
    breaks_.erase(breaks_.begin() + static_cast<std::ptrdiff_t>(at) - 1);
    say(Phrase::BreakRemoved, {gone, breaks_.empty() ? "-" : breaks()});
}

/// "1 state==ESTABLISHED, 2 lost".
std::string StepBrowser::breaks() const {
    std::string list;
    for (std::size_t i = 0; i < breaks_.size(); ++i) {
        list += (i == 0 ? "" : ", ") + std::to_string(i + 1) + ' ' + breaks_[i].text();
    }
    return list;
}

/// To the next stop where one of the conditions from that on holds.
void StepBrowser::go_on(std::size_t first_break) {
    if (breaks_.empty()) return say(Phrase::WhichBreak);
    const auto begin = breaks_.begin() + static_cast<std::ptrdiff_t>(first_break);
    for (std::size_t i = stop_ + 1; i < walk_->stops().size(); ++i) {
        if (!passes(i)) continue;
        const auto it = std::find_if(begin, breaks_.end(), [&](const Condition& condition) {
            return condition.holds(*walk_, i);
        });
        if (it == breaks_.end()) continue;
        go_to(i);
        return say(Phrase::HereHolds, {it->text()});
    }
    say(Phrase::NowhereLater, {begin + 1 == breaks_.end() ? begin->text() : breaks()});
}

void StepBrowser::go_to_time() {
    char* end = nullptr;
    const double seconds = std::strtod(typed_.c_str(), &end);
    if (typed_.empty() || *end != '\0' || !std::isfinite(seconds)) {
        wrong_ = phrase(Phrase::WrongTime, language_);
        return;
    }
    std::size_t at = stop_;
    bool found = false;
    for (std::size_t i = 0; i < walk_->stops().size() && !found; ++i) {
        if (!passes(i)) continue;
        at = i;
        found = to_seconds(walk_->time(i)) >= seconds - 1e-9;
    }
    go_to(at);
    if (!found) say(Phrase::RunIsOver);
}

bool StepBrowser::passes(std::size_t stop) const {
    return shown_.empty() || std::ranges::binary_search(shown_, stop);
}

void StepBrowser::go_to(std::size_t stop) {
    if (stop != stop_) scroll_ = 0;
    stop_ = stop;
}

void StepBrowser::step(int by) {
    const auto last = static_cast<i64>(walk_->stops().size()) - 1;
    for (i64 at = static_cast<i64>(stop_) + by; at >= 0 && at <= last; at += by) {
        if (!passes(static_cast<std::size_t>(at))) continue;
        go_to(static_cast<std::size_t>(at));
        return;
    }
    say(by > 0 ? Phrase::LastStep : Phrase::FirstStep);
}

void StepBrowser::turn(int by) {
    const auto last = static_cast<i64>(walk_->stops().size()) - 1;
    for (i64 at = static_cast<i64>(stop_) + by; at >= 0 && at <= last; at += by) {
        const auto stop = static_cast<std::size_t>(at);
        if (!passes(stop) || !walk_->is_turn(stop)) continue;
        go_to(stop);
        return;
    }
    say(by > 0 ? Phrase::NoLaterTurn : Phrase::NoEarlierTurn);
}

void StepBrowser::move_cursor(int by) {
    const auto fields = fields_at(*walk_, stop_);
    if (fields.empty()) {
        say(Phrase::NoFields);
    } else {
        field_ = moved(field_, by, fields);
    }
}

std::string StepBrowser::prompt() const {
    if (question_ == Question::None) return "";
    const Phrase asked = question_ == Question::Filter  ? Phrase::AskFilter
                         : question_ == Question::Break ? Phrase::AskBreak
                                                        : Phrase::AskTime;
    const std::string line = std::string(phrase(asked, language_)) + typed_ + '_';
    if (!wrong_.empty()) return line + "  -- " + wrong_;
    if (question_ == Question::Time) return line;
    if (question_ == Question::Break && !breaks_.empty()) {
        return line + phrase(Phrase::AskBreakAgain, language_, {breaks()});
    }
    return line + std::string(phrase(Phrase::SuchAs, language_));
}

View StepBrowser::view(int width, int height, Glyphs glyphs) const {
    View view;
    view.width = width;
    view.height = height;
    view.glyphs = glyphs;
    view.stop = stop_;
    view.field = field_;
    view.scroll = scroll_;
    view.help = help_;
    view.language = language_;
    view.numbers = numbers_;
    view.branches = no_branch_ == Phrase::None;
    view.branch = branch_text(dropped_, language_);
    view.filter = filter_ ? filter_->text() : "";
    view.breaks = breaks();
    view.shown = shown_;
    view.prompt = prompt();
    view.message = message_;
    return view;
}

}  // namespace tapestry
