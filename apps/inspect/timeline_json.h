#pragma once

#include <expected>
#include <functional>
#include <string>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// The form in which a timeline is kept in a file; docs/timeline.md says what is in it. What is written
/// is read back as it was.
///
/// `out` takes the document piece by piece: it may be large.
void write_timeline(const Timeline& timeline, const std::function<void(const std::string&)>& out);
/// Why not: one line that names the place: "steps[3].frame: there are 2 frames, not 7".
std::expected<Timeline, std::string> read_timeline(std::string_view text);

/// To and from a file. Throw Failure (kUsage) with one line.
void save_timeline(const Timeline& timeline, const std::string& path);
Timeline load_timeline(const std::string& path);
/// What `write` hands over, in a file that `option` has asked for. Throws Failure (kUsage).
void write_file(const std::string& path, const std::string& option,
                const std::function<void(const std::function<void(const std::string&)>&)>& write);
/// Whether the file is JSON, which no capture is. False, too, when it cannot be read.
bool may_be_timeline(const std::string& path);

}  // namespace tapestry
