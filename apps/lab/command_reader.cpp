#include "apps/lab/command_reader.h"

#include <algorithm>
#include <charconv>

#include "apps/duration.h"

namespace tapestry {
namespace {

template <typename T>
std::optional<T> number_in(std::string_view text) {
    T value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

CommandReader::CommandReader(std::string_view line, const CommandNames& names)
    : line_(line), names_(names) {
    while (line_.ends_with(' ')) line_.remove_suffix(1);
    if (line_.ends_with(" &")) {
        background_ = true;
        line_.remove_suffix(2);
        while (line_.ends_with(' ')) line_.remove_suffix(1);
    }
    std::size_t at = 0;
    while (at < line_.size()) {
        if (line_[at] == ' ') {
            ++at;
            continue;
        }
        std::size_t end = 0;
        if (line_[at] == '"') {
            end = line_.find('"', at + 1);
            if (end == std::string_view::npos) throw CommandError{at, "the quote has no end"};
            ++end;
        } else {
            end = std::min(line_.find(' ', at), line_.size());
        }
        words_.push_back({at, line_.substr(at, end - at)});
        at = end;
    }
}

std::string_view CommandReader::peek() const { return at_end() ? "" : words_[next_].text; }

std::size_t CommandReader::column() const { return at_end() ? line_.size() : words_[next_].column; }

bool CommandReader::take_if(std::string_view word) {
    if (at_end() || peek() != word) return false;
    ++next_;
    return true;
}

void CommandReader::take(std::string_view word) {
    if (!take_if(word)) unexpected('\'' + std::string(word) + '\'');
}

void CommandReader::unexpected(const std::string& expected) const {
    fail("expected " + expected +
         (at_end() ? std::string(", and the line ends") : ", not '" + std::string(peek()) + '\''));
}

void CommandReader::fail(const std::string& message) const {
    throw CommandError{column(), message};
}

bool CommandReader::is_machine() const {
    return std::ranges::find(names_.machines, peek(), &CommandNames::Machine::name) !=
           names_.machines.end();
}

std::size_t CommandReader::machine() {
    const auto found = std::ranges::find(names_.machines, peek(), &CommandNames::Machine::name);
    if (found == names_.machines.end()) unexpected("a machine's name");
    ++next_;
    return static_cast<std::size_t>(found - names_.machines.begin());
}

std::pair<std::size_t, std::size_t> CommandReader::interface() {
    const std::string_view word = peek();
    const std::size_t dot = word.find('.');
    for (std::size_t m = 0; m < names_.machines.size(); ++m) {
        const CommandNames::Machine& machine = names_.machines[m];
        if (word.substr(0, dot) != machine.name) continue;
        if (dot == std::string_view::npos && machine.interfaces.size() == 1) {
            ++next_;
            return {m, 0};
        }
        for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
            if (dot == std::string_view::npos || word.substr(dot + 1) != machine.interfaces[i]) {
                continue;
            }
            ++next_;
            return {m, i};
        }
        unexpected("an interface, as " + machine.name + '.' + machine.interfaces.front());
    }
    unexpected("a machine");
}

std::size_t CommandReader::link() {
    const auto found = std::ranges::find(names_.links, peek());
    if (found == names_.links.end()) {
        std::string expected = "a link's name (";
        for (const std::string& link : names_.links) expected += link + ", ";
        expected.resize(expected.size() - 2);
        unexpected(expected + ')');
    }
    ++next_;
    return static_cast<std::size_t>(found - names_.links.begin());
}

u16 CommandReader::port() {
    const auto value = number_in<u16>(peek());
    if (!value || *value == 0) unexpected("a port from 1 to 65535");
    ++next_;
    return *value;
}

u32 CommandReader::number(u32 low, u32 high) {
    const auto value = number_in<u32>(peek());
    if (!value || *value < low || *value > high) {
        unexpected("a number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    ++next_;
    return *value;
}

Duration CommandReader::duration() {
    const auto value = parse_duration(peek());
    if (!value) unexpected("a time as 20ms, 2s or 5m");
    ++next_;
    return *value;
}

Ipv4Address CommandReader::address_of(std::string_view text, const std::string& expected) const {
    if (const auto address = Ipv4Address::parse(text)) return *address;
    const auto found = std::ranges::find(names_.machines, text, &CommandNames::Machine::name);
    if (found == names_.machines.end()) unexpected(expected);
    return found->addresses.front();
}

Ipv4Address CommandReader::address() {
    const Ipv4Address address = address_of(peek(), "an IPv4 address or a machine's name");
    ++next_;
    return address;
}

Endpoint CommandReader::endpoint() {
    static constexpr const char* kExpected = "ADDRESS:PORT, as 93.184.216.34:80";
    const std::size_t colon = peek().find(':');
    if (colon == std::string_view::npos) unexpected(kExpected);
    const auto number = number_in<u16>(peek().substr(colon + 1));
    if (!number || *number == 0) unexpected(kExpected);
    const Endpoint endpoint{address_of(peek().substr(0, colon), kExpected), *number};
    ++next_;
    return endpoint;
}

Url CommandReader::url() {
    auto url = parse_url(peek());
    if (at_end() || !url) unexpected("a URL, as http://93.184.216.34/");
    url->host = address_of(url->host, "a URL with an IPv4 address or a machine's name").to_string();
    ++next_;
    return *url;
}

std::string CommandReader::data() {
    std::string_view word = peek();
    if (word.starts_with('"')) {
        ++next_;
        word.remove_prefix(1);
        word.remove_suffix(1);
        return std::string(word);
    }
    if (!number_in<u32>(word)) unexpected("\"TEXT\" or 'N bytes'");
    const u32 size = number(1, 10'000'000);
    if (!take_if("bytes")) take("byte");
    std::string text;
    text.reserve(size);
    for (u32 i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
    return text;
}

std::string CommandReader::rest_of_line() const { return std::string(line_.substr(column())); }

std::string CommandReader::rest() {
    if (at_end()) unexpected("more words");
    std::string text = rest_of_line();
    next_ = words_.size();
    return text;
}

}  // namespace tapestry
