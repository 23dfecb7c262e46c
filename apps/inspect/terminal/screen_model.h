#pragma once

#include "apps/inspect/frame_fields.h"
#include "apps/inspect/state_fields.h"
#include "apps/inspect/terminal/screen.h"
#include "apps/inspect/terminal/stops.h"

namespace tapestry {

/// A field of a frame, by its name: so that the cursor stays where it is from frame to frame.
struct FieldCursor {
    std::string name;  ///< "": where a reader looks first
    std::size_t nth = 0;
    friend bool operator==(const FieldCursor&, const FieldCursor&) = default;
};

/// Everything about a screen that is not the timeline: where the reader is, and what was chosen.
struct View {
    int width = 80;
    int height = 24;
    Glyphs glyphs = Glyphs::Ascii;
    std::size_t stop = 0;
    FieldCursor field;
    int scroll = 0;  ///< lines of the explanation that have been passed over
    bool help = false;
    Language language = Language::English;
    Numbers numbers = Numbers::Relative;
    bool branches = true;            ///< frames can be dropped
    std::string branch;              ///< "branch: frame 7 dropped"; "": the run itself
    std::string filter;              ///< its text; "": none
    std::string breaks;              ///< the conditions to stop at; "": none
    std::vector<std::size_t> shown;  ///< the stops that pass it; of no filter empty
    std::string prompt;              ///< "filter: state==E": a question takes the place of the keys
    std::string message;             ///< one line, in their place
};

/// The screen: pure, so the same view of the same walk is the same screen, at every size.
Screen draw(const Walk& walk, const View& view);

/// The cursor's place among a frame's fields; -1: the frame has none.
int field_under(const FieldCursor& cursor, const std::vector<FrameField>& fields);
/// The cursor `by` fields further on; it stays at the ends.
FieldCursor moved(const FieldCursor& cursor, int by, const std::vector<FrameField>& fields);
/// The fields of the frame that a stop is about.
std::vector<FrameField> fields_at(const Walk& walk, std::size_t stop);

}  // namespace tapestry
