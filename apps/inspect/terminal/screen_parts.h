#pragma once

#include "apps/inspect/state_fields.h"
#include "apps/inspect/terminal/screen_model.h"

namespace tapestry {

/// A part of a screen: cells with these rows and columns, the second of each not included.
struct Area {
    int top = 0;
    int bottom = 0;
    int left = 0;
    int right = 0;
    int height() const { return bottom - top; }
    int width() const { return right - left; }
};

/// The two ends of the connection that a stop is about, as they are drawn: left and right. kNone: there
/// is none, or it is nobody's whose state is known.
struct Pair {
    u32 left = Timeline::kNone;
    u32 right = Timeline::kNone;
};
Pair pair_at(const Walk& walk, std::size_t stop);

/// What the parts of a screen draw themselves into.
void draw_ladder(const Walk& walk, const View& view, const Area& area, Screen& screen);
void draw_panel(const Walk& walk, const View& view, u32 end, const Area& area, Screen& screen);
void draw_bytes(const Walk& walk, const View& view, const Area& area, Screen& screen);

/// "*SND.NXT 0->1": the variables of an end at a stop, those that it has changed first marked.
struct PanelLine {
    std::string text;
    bool changed = false;
};
std::vector<PanelLine> panel_lines(const Walk& walk, std::size_t stop, u32 end, int rows, int width,
                                   Language language, Numbers numbers = Numbers::Relative);

/// "0->1", or "1" of a number that meant nothing before; deadlines as they are now. The numbers that all
/// others count from are shown as they are on the wire.
std::string change_text(const StateField& field, const TcpSnapshot& before,
                        const TcpSnapshot& after, TimePoint now, Language language,
                        Numbers numbers = Numbers::Relative);
std::string value_text(const StateField& field, const TcpSnapshot& state, TimePoint now,
                       Numbers numbers = Numbers::Relative);

/// The explanation of a stop: its lines, the first `bold` of them the headline.
struct Words {
    std::vector<std::string> lines;
    std::size_t bold = 0;
};
Words words_at(const Walk& walk, std::size_t stop, int width, Language language);

/// The lines of a frame's bytes, in hex and as text.
std::string hex_line(const std::vector<u8>& bytes, std::size_t from, std::size_t count);
/// "tcp.flags: Flags = SYN, ACK (byte 47)"
std::string field_line(const FrameField& field, Language language);

}  // namespace tapestry
