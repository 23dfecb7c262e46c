#pragma once

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "stack/base/types.h"

namespace tapestry::test {

/// A script cannot be read; the text says what was wanted.
struct ScriptSyntaxError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Goes through a line from left to right; skips blanks in front of everything it takes.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}

    bool at_end() {
        skip_space();
        return at_ == text_.size();
    }
    char peek() { return at_end() ? '\0' : text_[at_]; }
    bool starts_with(std::string_view token) {
        skip_space();
        return text_.substr(at_).starts_with(token);
    }
    /// Takes `token` if it comes next.
    bool take(std::string_view token) {
        if (!starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    void need(std::string_view token) {
        if (!take(token)) fail("'" + std::string(token) + "'");
    }
    /// Letters, digits, '_', '.' and '-'.
    std::string_view word() {
        skip_space();
        const std::size_t start = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        return text_.substr(start, at_ - start);
    }
    template <typename Integer = u32>
    Integer number() {
        skip_space();
        const bool hex = text_.substr(at_).starts_with("0x");
        if (hex) at_ += 2;
        Integer value{};
        const auto [stop, error] =
            std::from_chars(text_.data() + at_, text_.data() + text_.size(), value, hex ? 16 : 10);
        if (error != std::errc()) fail("a number");
        at_ = static_cast<std::size_t>(stop - text_.data());
        return value;
    }
    /// What lies before the next `token`, which is taken too.
    std::string_view until(std::string_view token) {
        const std::size_t end = text_.find(token, at_);
        if (end == std::string_view::npos) fail("'" + std::string(token) + "'");
        const std::string_view before = text_.substr(at_, end - at_);
        at_ = end + token.size();
        return before;
    }
    /// Everything that is left.
    std::string_view rest() {
        skip_space();
        return text_.substr(std::exchange(at_, text_.size()));
    }
    [[noreturn]] void fail(const std::string& wanted) const {
        throw ScriptSyntaxError("wanted " + wanted + " at \"" + std::string(text_.substr(at_)) +
                                "\"");
    }

private:
    static bool is_word(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    }
    void skip_space() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
            ++at_;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

inline std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace tapestry::test
