#pragma once

#include <optional>
#include <set>

#include "apps/inspect/terminal/condition.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/terminal/screen_model.h"

namespace tapestry {

/// A key that was pressed.
struct Key {
    enum class Kind : u8 {
        Character,
        Enter,
        Left,
        Right,
        Up,
        Down,
        Home,
        End,
        PageUp,
        PageDown,
        Tab,
        BackTab,
        Backspace,
        Escape,
    };
    Kind kind = Kind::Character;
    char32_t character = U'\0';
};

/// What a browser cannot do by itself.
struct Wish {
    enum class Kind : u8 { Nothing, Quit, Drop, Undo, UndoAll, Theme, Language };
    Kind kind = Kind::Nothing;
    u32 frame = 0;  ///< Drop: its number, as shown
};

/// Where a reader is in a walk, and what keys do about it. Pure: the same keys lead to the same view.
class StepBrowser {
public:
    /// The walk outlives it, or follow() comes first. `no_branch`: why frames cannot be dropped; None:
    /// they can.
    StepBrowser(const Walk& walk, Phrase no_branch, Language language = Language::English);

    Wish press(const Key& key);
    View view(int width, int height, Glyphs glyphs) const;
    /// Goes on in another run of the same lab, in which these frames were dropped; at `frame`, where
    /// that is one of them, else at the same step.
    void follow(const Walk& walk, const std::set<u32>& dropped, u32 frame);
    void say(std::string message) { message_ = std::move(message); }
    void say(Phrase key, std::initializer_list<std::string> values = {}) {
        message_ = phrase(key, language_, values);
    }
    void set_language(Language language) { language_ = language; }
    Language language() const { return language_; }
    std::size_t stop() const { return stop_; }

private:
    enum class Question : u8 { None, Filter, Break, Time };

    Wish character(char32_t c);
    Wish drop();
    void answer(const Key& key);
    void answered();
    void set_filter();
    std::optional<Condition> typed_condition();
    void set_break();
    void remove_break();
    std::string breaks() const;
    void go_to_time();
    void step(int by);
    void turn(int by);
    void go_on(std::size_t first_break);
    void go_to(std::size_t stop);
    void move_cursor(int by);
    void ask(Question question);
    bool passes(std::size_t stop) const;
    std::string prompt() const;

    const Walk* walk_;
    Phrase no_branch_;
    Language language_;
    std::size_t stop_ = 0;
    FieldCursor field_;
    int scroll_ = 0;
    bool help_ = false;
    Numbers numbers_ = Numbers::Relative;
    std::optional<Condition> filter_;
    std::vector<std::size_t> shown_;
    std::vector<Condition> breaks_;
    std::set<u32> dropped_;
    Question question_ = Question::None;
    std::string typed_;
    std::string wrong_;  ///< what is wrong with what was typed
    std::string message_;
};

/// "branch: frames 7, 9 dropped"; "" of none.
std::string branch_text(const std::set<u32>& dropped, Language language);

}  // namespace tapestry
