#include "apps/timeline_files.h"

#include "apps/inspect/qlog.h"
#include "apps/inspect/timeline_json.h"

namespace tapestry {

void TimelineFiles::write(const Timeline& timeline) const {
    if (!save.empty()) save_timeline(timeline, save);
    if (!qlog.empty()) save_qlog(timeline, qlog);
}

void add_timeline_options(CLI::App& command, TimelineFiles& files) {
    command.add_option("--save", files.save, "keep every step, for `tapestry inspect FILE`")
        ->type_name("FILE");
    command.add_option("--qlog", files.qlog, "TCP's steps as qlog (JSON-SEQ)")->type_name("FILE");
}

}  // namespace tapestry
