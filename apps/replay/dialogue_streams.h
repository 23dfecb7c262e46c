#pragma once

#include <map>

#include "apps/replay/dialogue.h"

namespace tapestry {

/// Puts the segments of one conversation together: each byte once, as it was first seen, whatever was
/// sent again, came late or was cut by the capture's snapshot length.
class DialogueStreams {
public:
    /// `damaged`: its checksum is wrong. Its receiver has thrown it away then, and so do we; unless most
    /// of its direction are so: then it is the capture's fault.
    void segment(const ObservedSegment& segment, bool damaged);
    /// A byte that an application wrote has been seen.
    bool has_bytes() const { return has_bytes_; }
    /// What has been seen, as turns. `dialogue` has its number and its ends. Throws Failure(kUsage)
    /// when nothing was said, or more is missing than can be left open; `what` names the stream.
    void finish(Dialogue& dialogue, const std::string& what);

private:
    struct Seen {
        Side from;
        TcpFlags flags;
        u32 seq;
        std::optional<u32> ack;
        u32 length;
        u64 frame;
        TimePoint time;
        std::vector<u8> payload;
        bool damaged;
    };
    /// A part of one direction as it was sent, or its end.
    struct Item {
        u64 begin = 0;
        u64 end = 0;
        u64 heard = 0;  ///< of the other direction, when this was sent
        u64 frame = 0;
        TimePoint time{};
        bool known = true;
        TurnEnd ends = TurnEnd::None;
    };
    struct Way {
        std::map<u64, std::pair<Item, std::vector<u8>>> pieces;  ///< by begin; none overlap
        std::vector<Item> cut;  ///< what was on the wire, but not kept by the capture
        u64 highest = 0;        ///< behind the last byte on the wire
        u64 acknowledged = 0;   ///< by the other side
        Item acknowledging;     ///< ... here
        std::optional<Item> fin;
        std::optional<Item> reset;
        u64 total(bool with_end) const { return highest + (with_end && fin ? 1 : 0); }
    };
    Way& way(Side side) { return ways_[static_cast<std::size_t>(side)]; }

    void take(const Seen& seen);
    void add_text(Way& ours, Item item, Bytes captured);
    static void add_gap(Way& way, std::vector<Item>& items, u64 begin, u64 end);
    static std::vector<Item> items_of(Way& way);
    void take_bytes(Dialogue& dialogue, const std::string& what, Side side,
                    const std::vector<Item>& items);
    void make_turns(Dialogue& dialogue, std::array<std::vector<Item>, 2>& items);

    std::vector<Seen> seen_;
    std::array<Way, 2> ways_;  ///< by Side
    bool has_bytes_ = false;
    bool over_ = false;  ///< a reset has ended it
};

}  // namespace tapestry
