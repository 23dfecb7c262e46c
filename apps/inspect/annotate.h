#pragma once

#include <functional>
#include <string>

#include "apps/inspect/timeline.h"
#include "drivers/pcapng_writer.h"

namespace tapestry {

/// A pcapng file of a timeline's frames, with what is said of each as its comment: for Wireshark. Both
/// throw Failure (kUsage) when it cannot be written; then no file is left.
///
/// Of a run: an interface for each link, or for each of our own where there are no links; frames as a
/// wire carries them, super-frames cut.
void save_annotated(const Timeline& timeline, const std::string& path);

/// The same in a folder, a file LINK.pcapng for each link with an interface for each of its ends: for who
/// looks at one wire. `option` has asked for it.
void save_annotated_links(const Timeline& timeline, const std::string& folder,
                          const std::string& option);

/// Of a capture: its records as they are in `capture`, with the comments that they have. `keep` says
/// which, by their numbers from 1.
void save_annotated_capture(const Timeline& timeline, const std::string& capture,
                            const std::function<bool(u64 record)>& keep, const std::string& path);

/// One frame, as a wire carries it: what `info` says, and the comment with the first of its parts.
void write_commented(PcapngWriter& writer, const Timeline::Frame& frame, const std::string& comment,
                     PcapngWriter::FrameInfo info);

}  // namespace tapestry
