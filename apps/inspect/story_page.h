#pragma once

#include <map>
#include <set>

#include "apps/inspect/story_layout.h"

namespace tapestry {

/// Draws a story as a ladder with one lifeline for each machine:
///
///     0.500  |-- S 0:0(0) win 65535 <mss 1460> --- 1 of 3 -->|             |                         |
///            |   src 192.168.3.10:49152 -> 203.0.113.5:49152   ttl 64->63  |                         |
///     0.501  |                                               |             |-- S 0:0(0) win ... ---->|
///
/// Time is when a frame leaves. Of many steps alike some are shown and the rest summed up; of ARP
/// only what is new.
class StoryPage {
public:
    StoryPage(const Story& story, Paint paint);

    /// Title, what to watch, who there is, and the heads of the lifelines.
    std::vector<std::string> beginning() const;
    /// The lines of each step, in the order of Story::steps; none for a step that is not shown.
    std::vector<std::vector<std::string>> steps();
    std::vector<std::string> ending() const;

private:
    using Lines = std::vector<std::string>;
    using Style = Canvas::Style;

    void find_known_arp();
    void find_runs();
    Lines draw(std::size_t index);
    Lines draw_frame(const Step& step);
    Lines draw_rewrite(const Step& step);
    void put_arrow(Canvas& line, const Step& step) const;
    Lines beside(const Step& step, const std::string& text, Style style);
    std::string routine_of(const Step& step) const;
    std::string summary(std::size_t begin, std::size_t end) const;
    void put_time(Canvas& line, TimePoint time);
    Lines ruled(const std::string& text) const;

    const Story& story_;
    Paint paint_;
    StoryLayout layout_;
    std::set<std::size_t> hidden_;
    std::map<std::size_t, std::string> summaries_;  ///< shown in the place of a step
    std::map<std::size_t, std::string> marks_;      ///< by lifeline: what the next frame shows
    std::optional<i64> last_time_;                  ///< that was printed, in milliseconds
};

}  // namespace tapestry
