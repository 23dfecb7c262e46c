#pragma once

#include <string>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

enum class Language : u8 { English, Chinese };

/// The language that --language asks for: "en", "zh", or "" for that of LC_ALL, LC_MESSAGES or LANG, the
/// first that is set: Chinese of zh, else English. A locale without UTF-8 has no Chinese: where it was
/// asked for, one line on stderr says so.
Language language_of(const std::string& option);
/// Whether the locale's characters are UTF-8. What LC_ALL and the like ask for is taken, and if the
/// system has not got that, its own UTF-8.
bool utf8_locale();

/// Lines of a text as one paragraph: Chinese has no blanks between them.
std::string paragraph_of(const std::vector<std::string>& lines, Language language);

}  // namespace tapestry
