// Which segment of ours stands for which recorded one. First those whose place is fixed by their numbers
// (SYN, text, FIN), then what is sent again, resets and probes in their order, acknowledgments last:
// whoever has no partner must have been said in another way, or the two have diverged.

#include <algorithm>

#include "apps/replay/tcp_items.h"

namespace tapestry {
namespace {

using Kind = TcpItem::Kind;
using Items = std::vector<TcpItem>;

/// RFC 9293 3.8.6.3, MUST-40: "the delay MUST be less than 0.5 seconds".
constexpr Duration kAckLimit = 500ms;

/// What a list of items covers of the sequence space, and who.
class Coverage {
public:
    explicit Coverage(const Items& items) {
        for (const TcpItem& item : items) {
            if (item.kind != Kind::Text && item.kind != Kind::Probe) continue;
            if (item.end() > item.seq) pieces_.emplace(item.seq, &item);
            longest_ = std::max(longest_, item.end() - item.seq);
        }
    }
    /// Every number of the item is in another one, with the same bytes.
    bool has(const TcpItem& item) const {
        u32 at = item.seq;
        for (auto i = pieces_.lower_bound(item.seq - std::min(item.seq, longest_));
             i != pieces_.end() && i->first <= at && at < item.end(); ++i) {
            const TcpItem& piece = *i->second;
            if (piece.end() <= at) continue;
            if (!same_bytes(item, piece)) return false;
            at = piece.end();
        }
        return at >= item.end();
    }

private:
    static bool same_bytes(const TcpItem& a, const TcpItem& b) {
        const u32 from = std::max(a.seq, b.seq);
        const u32 to = std::min(a.seq + known(a), b.seq + known(b));
        if (from >= to) return true;
        const Bytes x = a.segment->payload.subspan(from - a.seq, to - from);
        const Bytes y = b.segment->payload.subspan(from - b.seq, to - from);
        return std::equal(x.begin(), x.end(), y.begin());
    }
    static u32 known(const TcpItem& item) {
        const u32 cut = item.recorded != nullptr ? item.recorded->cut : 0;
        return item.length - std::min(cut, item.length);
    }

    std::multimap<u32, const TcpItem*> pieces_;
    u32 longest_ = 0;
};

/// When a number was acknowledged first.
class AckTimes {
public:
    explicit AckTimes(const Items& items) {
        for (const TcpItem& item : items) {
            if (item.advances) times_.emplace(item.ack, item.time);
        }
    }
    std::optional<TimePoint> of(u32 ack) const {
        const auto found = times_.lower_bound(ack);
        if (found == times_.end()) return std::nullopt;
        return found->second;
    }

private:
    std::map<u32, TimePoint> times_;
};

class TcpComparer {
public:
    TcpComparer(const TcpScript& script, const PlayedTcp& played)
        : played_(played), recorded_(recorded_items(script)), sent_(sent_items(script, played)) {
        for (const RecordedFrame* frame : script.theirs) {
            if (frame->segment->flags.rst()) continue;
            const SeqNum end = frame->segment->end();
            came_to_ = std::max(came_to_, static_cast<u32>(end - script.their_isn));
        }
        for (std::size_t i = 0; i < recorded_.size(); ++i) {
            CompareRow row;
            row.recorded = recorded_[i].recorded;
            row.time = recorded_[i].time;
            if (i < played.states_at.size()) row.state = played.states_at[i];
            recorded_[i].row = rows_.size();
            rows_.push_back(row);
        }
    }

    CompareRows run() {
        pair_in_order([](const TcpItem& i) { return i.kind == Kind::Syn && !i.again; });
        pair_text();
        pair_repetitions();
        pair_in_order([](const TcpItem& i) { return i.kind == Kind::Reset; });
        pair_in_order([](const TcpItem& i) { return i.kind == Kind::Probe; });
        pair_acks();
        for (TcpItem& item : sent_) {
            if (item.row == TcpItem::kNoRow) add_row(item);
        }
        judge_the_rest();
        judge_acknowledgments();
        std::stable_sort(rows_.begin(), rows_.end(),
                         [](const CompareRow& a, const CompareRow& b) { return a.time < b.time; });
        return std::move(rows_);
    }

private:
    CompareRow& row(const TcpItem& item) { return rows_[item.row]; }
    bool free(const TcpItem& item) const {
        return item.recorded != nullptr ? rows_[item.row].sent == nullptr
                                        : item.row == TcpItem::kNoRow;
    }
    void add_row(TcpItem& item) {
        CompareRow row;
        row.sent = item.sent;
        row.time = item.time;
        row.state = item.sent->state;
        item.row = rows_.size();
        rows_.push_back(row);
    }
    void pair(TcpItem& recorded, TcpItem& sent) {
        sent.row = recorded.row;
        row(recorded).sent = sent.sent;
        compare_fields(recorded, sent, row(recorded));
    }
    void wrong(const TcpItem& item, const std::string& what, std::string_view rfc) {
        CompareRow& r = row(item);
        if (r.wrong) return;
        r.wrong = true;
        r.what = what;
        r.rfc = rfc;
    }

    template <typename Predicate>
    void pair_in_order(Predicate predicate) {
        auto next = sent_.begin();
        for (TcpItem& item : recorded_) {
            if (!predicate(item) || !free(item)) continue;
            next = std::find_if(next, sent_.end(),
                                [&](const TcpItem& i) { return predicate(i) && free(i); });
            if (next == sent_.end()) return;
            pair(item, *next++);
        }
    }

