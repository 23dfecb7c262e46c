#include "apps/inspect/language.h"

#include <langinfo.h>

#include <array>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tapestry {
namespace {

/// What the environment says of a part of the locale: "zh_CN.UTF-8".
std::string_view asked_for(const char* category) {
    for (const char* name : std::array{"LC_ALL", category, "LANG"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') return value;
    }
    return "";
}

bool says_utf8(std::string_view locale) {
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos;
}

}  // namespace

bool utf8_locale() {
    // A name from another machine, as ssh passes it on, need not be installed here.
    if (std::setlocale(LC_CTYPE, "") == nullptr && says_utf8(asked_for("LC_CTYPE"))) {
        std::setlocale(LC_CTYPE, "C.UTF-8");
    }
    return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

Language language_of(const std::string& option) {
    const bool chinese =
        option.empty() ? asked_for("LC_MESSAGES").starts_with("zh") : option == "zh";
    if (!chinese) return Language::English;
    if (utf8_locale()) return Language::Chinese;
    if (!option.empty()) {
        std::fputs(
            "tapestry: --language zh: this locale has no UTF-8, so in English (LANG=C.UTF-8)\n",
            stderr);
    }
    return Language::English;
}

std::string paragraph_of(const std::vector<std::string>& lines, Language language) {
    std::string text;
    for (const std::string& line : lines) {
        if (!text.empty() && language == Language::English) text += ' ';
        text += line;
    }
    return text;
}

}  // namespace tapestry
