#include "apps/timeline_files.h"

#include "apps/inspect/page/html_page.h"
#include "apps/inspect/page/ladder_svg.h"
#include "apps/inspect/qlog.h"
#include "apps/inspect/timeline_json.h"

namespace tapestry {

void TimelineFiles::write(const Timeline& timeline) const {
    if (!save.empty()) save_timeline(timeline, save);
    if (!qlog.empty()) save_qlog(timeline, qlog);
    if (!html.empty()) save_html_page(timeline, html);
    if (!svg.empty()) save_ladder_svg(timeline, svg);
}

void add_timeline_options(CommandLine& command, TimelineFiles& files) {
    command.option("--save", files.save, "keep every step, for `tapestry inspect FILE`")
        .value("FILE");
    command.option("--html", files.html, "one page for a browser: ladder, states, plots")
        .value("FILE");
    command.option("--svg", files.svg, "the ladder alone, for slides").value("FILE");
    command.option("--qlog", files.qlog, "TCP's steps as qlog (JSON-SEQ)").value("FILE");
}

}  // namespace tapestry
