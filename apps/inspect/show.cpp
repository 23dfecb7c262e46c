#include "apps/inspect/show.h"

#include <unistd.h>

#include <cerrno>

#include "apps/inspect/frame_lines.h"
#include "apps/inspect/ladder.h"

namespace tapestry {
namespace {

/// A reader who has gone ends the lines, not the command.
void write_line(int fd, const std::string& line) {
    const std::string text = line + '\n';
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t n = write(fd, text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        done += static_cast<std::size_t>(n);
    }
}

}  // namespace

std::unique_ptr<TraceSink> make_show(Show show, int fd) {
    const LineOut out = [fd](const std::string& line) { write_line(fd, line); };
    const Paint paint = Paint::for_descriptor(fd);
    switch (show) {
        case Show::None:
            return nullptr;
        case Show::Ladder:
            return std::make_unique<Ladder>(out, paint);
        case Show::Frames:
            return std::make_unique<FrameLines>(out, paint);
    }
    return nullptr;
}

}  // namespace tapestry
