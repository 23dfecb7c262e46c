#pragma once

#include <string>
#include <vector>

#include "stack/base/time.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/segment.h"

namespace tapestry::test {

/// One frame of a capture, kept.
struct CapturedFrame {
    u64 number = 0;    ///< from 1, as tshark counts
    TimePoint time{};  ///< since 1970
    std::vector<u8> bytes;
};

/// A TCP segment that somebody sent, with the frame that it lies in.
struct TimedSegment {
    u64 number = 0;
    TimePoint time{};
    Segment segment;  ///< its payload lies in the frame
    Bytes frame;
};

/// Every frame of a pcap or pcapng file. Throws std::runtime_error when it cannot be read to its end.
std::vector<CapturedFrame> read_capture(const std::string& path);

/// The TCP segment in a frame, checked like one that arrives; nothing when it is something else. A
/// fragment is something else.
std::optional<Segment> segment_of(Bytes frame);

/// The TCP segments among `frames`, which they borrow.
std::vector<TimedSegment> segments_of(const std::vector<CapturedFrame>& frames);

}  // namespace tapestry::test
