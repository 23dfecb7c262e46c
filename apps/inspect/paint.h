#pragma once

#include <string>
#include <string_view>

namespace tapestry {

/// Colours of a terminal, or none (https://no-color.org).
class Paint {
public:
    explicit Paint(bool on) : on_(on) {}
    /// Colours for a stream that is a terminal, unless NO_COLOR is set and not empty, or TERM is "dumb".
    static Paint for_descriptor(int fd);

    bool on() const { return on_; }
    std::string bold(std::string_view text) const { return with("1", text); }
    std::string dim(std::string_view text) const { return with("2", text); }
    std::string red(std::string_view text) const { return with("31", text); }
    std::string green(std::string_view text) const { return with("32", text); }
    std::string yellow(std::string_view text) const { return with("33", text); }
    std::string cyan(std::string_view text) const { return with("36", text); }

private:
    std::string with(std::string_view code, std::string_view text) const {
        if (!on_ || text.empty()) return std::string(text);
        return "\x1b[" + std::string(code) + 'm' + std::string(text) + "\x1b[0m";
    }
    bool on_;
};

}  // namespace tapestry
