#include "apps/router/iptables_words.h"

namespace tapestry {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// One word from `at` on; leaves `at` behind it.
IptablesWord read_word(std::string_view line, std::size_t& at) {
    IptablesWord word{{}, at};
    char quote = 0;
    for (; at < line.size() && (quote != 0 || !is_space(line[at])); ++at) {
        const char c = line[at];
        if (c == '\\' && quote != '\'' && at + 1 < line.size()) {
            word.text += line[++at];
        } else if (quote == 0 && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote) {
            quote = 0;
        } else {
            word.text += c;
        }
    }
    if (quote != 0) refuse_word(word, std::string("the quote ") + quote + " has no end");
    return word;
}

}  // namespace

void refuse_word(const IptablesWord& word, const std::string& message) {
    throw IptablesRefusal({word.column, word.text, message});
}

std::string expected(std::string_view wanted, const IptablesWord& word) {
    return "expected " + std::string(wanted) + ", found \"" + word.text + '"';
}

IptablesWords::IptablesWords(std::string_view line) : end_(line.size()) { read(line); }

void IptablesWords::read(std::string_view line) {
    std::size_t at = 0;
    while (true) {
        while (at < line.size() && is_space(line[at])) ++at;
        if (at == line.size()) return;
        const bool option = line.substr(at).starts_with("--");
        IptablesWord word = read_word(line, at);
        const std::size_t equals = word.text.find('=');
        if (option && equals != std::string::npos) {
            IptablesWord value{word.text.substr(equals + 1), word.column + equals + 1};
            word.text.resize(equals);
            words_.push_back(std::move(word));
            words_.push_back(std::move(value));
        } else {
            words_.push_back(std::move(word));
        }
    }
}

const IptablesWord& IptablesWords::value(const IptablesWord& option, std::string_view wanted) {
    const std::string where = option.text + ": expected " + std::string(wanted);
    if (empty()) throw IptablesRefusal({end_, "", where + ", found nothing"});
    const IptablesWord& word = take();
    if (word.text == "!") {
        refuse_word(word, "the ! stands before the option: \"! " + option.text + " ...\"");
    }
    return word;
}

}  // namespace tapestry
