#include "apps/inspect/timeline_events.h"

#include "drivers/link_layer.h"
#include "stack/wire/ethernet.h"

namespace tapestry {
namespace {

using Step = Timeline::Step;

/// The stack has the payload of what it sends apart from the headers.
FrameEvent frame_event(const Timeline& timeline, const Step& step) {
    const Timeline::Frame& frame = timeline.frames[step.frame];
    const bool in = step.kind == Step::Kind::Received;
    FrameEvent event;
    event.now = timeline.start + step.time;
    event.direction = in ? Direction::In : Direction::Out;
    event.interface = static_cast<u8>(in ? frame.to.interface : frame.from.interface);
    event.offload = frame.offload;
    event.headers = frame.bytes;
    if (in) return event;
    const auto ethernet = EthernetView::parse(frame.bytes);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return event;
    const auto ip = Ipv4View::parse_quoted(ethernet->payload());
    if (!ip || ip->protocol() != IpProtocol::Tcp || ip->is_fragment()) return event;
    const auto tcp = TcpView::parse(ip->payload());
    if (!tcp) return event;
    const std::size_t headers = EthernetView::kHeaderSize + ip->header_size() + tcp->header_size();
    event.headers = Bytes(frame.bytes).first(headers);
    event.payload[0] = Bytes(frame.bytes).subspan(headers);
    return event;
}

}  // namespace

std::optional<ObservedPacket> packet_of(const Timeline::Frame& frame) {
    const auto packet = network_packet(LinkType::Ethernet, frame.bytes);
    if (!packet || packet->type != EtherType::Ipv4) return std::nullopt;
    const auto ip = Ipv4View::parse_quoted(packet->packet);
    if (!ip) return std::nullopt;
    return observed_packet(*ip, frame.wire_size - packet->header_size);
}

std::optional<ObservedPacket> packet_of(const Timeline& timeline, const Step& step) {
    if (step.frame == Timeline::kNone) return std::nullopt;
    return packet_of(timeline.frames[step.frame]);
}

TcpEvent tcp_event(const Timeline& timeline, const Step& step,
                   const std::optional<ObservedPacket>& packet) {
    TcpEvent event;
    event.now = timeline.start + step.time;
    event.stimulus = step.stimulus;
    event.verdict = step.verdict;
    event.drop = step.drop;
    event.before = timeline.states[step.before];
    event.after = timeline.states[step.after];
    const bool by_segment = step.stimulus == Stimulus::Segment && packet &&
                            packet->segment.destination == event.after.local;
    event.segment = by_segment ? &packet->segment : nullptr;
    return event;
}

void tell_again(const Timeline& timeline, u32 host, TraceSink& sink) {
    using enum Step::Kind;
    for (const Step& step : timeline.steps) {
        if (step.host != host) continue;
        const TimePoint now = timeline.start + step.time;
        if (step.kind == Sent || step.kind == Received) sink.on_frame(frame_event(timeline, step));
        // What an answer has changed the stack tells with its next event.
        const bool told = step.verdict != Verdict::None || step.stimulus != Stimulus::Flush;
        if (step.end != Timeline::kNone && told) {
            sink.on_tcp(tcp_event(timeline, step, packet_of(timeline, step)));
        }
        if (step.drop) {
            const Bytes bytes =
                step.frame == Timeline::kNone ? Bytes() : Bytes(timeline.frames[step.frame].bytes);
            sink.on_drop({now, *step.drop, bytes});
        }
        if (step.flow != Timeline::kNone) sink.on_flow(timeline.flows[step.flow]);
        if (step.rewrite == Timeline::kNone) continue;
        const Timeline::Rewrite& r = timeline.rewrites[step.rewrite];
        sink.on_forward(
            {now, static_cast<u8>(r.in), static_cast<u8>(r.out), r.before, r.after, r.flow});
    }
}

}  // namespace tapestry
