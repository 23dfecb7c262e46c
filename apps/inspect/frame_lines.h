#pragma once

#include <optional>

#include "apps/inspect/ladder_page.h"

namespace tapestry {

/// --show frames: one line for each frame, and one for each refusal, much as tcpdump prints them; time
/// from the first.
class FrameLines final : public TraceSink {
public:
    FrameLines(LineOut out, Paint paint) : out_(std::move(out)), paint_(paint) {}
    void on_frame(const FrameEvent& event) override;
    void on_drop(const DropEvent& event) override;

private:
    std::string time(TimePoint now);

    LineOut out_;
    Paint paint_;
    std::optional<TimePoint> start_;
};

}  // namespace tapestry
