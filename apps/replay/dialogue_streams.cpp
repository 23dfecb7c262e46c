#include "apps/replay/dialogue_streams.h"

#include <algorithm>

#include "apps/failure.h"

/// Theory of operation. Each direction is a map of pieces that do not overlap; what was seen first
/// stays. Every piece remembers how much of the other direction its sender had acknowledged then. A
/// program writes in order, so that a byte was never written later than the ones behind it: a
/// retransmission whose original was lost before the capture's place is put right by that.
///
/// Turns are made by letting both directions run again: the side that speaks goes on for as long as it
/// had heard no more than has been said so far, then it is the other one's turn.

namespace tapestry {
namespace {

/// More than this of one direction may not be missing, bytes: it would be filled with zeros.
constexpr u64 kMostMissing = 16U << 20;

/// The offset whose lower 32 bits those are, nearest to one that is known.
i64 unwrapped(u32 number, u64 near) {
    const u32 low = static_cast<u32>(near);
    return static_cast<i64>(near) + static_cast<i32>(number - low);
}

}  // namespace

void DialogueStreams::segment(const ObservedSegment& segment, bool damaged) {
    has_bytes_ = has_bytes_ || segment.note.length > 0;
    seen_.push_back({.from = segment.from,
                     .flags = segment.note.flags,
                     .seq = segment.note.seq,
                     .ack = segment.note.ack,
                     .length = segment.note.length,
                     .frame = segment.number,
                     .time = segment.time,
                     .payload = {segment.payload.begin(), segment.payload.end()},
                     .damaged = damaged});
}

void DialogueStreams::take(const Seen& seen) {
    Way& ours = way(seen.from);
    Way& theirs = way(other(seen.from));
    // Relative numbers begin with the SYN: text with 1.
    const i64 at = unwrapped(seen.seq, ours.highest + 1) - (seen.flags.syn() ? 0 : 1);
    Item item{.frame = seen.frame, .time = seen.time};
    if (seen.ack) {
        const i64 heard = unwrapped(*seen.ack, theirs.highest + 1) - 1;
        item.heard = static_cast<u64>(std::max<i64>(heard, 0));
        if (item.heard > theirs.acknowledged && !seen.flags.rst()) {
            theirs.acknowledged = item.heard;
            theirs.acknowledging = item;
        }
    } else {
        item.heard = theirs.total(true);
    }
    if (seen.flags.rst()) {
        over_ = true;
        // When both have ended their streams no program hears of it.
        if (ours.fin && theirs.fin) return;
        ours.reset = item;
        ours.reset->ends = TurnEnd::Reset;
        return;
    }
    item.begin = static_cast<u64>(std::max<i64>(at, 0));
    // A keep-alive repeats the byte before the first one.
    const u64 before = item.begin - static_cast<u64>(at);
    if (seen.length < before) return;
    item.end = item.begin + seen.length - before;
    if (item.end > item.begin) {
        const Bytes captured = seen.payload;
        add_text(ours, item, captured.subspan(std::min<std::size_t>(before, captured.size())));
    }
    ours.highest = std::max(ours.highest, item.end);
    if (seen.flags.fin() && !ours.fin) {
        ours.fin = item;
        ours.fin->begin = item.end;
        ours.fin->ends = TurnEnd::Fin;
    }
}

/// Keeps what has not been seen yet.
void DialogueStreams::add_text(Way& ours, Item item, Bytes captured) {
    const u64 begin = item.begin;
    const u64 known = begin + std::min<u64>(captured.size(), item.end - begin);
    if (known < item.end) {
        ours.cut.push_back(item);
        ours.cut.back().begin = known;
    }
    u64 at = begin;
    auto next = ours.pieces.upper_bound(at);
    if (next != ours.pieces.begin()) at = std::max(at, std::prev(next)->second.first.end);
    while (at < known) {
        const u64 limit = next == ours.pieces.end() ? known : std::min(known, next->first);
        if (limit > at) {
            Item piece = item;
            piece.begin = at;
            piece.end = limit;
            const Bytes text = captured.subspan(at - begin, limit - at);
            ours.pieces.emplace(at, std::pair(piece, std::vector<u8>(text.begin(), text.end())));
        }
        if (next == ours.pieces.end()) break;
        at = std::max(at, next->second.first.end);
        ++next;
    }
}

void DialogueStreams::add_gap(Way& way, std::vector<Item>& items, u64 begin, u64 end) {
    if (begin >= end) return;
    // Who shows that there was something: the frame that the capture has cut, or else what comes behind
    // it, or acknowledges it.
    Item gap = way.acknowledging;
    if (const auto next = way.pieces.lower_bound(end); next != way.pieces.end()) {
        gap = next->second.first;
    } else if (way.fin) {
        gap = *way.fin;
    }
    const auto cut = std::ranges::find_if(
        way.cut, [&](const Item& c) { return c.begin < end && begin < c.end; });
    if (cut != way.cut.end()) gap = *cut;
    gap.begin = begin;
    gap.end = end;
    gap.known = false;
    gap.ends = TurnEnd::None;
    items.push_back(gap);
}

/// Everything of one direction in its order, holes too.
std::vector<DialogueStreams::Item> DialogueStreams::items_of(Way& way) {
    if (way.fin) {
        way.highest = way.fin->begin;  // nothing is behind a FIN, whatever else the capture shows
    } else {
        way.highest = std::max(way.highest, way.acknowledged);
    }
    std::vector<Item> items;
    u64 at = 0;
    for (const auto& [begin, piece] : way.pieces) {
        if (begin >= way.highest) break;
        add_gap(way, items, at, begin);
        items.push_back(piece.first);
        items.back().end = at = std::min(piece.first.end, way.highest);
    }
    add_gap(way, items, at, way.highest);
    if (way.fin) items.push_back(*way.fin);
    for (std::size_t i = items.size(); i-- > 1;) {
        items[i - 1].heard = std::min(items[i - 1].heard, items[i].heard);
        items[i - 1].time = std::min(items[i - 1].time, items[i].time);
    }
    if (way.reset) {
        items.push_back(*way.reset);
        items.back().begin = items.back().end = way.highest;
    }
    return items;
}

void DialogueStreams::take_bytes(Dialogue& dialogue, const std::string& what, Side side,
                                 const std::vector<Item>& items) {
    u64 missing = 0;
    for (const Item& item : items) missing += item.known ? 0 : item.end - item.begin;
    if (missing > kMostMissing) {
        throw Failure(kUsage, what + ": " + std::to_string(missing) + " bytes of the " +
                                  (side == Side::Client ? "client" : "server") +
                                  " are not in the capture");
    }
    std::vector<u8>& bytes = dialogue.bytes[static_cast<std::size_t>(side)];
    bytes.assign(way(side).highest, 0);
    for (auto& [begin, piece] : way(side).pieces) {
        if (begin >= bytes.size()) break;
        const std::size_t n = std::min<std::size_t>(piece.second.size(), bytes.size() - begin);
        std::copy_n(piece.second.begin(), n, bytes.begin() + static_cast<std::ptrdiff_t>(begin));
        std::vector<u8>().swap(piece.second);
    }
    for (const Item& item : items) {
        if (item.end == item.begin) continue;
        dialogue.pieces[static_cast<std::size_t>(side)].push_back(
            {item.begin, item.end, item.frame, item.time, item.known});
    }
}

void DialogueStreams::make_turns(Dialogue& dialogue, std::array<std::vector<Item>, 2>& items) {
    std::array<std::size_t, 2> next{};
    std::array<u64, 2> said{};
    TimePoint clock = dialogue.opened;
    const auto left = [&](std::size_t side) { return next[side] < items[side].size(); };
    const auto ready = [&](std::size_t side) {
        // Of what the capture does not show nobody can have heard.
        const u64 all = way(static_cast<Side>(1 - side)).total(true);
        return left(side) && std::min(items[side][next[side]].heard, all) <= said[1 - side];
    };
    while (left(0) || left(1)) {
        const bool both = left(0) && left(1);
        std::size_t side = left(0) ? 0 : 1;
        if (both && items[1][next[1]].time < items[0][next[0]].time) side = 1;
        const std::size_t speaker =
            dialogue.turns.empty() ? side : static_cast<std::size_t>(dialogue.turns.back().from);
        if (ready(speaker)) {
            side = speaker;
        } else if (ready(1 - speaker)) {
            side = 1 - speaker;
        }
        const Item& item = items[side][next[side]++];
        said[side] = item.end + (item.ends == TurnEnd::None ? 0 : 1);
        if (dialogue.turns.empty() || dialogue.turns.back().from != static_cast<Side>(side) ||
            dialogue.turns.back().ends != TurnEnd::None) {
            dialogue.turns.push_back({.from = static_cast<Side>(side),
                                      .begin = item.begin,
                                      .end = item.begin,
                                      .time = item.time,
                                      .last = item.time,
                                      .frame = item.frame});
        }
        Turn& turn = dialogue.turns.back();
        turn.end = item.end;
        turn.ends = item.ends;
        turn.last = std::max(turn.last, item.time);
        turn.longest_pause = std::max(turn.longest_pause, item.time - clock);
        clock = std::max(clock, item.time);
    }
}

void DialogueStreams::finish(Dialogue& dialogue, const std::string& what) {
    std::array<i64, 2> balance{};
    for (const Seen& seen : seen_)
        balance[static_cast<std::size_t>(seen.from)] += seen.damaged ? -1 : 1;
    for (Seen& seen : seen_) {
        if (over_) break;
        if (!seen.damaged || balance[static_cast<std::size_t>(seen.from)] < 0) take(seen);
        std::vector<u8>().swap(seen.payload);  // there is a copy now, and captures are long
    }
    seen_ = {};
    std::array<std::vector<Item>, 2> items{items_of(ways_[0]), items_of(ways_[1])};
    take_bytes(dialogue, what, Side::Client, items[0]);
    take_bytes(dialogue, what, Side::Server, items[1]);
    if (ways_[0].highest + ways_[1].highest == 0) {
        throw Failure(kUsage, what + " has no application bytes");
    }
    make_turns(dialogue, items);
}

}  // namespace tapestry
