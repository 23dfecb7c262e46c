#include <cstdlib>

#include "apps/toml_file.h"
#include "apps/toml_node.h"

/// Where a byte of a string's value stands in the file. The value is what is left of the text without
/// quotes and escapes; the way back is to read the text again and count.

namespace tapestry {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

/// The byte at a line and a column, both from 1; columns count characters.
std::size_t index_of(std::string_view text, u32 line, u32 column) {
    std::size_t at = 0;
    for (u32 i = 1; i < line; ++i) {
        at = text.find('\n', at);
        if (at == std::string_view::npos) return text.size();
        ++at;
    }
    for (u32 i = 1; i < column && at < text.size(); ++i) {
        do ++at;
        while (at < text.size() && is_continuation(text[at]));
    }
    return at;
}

/// How many bytes of the value an escape stands for, and how many of the text it takes.
struct Escape {
    std::size_t value;
    std::size_t text;
};
Escape read_escape(std::string_view text) {
    const char kind = text.size() > 1 ? text[1] : 0;
    if (kind == 'u' || kind == 'U') {
        const std::size_t digits = kind == 'u' ? 4 : 8;
        const unsigned long code =
            std::strtoul(std::string(text.substr(2, digits)).c_str(), nullptr, 16);
        const std::size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        return {bytes, 2 + digits};
    }
    if (kind == '\n' || kind == '\r' || kind == ' ' || kind == '\t') {
        // The line goes on at the next thing that is not white.
        return {0, text.find_first_not_of(" \t\r\n", 1)};
    }
    return {1, 2};
}

/// The byte of the text that is byte `offset` of the value whose opening quote is at `at`.
std::size_t byte_of_value(std::string_view text, std::size_t at, std::size_t offset) {
    const char quote = at < text.size() ? text[at] : '"';
    const bool many = text.substr(at, 3) == std::string(3, quote);
    at += many ? 3 : 1;
    if (many && text.substr(at, 2) == "\r\n") at += 2;
    if (many && text.substr(at, 1) == "\n") ++at;
    while (at < text.size()) {
        Escape step{1, 1};
        if (text[at] == '\\' && quote == '"') step = read_escape(text.substr(at));
        if (offset < step.value || step.text == std::string_view::npos) break;
        offset -= step.value;
        at += step.text;
    }
    return std::min(at, text.size());
}

}  // namespace

TomlString::TomlString(std::shared_ptr<const TomlDocument> document, const TomlNode& node)
    : document_(std::move(document)), node_(&node), text_(node.string) {}

std::string TomlString::place(std::size_t offset) const {
    const std::string_view text = document_->text;
    const std::size_t quote = index_of(text, node_->line, node_->column);
    const std::size_t at = byte_of_value(text, quote, offset);
    u32 line = 1;
    u32 column = 1;
    for (std::size_t i = 0; i < at; ++i) {
        if (text[i] == '\n') {
            ++line;
            column = 0;
        }
        if (!is_continuation(text[i])) ++column;
    }
    return document_->place(line, column);
}

}  // namespace tapestry
