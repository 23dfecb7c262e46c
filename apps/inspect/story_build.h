#pragma once

#include "apps/inspect/story.h"

namespace tapestry {

/// What there is to tell of a timeline, for a ladder of one line for each thing worth a line: frames when
/// they are sent, changes of state, losses and how they are mended, a router's translations.
Story story_of(const Timeline& timeline, Language language = Language::English);

}  // namespace tapestry
