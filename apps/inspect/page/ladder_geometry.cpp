#include "apps/inspect/page/ladder_geometry.h"

#include <algorithm>

#include "apps/inspect/timeline_index.h"

namespace tapestry {
namespace {

using G = LadderGeometry;
using Step = Timeline::Step;

bool has_words(const Timeline& timeline, const Step& step) {
    using enum Step::Kind;
    if (step.drop || is_turn(timeline, step)) return true;
    switch (step.kind) {
        case Received:
        case Lost:
        case Decision:
            return false;
        case Timer:
        case Call:
            // TCP's share of a call stands beside the application's words.
            return step.end == Timeline::kNone || step.kind == Timer;
        default:
            return true;
    }
}

/// A frame whose sending nobody saw comes in on an arrow that is almost level: its words are above it.
bool needs_room_above(const Timeline& timeline, const Timeline::Step& step) {
    return step.kind == Timeline::Step::Kind::Received && step.frame != Timeline::kNone &&
           !timeline.frames[step.frame].sent;
}

/// Pixels of a nanosecond, so that the median frame's way is kFlight.
double scale_of(const Timeline& timeline) {
    std::vector<i64> flights;
    for (const Timeline::Frame& frame : timeline.frames) {
        if (!frame.sent || !frame.arrived || *frame.arrived <= *frame.sent) continue;
        flights.push_back((*frame.arrived - *frame.sent).count());
    }
    if (flights.empty()) return G::kFlight / 10e6;  // as if it took 10 ms
    const auto middle = flights.begin() + static_cast<std::ptrdiff_t>(flights.size() / 2);
    std::ranges::nth_element(flights, middle);
    return G::kFlight / static_cast<double>(*middle);
}

void place_columns(const Timeline& timeline, G& g) {
    double x = G::kMargin;
    for (std::size_t i = 0; i < timeline.lifelines.size(); ++i) {
        if (i > 0) {
            const bool router = timeline.lifelines[i].machine == timeline.lifelines[i - 1].machine;
            x += router ? G::kRouterGap : timeline.lifelines.size() > 2 ? G::kSmallGap : G::kGap;
        }
        g.columns.push_back(x);
    }
    g.width = x + G::kMargin;
}

void place_rows(const Timeline& timeline, G& g) {
    const double scale = scale_of(timeline);
    double y = G::kTop;
    Duration before{};
    double least = G::kRow;
    for (const Step& step : timeline.steps) {
        const Duration passed = step.time - before;
        const double real = static_cast<double>(passed.count()) * scale;
        if (needs_room_above(timeline, step)) least = G::kRow;
        const double drawn = std::max(least, std::min(real, G::kLongest));
        if (real > 2 * G::kLongest) g.waits.push_back({y, y + drawn, passed});
        y += drawn;
        g.rows.push_back(y);
        before = step.time;
        least = has_words(timeline, step) ? G::kRow : G::kHalfRow;
    }
    g.height = y + 2 * G::kRow;
}

/// The rows where a frame's way begins and ends; -1: nobody saw it.
struct Seen {
    double sent = -1, arrived = -1, lost = -1;
};

std::vector<Seen> seen_frames(const Timeline& timeline, const G& g) {
    std::vector<Seen> all(timeline.frames.size());
    for (std::size_t i = 0; i < timeline.steps.size(); ++i) {
        const Step& step = timeline.steps[i];
        if (step.frame == Timeline::kNone) continue;
        Seen& seen = all[step.frame];
        if (step.kind == Step::Kind::Sent && seen.sent < 0) seen.sent = g.rows[i];
        if (step.kind == Step::Kind::Received && seen.arrived < 0) seen.arrived = g.rows[i];
        if (step.kind == Step::Kind::Lost && seen.lost < 0) seen.lost = g.rows[i];
    }
    return all;
}

G::Arrow arrow_of(const Timeline& timeline, const G& g, const Timeline::Frame& frame,
                  const Seen& seen) {
    G::Arrow arrow;
    const u32 from = lifeline_of(timeline, frame.from);
    const u32 to = lifeline_of(timeline, frame.to);
    if (from == Timeline::kNone && to == Timeline::kNone) return arrow;
    if (seen.sent < 0 && seen.arrived < 0) return arrow;
    const u32 other = [&]() -> u32 {  // a frame to all, or from nobody known: towards a neighbour
        const u32 known = from == Timeline::kNone ? to : from;
        return known == 0 && g.columns.size() > 1 ? 1 : known - (known > 0 ? 1 : 0);
    }();
    arrow.drawn = true;
    arrow.known = seen.sent >= 0 && seen.arrived >= 0;
    arrow.lost = !frame.lost.empty();
    arrow.x1 = g.columns[from == Timeline::kNone ? other : from];
    arrow.x2 = g.columns[to == Timeline::kNone ? other : to];
    // Of what only one end saw the slope means nothing: a little, so that the direction of time is seen.
    arrow.y1 = seen.sent >= 0 ? seen.sent : seen.arrived - G::kHalfRow / 2;
    arrow.y2 = seen.arrived >= 0 ? seen.arrived : arrow.y1 + G::kHalfRow / 2;
    if (arrow.lost) {
        arrow.x2 = arrow.x1 + (arrow.x2 - arrow.x1) * 0.62;
        arrow.y2 = std::max(seen.lost, arrow.y1 + G::kFlight * 0.5);
    }
    return arrow;
}

}  // namespace

u32 lifeline_of(const Timeline& timeline, const Timeline::Place& place) {
    if (place.host >= timeline.hosts.size()) return Timeline::kNone;
    const auto& interfaces = timeline.hosts[place.host].interfaces;
    if (place.interface >= interfaces.size()) return lifeline_of(timeline, place.host);
    return interfaces[place.interface].lifeline;
}

u32 lifeline_of(const Timeline& timeline, u32 host) {
    if (host >= timeline.hosts.size()) return Timeline::kNone;
    const auto& interfaces = timeline.hosts[host].interfaces;
    return interfaces.empty() ? Timeline::kNone : interfaces.front().lifeline;
}

LadderGeometry ladder_geometry(const Timeline& timeline) {
    LadderGeometry g;
    place_columns(timeline, g);
    place_rows(timeline, g);
    const std::vector<Seen> seen = seen_frames(timeline, g);
    for (std::size_t i = 0; i < timeline.frames.size(); ++i) {
        g.arrows.push_back(arrow_of(timeline, g, timeline.frames[i], seen[i]));
        g.height = std::max(g.height, g.arrows.back().y2 + G::kRow);
    }
    return g;
}

}  // namespace tapestry
