#include "apps/inspect/quiz/answer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>
#include <utility>

namespace tapestry {
namespace {

constexpr double kTolerance = 0.05;
constexpr double kBitsPerKilobit = 1000;

bool is_gap(char c) { return c == ' ' || c == ',' || c == ';' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Its words in lower case. The Chinese comma and list comma are gaps, too.
std::vector<std::string> words_of(std::string_view text) {
    std::string plain(text);
    for (const std::string_view comma : {"，", "、"}) {
        for (auto at = plain.find(comma); at != std::string::npos; at = plain.find(comma)) {
            plain.replace(at, comma.size(), " ");
        }
    }
    std::vector<std::string> words;
    std::string word;
    for (const char c : plain + " ") {
        if (!is_gap(c)) {
            word += lower(c);
        } else if (!word.empty()) {
            words.push_back(std::exchange(word, ""));
        }
    }
    return words;
}

std::string joined(const std::vector<std::string>& words, std::string_view gap) {
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) text += gap;
        text += word;
    }
    return text;
}

std::optional<u64> whole_number(std::string_view word) {
    u64 value = 0;
    const bool hexadecimal = word.starts_with("0x");
    if (hexadecimal) word.remove_prefix(2);
    const char* end = word.data() + word.size();
    const auto read = std::from_chars(word.data(), end, value, hexadecimal ? 16 : 10);
    if (word.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return value;
}

/// "1,460", "0x1f", "1460 bytes": digits first, and a unit behind them is passed over.
bool accepts_number(const NumberAnswer& answer, std::string_view given) {
    std::string digits;
    for (const char c : given) {
        const bool separator = c == ',' || c == '_' || c == ' ';
        const bool inside = !digits.empty();
        if (separator) continue;
        if (c == '.') return false;  // no fraction
        const bool hexadecimal = inside && digits.size() > 1 && lower(digits[1]) == 'x';
        const bool prefix = digits == "0" && lower(c) == 'x';
        if (!is_digit(c) && !prefix && !(hexadecimal && std::isxdigit(static_cast<u8>(c)) != 0)) {
            if (inside) break;
            return false;
        }
        digits += lower(c);
    }
    return whole_number(digits) == answer.value;
}

/// A number with a unit of the list behind it; without one the unit is the first.
struct Unit {
    std::string_view name;
    double factor;
};
std::optional<double> quantity(std::string_view given, std::span<const Unit> units) {
    std::string text;
    for (const char c : given) {
        if (c != ' ') text += lower(c);
    }
    double value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc() || !std::isfinite(value)) return std::nullopt;
    const std::string_view rest(read.ptr, static_cast<std::size_t>(end - read.ptr));
    if (rest.empty()) return value * units.front().factor;
    for (const Unit& unit : units) {
        if (rest == unit.name) return value * unit.factor;
    }
    return std::nullopt;
}

bool near(std::optional<double> given, double value) {
    return given && std::abs(*given - value) <= std::abs(value) * kTolerance;
}

bool accepts_time(const TimeAnswer& answer, std::string_view given) {
    static constexpr auto kUnits = std::to_array<Unit>(
        {{"ms", 1e6}, {"s", 1e9}, {"us", 1e3}, {"µs", 1e3}, {"ns", 1}, {"毫秒", 1e6}, {"秒", 1e9}});
    return near(quantity(given, kUnits), static_cast<double>(answer.value.count()));
}

bool accepts_rate(const RateAnswer& answer, std::string_view given) {
    static constexpr auto kUnits = std::to_array<Unit>({{"kbit/s", 1e3},
                                                        {"bit/s", 1},
                                                        {"mbit/s", 1e6},
                                                        {"gbit/s", 1e9},
                                                        {"kbps", 1e3},
                                                        {"bps", 1},
                                                        {"mbps", 1e6},
                                                        {"gbps", 1e9}});
    return near(quantity(given, kUnits), answer.bits_per_second);
}

bool accepts_words(const WordsAnswer& answer, std::string_view given) {
    const auto words = words_of(given);
    return std::ranges::any_of(answer.accepted,
                               [&](const std::string& form) { return words_of(form) == words; });
}

bool accepts_choice(const ChoiceAnswer& answer, std::string_view given) {
    const std::string wanted = joined(words_of(given), " ");
    if (answer.right.size() == 1) {
        const Bilingual& right = answer.choices[answer.right.front()];
        for (const std::string& text : {right.english, right.chinese}) {
            if (joined(words_of(text), " ") == wanted) return true;
        }
    }
    std::set<std::size_t> letters;
    for (const std::string& word : words_of(given)) {
        for (const char c : word) {
            if (c < 'a' || c > 'z') return false;
            letters.insert(static_cast<std::size_t>(c - 'a'));
        }
    }
    return std::ranges::equal(letters, answer.right);
}

bool accepts_frames(const FramesAnswer& answer, std::string_view given) {
    std::set<u64> frames;
    bool none = false;
    for (const std::string& word : words_of(given)) {
        if (word == "none" || word == "no" || word == "无" || word == "没有") {
            none = true;
            continue;
        }
        if (word == "and" || word == "和" || word == "frame" || word == "frames") continue;
        const auto number = whole_number(word);
        if (!number) return false;
        frames.insert(*number);
    }
    if (frames.empty() && !none) return false;
    return std::ranges::equal(frames, answer.frames) && none == answer.frames.empty();
}

std::string rate_text(double bits_per_second) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.1f kbit/s", bits_per_second / kBitsPerKilobit);
    return text.data();
}

