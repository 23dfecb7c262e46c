#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "apps/inspect/explain.h"

namespace tapestry {

/// The same text in each language.
struct Bilingual {
    std::string english;
    std::string chinese;
    const std::string& in(Language language) const {
        return language == Language::English ? english : chinese;
    }
};
/// Both texts with the values in the places of {1}, {2} and so on.
Bilingual say(std::string_view english, std::string_view chinese,
              const std::vector<std::string>& values = {});

/// A whole number: a port, a sequence number, bytes. Taken in decimal, in hexadecimal (0x...), and with
/// commas or underscores between its digits.
struct NumberAnswer {
    u64 value = 0;
};
/// A span of time. Taken with a unit (s, ms, us), without one in milliseconds, and within 5 percent.
struct TimeAnswer {
    Duration value{};
};
/// A rate. Taken with a unit (bit/s, kbit/s, Mbit/s), without one in kbit/s, and within 5 percent.
struct RateAnswer {
    double bits_per_second = 0;
};
/// Words, in any case, with any white space and commas between them; the first form is shown.
struct WordsAnswer {
    std::vector<std::string> accepted;
};
/// One or several of a list, by their letters or by their words.
struct ChoiceAnswer {
    std::vector<Bilingual> choices;
    std::vector<std::size_t> right;  ///< ascending indices
    bool several = false;            ///< the question says that more than one may be right
};
/// Frames by their numbers, in any order; "none" where there are none.
struct FramesAnswer {
    std::vector<u64> frames;  ///< ascending
};

/// What a question is answered by.
using Answer =
    std::variant<NumberAnswer, TimeAnswer, RateAnswer, WordsAnswer, ChoiceAnswer, FramesAnswer>;

/// Whether somebody's words are the answer.
bool accepts(const Answer& answer, std::string_view given);
/// The answer as it is shown: "49152", "12.590 ms", "A, C". accepts() takes it.
std::string shown(const Answer& answer, Language language);
/// "number", "milliseconds", "kbit_per_s", "words", "choice", "frames": for JSON.
std::string_view kind_of(const Answer& answer);

/// "12.590 ms".
std::string milliseconds_text(Duration duration);

}  // namespace tapestry
