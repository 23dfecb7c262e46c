#pragma once

#include <functional>

#include "apps/inspect/ladder_page.h"
#include "apps/inspect/quiz/quiz_conversation.h"

namespace tapestry {

/// Asks questions one after the other: two tries for each, with a hint for who wants it.
class QuizSession {
public:
    struct Dialog {
        LineOut out;
        std::function<std::optional<std::string>()> read;  ///< a line; nothing: there are no more
        std::function<void()> list;                        ///< shows the conversation
    };
    QuizSession(Questions questions, Language language, Dialog dialog)
        : questions_(std::move(questions)), language_(language), dialog_(std::move(dialog)) {}

    /// Until all are asked, or there are no more lines: those that are left are then printed without
    /// their answers, which makes a sheet for paper.
    void run();

private:
    enum class Reply : u8 { First, Second, Not, Quit, Over };
    void introduce() const;
    void put(std::size_t index) const;
    Reply ask(const Question& question);
    void explain(const Question& question, bool right) const;
    void score() const;
    void say(const Bilingual& text) const { dialog_.out(text.in(language_)); }

    Questions questions_;
    Language language_;
    Dialog dialog_;
    std::array<std::size_t, 3> counts_{};  ///< by Reply: First, Second, Not
};

}  // namespace tapestry
