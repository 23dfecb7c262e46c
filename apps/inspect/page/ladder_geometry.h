#pragma once

#include "apps/inspect/timeline.h"

namespace tapestry {

/// Where everything of a ladder stands, in pixels: the page and the slide draw the same one. Time goes
/// down. An arrow's slope is the time that its frame takes; a step that has words of its own gets a row
/// even where no time passes, and a wait longer than kLongest is drawn shorter, with its length written
/// beside.
struct LadderGeometry {
    static constexpr double kTop = 56;         ///< below the names
    static constexpr double kRow = 19;         ///< for a step with words of its own
    static constexpr double kHalfRow = 10;     ///< for one that shows on its lifeline only
    static constexpr double kFlight = 46;      ///< the median frame's way
    static constexpr double kLongest = 110;    ///< a wait
    static constexpr double kGap = 430;        ///< between two lifelines
    static constexpr double kSmallGap = 260;   ///< ... of more than two
    static constexpr double kRouterGap = 160;  ///< between both sides of a router
    static constexpr double kMargin = 165;

    /// A frame; where one end is not known, the arrow is short of it.
    struct Arrow {
        double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
        bool drawn = false;
        bool lost = false;   ///< (x2, y2) is where it breaks
        bool known = false;  ///< both times are: the slope means something
    };
    /// A wait that is drawn shorter than it was.
    struct Wait {
        double y1 = 0, y2 = 0;
        Duration time{};
    };

    std::vector<double> columns;  ///< of the lifelines
    std::vector<double> rows;     ///< of the steps
    std::vector<Arrow> arrows;    ///< of the frames
    std::vector<Wait> waits;
    double width = 0;
    double height = 0;
};

LadderGeometry ladder_geometry(const Timeline& timeline);

/// The lifeline of a place; kNone where it is not known.
u32 lifeline_of(const Timeline& timeline, const Timeline::Place& place);
/// The first lifeline of a host.
u32 lifeline_of(const Timeline& timeline, u32 host);

}  // namespace tapestry
