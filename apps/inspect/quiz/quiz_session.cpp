#include "apps/inspect/quiz/quiz_session.h"

namespace tapestry {
namespace {

std::string trimmed(std::string line) {
    const auto gap = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!line.empty() && gap(line.back())) line.pop_back();
    std::size_t first = 0;
    while (first < line.size() && gap(line[first])) ++first;
    return line.substr(first);
}

/// "A, C (source address, source port)".
std::string answer_text(const Answer& answer, Language language) {
    std::string text = shown(answer, language);
    const auto* choice = std::get_if<ChoiceAnswer>(&answer);
    if (choice == nullptr) return text;
    std::string words;
    for (const std::size_t index : choice->right) {
        words += (words.empty() ? "" : ", ") + choice->choices[index].in(language);
    }
    return text + " (" + words + ")";
}

}  // namespace

void QuizSession::run() {
    introduce();
    std::size_t index = 0;
    bool over = false;
    for (; index < questions_.size(); ++index) {
        put(index);
        const Reply reply = over ? Reply::Over : ask(questions_[index]);
        if (reply == Reply::Quit) break;
        over = reply == Reply::Over;
        if (!over) ++counts_.at(static_cast<std::size_t>(reply));
    }
    score();
}

void QuizSession::introduce() const {
    const std::string count = std::to_string(questions_.size());
    say(tapestry::say(
        "{1} questions. Frames have the numbers that Wireshark and the other views show.",
        "共 {1} 个问题。帧号与 Wireshark 以及其他视图显示的相同。", {count}));
    say({"Enter alone: the answer.  ?: a hint.  l: the conversation.  q: end.",
         "直接回车：看答案。?：提示。l：列出会话。q：结束。"});
}

void QuizSession::put(std::size_t index) const {
    const Question& question = questions_[index];
    dialog_.out("");
    dialog_.out(std::to_string(index + 1) + ". " + question.text.in(language_));
    const auto* choice = std::get_if<ChoiceAnswer>(&question.answer);
    if (choice == nullptr) return;
    for (std::size_t i = 0; i < choice->choices.size(); ++i) {
        dialog_.out(std::string("   ") + static_cast<char>('A' + i) + ") " +
                    choice->choices[i].in(language_));
    }
    if (choice->several) say({"   (perhaps more than one: A, C)", "   （可能不止一个：A, C）"});
}

QuizSession::Reply QuizSession::ask(const Question& question) {
    bool second = false;
    while (true) {
        const auto line = dialog_.read();
        if (!line) return Reply::Over;
        const std::string given = trimmed(*line);
        if (given == "q" || given == "quit") return Reply::Quit;
        if (given == "?") {
            std::string hint = "   " + question.hint.in(language_);
            if (!question.filter.empty()) hint += "  [" + question.filter + "]";
            dialog_.out(hint);
            continue;
        }
        if (given == "l") {
            dialog_.list();
            continue;
        }
        const bool right = !given.empty() && accepts(question.answer, given);
        if (!right && !given.empty() && !second) {
            second = true;
            say({"   No. Once more?", "   不对。再试一次？"});
            continue;
        }
        explain(question, right);
        return !right ? Reply::Not : second ? Reply::Second : Reply::First;
    }
}

void QuizSession::explain(const Question& question, bool right) const {
    const std::string answer = answer_text(question.answer, language_);
    say(right ? tapestry::say("   Right: {1}", "   正确：{1}", {answer})
              : tapestry::say("   The answer: {1}", "   答案：{1}", {answer}));
    dialog_.out("   " + question.why.in(language_));
}

void QuizSession::score() const {
    if (counts_[0] + counts_[1] + counts_[2] == 0) return;
    dialog_.out("");
    say(tapestry::say(
        "{1} right, {2} at the second try, {3} not.",
        "答对 {1} 个，第二次答对 {2} 个，未答对 {3} 个。",
        {std::to_string(counts_[0]), std::to_string(counts_[1]), std::to_string(counts_[2])}));
}

}  // namespace tapestry
