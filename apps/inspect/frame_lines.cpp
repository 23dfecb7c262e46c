#include "apps/inspect/frame_lines.h"

#include <cstdio>

#include "stack/trace/notation.h"

namespace tapestry {

std::string FrameLines::time(TimePoint now) {
    if (!start_) start_ = now;
    char text[32];
    std::snprintf(text, sizeof text, "%8.6f", to_seconds(now - *start_));
    return paint_.dim(text);
}

void FrameLines::on_frame(const FrameEvent& event) {
    const std::size_t size =
        event.headers.size() + event.payload[0].size() + event.payload[1].size();
    const bool out = event.direction == Direction::Out;
    std::string line = time(event.now) + ' ' + (out ? paint_.cyan("out") : paint_.green("in "));
    line += ' ' + describe_frame(event.headers, size);
    if (event.offload.gso != Offload::Gso::None) {
        line += paint_.dim(" (cut into pieces of " + std::to_string(event.offload.gso_size) + ')');
    }
    out_(line);
}

void FrameLines::on_drop(const DropEvent& event) {
    out_(time(event.now) + ' ' +
         paint_.red(std::string("    dropped: ") + std::string(text(event.drop)) + ' ' +
                    std::string(rfc(event.drop))));
}

}  // namespace tapestry
