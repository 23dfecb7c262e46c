#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/lab/command.h"

namespace tapestry {

/// The words of one line of a timeline, taken one after the other. Each take throws a CommandError
/// that says what was expected when the next word is not of that kind.
class CommandReader {
public:
    CommandReader(std::string_view line, const CommandNames& names);

    bool at_end() const { return next_ == words_.size(); }
    /// The next word; "" at the end.
    std::string_view peek() const;
    /// Of the next word, from 0.
    std::size_t column() const;
    /// Takes the next word if it is this one.
    bool take_if(std::string_view word);
    void take(std::string_view word);

    bool is_machine() const;
    std::size_t machine();
    /// "router.outside", or "laptop", which has only one.
    std::pair<std::size_t, std::size_t> interface();
    std::size_t link();
    u16 port();
    u32 number(u32 low, u32 high);
    Duration duration();
    /// Four numbers, or a machine's name: its first address.
    Ipv4Address address();
    Endpoint endpoint();
    Url url();
    /// `"TEXT"`, or `N bytes`.
    std::string data();
    /// Everything to the end of the line, at least one word.
    std::string rest();
    /// The same, without taking it.
    std::string rest_of_line() const;
    /// The line without a '&' at its end.
    std::string whole() const { return std::string(line_); }
    /// The line ended with a '&'.
    bool background() const { return background_; }

    [[noreturn]] void unexpected(const std::string& expected) const;
    [[noreturn]] void fail(const std::string& message) const;

private:
    struct Word {
        std::size_t column;
        std::string_view text;
    };
    Ipv4Address address_of(std::string_view text, const std::string& expected) const;

    std::string_view line_;
    const CommandNames& names_;
    std::vector<Word> words_;
    std::size_t next_ = 0;
    bool background_ = false;
};

}  // namespace tapestry