    /// New text and the FIN: the same numbers.
    void pair_text() {
        std::map<std::pair<u32, u32>, TcpItem*> places;
        for (TcpItem& item : sent_) {
            if (item.kind == Kind::Text && !item.again)
                places.emplace(std::pair(item.seq, item.end()), &item);
        }
        for (TcpItem& item : recorded_) {
            if (item.kind != Kind::Text || item.again) continue;
            const auto found = places.find({item.seq, item.end()});
            if (found != places.end() && free(*found->second)) pair(item, *found->second);
        }
    }

    /// What is sent again, each time with the same numbers.
    void pair_repetitions() {
        std::map<std::tuple<Kind, u32, u32>, std::deque<TcpItem*>> places;
        std::map<std::tuple<Kind, u32, u32>, TimePoint> first;
        const auto key = [](const TcpItem& i) { return std::tuple(i.kind, i.seq, i.end()); };
        const auto repeats = [](const TcpItem& i) {
            return i.again && (i.kind == Kind::Syn || i.kind == Kind::Text);
        };
        for (TcpItem& item : sent_) {
            if (repeats(item)) places[key(item)].push_back(&item);
        }
        for (TcpItem& item : recorded_) {
            first.emplace(key(item), item.time);
            if (!repeats(item)) continue;
            auto& same = places[key(item)];
            if (same.empty()) continue;
            pair(item, *same.front());
            if (!about_same_wait(item.time - first[key(item)], same.front()->time - item.time)) {
                row(item).rules.add(Leeway::Recovery);
            }
            same.pop_front();
        }
    }
    /// Timeouts differ by granularities and the variance of the RTT.
    static bool about_same_wait(Duration wait, Duration late) {
        return std::max(late, -late) <= std::max<Duration>(5ms, wait / 4);
    }

    /// Mere ACKs with the same number: the first of each, then those that say it again.
    void pair_acks() {
        for (const bool advances : {true, false}) {
            std::map<std::pair<u32, bool>, std::deque<TcpItem*>> places;
            const auto key = [&](const TcpItem& i) {
                return std::pair(i.ack, !advances && i.new_window);
            };
            for (TcpItem& item : sent_) {
                if (item.kind == Kind::Ack && item.advances == advances)
                    places[key(item)].push_back(&item);
            }
            for (TcpItem& item : recorded_) {
                if (item.kind != Kind::Ack || item.advances != advances) continue;
                auto& same = places[key(item)];
                if (same.empty()) continue;
                pair(item, *same.front());
                same.pop_front();
            }
        }
    }

    /// Segments that only one of the two has sent.
    void judge_the_rest() {
        const Coverage recorded(recorded_);
        const Coverage sent(sent_);
        for (const TcpItem& item : recorded_) {
            if (row(item).sent == nullptr) judge_alone(item, sent);
        }
        for (const TcpItem& item : sent_) {
            if (row(item).recorded == nullptr) judge_alone(item, recorded);
        }
    }

    void judge_alone(const TcpItem& item, const Coverage& other) {
        LeewaySet& rules = row(item).rules;
        const bool ours = item.sent != nullptr;
        switch (item.kind) {
            case Kind::Syn:
                if (item.again) return rules.add(Leeway::Recovery);
                return wrong(item, ours ? "a SYN of ours only" : "no such SYN of ours",
                             "RFC 9293 3.5");
            case Kind::Text:
                if (item.again) return rules.add(Leeway::Recovery);
                if (other.has(item) || (ours && played_.made_up_ours > 0)) {
                    return rules.add(Leeway::Segmentation);
                }
                return wrong(item, ours ? "sent by us only" : "never sent by us", "RFC 9293 3.7");
            case Kind::Reset:
                if (!ours && played_.error == Errno::TimedOut) {
                    return rules.add(Leeway::ResetAtDeath);
                }
                return wrong(item, ours ? "a reset of ours only" : "no such reset of ours",
                             "RFC 9293 3.5.2");
            case Kind::Probe:
                return rules.add(Leeway::ProbeTiming);
            case Kind::Ack:
                if (item.advances) return;  // judge_acknowledgments()
                return rules.add(item.new_window ? Leeway::WindowUpdate : Leeway::RepeatedAck);
        }
    }

    /// What is acknowledged: not later than the RFC allows, and nothing that the other did not.
    void judge_acknowledgments() {
        const AckTimes recorded(recorded_);
        const AckTimes sent(sent_);
        for (const TcpItem& item : recorded_) {
            if (!item.advances || item.kind == Kind::Reset) continue;
            const auto when = sent.of(item.ack);
            if (!when || *when - item.time > kAckLimit) {
                wrong(item, when ? "acknowledged more than 500 ms later" : "never acknowledged",
                      "RFC 9293 3.8.6.3");
            } else if (row(item).sent == nullptr) {
                row(item).rules.add(Leeway::AckCoalesced);
            }
        }
        for (const TcpItem& item : sent_) {
            if (!item.advances || item.kind == Kind::Reset) continue;
            const auto when = recorded.of(item.ack);
            const bool came = item.ack <= came_to_;
            if (!when && came && item.time + kAckLimit > played_.end) {
                row(item).rules.add(Leeway::AckTiming);  // the recording ends before the host's own
            } else if (!when || *when - item.time > kAckLimit) {
                wrong(item, came ? "acknowledged by us only" : "acknowledges what never came",
                      "RFC 9293 3.8.6.3");
            } else if (row(item).recorded == nullptr) {
                row(item).rules.add(Leeway::AckCoalesced);
            }
        }
    }

    const PlayedTcp& played_;
    u32 came_to_ = 0;  ///< the highest number that the peer has sent
    Items recorded_, sent_;
    CompareRows rows_;
};

}  // namespace

CompareRows compare_tcp(const TcpScript& script, const PlayedTcp& played) {
    return TcpComparer(script, played).run();
}

}  // namespace tapestry
