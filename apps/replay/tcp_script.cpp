#include "apps/replay/tcp_script.h"

#include <algorithm>
#include <deque>
#include <map>

namespace tapestry {
namespace {

bool has_syn(const RecordedFrame* frame) { return frame->segment->flags.syn(); }

const Segment* first_syn(const std::vector<const RecordedFrame*>& frames) {
    const auto found = std::find_if(frames.begin(), frames.end(), has_syn);
    return found == frames.end() ? nullptr : &*(*found)->segment;
}

/// Who opened it, and where the numbers begin. Without SYNs the first numbers are taken for the second.
void find_opening(TcpScript& script) {
    script.our_syn = first_syn(script.ours);
    script.their_syn = first_syn(script.theirs);
    script.active = script.our_syn != nullptr && !script.our_syn->flags.ack();
    script.silent = script.ours.empty();
    script.refuses = !script.silent && script.our_syn == nullptr &&
                     std::all_of(script.ours.begin(), script.ours.end(),
                                 [](const auto* frame) { return frame->segment->flags.rst(); });
    script.mid_stream = !script.silent && !script.refuses && script.our_syn == nullptr;
    const auto number = [](const std::vector<const RecordedFrame*>& own,
                           const std::vector<const RecordedFrame*>& other, const Segment* syn) {
        if (syn != nullptr) return syn->seq;
        if (!own.empty()) return own.front()->segment->seq - 1U;
        return other.empty() ? SeqNum(0) : other.front()->segment->ack - 1U;
    };
    script.our_isn = number(script.ours, script.theirs, script.our_syn);
    script.their_isn = number(script.theirs, script.ours, script.their_syn);
}

/// Segments with an old number and no text, or one octet, when everything is acknowledged and the window
/// open: what RFC 9293 3.8.4 calls keep-alive.
class KeepAliveFinder {
public:
    explicit KeepAliveFinder(TcpScript& script) : script_(script), next_(script.our_isn + 1U) {}

    void look() {
        for (const RecordedFrame* frame : script_.frames) {
            frame->ours ? note_ours(*frame) : note_theirs(*frame);
        }
        if (!first_) return;
        script_.socket.keep_alive = true;
        script_.socket.keep_idle = *first_;
        script_.socket.keep_interval = interval_.value_or(*first_);
        script_.socket.keep_count = dead_after_ > 0 ? dead_after_ : 9;
        script_.dies_of_silence = dead_after_ > 0;
    }

private:
    void note_ours(const RecordedFrame& frame) {
        const Segment& seg = *frame.segment;
        const bool probe = !seg.flags.syn() && !seg.flags.fin() && !seg.flags.rst() &&
                           seg.payload.size() <= 1 && seg.seq + 1U == next_ && acked_ == next_ &&
                           window_ > 0;
        if (probe) {
            if (unanswered_ == 0) {
                if (!first_ && quiet_since_) first_ = frame.time - *quiet_since_;
            } else if (!interval_) {
                interval_ = frame.time - last_probe_;
            }
            ++unanswered_;
            last_probe_ = frame.time;
            return;
        }
        if (seg.flags.rst() && unanswered_ > 0) dead_after_ = unanswered_;
        if (!seg.flags.rst() && seg.end().after(next_)) next_ = seg.end();
        quiet_since_ = frame.time;
    }
    void note_theirs(const RecordedFrame& frame) {
        const Segment& seg = *frame.segment;
        if (seg.flags.ack()) acked_ = seg.ack;
        window_ = seg.wnd;
        unanswered_ = 0;
        quiet_since_ = frame.time;
    }

