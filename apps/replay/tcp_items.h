#pragma once

#include "apps/replay/comparison.h"

namespace tapestry {

/// A segment as it is compared; numbers are relative to the first ones.
struct TcpItem {
    enum class Kind : u8 { Syn, Text, Reset, Probe, Ack };  ///< Text: or a FIN

    Kind kind = Kind::Ack;
    const Segment* segment = nullptr;
    const RecordedFrame* recorded = nullptr;  ///< this ...
    const SentFrame* sent = nullptr;          ///< ... or this
    TimePoint time{};
    u32 seq = 0;
    u32 length = 0;  ///< of the text
    u32 ack = 0;
    u8 window_shift = 0;      ///< of its window
    bool again = false;       ///< nothing in it is new
    bool advances = false;    ///< its ACK is the highest so far
    bool new_window = false;  ///< the window is another one than the last
    std::size_t row = kNoRow;

    static constexpr std::size_t kNoRow = ~std::size_t{0};
    bool fin() const { return segment->flags.fin(); }
    u32 end() const { return seq + length + (fin() || kind == Kind::Syn ? 1 : 0); }
    u32 window() const {
        return segment->flags.syn() ? segment->wnd : u32{segment->wnd} << window_shift;
    }
    /// The IP packet, whole.
    Bytes packet() const {
        if (recorded == nullptr) return sent->packet();
        return recorded->whole.empty() ? recorded->packet() : Bytes(recorded->whole);
    }
};

std::vector<TcpItem> recorded_items(const TcpScript& script);
std::vector<TcpItem> sent_items(const TcpScript& script, const PlayedTcp& played);

/// Adds to `row` in what two segments differ that are taken for the same one.
void compare_fields(const TcpItem& recorded, const TcpItem& sent, CompareRow& row);

}  // namespace tapestry
