// The wire's part: the peer's frames on their way in, ours on their way out.

#include <algorithm>

#include "apps/replay/made_up.h"
#include "apps/replay/tcp_actor.h"

namespace tapestry {
namespace {

/// A hole longer than this is no missing text but a number out of nowhere.
constexpr i32 kLongestHole = 4 << 20;

EthernetHeader link_of(const RecordedFrame& frame, bool backwards) {
    const auto ethernet = *EthernetView::parse(frame.bytes);
    if (backwards) return {ethernet.source(), ethernet.destination(), EtherType::Ipv4};
    return {ethernet.destination(), ethernet.source(), EtherType::Ipv4};
}

}  // namespace

/// The other side's segments come in their order: one that is held back holds those behind it.
void TcpActor::arrive(const RecordedFrame& frame) {
    if (script_.lost.contains(&frame)) return;
    const Segment& seg = *frame.segment;
    if (seg.flags.syn() && !script_.active && !script_.refuses && !socket_) {
        if (!door_.listen(script_.local, wanted_options())) {
            played_.refused_calls.push_back("listen: the port is taken");
        }
    }
    if (!held_.empty() || too_early(seg)) {
        held_.push_back(&frame);
        ++played_.held_back;
        return;
    }
    feed(frame);
}

bool TcpActor::too_early(const Segment& seg) const {
    if (script_.active && !sent_to_) return true;  // their SYN, which crosses ours
    if (!seg.flags.ack() || script_.refuses) return false;
    return !sent_to_ || seg.ack.after(*sent_to_);
}

/// TSecr for a timestamp that the recorded host had shown: what our clock showed then.
std::optional<u32> TcpActor::echo_for(u32 recorded) const {
    if (!our_stamp_ || recorded_stamps_.empty()) return std::nullopt;
    const auto shown = recorded_stamps_.find(recorded);
    if (shown == recorded_stamps_.end()) return std::nullopt;
    const Duration tick = door_.stack().config().tcp.timestamp_tick;
    const auto passed = door_.stack_time(shown->second).time_since_epoch() / tick -
                        our_stamp_->first.time_since_epoch() / tick;
    return our_stamp_->second + static_cast<u32>(passed);
}

void TcpActor::feed(const RecordedFrame& frame, std::optional<SeqNum> ack) {
    const Segment& seg = *frame.segment;
    Retelling changes;
    changes.ack = ack;
    changes.window_shift = script_.their_shift;
    if (seg.options.timestamps && seg.flags.ack()) {
        changes.echo = echo_for(seg.options.timestamps->echo_reply);
    }
    const bool whole = frame.sum == RecordedFrame::Sum::Right;
    if ((changes.echo || ack) && frame.whole.empty()) {
        std::vector<u8> bytes = frame.bytes;
        retell(bytes, changes);
        door_.feed(bytes, true);
    } else {
        door_.feed(frame.bytes, !whole);
    }
    note_theirs(seg);
}

void TcpActor::note_theirs(const Segment& seg) {
    if (seg.flags.ack()) their_ack_ = seg.ack;
    if (seg.flags.rst()) return;
    if (!got_to_) got_to_ = script_.their_isn + 1U;
    if (seg.seq.before_or_at(*got_to_)) got_to_ = later(*got_to_, seg.end());
}

void TcpActor::feed_held() {
    while (!held_.empty()) {
        const RecordedFrame& frame = *held_.front();
        const Segment& seg = *frame.segment;
        if (!too_early(seg)) {
            held_.pop_front();
            feed(frame);
            continue;
        }
        // Only what is a mere ACK, and only if it says something new.
        if (!sent_to_ || lowered_ == sent_to_ || seg.flags.bits != TcpFlags::kAck ||
            !seg.payload.empty()) {
            return;
        }
        lowered_ = sent_to_;
        feed(frame, sent_to_);
    }
}

/// Where a hole ends that begins at got_to_, if text before `until` is nowhere in the recording. Pieces
/// that came out of their order before the frame `number` are counted first.
std::optional<SeqNum> TcpActor::hole_in_theirs(SeqNum until, u64 number) {
    SeqNum end = until;
    for (bool moved = true; moved && until.after(*got_to_);) {
        moved = false;
        end = until;
        for (const RecordedFrame* frame : script_.theirs) {
            const Segment& seg = *frame->segment;
            if (seg.flags.syn() || seg.len() == 0 || !seg.end().after(*got_to_)) continue;
            if (seg.seq.after(*got_to_)) {
                if (seg.seq.before(end)) end = seg.seq;
                continue;
            }
            if (frame->number > number) return std::nullopt;  // it comes later after all
            got_to_ = seg.end();
            moved = true;
        }
    }
    if (!until.after(*got_to_)) return std::nullopt;
    return end;
}

/// The recorded host has acknowledged text that the recording does not have.
void TcpActor::make_up_theirs(SeqNum until, const RecordedFrame& like) {
    if (!got_to_ || !held_.empty()) return;
    const auto end = hole_in_theirs(until, like.number);
    if (!end) return;
    const i32 hole = *end - *got_to_;
    if (hole <= 0 || hole > kLongestHole) return;
    const std::vector<u8> zeros(1000);
    for (SeqNum at = *got_to_; at.before(*end);) {
        const auto size = std::min<std::size_t>(zeros.size(), static_cast<u32>(*end - at));
        Segment seg{.source = script_.remote,
                    .destination = script_.local,
                    .seq = at,
                    .ack = their_ack_.value_or(script_.our_isn + 1U),
                    .wnd = 65535,
                    .flags = {TcpFlags::kAck},
                    .payload = Bytes(zeros).first(size)};
        if (last_.timestamps) seg.options.timestamps = {last_.ts_recent, 0};
        door_.feed(made_up_frame(link_of(like, true), seg), true);
        at = at + static_cast<u32>(size);
    }
    played_.made_up_theirs += static_cast<u64>(hole);
    got_to_ = end;
}

/// A SYN from the peer, and where both were talking already an ACK, bring the stack to where the
/// recording begins.
void TcpActor::make_up_handshake() {
    const RecordedFrame& first = *script_.frames.front();
    Segment syn{.source = script_.remote,
                .destination = script_.local,
                .seq = script_.their_isn,
                .wnd = 65535,
                .flags = {TcpFlags::kSyn}};
    syn.options.mss = u16{1460};
    const bool scales = script_.our_syn == nullptr || script_.our_syn->options.window_scale;
    if (door_.stack().config().tcp.window_scaling && scales) {
        syn.options.window_scale = script_.their_shift;
    }
    const auto stamped =
        std::find_if(script_.theirs.begin(), script_.theirs.end(),
                     [](const auto* f) { return f->segment->options.timestamps.has_value(); });
    const bool agreed = script_.our_syn == nullptr || script_.our_syn->options.timestamps;
    if (stamped != script_.theirs.end() && agreed) {
        syn.options.timestamps = {(*stamped)->segment->options.timestamps->value, 0};
    }
    if (!door_.listen(script_.local, wanted_options())) {
        played_.refused_calls.push_back("listen: the port is taken");
        return;
    }
    making_up_ = script_.mid_stream;
    door_.feed(made_up_frame(link_of(first, first.ours), syn), true);
    if (!script_.mid_stream) return;
    Segment ack = syn;
    ack.seq = script_.their_isn + 1U;
    ack.ack = script_.our_isn + 1U;
    ack.flags = {TcpFlags::kAck};
    ack.options = {};
    if (syn.options.timestamps) {
        ack.options.timestamps = {syn.options.timestamps->value,
                                  our_stamp_ ? our_stamp_->second : 0};
    }
    door_.feed(made_up_frame(link_of(first, first.ours), ack), true);
    making_up_ = false;
    got_to_ = script_.their_isn + 1U;
}

const SentFrame& TcpActor::on_sent(SentFrame frame) {
    if (frame.segment) {
        const Segment& seg = *frame.segment;
        if (!sent_to_ || seg.end().after(*sent_to_)) sent_to_ = seg.end();
        if (seg.options.timestamps && !our_stamp_) {
            our_stamp_ = {door_.now(), seg.options.timestamps->value};
        }
    }
    frame.state = PlayedState::of(last_);
    auto& kept = making_up_ ? played_.made_up_sent : played_.sent;
    return kept.emplace_back(std::move(frame));
}

void TcpActor::on_event(const TcpEvent& event) {
    last_ = event.after;
    played_.state = last_.state;
    if (played_.states.empty() || played_.states.back() != last_.state) {
        played_.states.push_back(last_.state);
    }
}

std::optional<u32> TcpActor::timestamp_now() const {
    for (const RecordedFrame* frame : script_.ours) {
        if (!frame->segment->options.timestamps) continue;
        const Duration tick = door_.stack().config().tcp.timestamp_tick;
        const auto until_then =
            door_.stack_time(script_.host_time(*frame)).time_since_epoch() / tick -
            door_.now().time_since_epoch() / tick;
        return frame->segment->options.timestamps->value - static_cast<u32>(until_then);
    }
    return std::nullopt;
}

std::optional<u16> TcpActor::identification(const Ipv4Header& header, Bytes transport) {
    const auto tcp = TcpView::parse(transport);
    if (!tcp) return std::nullopt;
    const TcpFlags flags = tcp->flags();
    const std::size_t headers = Ipv4View::kMinHeaderSize + tcp->header_size();
    const auto length = static_cast<u32>(header.total_length - headers) + (flags.syn() ? 1U : 0U) +
                        (flags.fin() ? 1U : 0U);
    const auto found = identifications_.find(
        {tcp->sequence().value(), flags.ack() ? tcp->acknowledgment().value() : 0, length});
    if (found == identifications_.end() || found->second.empty()) return std::nullopt;
    const u16 id = found->second.front();
    found->second.pop_front();
    return id;
}

}  // namespace tapestry
