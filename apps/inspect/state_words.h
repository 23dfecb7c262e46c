#pragma once

#include <string>

#include "apps/inspect/language.h"
#include "apps/inspect/state_fields.h"

namespace tapestry {

/// StateField::name in that language. RFC names are the same in all.
std::string name_in(const StateField& field, Language language);
/// What field_text() says, in that language: "off", "in 0.99 s".
std::string value_in(const std::string& text, Language language);

}  // namespace tapestry
