#pragma once

#include <string>

#include "apps/inspect/story.h"

namespace tapestry {

/// A story as one JSON document: what it is about, the lifelines, and every step with nothing left
/// out or summed up. docs/labs.md lists the keys.
std::string story_json(const Story& story);

}  // namespace tapestry
