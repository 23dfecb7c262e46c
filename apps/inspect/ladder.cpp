#include "apps/inspect/ladder.h"

#include <algorithm>
#include <utility>

#include "apps/inspect/tcp_changes.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"

/// How it works. The stack tells of a frame when it crosses the border, and of a connection when a
/// stimulus is over. So an arriving segment comes before its event and is held for it; a leaving one is
/// printed at once, and the event of the flush that sent it adds the consequences. Segments that only
/// carry data or acknowledge some, one after the other, are a run: a few are shown, the rest counted,
/// until something else happens or the connection has been quiet for a while.

namespace tapestry {
namespace {

/// A connection that was quiet for so long does not go on with its run.
constexpr Duration kQuiet = 100ms;
/// A long run is summed up this often.
constexpr Duration kSummary = 1s;

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "  ") + part;
    return text;
}

/// The first line of what is readable in a payload, in quotes; "" when it is not text.
std::string preview(Bytes payload) {
    constexpr std::size_t kMost = 60;
    std::string text;
    for (const u8 byte : payload.first(std::min(payload.size(), kMost + 1))) {
        if (byte == '\r' || byte == '\n') break;
        if (byte < ' ' || byte > '~') return "";
        text += static_cast<char>(byte);
    }
    if (text.size() < 3) return "";
    if (text.size() > kMost) text = text.substr(0, kMost - 3) + "...";
    return '"' + text + '"';
}

/// Changes that a reader must not miss, whatever the step was.
bool is_turn(const TcpEvent& event) {
    return event.before.state != event.after.state ||
           (event.before.snd_wnd == 0) != (event.after.snd_wnd == 0);
}

std::string state_change(const TcpEvent& event) {
    // The connection did not exist before its SYN; a listener took it.
    const TcpState before =
        comes_out_of_listen(event.verdict) ? TcpState::Listen : event.before.state;
    if (before == event.after.state) return "";
    return std::string(name(before)) + " -> " + std::string(name(event.after.state));
}

}  // namespace

Ladder::~Ladder() { finish(); }

Duration Ladder::elapsed(TimePoint now) {
    if (!start_) {
        start_ = now;
        page_.title();
    }
    last_ = now;
    return now - *start_;
}

Ladder::Known& Ladder::known(const Key& key, TimePoint now) {
    const auto found = conversations_.find(key);
    if (found != conversations_.end()) return found->second;
    elapsed(now);
    const std::size_t number = conversations_.size() + 1;
    page_.blank();
    page_.detail("connection " + std::to_string(number) + ": " + key.first.to_string() + " <-> " +
                 key.second.to_string());
    return conversations_.emplace(key, Known(number)).first->second;
}

void Ladder::on_frame(const FrameEvent& event) {
    print_held();
    ++(event.direction == Direction::In ? frames_in_ : frames_out_);
    if (event.direction == Direction::In) explained_.reset();
    if (const auto digest = tcp_digest(event)) return tcp_frame(event, *digest);

    const std::size_t size =
        event.headers.size() + event.payload[0].size() + event.payload[1].size();
    std::string note = describe_frame(event.headers, size);
    if (note.starts_with("IP ")) note.erase(0, 3);
    std::string role;
    const auto ethernet = EthernetView::parse(event.headers);
    if (ethernet && ethernet->type() == EtherType::Arp) {
        note = note.substr(0, note.rfind(", length"));
        const auto arp = ArpPacket::parse(ethernet->payload());
        if (arp && arp->sender_ip == arp->target_ip) role = "announcement";
    }
    page_.frame(elapsed(event.now), "", event.direction, note, role);
}

void Ladder::tcp_frame(const FrameEvent& event, const TcpDigest& digest) {
    const Key key{digest.local, digest.remote};
    Known& conversation = known(key, event.now);
    Held segment = describe(event, digest, conversation);
    segment.key = key;
    if (event.direction == Direction::In) {
        held_ = std::move(segment);
        return;
    }
    if (digest.flags.rst()) conversation.state = TcpState::Closed;
    ++conversation.unflushed;
    Weight weight = segment.plain ? Weight::Routine : Weight::Key;
    if (segment.plain && segment.again && !conversation.last_out_again) weight = Weight::Notable;
    conversation.last_out_again = segment.again;
    const auto kind = segment.again ? TrafficRun::Kind::Again : TrafficRun::Kind::Plain;
    if (!hide(segment, weight, kind, conversation)) print(segment, conversation);
}

