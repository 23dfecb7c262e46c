#include "tests/support/capture_compare.h"

#include <algorithm>

#include "stack/trace/notation.h"

namespace tapestry::test {
namespace {

enum class Kind : u8 { Syn, Text, Reset, Probe, Ack };

/// A segment as it is compared; numbers are relative to the ISNs.
struct Item {
    Kind kind = Kind::Ack;
    const TimedSegment* segment = nullptr;
    u32 seq = 0;
    u32 length = 0;  ///< of the text
    u32 ack = 0;
    bool again = false;     ///< nothing in it is new
    bool advances = false;  ///< its ACK is the highest so far
    TimePoint time() const { return segment->time; }
    bool fin() const { return segment->segment.flags.fin(); }
    u32 end() const { return seq + length + (fin() || kind == Kind::Syn ? 1 : 0); }
};

constexpr Duration kAckLimit = 500ms;  // RFC 9293 3.8.6.3, MUST-40

class Comparer {
public:
    explicit Comparer(const CaptureReplay& replay)
        : replay_(replay), recorded_(items(replay.recorded())), sent_(items(replay.sent())) {}

    Comparison run() {
        compare_syns();
        compare_text();
        compare_repetitions();
        compare_resets();
        compare_probes();
        compare_acks();
        compare_repeated_acks();
        result_.recorded_ending = ending_of(replay_, replay_.recorded());
        result_.ending = ending_of(replay_, replay_.sent());
        result_.history = history_of(replay_);
        return std::move(result_);
    }

private:
    using Items = std::vector<Item>;
    using Pointers = std::vector<const Item*>;

    Items items(const std::vector<TimedSegment>& segments) const {
        Items list;
        u32 next = 0;
        std::optional<u32> highest_ack;
        for (const TimedSegment& s : segments) {
            Item item = item_of(s, next);
            item.again = item.kind != Kind::Reset && item.end() > item.seq && item.end() <= next;
            next = std::max(next, item.kind == Kind::Reset ? next : item.end());
            if (s.segment.flags.ack() && (!highest_ack || item.ack > *highest_ack)) {
                item.advances = true;
                highest_ack = item.ack;
            }
            list.push_back(item);
        }
        return list;
    }

    Item item_of(const TimedSegment& s, u32 next) const {
        const Segment& seg = s.segment;
        Item item;
        item.segment = &s;
        item.seq = static_cast<u32>(seg.seq - replay_.our_isn());
        item.length = static_cast<u32>(seg.payload.size());
        if (seg.flags.ack()) item.ack = static_cast<u32>(seg.ack - replay_.their_isn());
        if (seg.flags.rst()) {
            item.kind = Kind::Reset;
        } else if (seg.flags.syn()) {
            item.kind = Kind::Syn;
        } else if (item.length == 0 && !seg.flags.fin()) {
            item.kind = next > 0 && item.seq == next - 1 ? Kind::Probe : Kind::Ack;
        } else {
            item.kind = item.length == 1 && beyond_window(seg, s.time) ? Kind::Probe : Kind::Text;
        }
        return item;
    }

    /// The window that the other side had offered by then does not cover the segment.
    bool beyond_window(const Segment& seg, TimePoint time) const {
        u8 shift = 0;
        std::optional<SeqNum> edge;
        for (const TimedSegment& t : replay_.theirs()) {
            if (t.time > time) break;
            const Segment& theirs = t.segment;
            if (theirs.flags.syn()) shift = theirs.options.window_scale.value_or(0);
            if (!theirs.flags.ack()) continue;
            const SeqNum there = theirs.ack + (u32{theirs.wnd} << (theirs.flags.syn() ? 0 : shift));
            edge = edge ? later(*edge, there) : there;
        }
        return edge && !seg.seq.before(*edge);
    }

    template <typename Predicate>
    static Pointers select(const Items& list, Predicate predicate) {
        Pointers chosen;
        for (const Item& item : list) {
            if (predicate(item)) chosen.push_back(&item);
        }
        return chosen;
    }

    void differ(Leeway rule, const std::string& what) {
        result_.differences.push_back({rule, what});
    }
    std::string line(const Item& item) const {
        const Segment& seg = item.segment->segment;
        return to_string(note_of(seg, replay_.our_isn(), replay_.their_isn()));
    }
    std::string both(const Item& theirs, const Item& ours) const {
        return "recorded \"" + line(theirs) + "\", sent \"" + line(ours) + "\"";
    }

    void compare_syns() {
        const auto fresh_syn = [](const Item& i) { return i.kind == Kind::Syn && !i.again; };
        const Pointers theirs = select(recorded_, fresh_syn);
        const Pointers ours = select(sent_, fresh_syn);
        if (theirs.size() != ours.size()) {
            differ(Leeway::None, "recorded " + std::to_string(theirs.size()) + " SYNs, sent " +
                                     std::to_string(ours.size()));
        }
        for (std::size_t i = 0; i < std::min(theirs.size(), ours.size()); ++i) {
            compare_syn(*theirs[i], *ours[i]);
        }
    }
    void compare_syn(const Item& theirs, const Item& ours) {
        const Segment& a = theirs.segment->segment;
        const Segment& b = ours.segment->segment;
        const auto sets_differ = [](const auto& x, const auto& y) {
            return x.has_value() != y.has_value();
        };
        if (theirs.seq != ours.seq || theirs.ack != ours.ack || a.flags != b.flags ||
            a.options.mss != b.options.mss ||
            sets_differ(a.options.timestamps, b.options.timestamps) ||
            sets_differ(a.options.window_scale, b.options.window_scale)) {
            differ(Leeway::None, both(theirs, ours));
        }
        if (a.options.sack_permitted && !b.options.sack_permitted) {
            differ(Leeway::SackNotOffered, both(theirs, ours));
        }
    }

