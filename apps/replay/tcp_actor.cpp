// The program's part: calls that the recorded host's program must have made.

#include "apps/replay/tcp_actor.h"

#include <algorithm>

namespace tapestry {
namespace {

/// A hole longer than this is no missing text but a number out of nowhere.
constexpr i32 kLongestHole = 16 << 20;

}  // namespace

TcpActor::TcpActor(const TcpScript& script, const PlayOptions& options, StageDoor& door)
    : script_(script), options_(options), door_(door), written_to_(script.our_isn + 1U) {
    for (const RecordedFrame* frame : script.ours) {
        const auto ip = Ipv4View::parse(frame->packet());
        const Segment& seg = *frame->segment;
        const std::array<u32, 3> key{seg.seq.value(), seg.flags.ack() ? seg.ack.value() : 0,
                                     seg.len()};
        if (ip) identifications_[key].push_back(ip->identification());
    }
}

void TcpActor::play(const RecordedFrame& frame) {
    if (script_.silent) return;
    if (!opened_) open();
    frame.ours ? act(frame) : arrive(frame);
}

/// Before the first frame.
void TcpActor::open() {
    opened_ = true;
    if (script_.refuses) {
        door_.stop_listening(script_.local);
    } else if (script_.mid_stream || script_.answers_unseen_syn()) {
        make_up_handshake();
    }
}

/// The recorded host has sent this: what must its program have done?
void TcpActor::act(const RecordedFrame& frame) {
    const Segment& seg = *frame.segment;
    if (seg.options.timestamps)
        recorded_stamps_.emplace(seg.options.timestamps->value, script_.host_time(frame));
    if (!script_.refuses) {
        if (seg.flags.syn()) connect();
        if (seg.flags.ack() && !seg.flags.rst()) {
            make_up_theirs(seg.ack, frame);
            note_edge(seg);
        }
        act_on_text(seg);
        if (seg.flags.fin()) closing_ = true;
        if (seg.flags.rst()) act_on_reset(seg);
    }
    settle();
    played_.states_at.push_back(PlayedState::of(last_));
}

/// Once.
void TcpActor::connect() {
    if (!script_.active || std::exchange(connected_, true)) return;
    socket_ = door_.stack().tcp_socket();
    check("options", socket_.set_options(wanted_options()));
    check("bind", socket_.bind(script_.local));
    check("connect", socket_.connect(script_.remote));
}

void TcpActor::connect_early(const RecordedFrame& frame) {
    if (frame.segment->flags.syn()) connect();
}

TcpSocketOptions TcpActor::wanted_options() const {
    TcpSocketOptions wanted = script_.socket;
    wanted.no_delay = !options_.write_ahead;
    if (script_.receive_buffer != 0) wanted.receive_buffer = script_.receive_buffer;
    return wanted;
}

void TcpActor::note_edge(const Segment& seg) {
    const bool scaled = script_.our_syn != nullptr && !seg.flags.syn();
    const u8 shift = scaled ? window_shift(*script_.our_syn) : u8{0};
    const SeqNum edge = seg.ack + (u32{seg.wnd} << shift);
    edge_ = edge_ ? later(*edge_, edge) : edge;
}

void TcpActor::act_on_text(const Segment& seg) {
    const SeqNum end = seg.seq + static_cast<u32>(seg.payload.size());
    // What begins in front of what is written already is sent again; a probe is no text.
    if (seg.flags.syn() || seg.flags.rst() || seg.payload.empty() || !end.after(written_to_))
        return;
    if (closing_) return;
    if (options_.write_ahead) {
        const std::vector<u8> text = stream_text(script_.ours, script_.our_isn);
        waiting_.insert(waiting_.end(), text.begin(), text.end());
        written_to_ = written_to_ + static_cast<u32>(text.size());
        return;
    }
    const i32 hole = seg.seq - written_to_;
    if (hole > kLongestHole) {
        played_.refused_calls.push_back("frame with a number " + std::to_string(hole) +
                                        " bytes beyond what was sent: not played");
        return;
    }
    if (hole > 0) fill_hole(static_cast<u32>(hole));
    const Bytes text = seg.payload.subspan(static_cast<std::size_t>(written_to_ - seg.seq));
    waiting_.insert(waiting_.end(), text.begin(), text.end());
    written_to_ = end;
    if (seg.flags.urg()) note_urgent(seg);
}

/// The host's program had written urgent data before this left, up to where the pointer points.
void TcpActor::note_urgent(const Segment& seg) {
    const SeqNum up = seg.seq + u32{seg.up};
    const i32 more = up - written_to_;
    if (more > kLongestHole) return;
    if (more > 0) fill_hole(static_cast<u32>(more));
    urgent_ = up;
}

/// Text in front of what is sent now: it was recorded later, when it was sent again, or never.
void TcpActor::fill_hole(u32 size) {
    std::vector<u8> text(size);
    std::vector<bool> known(size);
    for (const RecordedFrame* frame : script_.ours) {
        const Bytes payload = frame->segment->payload;
        const i64 at = frame->segment->seq - written_to_;
        for (i64 i = std::max<i64>(0, -at); i < std::ssize(payload) && at + i < i64{size}; ++i) {
            text[static_cast<std::size_t>(at + i)] = payload[static_cast<std::size_t>(i)];
            known[static_cast<std::size_t>(at + i)] = true;
        }
    }
    waiting_.insert(waiting_.end(), text.begin(), text.end());
    played_.made_up_ours += static_cast<u64>(std::count(known.begin(), known.end(), false));
    written_to_ = written_to_ + size;
}

/// As much as there is room for, then the FIN.
void TcpActor::write_waiting() {
    if (!socket_) return;
    if (!waiting_.empty()) {
        const SeqNum begin = written_to_ - static_cast<u32>(waiting_.size());
        const bool urgent = urgent_ && urgent_->after(begin);
        const auto written =
            urgent ? socket_.write_urgent(Bytes(waiting_).first(
                         std::min(waiting_.size(), static_cast<std::size_t>(*urgent_ - begin))))
                   : socket_.write(waiting_);
        if (written) {
            waiting_.erase(waiting_.begin(),
                           waiting_.begin() + static_cast<std::ptrdiff_t>(*written));
        } else if (written.error() != Errno::Again && written.error() != Errno::NotConnected) {
            if (played_.error == Errno::None) played_.error = written.error();
            played_.refused_calls.push_back("write: " + std::string(name(written.error())));
            waiting_.clear();
        }
    }
    if (waiting_.empty() && closing_ && !closed_) act_on_fin();
}

void TcpActor::act_on_fin() {
    if (socket_.state() == TcpState::SynSent) return;
    closed_ = true;
    // Who answers later text with a reset has closed, not only shut down.
    if (script_.resets_after_fin) {
        socket_.close();
    } else {
        check("shutdown", socket_.shutdown(Shutdown::Send));
    }
}

void TcpActor::act_on_reset(const Segment& seg) {
    if (closing_ || script_.dies_of_silence || !socket_) return;
    // RFC 9293 3.10.7.3: the answer to an ACK that is not acceptable has its number; no program asked.
    const bool answers = !seg.flags.ack() && their_ack_ == seg.seq;
    if (answers && socket_.state() == TcpState::SynSent) return;
    if (std::exchange(reset_, true)) return;
    socket_.abort();
}

void TcpActor::settle() {
    feed_held();
    write_waiting();
    if (socket_) read_some();
    door_.stack().advance(door_.now());
    feed_held();
}

void TcpActor::read_some() {
    std::array<u8, 4096> block{};
    while (const std::size_t want = std::min(block.size(), may_read())) {
        const auto n = socket_.read(MutableBytes(block).first(want));
        if (!n && n.error() != Errno::Again && n.error() != Errno::NotConnected) {
            played_.error = n.error();
        }
        if (!n || *n == 0) return;
        played_.read_bytes += *n;
        const std::size_t keep = std::min(*n, PlayedTcp::kReadLimit - played_.read.size());
        played_.read.insert(played_.read.end(), block.begin(),
                            block.begin() + static_cast<std::ptrdiff_t>(keep));
    }
}

/// How many bytes the program would read now if they were there.
std::size_t TcpActor::may_read() const {
    if (script_.receive_buffer == 0 || over_ || closing_) return ~std::size_t{0};
    if (!edge_) return 0;
    // A window that reaches so far has room behind everything that is still unread.
    const i64 read = i64{*edge_ - (script_.their_isn + 1U)} - i64{script_.receive_buffer};
    return static_cast<std::size_t>(std::max<i64>(0, read - static_cast<i64>(played_.read_bytes)));
}

void TcpActor::finish() {
    over_ = true;
    settle();
    played_.never_fed = static_cast<u32>(held_.size());
}

bool TcpActor::check(const std::string& call, const std::expected<void, Errno>& result) {
    if (!result) {
        played_.refused_calls.push_back(call + ": " + std::string(name(result.error())));
    }
    return result.has_value();
}

}  // namespace tapestry
