#include "apps/inspect/timeline_capture.h"

#include <algorithm>

#include "apps/inspect/observed_packet.h"
#include "apps/inspect/timeline_recorder.h"
#include "drivers/link_layer.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"

/// What is made up, and from what. An end's variables are those of RFC 9293 3.3.1 as the frames show
/// them: what it has sent says where SND.NXT is, what it acknowledges where its RCV.NXT is, what it is
/// told where its SND.UNA and SND.WND are. A segment is taken to arrive where the capture shows it. The
/// verdict is that which our stack would most likely have come to.

namespace tapestry {
namespace {

u32 end_of_text(const Segment& seg, u32 length) {
    return seg.seq.value() + length + (seg.flags.syn() ? 1U : 0U) + (seg.flags.fin() ? 1U : 0U);
}

}  // namespace

TimelineCapture::TimelineCapture(const std::string& file) {
    timeline_.source = Timeline::Source::Capture;
    timeline_.name = file.substr(file.rfind('/') + 1);
}

u32 TimelineCapture::host(Ipv4Address address) {
    const auto known = hosts_.find(address);
    if (known != hosts_.end()) return known->second;
    const auto index = static_cast<u32>(timeline_.hosts.size());
    const std::string text = address.to_string();
    timeline_.hosts.push_back({text, false, false, {{"", text, index, Timeline::kNone}}});
    timeline_.lifelines.push_back({text, "", ""});
    return hosts_[address] = index;
}

void TimelineCapture::record(const PcapRecord& record) {
    put_frame();
    if (!std::exchange(started_, true)) timeline_.start = record.time;
    // The clock of a capture may be set back; steps stay in their order.
    time_ = std::max(time_, record.time);
    number_ = record.number;
    bytes_.clear();
    wire_size_ = record.original_size;
    if (record.link != LinkType::Ethernet) {
        const auto packet = network_packet(record.link, record.bytes);
        if (!packet) return;
        bytes_.resize(EthernetView::kHeaderSize);
        EthernetHeader{{}, {}, packet->type}.write(bytes_.data());
        bytes_.insert(bytes_.end(), packet->packet.begin(), packet->packet.end());
        wire_size_ = static_cast<u32>(record.original_size - packet->header_size + bytes_.size() -
                                      packet->packet.size());
    } else {
        bytes_.assign(record.bytes.begin(), record.bytes.end());
    }
    waiting_ = true;
}

TimelineCapture::Step& TimelineCapture::add(Step::Kind kind, u32 host) {
    Step step;
    step.kind = kind;
    step.host = host;
    step.time = time_ - timeline_.start;
    step.frame = static_cast<u32>(timeline_.frames.size() - 1);
    timeline_.steps.push_back(std::move(step));
    return timeline_.steps.back();
}

/// The frame that came last, if nobody has put it among the steps: it has no segment in it.
void TimelineCapture::put_frame() {
    if (!std::exchange(waiting_, false)) return;
    const auto packet = network_packet(LinkType::Ethernet, bytes_);
    if (!packet) return;
    Timeline::Frame frame;
    if (packet->type == EtherType::Ipv4) {
        const auto ip = Ipv4View::parse_quoted(packet->packet);
        if (!ip) return;
        frame.from.host = host(ip->source());
        frame.to.host = host(ip->destination());
    } else {
        const auto arp = ArpPacket::parse(packet->packet);
        if (packet->type != EtherType::Arp || !arp) return;
        frame.from.host = host(arp->sender_ip);
        frame.to.host = host(arp->target_ip);
    }
    const std::size_t keep =
        kept_ > TimelineRecorder::kKeptWhole ? TimelineRecorder::kKeptOfEach : bytes_.size();
    frame.bytes.assign(bytes_.begin(),
                       bytes_.begin() + static_cast<std::ptrdiff_t>(std::min(keep, bytes_.size())));
    kept_ += frame.bytes.size();
    frame.wire_size = std::max<u32>(wire_size_, static_cast<u32>(frame.bytes.size()));
    frame.record = number_;
    frame.sent = frame.arrived = time_ - timeline_.start;
    const u32 from = frame.from.host;
    timeline_.frames.push_back(std::move(frame));
    add(Step::Kind::Sent, from);
}

TimelineCapture::Seen& TimelineCapture::seen(const ObservedStream& stream, Side side) {
    Seen& found = seen_[{stream.number, side}];
    if (found.end != Timeline::kNone) return found;
    found.end = static_cast<u32>(timeline_.ends.size());
    found.state.local = stream.end(side).endpoint;
    found.state.remote = stream.end(other(side)).endpoint;
    // Where the capture begins in the middle, they were connected before.
    const bool begun = stream.syn || stream.syn_ack;
    found.state.state = !begun                 ? TcpState::Established
                        : side == Side::Client ? TcpState::Closed
                                               : TcpState::Listen;
    timeline_.ends.push_back({host(found.state.local.address), found.state.local,
                              found.state.remote, Timeline::kNone,
                              static_cast<u32>(stream.number)});
    return found;
}

void TimelineCapture::segment(const ObservedSegment& segment, const ObservedStream& stream) {
    put_frame();
    if (timeline_.frames.empty() || timeline_.frames.back().record != number_) return;
    const u32 frame = static_cast<u32>(timeline_.frames.size() - 1);
    const Side from = segment.from;
    Seen& client = seen(stream, Side::Client);
    Seen& server = seen(stream, Side::Server);
    timeline_.ends[client.end].peer = server.end;
    timeline_.ends[server.end].peer = client.end;
    Seen& sender = from == Side::Client ? client : server;
    Seen& receiver = from == Side::Client ? server : client;
    const auto network = network_packet(LinkType::Ethernet, bytes_);
    const auto ip = Ipv4View::parse_quoted(network->packet);
    const auto packet = observed_packet(*ip, wire_size_ - network->header_size);
    if (!packet) return;  // the last of several fragments
    const Segment& seg = packet->segment;

    if (packet->length > 0 || seg.flags.syn() || seg.flags.fin()) {
        timeline_.frames[frame].again =
            sent_before_[sender.end].note(seg.seq, packet->end(), frame, Timeline::kNone);
    }
    Step& sent = timeline_.steps.back();
    sent.analysis = segment.analysis;
    const Verdict why = verdict_of_sender(segment, seg, sender);
    sends(sender, seg, packet->length, segment.window);
    if (segment.analysis.has(Analysis::Retransmission)) ++sender.state.retransmissions;
    const bool timer = name(why).starts_with("Timer");
    const bool user = name(why).starts_with("User");
    decide(sent, sender,
           timer  ? Stimulus::Timer
           : user ? Stimulus::User
                  : Stimulus::Flush,
           why, from == Side::Client ? segment.client : segment.server);

    Step& received = add(Step::Kind::Received, timeline_.ends[receiver.end].host);
    received.frame = frame;
    const TcpState after = from == Side::Client ? segment.server : segment.client;
    const Verdict verdict = verdict_of_receiver(segment, seg, receiver, after);
    gets(receiver, seg, packet->length, segment.window);
    options(sender, receiver, stream, from);
    decide(received, receiver, Stimulus::Segment, verdict, after);
}

void TimelineCapture::decide(Step& step, Seen& seen, Stimulus stimulus, Verdict verdict,
                             TcpState state) {
    // The state before is what the last step has left; of the first what the capture begins with.
    if (seen.index == Timeline::kNone) {
        TcpSnapshot first;
        first.state = seen.state.state;
        first.local = seen.state.local;
        first.remote = seen.state.remote;
        timeline_.states.push_back(first);
        seen.index = static_cast<u32>(timeline_.states.size() - 1);
    }
    seen.state.state = state;
    step.end = seen.end;
    step.stimulus = stimulus;
    step.verdict = verdict;
    step.before = seen.index;
    if (seen.state != timeline_.states[seen.index]) {
        timeline_.states.push_back(seen.state);
        seen.index = static_cast<u32>(timeline_.states.size() - 1);
    }
    step.after = seen.index;
}

/// What the sender has shown of itself.
void TimelineCapture::sends(Seen& sender, const Segment& seg, u32 length, u32 window) {
    TcpSnapshot& s = sender.state;
    const SeqNum end(end_of_text(seg, length));
    if (!sender.sent || (seg.flags.syn() && s.iss != seg.seq)) {
        // A conversation that was joined in its middle counts from 1.
        s.iss = seg.flags.syn() ? seg.seq : seg.seq - 1;
        s.snd_una = seg.seq;
        s.snd_nxt = end;
        sender.sent = true;
    }
    if (end.after(s.snd_nxt)) s.snd_nxt = end;
    sender.fin = sender.fin || seg.flags.fin();
    if (seg.flags.rst() || !seg.flags.ack()) return;
    if (s.irs.value() == 0 && s.rcv_nxt.value() == 0) s.irs = seg.ack - 1;
    s.rcv_nxt = seg.ack;
    s.rcv_wnd = window;
}

/// What the receiver has been told.
void TimelineCapture::gets(Seen& receiver, const Segment& seg, u32 length, u32 window) {
    TcpSnapshot& s = receiver.state;
    if (seg.flags.rst()) return;
    if (seg.flags.syn()) {
        s.irs = seg.seq;
        s.rcv_nxt = seg.seq + 1;
    }
    const SeqNum end(end_of_text(seg, length));
    const bool in_order = seg.seq.before_or_at(s.rcv_nxt) && end.after(s.rcv_nxt);
    if (in_order && s.irs != s.rcv_nxt) s.rcv_nxt = end;
    if (seg.options.timestamps) s.ts_recent = seg.options.timestamps->value;
    s.snd_wnd = window;
    s.snd_wl1 = seg.seq;
    if (!seg.flags.ack()) return;
    s.snd_wl2 = seg.ack;
    if (receiver.sent && seg.ack.after(s.snd_una)) s.snd_una = seg.ack;
    s.sack_count = seg.options.sack_count;
    s.sack_ranges = seg.options.sack_blocks;
    s.sacked = 0;
    for (std::size_t i = 0; i < s.sack_count; ++i) {
        s.sacked += s.sack_ranges[i].right.value() - s.sack_ranges[i].left.value();
    }
}

/// What the two have agreed on, as far as their SYNs were seen.
void TimelineCapture::options(Seen& sender, Seen& receiver, const ObservedStream& stream,
                              Side from) {
    const auto& theirs = stream.end(from).offered;
    const auto& ours = stream.end(other(from)).offered;
    if (!theirs || !ours) return;
    sender.state.mss = ours->mss.value_or(536);
    receiver.state.mss = theirs->mss.value_or(536);
    const bool scaled = ours->window_scale && theirs->window_scale;
    const u8 to_us = scaled ? *theirs->window_scale : u8{0};
    const u8 to_them = scaled ? *ours->window_scale : u8{0};
    receiver.state.snd_wind_shift = sender.state.rcv_wind_shift = to_us;
    sender.state.snd_wind_shift = receiver.state.rcv_wind_shift = to_them;
    for (Seen* end : {&sender, &receiver}) {
        end->state.timestamps = ours->timestamps && theirs->timestamps;
        end->state.sack_permitted = ours->sack_permitted && theirs->sack_permitted;
    }
}

Verdict TimelineCapture::verdict_of_sender(const ObservedSegment& segment, const Segment& seg,
                                           const Seen& sender) {
    const AnalysisSet& analysis = segment.analysis;
    if (seg.flags.rst()) return Verdict::FlushSent;
    if (seg.flags.syn()) {
        if (analysis.has(Analysis::Retransmission)) return Verdict::TimerSynRetransmit;
        return seg.flags.ack() ? Verdict::FlushSent : Verdict::UserOpen;
    }
    if (analysis.has(Analysis::FastRetransmission)) return Verdict::FastRetransmit;
    if (analysis.has(Analysis::Retransmission)) return Verdict::TimerRetransmit;
    if (analysis.has(Analysis::KeepAlive)) return Verdict::TimerKeepAlive;
    if (analysis.has(Analysis::ZeroWindowProbe)) return Verdict::TimerPersist;
    if (seg.flags.fin() && !sender.fin) return Verdict::UserClose;
    return Verdict::FlushSent;
}

Verdict TimelineCapture::verdict_of_receiver(const ObservedSegment& segment, const Segment& seg,
                                             const Seen& receiver, TcpState after) {
    const TcpState was = receiver.state.state;
    const AnalysisSet& analysis = segment.analysis;
    const bool turned = was != after;
    if (seg.flags.rst()) {
        return was == TcpState::SynSent ? Verdict::SynSentReset : Verdict::ResetAccepted;
    }
    if (seg.flags.syn()) {
        if (was == TcpState::Listen) return Verdict::ListenSyn;
        if (was != TcpState::SynSent) return Verdict::SequenceUnacceptable;
        return seg.flags.ack() ? Verdict::SynSentEstablished : Verdict::SynSentSimultaneous;
    }
    if (seg.flags.fin()) {
        if (turned) return Verdict::FinReceived;
        return was == TcpState::TimeWait ? Verdict::TimeWaitRestart : Verdict::DataDuplicate;
    }
    if (turned && was == TcpState::SynReceived) return Verdict::AckEstablishes;
    if (turned && was == TcpState::LastAck) return Verdict::LastFinAcked;
    if (turned) return Verdict::FinAcked;
    if (analysis.has(Analysis::KeepAlive)) return Verdict::SequenceUnacceptable;
    if (analysis.has(Analysis::ZeroWindowProbe)) return Verdict::SequenceZeroWindow;
    if (segment.note.length > 0) {
        if (seg.seq.after(receiver.state.rcv_nxt)) return Verdict::DataOutOfOrder;
        const SeqNum end = seg.seq + segment.note.length;
        return end.after(receiver.state.rcv_nxt) ? Verdict::DataInOrder : Verdict::DataDuplicate;
    }
    if (analysis.has(Analysis::DuplicateAck)) {
        return seg.options.sack_count > 0 ? Verdict::AckSack : Verdict::AckDuplicate;
    }
    if (seg.ack.after(receiver.state.snd_una)) return Verdict::AckAdvances;
    if (seg.ack.before(receiver.state.snd_una)) return Verdict::AckOld;
    return analysis.has(Analysis::WindowUpdate) ? Verdict::AckWindowUpdate : Verdict::Accepted;
}

const Timeline& TimelineCapture::finish() {
    put_frame();
    return timeline_;
}

}  // namespace tapestry