    TcpScript& script_;
    SeqNum next_;
    std::optional<SeqNum> acked_;
    u32 window_ = 0;
    std::optional<TimePoint> quiet_since_;
    std::optional<Duration> first_, interval_;
    TimePoint last_probe_{};
    u32 unanswered_ = 0;
    u32 dead_after_ = 0;
};

/// The buffer was full when the window closed; how far the program had read by then is not known, and
/// taken for nothing.
void find_closed_window(TcpScript& script) {
    for (const RecordedFrame* frame : script.ours) {
        const Segment& seg = *frame->segment;
        if (seg.flags.rst() || !seg.flags.ack() || seg.wnd != 0) continue;
        script.receive_buffer = static_cast<u32>(seg.ack - (script.their_isn + 1U));
        return;
    }
}

void find_endings(TcpScript& script) {
    std::optional<SeqNum> fin;
    for (const RecordedFrame* frame : script.ours) {
        const Segment& seg = *frame->segment;
        if (seg.flags.fin() && !fin) fin = seg.seq;
        if (seg.flags.rst() && fin && seg.seq.after(*fin)) script.resets_after_fin = true;
    }
}

/// How their windows are scaled. Where no SYN was seen it is the smallest shift with which the host
/// never sent beyond a window.
void find_shift(TcpScript& script) {
    const bool both = script.our_syn != nullptr && script.their_syn != nullptr;
    if (both) {
        const bool agreed =
            script.our_syn->options.window_scale && script.their_syn->options.window_scale;
        script.their_shift = agreed ? window_shift(*script.their_syn) : u8{0};
        return;
    }
    const auto fits = [&](u8 shift) {
        std::optional<SeqNum> edge;
        for (const RecordedFrame* frame : script.frames) {
            const Segment& seg = *frame->segment;
            if (!frame->ours && seg.flags.ack()) {
                const SeqNum there = seg.ack + (u32{seg.wnd} << shift);
                edge = edge ? later(*edge, there) : there;
            }
            if (frame->ours && edge && seg.payload.size() > 1 && seg.end().after(*edge))
                return false;
        }
        return true;
    };
    while (script.their_shift < 14 && !fits(script.their_shift)) ++script.their_shift;
}

/// A host answers a SYN, or a SYN-ACK, at once: if the answer was seen later the recorder was elsewhere.
/// How far, the shortest time between a segment and what acknowledges it says: less than that and the
/// host would have known the future.
void find_recorder(TcpScript& script) {
    constexpr Duration kAtOnce = 1ms;
    constexpr Duration kNeverSoLong = 2s;
    Duration shortest = kNeverSoLong;
    std::optional<SeqNum> acked;
    std::deque<const RecordedFrame*> waiting;  // for their acknowledgment
    for (const RecordedFrame* frame : script.frames) {
        const Segment& seg = *frame->segment;
        if (!frame->ours) {
            if (seg.len() > 0 && (!acked || seg.end().after(*acked))) waiting.push_back(frame);
            continue;
        }
        if (!seg.flags.ack() || (acked && !seg.ack.after(*acked))) continue;
        acked = seg.ack;
        for (; !waiting.empty() && waiting.front()->segment->end().before_or_at(seg.ack);
             waiting.pop_front()) {
            shortest = std::min(shortest, frame->time - waiting.front()->time);
        }
    }
    if (shortest > kAtOnce && shortest < kNeverSoLong) script.away = shortest / 2;
}

/// Where the recorder is away from the host: what the peer sent again, and the host had not acknowledged
/// by then, was lost on the rest of the way.
void find_lost(TcpScript& script) {
    if (script.away == 0ms) return;
    std::map<std::pair<u32, u32>, const RecordedFrame*> unheard;
    std::optional<SeqNum> acked;
    for (const RecordedFrame* frame : script.frames) {
        const Segment& seg = *frame->segment;
        if (frame->ours) {
            if (seg.flags.ack()) acked = acked ? later(*acked, seg.ack) : seg.ack;
            continue;
        }
        if (seg.len() == 0) continue;
        const RecordedFrame*& before = unheard[{seg.seq.value(), seg.len()}];
        const bool heard = acked && acked->after_or_at(seg.end());
        if (before != nullptr && !heard) script.lost.insert(before);
        before = frame;
    }
}

void find_socket_options(TcpScript& script) {
    std::size_t longest = 0;
    for (const RecordedFrame* frame : script.ours) {
        if (frame->oversized) continue;
        const Segment& seg = *frame->segment;
        const std::size_t stamps = seg.options.timestamps ? 12 : 0;
        longest = std::max(longest, seg.payload.size() + stamps);
    }
    const auto& syn = script.our_syn;
    if (syn != nullptr && syn->options.mss) {
        script.socket.max_segment = *syn->options.mss;
    } else if (syn == nullptr && longest >= 88) {
        script.socket.max_segment = static_cast<u16>(std::min<std::size_t>(longest, 65495));
    }
    // The smallest buffer that has the recorded shift for its window (RFC 7323 2.2).
    if (syn != nullptr && syn->options.window_scale) {
        const u8 shift = std::min<u8>(*syn->options.window_scale, 12);
        script.socket.receive_buffer = u32{65535} << shift;
    }
    if (script.ours.empty()) return;
    const auto ip = Ipv4View::parse(script.ours.front()->packet());
    if (ip) script.socket.ttl = ip->ttl();
}

void complete(TcpScript& script) {
    find_opening(script);
    if (script.silent) return;
    find_recorder(script);
    find_lost(script);
    find_shift(script);
    find_socket_options(script);
    find_endings(script);
    if (script.refuses) return;
    find_closed_window(script);
    KeepAliveFinder(script).look();
}

}  // namespace

u8 window_shift(const Segment& syn) {
    return std::min<u8>(syn.options.window_scale.value_or(0), 14);
}

std::string TcpScript::title() const { return local.to_string() + " > " + remote.to_string(); }

std::vector<TcpScript> tcp_scripts(const Recording& recording) {
    std::vector<TcpScript> scripts;
    std::map<std::size_t, std::size_t> by_stream;
    for (const auto& frame : recording.frames()) {
        if (!frame->segment) continue;
        const auto [found, added] = by_stream.emplace(frame->stream, scripts.size());
        if (added) {
            TcpScript& script = scripts.emplace_back();
            const Segment& seg = *frame->segment;
            script.stream = frame->stream;
            script.local = frame->ours ? seg.source : seg.destination;
            script.remote = frame->ours ? seg.destination : seg.source;
        }
        TcpScript& script = scripts[found->second];
        script.frames.push_back(frame.get());
        (frame->ours ? script.ours : script.theirs).push_back(frame.get());
    }
    for (TcpScript& script : scripts) complete(script);
    return scripts;
}

std::vector<u8> stream_text(const std::vector<const RecordedFrame*>& frames, SeqNum isn) {
    std::vector<u8> text;
    for (const RecordedFrame* frame : frames) {
        const Bytes payload = frame->segment->payload;
        if (payload.empty() || frame->segment->flags.rst()) continue;
        const auto at = static_cast<i32>(frame->segment->seq - (isn + 1U));
        const std::size_t skip = at < 0 ? static_cast<std::size_t>(-i64{at}) : 0;
        if (skip >= payload.size()) continue;  // a keep-alive's octet
        const auto to = static_cast<std::size_t>(at + static_cast<i64>(skip));
        text.resize(std::max(text.size(), to + payload.size() - skip));
        std::copy(payload.begin() + static_cast<std::ptrdiff_t>(skip), payload.end(),
                  text.begin() + static_cast<std::ptrdiff_t>(to));
    }
    return text;
}

}  // namespace tapestry