std::string letters_of(const ChoiceAnswer& answer) {
    std::vector<std::string> letters;
    for (const std::size_t index : answer.right) {
        letters.emplace_back(1, static_cast<char>('A' + index));
    }
    return joined(letters, ", ");
}

std::string frames_text(const FramesAnswer& answer, Language language) {
    if (answer.frames.empty()) return language == Language::English ? "none" : "无";
    std::vector<std::string> numbers;
    for (const u64 frame : answer.frames) numbers.push_back(std::to_string(frame));
    return joined(numbers, ", ");
}

/// One function for each kind of answer.
template <class... Functions>
struct Each : Functions... {
    using Functions::operator()...;
};

std::string filled(std::string_view text, const std::vector<std::string>& values) {
    std::string line;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool place = text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}';
        const std::size_t index = place ? static_cast<std::size_t>(text[i + 1] - '1') : 0;
        if (!place || index >= values.size()) {
            line += text[i];
            continue;
        }
        line += values[index];
        i += 2;
    }
    return line;
}

}  // namespace

Bilingual say(std::string_view english, std::string_view chinese,
              const std::vector<std::string>& values) {
    return {filled(english, values), filled(chinese, values)};
}

bool accepts(const Answer& answer, std::string_view given) {
    return std::visit(
        Each{[&](const NumberAnswer& number) { return accepts_number(number, given); },
             [&](const TimeAnswer& time) { return accepts_time(time, given); },
             [&](const RateAnswer& rate) { return accepts_rate(rate, given); },
             [&](const WordsAnswer& words) { return accepts_words(words, given); },
             [&](const ChoiceAnswer& choice) { return accepts_choice(choice, given); },
             [&](const FramesAnswer& frames) { return accepts_frames(frames, given); }},
        answer);
}

std::string shown(const Answer& answer, Language language) {
    return std::visit(
        Each{[](const NumberAnswer& number) { return std::to_string(number.value); },
             [](const TimeAnswer& time) { return milliseconds_text(time.value); },
             [](const RateAnswer& rate) { return rate_text(rate.bits_per_second); },
             [](const WordsAnswer& words) { return words.accepted.front(); },
             [](const ChoiceAnswer& choice) { return letters_of(choice); },
             [&](const FramesAnswer& frames) { return frames_text(frames, language); }},
        answer);
}

std::string_view kind_of(const Answer& answer) {
    static constexpr auto kNames = std::to_array<std::string_view>(
        {"number", "milliseconds", "kbit_per_s", "words", "choice", "frames"});
    return kNames.at(answer.index());
}

std::string milliseconds_text(Duration duration) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.3f ms", to_seconds(duration) * 1e3);
    return text.data();
}

}  // namespace tapestry
