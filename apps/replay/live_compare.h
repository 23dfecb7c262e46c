#pragma once

#include "apps/replay/live_http.h"

namespace tapestry {

enum class LiveVerdict : u8 {
    Sent,       ///< a turn of ours: nothing to compare
    Equal,      ///< byte by byte, as far as the recording is known
    Allowed,    ///< equal but for what rules are about
    Diverged,   ///< anything else
    NotPlayed,  ///< the connection was over before
};
/// "equal"
std::string_view name(LiveVerdict verdict);

/// A range of offsets.
struct LiveRange {
    u64 begin = 0;
    u64 end = 0;
};

/// One of the two texts that are compared.
struct LiveText {
    Bytes bytes;
    std::vector<LiveSpot> spots;   ///< in `bytes`, in order
    std::vector<LiveRange> holes;  ///< of `bytes`: nobody knows what was there
};

struct LiveComparison {
    LiveVerdict verdict = LiveVerdict::Equal;
    LiveRules rules;      ///< Allowed: the ones that were needed
    u64 recorded_at = 0;  ///< Diverged: where the first difference is ...
    u64 live_at = 0;      ///< ... which may be elsewhere in the live text
};

/// Compares, leaving out what the `allowed` rules are about.
LiveComparison compare_live(const LiveText& recorded, const LiveText& live, LiveRules allowed);

/// A line of text around an offset, fit for a terminal: "Content-Length: 900\r\n". "" behind the end.
std::string live_excerpt(Bytes bytes, u64 at);

}  // namespace tapestry
