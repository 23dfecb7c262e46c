#pragma once

#include <string>
#include <vector>

#include "apps/inspect/ladder_page.h"
#include "apps/inspect/observer.h"

namespace tapestry {

/// What `inspect` prints for people: a line for each segment as it is read, then a summary of each
/// conversation.
class CaptureReport {
public:
    CaptureReport(LineOut out, Paint paint) : out_(std::move(out)), paint_(paint) {}

    void segment(const ObservedSegment& segment, const ObservedStream& stream);
    void summary(const ObservedStream& stream);

private:
    LineOut out_;
    Paint paint_;
    std::optional<TimePoint> start_;
};

/// The document of `inspect --json`; docs/inspect.md has its form. Every segment is of one of the
/// streams.
std::string capture_json(const std::string& file, u64 frames, u64 skipped,
                         const std::vector<ObservedStream>& streams,
                         const std::vector<ObservedSegment>& segments, TimePoint start);

}  // namespace tapestry
