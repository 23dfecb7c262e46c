#pragma once

#include <string>

#include "apps/inspect/quiz/quiz_conversation.h"

namespace tapestry {

/// The document of `inspect --quiz --json`; docs/quiz.md has its form.
std::string quiz_json(const std::string& file, const Questions& questions);

}  // namespace tapestry
