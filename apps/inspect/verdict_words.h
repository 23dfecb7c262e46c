#pragma once

#include <string>
#include <string_view>

#include "apps/inspect/language.h"
#include "stack/base/drop.h"
#include "stack/trace/verdict.h"

namespace tapestry {

/// A verdict in a few words: text(verdict) in that language.
std::string_view text_in(Verdict verdict, Language language);
/// ... and a refusal; in Chinese its explanation begins so.
std::string text_in(Drop drop, Language language);

}  // namespace tapestry