    /// New text and the FIN: the stream, its boundaries, and what else is in these segments.
    void compare_text() {
        const auto fresh_text = [](const Item& i) { return i.kind == Kind::Text && !i.again; };
        const Pointers theirs = select(recorded_, fresh_text);
        const Pointers ours = select(sent_, fresh_text);
        const auto recorded = stream_of(replay_.recorded(), replay_.our_isn());
        const auto sent = stream_of(replay_.sent(), replay_.our_isn());
        if (recorded != sent) {
            differ(Leeway::None, "the byte streams differ: recorded " +
                                     std::to_string(recorded.size()) + " bytes, sent " +
                                     std::to_string(sent.size()));
        }
        if (fin_at(recorded_) != fin_at(sent_)) differ(Leeway::None, "the FIN is not in its place");
        for (const Item* a : theirs) {
            const auto same = std::find_if(ours.begin(), ours.end(), [&](const Item* b) {
                return b->seq == a->seq && b->end() == a->end();
            });
            if (same == ours.end()) {
                differ(Leeway::Segmentation, "recorded \"" + line(*a) + "\", not sent as such");
            } else {
                compare_text_segment(*a, **same);
            }
        }
    }
    void compare_text_segment(const Item& a, const Item& b) {
        const TcpFlags flags_a = a.segment->segment.flags;
        const TcpFlags flags_b = b.segment->segment.flags;
        const u8 changed = flags_a.bits ^ flags_b.bits;
        if ((changed & TcpFlags::kPsh) != 0) differ(Leeway::Push, both(a, b));
        if ((changed & ~TcpFlags::kPsh) != 0) differ(Leeway::None, both(a, b));
        if (a.ack != b.ack) differ(Leeway::AckOnText, both(a, b));
        if (b.time() - a.time() > 10ms) differ(Leeway::SentLater, both(a, b));
        if (a.time() - b.time() > 10ms) differ(Leeway::SentEarlier, both(a, b));
        if (a.segment->segment.options.timestamps.has_value() !=
            b.segment->segment.options.timestamps.has_value()) {
            differ(Leeway::None, "timestamps in only one: " + both(a, b));
        }
    }
    static std::optional<u32> fin_at(const Items& list) {
        for (const Item& item : list) {
            if (item.fin()) return item.end();
        }
        return std::nullopt;
    }

    void compare_repetitions() {
        const auto repeated = [](const Item& i) {
            return i.again && (i.kind == Kind::Syn || i.kind == Kind::Text);
        };
        const Pointers theirs = select(recorded_, repeated);
        const Pointers ours = select(sent_, repeated);
        for (std::size_t i = 0; i < std::max(theirs.size(), ours.size()); ++i) {
            if (i >= theirs.size()) {
                differ(Leeway::Recovery, "sent again by us only: \"" + line(*ours[i]) + "\"");
            } else if (i >= ours.size()) {
                differ(Leeway::Recovery, "sent again by Linux only: \"" + line(*theirs[i]) + "\"");
            } else if (theirs[i]->seq != ours[i]->seq || theirs[i]->end() != ours[i]->end()) {
                differ(Leeway::Recovery, "again: " + both(*theirs[i], *ours[i]));
            } else if (!about_same_wait(*theirs[i], *ours[i])) {
                differ(Leeway::Recovery, "again at another time: " + both(*theirs[i], *ours[i]));
            }
        }
    }
    /// Counted from the first sending; timeouts differ by granularities and the variance of the RTT.
    bool about_same_wait(const Item& a, const Item& b) const {
        const auto first = std::find_if(recorded_.begin(), recorded_.end(), [&](const Item& i) {
            return i.kind == a.kind && i.seq == a.seq;
        });
        const Duration wait = a.time() - first->time();
        const Duration apart = a.time() > b.time() ? a.time() - b.time() : b.time() - a.time();
        return apart <= std::max<Duration>(5ms, wait / 4);
    }

    void compare_resets() {
        const auto is_reset = [](const Item& i) { return i.kind == Kind::Reset; };
        const Pointers theirs = select(recorded_, is_reset);
        const Pointers ours = select(sent_, is_reset);
        if (theirs.size() != ours.size()) {
            const bool given_up = replay_.error() == Errno::TimedOut && ours.empty();
            differ(given_up ? Leeway::ResetAtDeath : Leeway::None,
                   "recorded " + std::to_string(theirs.size()) + " resets, sent " +
                       std::to_string(ours.size()));
        }
        for (std::size_t i = 0; i < std::min(theirs.size(), ours.size()); ++i) {
            if (theirs[i]->seq != ours[i]->seq || theirs[i]->ack != ours[i]->ack ||
                theirs[i]->segment->segment.flags != ours[i]->segment->segment.flags) {
                differ(Leeway::ResetForm, both(*theirs[i], *ours[i]));
            }
        }
    }

