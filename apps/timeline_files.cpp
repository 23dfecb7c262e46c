#include "apps/timeline_files.h"

#include <filesystem>

#include "apps/failure.h"
#include "apps/inspect/annotate.h"
#include "apps/inspect/page/html_page.h"
#include "apps/inspect/page/ladder_svg.h"
#include "apps/inspect/qlog.h"
#include "apps/inspect/timeline_json.h"

namespace tapestry {

void TimelineFiles::check(const std::string& input) const {
    if (annotate.empty()) return;
    std::error_code ignored;
    if (!std::filesystem::equivalent(annotate, input, ignored)) return;
    throw Failure(kUsage, "--annotate: " + annotate +
                              " is the file that is read, and stays as it is; give another name");
}

void TimelineFiles::write(const Timeline& timeline, const CaptureFile* capture) const {
    if (!save.empty()) save_timeline(timeline, save);
    if (!qlog.empty()) save_qlog(timeline, qlog);
    if (!html.empty()) save_html_page(timeline, html);
    if (!svg.empty()) save_ladder_svg(timeline, svg);
    if (annotate.empty()) return;
    if (capture == nullptr) {
        save_annotated(timeline, annotate);
    } else {
        save_annotated_capture(timeline, capture->path, capture->keep, annotate);
    }
}

void add_timeline_options(CommandLine& command, TimelineFiles& files) {
    command.option("--save", files.save, "keep every step, for `tapestry inspect FILE`")
        .value("FILE");
    command.option("--html", files.html, "one page for a browser: ladder, states, plots")
        .value("FILE");
    command.option("--svg", files.svg, "the ladder alone, for slides").value("FILE");
    command.option("--annotate", files.annotate, "pcapng with what is said as comments: Wireshark")
        .value("FILE");
    command
        .option("--qlog", files.qlog, "TCP's steps: NAME.qlog a trace for each end, else JSON-SEQ")
        .value("FILE");
}

}  // namespace tapestry
