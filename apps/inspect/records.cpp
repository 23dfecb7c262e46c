#include "apps/inspect/records.h"

namespace tapestry {

Records records_of(const Timeline& timeline) {
    return [&timeline,
            at = std::size_t{0}]() mutable -> std::expected<std::optional<PcapRecord>, PcapError> {
        if (at == timeline.frames.size()) return std::nullopt;
        const Timeline::Frame& frame = timeline.frames[at++];
        PcapRecord record;
        record.number = frame.record;
        record.time = timeline.start + frame.sent.value_or(Duration{});
        record.bytes = frame.bytes;
        record.original_size = frame.wire_size;
        return record;
    };
}

}  // namespace tapestry
