#pragma once

#include "apps/inspect/ladder_page.h"
#include "apps/inspect/timeline.h"

namespace tapestry {

/// Prints a timeline as the run itself was printed: a lab's as its story, that of a stack of ours as its
/// ladder, which is English. A capture's has no stack that could tell it: its frames are read again, as those of the capture.
void show_timeline(const Timeline& timeline, Language language, const Paint& paint,
                   const LineOut& out);

}  // namespace tapestry
