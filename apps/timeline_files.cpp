#include "apps/timeline_files.h"

#include "apps/inspect/qlog.h"
#include "apps/inspect/timeline_json.h"

namespace tapestry {

void TimelineFiles::write(const Timeline& timeline) const {
    if (!save.empty()) save_timeline(timeline, save);
    if (!qlog.empty()) save_qlog(timeline, qlog);
}

void add_timeline_options(CommandLine& command, TimelineFiles& files) {
    command.option("--save", files.save, "keep every step, for `tapestry inspect FILE`")
        .value("FILE");
    command.option("--qlog", files.qlog, "TCP's steps as qlog (JSON-SEQ)").value("FILE");
}

}  // namespace tapestry
