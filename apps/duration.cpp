#include "apps/duration.h"

#include <charconv>
#include <utility>

namespace tapestry {
namespace {

constexpr std::pair<std::string_view, Duration> kUnits[] = {
    {"us", 1us}, {"ms", 1ms}, {"s", 1s}, {"m", 60s}, {"h", 3600s}, {"d", 86400s}};
constexpr Duration kMost = 86400s * 36525;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    Duration sum{};
    while (!text.empty()) {
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number,
                                                  std::chars_format::fixed);
        const bool digit = text.front() >= '0' && text.front() <= '9';
        if (error != std::errc() || !digit) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        std::size_t length = 0;
        while (length < text.size() && is_letter(text[length])) ++length;
        Duration unit{};
        for (const auto& [name, size] : kUnits) {
            if (name == text.substr(0, length)) unit = size;
        }
        if (unit == Duration{}) return std::nullopt;
        const double product = number * static_cast<double>(unit.count());
        if (product > static_cast<double>((kMost - sum).count())) return std::nullopt;
        sum += Duration(static_cast<i64>(product));
        text.remove_prefix(length);
    }
    return sum;
}

}  // namespace tapestry
