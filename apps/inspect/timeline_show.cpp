#include "apps/inspect/timeline_show.h"

#include "apps/inspect/ladder.h"
#include "apps/inspect/story_build.h"
#include "apps/inspect/story_page.h"
#include "apps/inspect/timeline_events.h"

namespace tapestry {

void show_timeline(const Timeline& timeline, Language language, const Paint& paint,
                   const LineOut& out) {
    if (timeline.source != Timeline::Source::Lab) {
        Ladder ladder(out, paint);
        tell_again(timeline, 0, ladder);
        return;
    }
    const Story story = story_of(timeline, language);
    StoryPage page(story, paint);
    const auto steps = page.steps();
    for (const std::string& line : page.beginning()) out(line);
    for (const auto& lines : steps) {
        for (const std::string& line : lines) out(line);
    }
    for (const std::string& line : page.ending()) out(line);
}

}  // namespace tapestry
