#include "apps/inspect/terminal/step_browser.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace tapestry {
namespace {

constexpr std::size_t kLongestAnswer = 200;

std::string_view label(bool filter, bool stop) {
    return filter ? "show only: " : stop ? "stop at: " : "go to second: ";
}

}  // namespace

std::string branch_text(const std::set<u32>& dropped) {
    if (dropped.empty()) return "";
    std::string line = dropped.size() == 1 ? "branch: frame " : "branch: frames ";
    for (const u32 frame : dropped) {
        line += (frame == *dropped.begin() ? "" : ", ") + std::to_string(frame);
    }
    return line + " dropped";
}

StepBrowser::StepBrowser(const Walk& walk, std::string no_branch)
    : walk_(&walk), no_branch_(std::move(no_branch)) {}

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
            go_on();
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
            if (dropped_.empty()) {
                message_ = "This is the run as it was: no frame has been dropped.";
                break;
            }
            return {Wish::Kind::Undo, 0};
        case U't':
            return {Wish::Kind::Theme, 0};
        case U'?':
            help_ = true;
            break;
        case U'q':
            return {Wish::Kind::Quit, 0};
        default:
            message_ = "No key for that; ? lists them.";
    }
    return {};
}

Wish StepBrowser::drop() {
    const u32 frame = walk_->frame_on_wire(stop_);
    if (!no_branch_.empty()) {
        message_ = no_branch_;
    } else if (frame == Timeline::kNone) {
        message_ = "No frame is sent or comes in at this step: go to one, and press d there.";
    } else if (!walk_->timeline().frames[frame].lost.empty()) {
        message_ = "This frame does not arrive anyway.";
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
    auto condition = Condition::parse(typed_);
    if (condition) return std::move(*condition);
    wrong_ =
        "column " + std::to_string(condition.error().column + 1) + ": " + condition.error().what;
    return std::nullopt;
}

void StepBrowser::set_filter() {
    if (typed_.empty()) {
        filter_.reset();
        shown_.clear();
        message_ = "All steps are shown.";
        return;
    }
    auto condition = typed_condition();
    if (!condition) return;
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < walk_->stops().size(); ++i) {
        if (condition->holds(*walk_, i)) shown.push_back(i);
    }
    if (shown.empty()) {
        wrong_ = "it holds at no step";
        return;
    }
    filter_ = std::move(*condition);
    shown_ = std::move(shown);
    const auto next = std::ranges::lower_bound(shown_, stop_);
    const std::string message = std::to_string(shown_.size()) + " of " +
                                std::to_string(walk_->stops().size()) +
                                " steps are shown; / and Enter with no text: all.";
    go_to(next == shown_.end() ? shown_.back() : *next);
    message_ = message;
}

void StepBrowser::set_break() {
    if (typed_.empty()) {
        break_.reset();
        message_ = "No condition to stop at.";
        return;
    }
    auto condition = typed_condition();
    if (!condition) return;
    break_ = std::move(*condition);
    go_on();
}

void StepBrowser::go_on() {
    if (!break_) {
        message_ = "Which condition? b asks for one.";
        return;
    }
    for (std::size_t i = stop_ + 1; i < walk_->stops().size(); ++i) {
        if (!passes(i) || !break_->holds(*walk_, i)) continue;
        go_to(i);
        message_ = "Here holds " + break_->text() + "; c: on to the next.";
        return;
    }
    message_ = "No later step where holds " + break_->text() + ".";
}

void StepBrowser::go_to_time() {
    char* end = nullptr;
    const double seconds = std::strtod(typed_.c_str(), &end);
    if (typed_.empty() || *end != '\0' || !std::isfinite(seconds)) {
        wrong_ = "a number of seconds, as in 0.5";
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
    if (!found) message_ = "The run is over before that: this is its last step.";
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
    message_ =
        by > 0 ? "This is the last step. Left goes back, q quits." : "This is the first step.";
}

void StepBrowser::turn(int by) {
    const auto last = static_cast<i64>(walk_->stops().size()) - 1;
    for (i64 at = static_cast<i64>(stop_) + by; at >= 0 && at <= last; at += by) {
        const auto stop = static_cast<std::size_t>(at);
        if (!passes(stop) || !walk_->is_turn(stop)) continue;
        go_to(stop);
        return;
    }
    message_ = by > 0 ? "No state changes after this step." : "No state changes before this step.";
}

void StepBrowser::move_cursor(int by) {
    const auto fields = fields_at(*walk_, stop_);
    if (fields.empty()) {
        message_ = "This step has no frame whose fields could be looked at.";
    } else {
        field_ = moved(field_, by, fields);
    }
}

std::string StepBrowser::prompt() const {
    if (question_ == Question::None) return "";
    std::string line(label(question_ == Question::Filter, question_ == Question::Break));
    line += typed_ + '_';
    if (!wrong_.empty()) return line + "  -- " + wrong_;
    return line + (question_ == Question::Time
                       ? ""
                       : "   (such as state==ESTABLISHED, retransmission, seq>=1000)");
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
    view.branches = no_branch_.empty();
    view.branch = branch_text(dropped_);
    view.filter = filter_ ? filter_->text() : "";
    view.shown = shown_;
    view.prompt = prompt();
    view.message = message_;
    return view;
}

}  // namespace tapestry
