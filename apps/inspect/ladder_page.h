#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "apps/inspect/paint.h"
#include "stack/trace/trace.h"

namespace tapestry {

/// Takes a finished line, without its end.
using LineOut = std::function<void(const std::string&)>;

/// The columns of a ladder, as the RFCs draw them: time, our state, the segment between two arrows, and
/// its role; under it, indented, what came of it, with the rule at the right edge.
///
///     0.000413 SYN-SENT     --> S 0:0(0) win 65535 <mss 1460,...>       --> 1 of 3
///                               snd.nxt 0->1  rto armed 1.000
class LadderPage {
public:
    static constexpr std::size_t kTextColumn = 26;
    static constexpr std::size_t kNoteWidth = 73;
    static constexpr std::size_t kWidth = 117;

    LadderPage(LineOut out, Paint paint) : out_(std::move(out)), paint_(paint) {}

    const Paint& paint() const { return paint_; }
    void title();
    void blank() { out_(""); }
    /// A frame; `state` may be empty.
    void frame(Duration time, std::string_view state, Direction direction, std::string_view note,
               std::string_view role);
    /// Something that happened without a frame.
    void event(Duration time, std::string_view state, const std::string& text,
               std::string_view rule);
    /// More about the line above; `rule` (may be empty) stands at the right edge. Long texts are
    /// broken between words.
    void detail(const std::string& text, std::string_view rule = {});
    /// What a segment carries.
    void quote(const std::string& text);
    /// "..." about lines that were left out.
    void skipped(const std::string& text);
    /// Something that should not be overlooked.
    void alarm(const std::string& text, std::string_view rule = {});

private:
    std::string beginning(Duration time, std::string_view state) const;
    void indented(const std::string& text, std::string_view rule,
                  const std::function<std::string(std::string_view)>& painted);

    LineOut out_;
    Paint paint_;
};

}  // namespace tapestry
