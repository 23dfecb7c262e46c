#pragma once

#include <string>

#include "apps/inspect/timeline.h"
#include "apps/options.h"

namespace tapestry {

/// Where a timeline is to be kept.
struct TimelineFiles {
    std::string save;  ///< --save: our own form; "": not
    std::string qlog;  ///< --qlog
    std::string html;  ///< --html: a page to look at
    std::string svg;   ///< --svg: its ladder alone

    bool wanted() const { return !save.empty() || !qlog.empty() || !html.empty() || !svg.empty(); }
    /// Throws Failure (kUsage): a file cannot be written.
    void write(const Timeline& timeline) const;
};

/// Adds --save, --qlog, --html and --svg to a command.
void add_timeline_options(CommandLine& command, TimelineFiles& files);

}  // namespace tapestry
