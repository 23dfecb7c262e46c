#include "apps/replay/tcp_items.h"

#include <algorithm>

namespace tapestry {
namespace {

using Kind = TcpItem::Kind;

/// The right edge of the window that the other side had offered by some time.
class OfferedEdge {
public:
    explicit OfferedEdge(const TcpScript& script) : script_(script) {}

    /// Times must not go back.
    std::optional<SeqNum> by(TimePoint time) {
        for (; next_ < script_.theirs.size() && script_.host_time(*script_.theirs[next_]) <= time;
             ++next_) {
            const Segment& seg = *script_.theirs[next_]->segment;
            if (!seg.flags.ack()) continue;
            const u8 shift = seg.flags.syn() ? u8{0} : script_.their_shift;
            const SeqNum there = seg.ack + (u32{seg.wnd} << shift);
            edge_ = edge_ ? later(*edge_, there) : there;
        }
        return edge_;
    }

private:
    const TcpScript& script_;
    std::size_t next_ = 0;
    std::optional<SeqNum> edge_;
};

/// Sorts the segments of one sender, in their order.
class Sorter {
public:
    Sorter(const TcpScript& script, u8 window_shift)
        : script_(script), edge_(script), window_shift_(window_shift) {}

    TcpItem item(const Segment& seg, TimePoint time) {
        TcpItem item;
        item.segment = &seg;
        item.time = time;
        item.seq = static_cast<u32>(seg.seq - script_.our_isn);
        item.length = static_cast<u32>(seg.payload.size());
        item.window_shift = window_shift_;
        if (seg.flags.ack()) item.ack = static_cast<u32>(seg.ack - script_.their_isn);
        item.kind = kind(item);
        const bool reset = item.kind == Kind::Reset;
        item.again = !reset && item.end() > item.seq && item.end() <= next_;
        if (!reset) next_ = std::max(next_, item.end());
        // A number of 0 is the peer's SYN's own: nothing was acknowledged yet.
        if (seg.flags.ack() && item.ack > highest_ack_) {
            item.advances = true;
            highest_ack_ = item.ack;
        }
        item.new_window = seg.wnd != window_;
        window_ = seg.wnd;
        return item;
    }

private:
    Kind kind(const TcpItem& item) {
        const Segment& seg = *item.segment;
        if (seg.flags.rst()) return Kind::Reset;
        if (seg.flags.syn()) return Kind::Syn;
        if (item.length == 0 && !seg.flags.fin()) {
            return next_ > 0 && item.seq == next_ - 1 ? Kind::Probe : Kind::Ack;
        }
        const auto edge = edge_.by(item.time);
        const bool beyond = item.length == 1 && edge && !seg.seq.before(*edge);
        return beyond ? Kind::Probe : Kind::Text;
    }

    const TcpScript& script_;
    OfferedEdge edge_;
    u8 window_shift_;
    u32 next_ = 0;
    u32 highest_ack_ = 0;
    u32 window_ = 0;
};

}  // namespace

std::vector<TcpItem> recorded_items(const TcpScript& script) {
    const bool both = script.our_syn != nullptr && script.their_syn != nullptr &&
                      script.their_syn->options.window_scale;
    Sorter sorter(script, both ? window_shift(*script.our_syn) : u8{0});
    std::vector<TcpItem> items;
    for (const RecordedFrame* frame : script.ours) {
        items.push_back(sorter.item(*frame->segment, script.host_time(*frame)));
        items.back().recorded = frame;
    }
    return items;
}

std::vector<TcpItem> sent_items(const TcpScript& script, const PlayedTcp& played) {
    u8 shift = 0;
    const bool both = script.their_syn != nullptr && script.their_syn->options.window_scale;
    for (const SentFrame& frame : played.sent) {
        if (both && frame.segment->flags.syn()) {
            shift = window_shift(*frame.segment);
        }
    }
    Sorter sorter(script, shift);
    std::vector<TcpItem> items;
    for (const SentFrame& frame : played.sent) {
        items.push_back(sorter.item(*frame.segment, frame.time));
        items.back().sent = &frame;
    }
    return items;
}

}  // namespace tapestry
