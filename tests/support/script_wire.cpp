#include "tests/support/script_wire.h"

#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/tcp.h"

namespace tapestry::test {
namespace {

u32 distance(u32 from, u32 to) { return to - from; }

}  // namespace

ScriptWire::Flow& ScriptWire::flow_for_inbound(u32 number) {
    const auto [found, fresh] = flows_.try_emplace(number);
    if (fresh) {
        found->second.local_port = config_.local_port;
        found->second.remote_port = static_cast<u16>(config_.remote_port + number - 1);
    }
    return found->second;
}

/// A flow that we begin gets the next free number.
u32 ScriptWire::flow_for_outbound(u16 local_port, u16 remote_port) {
    for (const auto& [number, flow] : flows_) {
        if (flow.local_port == local_port && flow.remote_port == remote_port) return number;
    }
    const u32 number = flows_.empty() ? 1 : flows_.rbegin()->first + 1;
    flows_[number].local_port = local_port;
    flows_[number].remote_port = remote_port;
    return number;
}

std::optional<PortPair> ScriptWire::ports(u32 flow) const {
    const auto found = flows_.find(flow);
    if (found == flows_.end()) return std::nullopt;
    return PortPair{found->second.local_port, found->second.remote_port};
}

u32 ScriptWire::our_number(u32 flow, SeqNum on_wire) const {
    const auto found = flows_.find(flow);
    const u32 base = found == flows_.end() ? 0 : found->second.base.value_or(0);
    return distance(base, on_wire.value());
}

std::vector<u8> ScriptWire::wrap(IpProtocol protocol, Bytes payload, const PacketNotes& notes,
                                 Ipv4Address source) const {
    Ipv4Header ip;
    ip.total_length = static_cast<u16>(Ipv4View::kMinHeaderSize + payload.size());
    ip.tos = static_cast<u8>((notes.tos.value_or(0) & 0xfc) |
                             notes.ecn.value_or(notes.tos.value_or(0) & 3));
    ip.ttl = notes.ttl.value_or(64);
    ip.dont_fragment = true;
    ip.protocol = protocol;
    ip.source = notes.from.value_or(source);
    ip.destination = notes.to.value_or(config_.local.address);
    std::vector<u8> frame(EthernetView::kHeaderSize + Ipv4View::kMinHeaderSize);
    const MacAddress to = notes.broadcast ? MacAddress::broadcast() : our_mac();
    EthernetHeader{to, gateway_mac(), EtherType::Ipv4}.write(frame.data());
    ip.write(frame.data() + EthernetView::kHeaderSize);
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
}

std::vector<u8> ScriptWire::segment_of(const TcpLine& line, const Flow& flow) const {
    const OptionNumbers numbers{
        .stamp = [](u32 value) { return value; },
        // A SYN echoes nothing; before our first timestamp there is nothing to count from.
        .echo = [&](u32 echo) { return echo == 0 ? 0 : echo + flow.ts_base.value_or(0); },
        .sequence = [&](u32 number) { return number + flow.base.value_or(0); }};
    const auto options = encode_options(translated(line.options.list, numbers));
    TcpHeader header;
    header.source_port = line.notes.from_port.value_or(flow.remote_port);
    header.destination_port = line.notes.to_port.value_or(flow.local_port);
    header.sequence = SeqNum(line.note.seq + peer_iss_);
    if (line.note.ack) header.acknowledgment = SeqNum(*line.note.ack + flow.base.value_or(0));
    header.flags = line.note.flags;
    header.window = static_cast<u16>(line.note.window.value_or(65535));
    header.urgent_pointer = line.note.urgent.value_or(0);
    std::vector<u8> segment(TcpView::kMinHeaderSize);
    header.write(segment.data());
    segment[TcpView::kDataOffset] =
        static_cast<u8>((TcpView::kMinHeaderSize + options.size()) / 4 << 4U);
    segment.insert(segment.end(), options.begin(), options.end());
    // A SYN takes a number, so text in its segment begins behind it.
    const u32 first = line.note.seq + (line.note.flags.syn() ? 1 : 0);
    const u32 start = first - flow.peer_syn.value_or(0) - 1;
    for (u32 i = 0; i < line.note.length; ++i) {
        const u8 byte = stream_byte(start + i, false);
        segment.push_back(line.notes.garbage ? static_cast<u8>(~byte) : byte);
    }
    return segment;
}

std::vector<u8> ScriptWire::frame_of(const TcpLine& line) {
    Flow& flow = flow_for_inbound(line.flow);
    const TcpFlags flags = line.note.flags;
    if (flags.syn() && !flags.rst()) {
        // Another SYN than before begins another connection, in which we choose another ISN.
        if (!flags.ack() && flow.peer_syn && *flow.peer_syn != line.note.seq) flow.new_isn = true;
        flow.peer_syn = line.note.seq;
    }
    std::vector<u8> segment = segment_of(line, flow);
    const Ipv4Address source = line.notes.from.value_or(config_.remote);
    const Ipv4Address destination = line.notes.to.value_or(config_.local.address);
    ChecksumAdder adder = pseudo_header(source, destination, static_cast<u8>(IpProtocol::Tcp),
                                        static_cast<u32>(segment.size()));
    adder.add(segment);
    const u16 error = line.notes.bad_checksum ? 1 : 0;
    store_be16(&segment[TcpView::kChecksum], static_cast<u16>(adder.checksum() + error));
    return wrap(IpProtocol::Tcp, segment, line.notes, source);
}

/// The error quotes the IP header of our segment and the first 8 bytes behind it.
std::vector<u8> ScriptWire::frame_of(const IcmpLine& line) {
    const Flow& flow = flow_for_inbound(line.flow);
    constexpr std::size_t kTcpQuoted = 8;
    std::vector<u8> quote(Ipv4View::kMinHeaderSize + kTcpQuoted);
    Ipv4Header ip;
    ip.total_length =
        static_cast<u16>(Ipv4View::kMinHeaderSize + TcpView::kMinHeaderSize + line.length);
    ip.dont_fragment = true;
    ip.ttl = 1;
    ip.protocol = IpProtocol::Tcp;
    ip.source = config_.local.address;
    ip.destination = config_.remote;
    ip.write(quote.data());
    u8* tcp = &quote[Ipv4View::kMinHeaderSize];
    store_be16(tcp + TcpView::kSourcePort, line.notes.to_port.value_or(flow.local_port));
    store_be16(tcp + TcpView::kDestinationPort, line.notes.from_port.value_or(flow.remote_port));
    store_be32(tcp + TcpView::kSequence, line.seq + flow.base.value_or(0));
    std::vector<u8> message(IcmpView::kHeaderSize);
    IcmpHeader{static_cast<IcmpType>(line.type), line.code, line.mtu}.write(message.data(), quote);
    message.insert(message.end(), quote.begin(), quote.end());
    return wrap(IpProtocol::Icmp, message, line.notes, config_.gateway);
}

void ScriptWire::learn(Flow& flow, const TcpView& tcp, const TcpLine* expected) const {
    if (tcp.flags().syn() && flow.new_isn) {
        const u32 number = expected != nullptr ? expected->note.seq : 0;
        flow.base = tcp.sequence().value() - number;
        flow.our_syn = number;
        flow.new_isn = false;
    }
    if (flow.ts_base || expected == nullptr) return;
    const auto options = decode_options(tcp.options());
    for (const ScriptOption& want : expected->options.list) {
        if (want.kind != ScriptOption::Kind::Timestamps) continue;
        for (const ScriptOption& have : options) {
            if (have.kind == want.kind) flow.ts_base = have.value - want.value;
        }
    }
}

std::string ScriptWire::payload_fault(const Flow& flow, const TcpView& tcp) const {
    const u32 number = distance(flow.base.value_or(0), tcp.sequence().value());
    const u32 start = number - flow.our_syn - 1;
    const Bytes payload = tcp.payload();
    for (u32 i = 0; i < payload.size(); ++i) {
        if (payload[i] != stream_byte(start + i, true)) {
            return "the byte with number " + std::to_string(number + i) +
                   " is not the one that was written there";
        }
    }
    return {};
}

std::optional<SeenSegment> ScriptWire::read(Bytes frame, const TcpLine* expected) {
    const auto ethernet = EthernetView::parse(frame);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return std::nullopt;
    const auto ip = Ipv4View::parse(ethernet->payload());
    if (!ip || ip->protocol() != IpProtocol::Tcp) return std::nullopt;
    const auto segment = Segment::parse(ip->payload(), ip->source(), ip->destination());
    const auto tcp = TcpView::parse(ip->payload());
    if (!tcp) return std::nullopt;
    SeenSegment seen;
    seen.tos = ip->tos();
    seen.ttl = ip->ttl();
    if (!segment)
        seen.fault = std::string("it is broken: ") + std::string(tapestry::text(segment.error()));
    const u16 remote_port = tcp->destination_port();
    seen.flow = flow_for_outbound(tcp->source_port(), remote_port);
    Flow& flow = flows_[seen.flow];
    if (tcp->flags().syn() && !tcp->flags().ack() && connecting_) {
        flow.new_isn = true;
        connecting_ = false;
    }
    learn(flow, *tcp, expected);
    const u32 base = flow.base.value_or(0);
    // "<SEQ=0>" of a reset for nobody is no number of a connection.
    const bool zero = tcp->flags().rst() && tcp->sequence().value() == 0;
    seen.note.flags = tcp->flags();
    seen.note.seq = zero ? 0 : distance(base, tcp->sequence().value());
    seen.note.length = static_cast<u32>(tcp->payload().size());
    if (tcp->flags().ack()) seen.note.ack = distance(peer_iss_, tcp->acknowledgment().value());
    seen.note.window = tcp->window();
    if (tcp->flags().urg()) seen.note.urgent = tcp->urgent_pointer();
    seen.options = translated(decode_options(tcp->options()),
                              {.stamp = [&](u32 v) { return v - flow.ts_base.value_or(0); },
                               .echo = [](u32 v) { return v; },
                               .sequence = [&](u32 v) { return distance(peer_iss_, v); }});
    if (seen.fault.empty()) seen.fault = payload_fault(flow, *tcp);
    return seen;
}

}  // namespace tapestry::test
