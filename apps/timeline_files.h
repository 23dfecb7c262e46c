#pragma once

#include <functional>
#include <string>

#include "apps/inspect/timeline.h"
#include "apps/options.h"

namespace tapestry {

/// The capture that a timeline was made of.
struct CaptureFile {
    std::string path;
    std::function<bool(u64 record)> keep;  ///< the records, numbered from 1, that were chosen
};

/// Where a timeline is to be kept.
struct TimelineFiles {
    std::string save;      ///< --save: our own form; "": not
    std::string qlog;      ///< --qlog
    std::string html;      ///< --html: a page to look at
    std::string svg;       ///< --svg: its ladder alone
    std::string annotate;  ///< --annotate: a capture file with comments

    bool wanted() const {
        return !save.empty() || !qlog.empty() || !html.empty() || !svg.empty() || !annotate.empty();
    }
    /// Throws Failure (kUsage): the file that is read, `input`, would be written over.
    void check(const std::string& input) const;
    /// Throws Failure (kUsage): a file cannot be written. `capture` null: the timeline is all that there
    /// is.
    void write(const Timeline& timeline, const CaptureFile* capture = nullptr) const;
};

/// Adds --save, --html, --svg, --annotate and --qlog to a command.
void add_timeline_options(CommandLine& command, TimelineFiles& files);

}  // namespace tapestry