    void compare_probes() {
        const auto is_probe = [](const Item& i) { return i.kind == Kind::Probe; };
        const Pointers theirs = select(recorded_, is_probe);
        const Pointers ours = select(sent_, is_probe);
        if (theirs.size() != ours.size()) {
            differ(Leeway::ProbeTiming, "recorded " + std::to_string(theirs.size()) +
                                            " probes, sent " + std::to_string(ours.size()));
        }
        for (std::size_t i = 0; i < std::min(theirs.size(), ours.size()); ++i) {
            if (theirs[i]->length != ours[i]->length) {
                differ(Leeway::ProbeForm, both(*theirs[i], *ours[i]));
            } else if (theirs[i]->seq != ours[i]->seq || theirs[i]->ack != ours[i]->ack) {
                differ(Leeway::None, both(*theirs[i], *ours[i]));
            }
            const Duration apart = theirs[i]->time() - ours[i]->time();
            if (apart > 100ms || apart < -100ms) {
                differ(Leeway::ProbeTiming, both(*theirs[i], *ours[i]));
            }
        }
    }

    /// Acknowledgments of something new: ours must not come later than the RFC allows, and must not say
    /// what the recorded host did not say.
    void compare_acks() {
        for (const Item& a : recorded_) {
            if (!a.advances || a.kind == Kind::Reset) continue;
            const Item* ours = first_covering(sent_, a.ack);
            if (ours == nullptr || ours->time() - a.time() > kAckLimit) {
                differ(Leeway::None, "acknowledged too late, or never: \"" + line(a) + "\"");
            } else if (ours->ack != a.ack) {
                differ(Leeway::AckCoalesced, both(a, *ours));
            }
        }
        for (const Item& b : sent_) {
            if (!b.advances || b.kind == Kind::Reset) continue;
            const Item* theirs = first_covering(recorded_, b.ack);
            if (theirs == nullptr || theirs->time() - b.time() > kAckLimit) {
                differ(Leeway::None, "acknowledged by us only: \"" + line(b) + "\"");
            }
        }
    }
    static const Item* first_covering(const Items& list, u32 ack) {
        for (const Item& item : list) {
            if (item.segment->segment.flags.ack() && item.ack >= ack) return &item;
        }
        return nullptr;
    }

    /// ACKs that say again what was said: duplicates, answers to probes, window updates.
    void compare_repeated_acks() {
        const auto theirs = repeated_acks(recorded_);
        const auto ours = repeated_acks(sent_);
        std::map<std::pair<u32, bool>, int> balance;
        for (const auto& key : theirs) ++balance[key];
        for (const auto& key : ours) --balance[key];
        for (const auto& [key, count] : balance) {
            if (count == 0) continue;
            if (count == 1 && !key.second && held_ack_back(key.first)) {
                differ(Leeway::AckCoalesced, "our delayed ACK " + std::to_string(key.first) +
                                                 " left with the first duplicate");
                continue;
            }
            differ(key.second ? Leeway::WindowUpdate : Leeway::RepeatedAck,
                   "ACK " + std::to_string(key.first) + ": " + std::to_string(std::abs(count)) +
                       (count > 0 ? " more by Linux" : " more by us"));
        }
    }
    /// Linux acknowledged this at once and again when a segment was missing; we had not yet when that was
    /// found, so that one ACK does for both.
    bool held_ack_back(u32 ack) const {
        const Item* theirs = first_covering(recorded_, ack);
        const Item* ours = first_covering(sent_, ack);
        return theirs != nullptr && ours != nullptr && ours->ack == ack &&
               ours->time() > theirs->time();
    }
    /// The acknowledged number, and whether the window was another one.
    static std::vector<std::pair<u32, bool>> repeated_acks(const Items& list) {
        std::vector<std::pair<u32, bool>> found;
        u32 window = 0;
        for (const Item& item : list) {
            const Segment& seg = item.segment->segment;
            if (item.kind == Kind::Ack && !item.advances) {
                found.emplace_back(item.ack, seg.wnd != window);
            }
            window = seg.wnd;
        }
        return found;
    }

    const CaptureReplay& replay_;
    Items recorded_, sent_;
    Comparison result_;
};

}  // namespace

std::set<Leeway> Comparison::rules() const {
    std::set<Leeway> all;
    for (const Difference& d : differences) all.insert(d.rule);
    return all;
}

std::string Comparison::unexplained(const std::set<Leeway>& allowed) const {
    std::string text;
    for (const Difference& d : differences) {
        if (!allowed.contains(d.rule)) text += std::string(name(d.rule)) + ": " + d.what + "\n";
    }
    return text;
}

Comparison compare(const CaptureReplay& replay) { return Comparer(replay).run(); }

}  // namespace tapestry::test