Ladder::Held Ladder::describe(const FrameEvent& event, const TcpDigest& digest,
                              Known& conversation) {
    Held held;
    held.now = event.now;
    held.direction = event.direction;
    TcpNote note = conversation.frames.note(digest);
    held.plain = (digest.flags.bits & ~(TcpFlags::kAck | TcpFlags::kPsh)) == 0;
    held.again = conversation.frames.is_repetition(digest);
    const std::string number =
        conversation.frames.number() > 1 ? '#' + std::to_string(conversation.frames.number()) : "";
    held.role = conversation.frames.role(digest);
    if (!number.empty()) held.role = number + (held.role.empty() ? "" : ' ' + held.role);
    held.note = to_string(note);
    if (held.note.size() > LadderPage::kNoteWidth && note.options) {
        held.options = to_string(*note.options);
        note.options = TcpOptions{};
        held.note = to_string(note);
    }
    held.text = preview(digest.text);
    held.segments = digest.segments;
    held.length = digest.length;
    return held;
}

void Ladder::print(const Held& segment, Known& conversation) {
    page_.frame(elapsed(segment.now), name(conversation.state), segment.direction, segment.note,
                segment.role);
    if (!segment.options.empty()) page_.detail(segment.options);
    if (!segment.text.empty()) page_.quote(segment.text);
    conversation.last_shown = true;
    conversation.last_line = segment.now;
}

/// A segment for which no connection has spoken.
void Ladder::print_held() {
    if (!held_) return;
    const Held segment = std::move(*held_);
    held_.reset();
    Known& conversation = known(segment.key, segment.now);
    end_run(conversation);
    print(segment, conversation);
}

/// Whether a segment is only counted. If it is not, what was counted before it is printed first.
bool Ladder::hide(const Held& segment, Weight weight, TrafficRun::Kind kind, Known& conversation) {
    if (segment.now - conversation.last_segment > kQuiet) {
        end_run(conversation);
        conversation.shown = conversation.notable = 0;
    }
    conversation.last_segment = segment.now;
    if (weight == Weight::Key) {
        end_run(conversation);
        conversation.shown = std::min(conversation.shown, kShownOfRun - 2);
        return false;
    }
    const bool room = weight == Weight::Notable ? conversation.notable++ < kShownNotable
                                                : conversation.shown++ < kShownOfRun;
    if (room) {
        end_run(conversation);
        return false;
    }
    conversation.run.add(segment.direction, segment.segments, segment.length, kind);
    conversation.last_shown = false;
    if (segment.now - conversation.last_line > kSummary) {
        end_run(conversation);
        conversation.last_line = segment.now;
    }
    return true;
}

void Ladder::end_run(Known& conversation) {
    if (conversation.run.empty()) return;
    page_.skipped(conversation.run.text());
    conversation.run = TrafficRun();
}

void Ladder::on_tcp(const TcpEvent& event) {
    const Key key{event.after.local, event.after.remote};
    if (key.second.port == 0) return;  // a socket that is nobody's partner yet
    if (held_ && held_->key != key) print_held();
    Known& conversation = known(key, event.now);
    conversation.state = event.after.state;
    if (event.drop) explained_ = event.drop;
    if (event.stimulus == Stimulus::Segment && held_) return segment_event(event, conversation);
    if (event.stimulus == Stimulus::Flush) return flush_event(event, conversation);
    call_or_timer(event, conversation);
}

Ladder::Weight Ladder::weigh(const TcpEvent& event, const Held& segment,
                             const Known& conversation) {
    if (!segment.plain || is_turn(event)) return Weight::Key;
    switch (event.verdict) {
        case Verdict::DataInOrder:
            return event.before.receive_out_of_order > 0 ? Weight::Notable : Weight::Routine;
        case Verdict::AckAdvances:
        case Verdict::AckWindowUpdate:
        case Verdict::Accepted:
            return Weight::Routine;
        case Verdict::DataOutOfOrder:
        case Verdict::DataDuplicate:
        case Verdict::AckDuplicate:
        case Verdict::AckSack:
        case Verdict::AckDuplicateSack:
        case Verdict::AckOld:
            // The first of several alike.
            return conversation.last_in == event.verdict ? Weight::Routine : Weight::Notable;
        case Verdict::FastRetransmit:
        case Verdict::SackRecovery:
        case Verdict::RackRecovery:
        case Verdict::PartialAck:
        case Verdict::SackPartialAck:
        case Verdict::SequenceUnacceptable:
        case Verdict::Paws:
            return Weight::Notable;
        default:
            return Weight::Key;
    }
}

