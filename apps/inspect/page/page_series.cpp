#include <map>
#include <tuple>

#include "apps/inspect/page/page_data.h"
#include "apps/inspect/timeline_events.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;
using Step = Timeline::Step;

/// One direction of a connection: what `end` sends, or where its peer is not part of the timeline also
/// what it gets. Numbers count from the initial one of the direction.
struct Series {
    u32 end = 0;
    bool sent = true;
    /// Rows. segments: time, first number, number behind the last, 0 new, 1 again, 2 lost.
    Json segments = Json::array();
    Json acks = Json::array();        ///< time, acknowledged up to, right edge of the window
    Json congestion = Json::array();  ///< time, cwnd, ssthresh, flight
    Json times = Json::array();       ///< time, SRTT, RTO
    std::tuple<u32, u32> ack{};
    std::tuple<u32, u32, u32> window{};
    std::tuple<i64, i64> time{};
};

/// A number that was not seen to begin counts from the first one that was.
class Bases {
public:
    u32 from(u32 end, bool sent, SeqNum start, SeqNum number) {
        if (start.value() == 0) start = bases_.try_emplace({end, sent}, number).first->second;
        return number - start;
    }

private:
    std::map<std::pair<u32, bool>, SeqNum> bases_;
};

class Collector {
public:
    explicit Collector(const Timeline& timeline) : timeline_(timeline) {
        for (u32 i = 0; i < timeline.ends.size(); ++i) {
            add(i, true);
            if (timeline.ends[i].peer == Timeline::kNone) add(i, false);
        }
        last_.resize(timeline.ends.size(), Timeline::kNone);
    }

    Json run() {
        for (const Step& step : timeline_.steps) {
            begin(step);
            segment(step);
            if (step.end == Timeline::kNone) continue;
            last_[step.end] = step.after;
            state(step);
        }
        Json all = Json::array();
        for (Series& s : series_) {
            all.push_back({{"end", s.end},
                           {"sent", s.sent},
                           {"segments", std::move(s.segments)},
                           {"acks", std::move(s.acks)},
                           {"congestion", std::move(s.congestion)},
                           {"times", std::move(s.times)}});
        }
        return all;
    }

private:
    using Key = std::tuple<u32, Endpoint, Endpoint>;

    void add(u32 end, bool sent) {
        at_[{end, sent}] = series_.size();
        series_.push_back({});
        series_.back().end = end;
        series_.back().sent = sent;
    }

    /// Ports are used again: a segment belongs to the last end of its addresses that has begun.
    void begin(const Step& step) {
        if (step.end == Timeline::kNone || last_[step.end] != Timeline::kNone) return;
        const Timeline::End& end = timeline_.ends[step.end];
        open_[{end.host, end.local, end.remote}] = step.end;
    }

    void segment(const Step& step) {
        const bool out = step.kind == Step::Kind::Sent;
        if (!out && step.kind != Step::Kind::Received) return;
        const auto packet = packet_of(timeline_, step);
        if (!packet || packet->end() == packet->segment.seq) return;
        const Segment& seg = packet->segment;
        const Key key{step.host, out ? seg.source : seg.destination,
                      out ? seg.destination : seg.source};
        const auto end = open_.find(key);
        if (end == open_.end()) return;
        const auto series = at_.find({end->second, out});
        if (series == at_.end()) return;
        const u32 state = last_[end->second];
        const SeqNum start = state == Timeline::kNone ? SeqNum()
                             : out                    ? timeline_.states[state].iss
                                                      : timeline_.states[state].irs;
        const u32 first = bases_.from(end->second, out, start, seg.seq);
        const Timeline::Frame& frame = timeline_.frames[step.frame];
        const int how = !frame.lost.empty() ? 2 : frame.again != Timeline::kNone ? 1 : 0;
        series_[series->second].segments.push_back(
            {step.time.count(), first, first + (packet->end() - seg.seq), how});
    }

    void state(const Step& step) {
        const TcpSnapshot& now = timeline_.states[step.after];
        if (now.state == TcpState::Listen || now.iss == SeqNum()) return;
        Series& out = series_[at_[{step.end, true}]];
        const i64 time = step.time.count();
        const u32 una = bases_.from(step.end, true, now.iss, now.snd_una);
        change(out.ack, {una, una + now.snd_wnd}, time, out.acks);
        if (now.state == TcpState::Closed) return;  // the last ACK counts, but nothing else is kept
        change(out.window, {now.cwnd, now.ssthresh, now.snd_nxt - now.snd_una}, time,
               out.congestion);
        change(out.time, {now.srtt.count(), now.rto.count()}, time, out.times);
        const auto got = at_.find({step.end, false});
        if (got == at_.end() || now.state == TcpState::SynSent) return;
        Series& in = series_[got->second];
        const u32 next = bases_.from(step.end, false, now.irs, now.rcv_nxt);
        change(in.ack, {next, next + now.rcv_wnd}, time, in.acks);
    }

    template <typename Values>
    static void change(Values& known, const Values& now, i64 time, Json& rows) {
        if (known == now && !rows.empty()) return;
        known = now;
        Json row = Json::array({time});
        std::apply([&](auto... value) { (row.push_back(value), ...); }, now);
        rows.push_back(std::move(row));
    }

    const Timeline& timeline_;
    std::vector<Series> series_;
    std::map<std::pair<u32, bool>, std::size_t> at_;
    std::map<Key, u32> open_;
    std::vector<u32> last_;  ///< the state of each end
    Bases bases_;
};

}  // namespace

Json page_series(const Timeline& timeline) { return Collector(timeline).run(); }

}  // namespace tapestry
