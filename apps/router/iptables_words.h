#pragma once

#include <exception>
#include <vector>

#include "apps/router/iptables.h"

namespace tapestry {

/// One word of a line, without its quotes.
struct IptablesWord {
    std::string text;
    std::size_t column = 0;  ///< where it begins, from 0
};

/// A line cannot be taken; thrown inside of the parser only, which makes a value of it.
struct IptablesRefusal : std::exception {
    explicit IptablesRefusal(IptablesError what) : error(std::move(what)) {}
    const char* what() const noexcept override { return error.message.c_str(); }
    IptablesError error;
};

/// Throws: this word is at fault.
[[noreturn]] void refuse_word(const IptablesWord& word, const std::string& message);
/// The remedy's beginning: "expected A, found \"B\"".
std::string expected(std::string_view wanted, const IptablesWord& word);

/// The words of a line, taken from its front. `--name=value` is two words, as for getopt; quotes hold a
/// word together as in a shell.
class IptablesWords {
public:
    /// Throws IptablesRefusal at a quote without an end.
    explicit IptablesWords(std::string_view line);

    bool empty() const { return next_ == words_.size(); }
    /// Null at the end.
    const IptablesWord* peek() const { return empty() ? nullptr : &words_[next_]; }
    /// Not at the end.
    const IptablesWord& take() { return words_[next_++]; }
    /// The value of an option: "--dport: expected a port, found nothing" when there is none.
    const IptablesWord& value(const IptablesWord& option, std::string_view wanted);

private:
    void read(std::string_view line);

    std::vector<IptablesWord> words_;
    std::size_t next_ = 0;
    std::size_t end_ = 0;  ///< the column behind the line
};

}  // namespace tapestry