void Ladder::segment_event(const TcpEvent& event, Known& conversation) {
    const Held segment = std::move(*held_);
    held_.reset();
    const Weight weight = weigh(event, segment, conversation);
    conversation.last_in = event.verdict;
    TrafficRun::Kind kind = segment.again ? TrafficRun::Kind::Again : TrafficRun::Kind::Plain;
    if (event.verdict == Verdict::DataOutOfOrder) kind = TrafficRun::Kind::OutOfOrder;
    if (hide(segment, weight, kind, conversation)) return;
    print(segment, conversation);
    std::string text = state_change(event);
    if (!text.empty()) text += ": ";
    text += tapestry::text(event.verdict);
    consequences(event, text, rfc(event.verdict), weight == Weight::Key);
}

void Ladder::flush_event(const TcpEvent& event, Known& conversation) {
    const bool waits = conversation.unflushed == 0 && event.before.snd_nxt != event.after.snd_nxt;
    conversation.unflushed = 0;
    if (waits) {
        page_.event(elapsed(event.now), name(event.after.state),
                    "the segment waits for the neighbour's address", "RFC 1122 2.3.2.2");
    } else if (!conversation.last_shown && !is_turn(event)) {
        return;
    }
    consequences(event, state_change(event), "", false);
}

void Ladder::call_or_timer(const TcpEvent& event, Known& conversation) {
    std::string text(tapestry::text(event.verdict));
    switch (event.verdict) {
        case Verdict::None:
        case Verdict::UserReceive:
            return;
        case Verdict::UserSend:
            if (event.after.send_queued <= event.before.send_queued) return;
            text += ": " + std::to_string(event.after.send_queued - event.before.send_queued) +
                    " bytes";
            [[fallthrough]];
        case Verdict::TimerDelayedAck:
            if (conversation.shown >= kShownOfRun) return;
            break;
        default:
            // To close what is closed is nothing to tell.
            if (event.stimulus == Stimulus::User && !is_turn(event)) return;
            end_run(conversation);
            conversation.shown = std::min(conversation.shown, kShownOfRun - 2);
    }
    page_.event(elapsed(event.now), name(event.after.state), text, rfc(event.verdict));
    conversation.last_shown = true;
    consequences(event, state_change(event), "", false);
}

/// What an event changed, beside `text` when there is room, else under it.
void Ladder::consequences(const TcpEvent& event, const std::string& text, std::string_view rule,
                          bool all) {
    if (event.drop)
        page_.alarm("refused: " + std::string(tapestry::text(*event.drop)), rfc(*event.drop));
    const std::string changes = joined(tcp_changes(event, all));
    const std::size_t room = LadderPage::kWidth - LadderPage::kTextColumn - rule.size() - 2;
    if (!text.empty() && !changes.empty() && text.size() + changes.size() + 3 <= room) {
        return page_.detail(text + "   " + changes, rule);
    }
    if (!text.empty() || !rule.empty()) page_.detail(text, rule);
    if (!changes.empty()) page_.detail(changes);
}

void Ladder::on_drop(const DropEvent& event) {
    ++drops_;
    const bool explained = explained_ == event.drop;
    explained_.reset();
    if (explained) return;
    print_held();
    elapsed(event.now);
    page_.alarm("dropped: " + std::string(text(event.drop)), rfc(event.drop));
}

void Ladder::finish() {
    if (std::exchange(finished_, true)) return;
    print_held();
    for (auto& [key, conversation] : conversations_) end_run(conversation);
    if (!start_) return;
    page_.blank();
    page_.detail(std::to_string(frames_out_) + " frames out, " + std::to_string(frames_in_) +
                 " in, " + std::to_string(drops_) + " refused");
}

}  // namespace tapestry
