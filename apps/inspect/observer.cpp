#include "apps/inspect/observer.h"

#include <algorithm>

/// Theory of operation. Every segment is held against what its direction (`ours`) and the other
/// (`theirs`) have shown before; the order of the questions is that of Wireshark, since a segment
/// that answers to two descriptions has to get the same one. Then it is remembered.

namespace tapestry {
namespace {

u32 distance(SeqNum from, SeqNum to) { return to.value() - from.value(); }

}  // namespace

bool Observer::packet(u64 number, TimePoint time, Bytes ipv4, std::size_t wire_size) {
    auto ip = Ipv4View::parse_quoted(ipv4);
    if (!ip || ip->protocol() != IpProtocol::Tcp) return false;
    const bool fragment = ip->is_fragment();
    if (fragment) {
        const auto whole = fragments_.add(*ip, wire_size);
        if (!whole) return false;
        ip = Ipv4View::parse_quoted(*whole);
        wire_size = whole->size();
    }
    auto arrived = observed_packet(*ip, wire_size);
    if (!arrived) return false;
    arrived->number = number;
    arrived->time = time;
    arrived->from_fragments = fragment;
    observe(*arrived);
    return true;
}

void Observer::observe(const ObservedPacket& arrived) {
    bool reused = false;
    const std::size_t index = find(arrived, reused);
    ObservedStream& shown = streams_[index];
    Stream& stream = inner_[index];
    const Side from =
        arrived.segment.source == shown.end(Side::Client).endpoint ? Side::Client : Side::Server;

    ObservedSegment out;
    out.number = arrived.number;
    out.time = arrived.time;
    out.stream = index;
    out.from = from;
    out.seq = arrived.segment.seq;
    out.ack = arrived.segment.ack;
    // A short frame of Ethernet has padding behind its packet.
    const Bytes captured = arrived.segment.payload;
    out.payload = captured.first(std::min<std::size_t>(captured.size(), arrived.length));
    handshake(stream, shown, arrived, from);
    out.analysis = analyze(stream, arrived, from, out.duplicate_ack);
    if (reused) out.analysis.add(Analysis::ReusedPorts);
    out.note = relative(stream, arrived, from);
    remember(stream, arrived, from, out.analysis);
    states(stream, shown, arrived, from);
    take_text(stream, shown, arrived, from);
    note_missing(stream, shown, arrived, from);
    note_signs(shown, arrived, from);
    const Way& ours = stream.way(from);
    const bool scaled = ours.scaled && !arrived.segment.flags.syn();
    out.window = u32{arrived.segment.wnd} << (scaled ? ours.scale.value_or(0) : 0);
    out.client = shown.end(Side::Client).state;
    out.server = shown.end(Side::Server).state;
    out.checksum = arrived.checksum;
    out.ip_checksum_wrong = arrived.ip_checksum_wrong;
    ++shown.end(from).segments;
    shown.last = arrived.time;
    for (std::size_t i = 0; i < shown.counts.size(); ++i) {
        if (out.analysis.has(static_cast<Analysis>(i))) ++shown.counts[i];
    }
    sink_(out);
}

/// The conversation of a segment, a new one where it begins one: tshark takes a SYN with another
/// initial number for that, between ports that are known already.
std::size_t Observer::find(const ObservedPacket& arrived, bool& reused) {
    const Segment& seg = arrived.segment;
    const auto key = std::minmax(seg.source, seg.destination);
    const auto known = latest_.find(key);
    if (known != latest_.end()) {
        const std::size_t index = known->second;
        const Side from =
            seg.source == streams_[index].end(Side::Client).endpoint ? Side::Client : Side::Server;
        const auto& base = inner_[index].way(from).numbers.base;
        const bool opens = seg.flags.syn() && !seg.flags.ack();
        if (!opens || !base || *base == seg.seq) return index;
        reused = true;
    }
    latest_[key] = streams_.size();
    // Who opens is the client; in the middle of a conversation the lower port is taken for a server's.
    const bool client_is_source =
        seg.flags.syn() ? !seg.flags.ack() : seg.source.port >= seg.destination.port;
    ObservedStream stream;
    stream.number = streams_.size();
    stream.end(Side::Client).endpoint = client_is_source ? seg.source : seg.destination;
    stream.end(Side::Server).endpoint = client_is_source ? seg.destination : seg.source;
    stream.first = arrived.time;
    if (!seg.flags.syn()) {
        stream.end(Side::Client).state = stream.end(Side::Server).state = TcpState::Established;
    } else {
        stream.end(Side::Server).state = TcpState::Listen;
    }
    streams_.push_back(std::move(stream));
    inner_.emplace_back();
    return streams_.size() - 1;
}

TcpNote Observer::relative(Stream& stream, const ObservedPacket& arrived, Side from) {
    const Segment& seg = arrived.segment;
    TcpNote note;
    note.flags = seg.flags;
    note.seq = seg.seq.value();
    note.length = arrived.length;
    if (seg.flags.ack()) note.ack = seg.ack.value();
    note.window = seg.wnd;
    note.options = seg.options;
    // A conversation that was joined in its middle counts from 1, as tshark does.
    return relative_note(note, stream.way(from).numbers, stream.way(other(from)).numbers, 1);
}

void Observer::remember(Stream& stream, const ObservedPacket& arrived, Side from,
                        const AnalysisSet& set) {
    const Segment& seg = arrived.segment;
    Way& ours = stream.way(from);
    Way& theirs = stream.way(other(from));
    const SeqNum end = arrived.end();
    const bool probe = set.has(Analysis::ZeroWindowProbe);
    if (!ours.next || (end.after(*ours.next) && !probe)) {
        ours.next = end;
        ours.next_time = arrived.time;
    }
    // As far as everything was seen without a hole; once a hole is filled, as far as anything was.
    if (!probe && (!ours.to_be_acked || seg.seq == *ours.to_be_acked)) ours.to_be_acked = ours.next;
    if (seg.flags.ack()) {
        if (set.has(Analysis::AckLostSegment)) theirs.to_be_acked = theirs.next;
        // A receiver may keep the byte of a probe after all.
        if (set.has(Analysis::ZeroWindowProbeAck) && theirs.next && seg.ack.after(*theirs.next)) {
            theirs.next = seg.ack;
        }
        ours.ack = seg.ack;
        ours.acked = true;
        ours.ack_time = arrived.time;
    }
    ours.window = seg.wnd;
    ours.last = set;
}

void Observer::handshake(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                         Side from) {
    const Segment& seg = arrived.segment;
    Way& ours = stream.way(from);
    Way& theirs = stream.way(other(from));
    constexpr u8 kSyn = 1;
    constexpr u8 kSynAck = 2;
    constexpr u8 kAck = 4;
    constexpr u8 kData = 8;
    constexpr u8 kFin = 16;
    constexpr u8 kRst = 32;
    u8& done = shown.completeness;
    if (seg.flags.syn()) {
        shown.end(from).offered = seg.options;
        ours.scale = seg.options.window_scale;
        if (ours.scale) ours.scale = std::min<u8>(*ours.scale, 14);
        // RFC 7323 2.2: only where both have offered it. Of a SYN that was not seen the best is taken
        // for true, as Wireshark does.
        ours.syn_seen = true;
        const bool both = theirs.syn_seen ? ours.scale && theirs.scale : ours.scale.has_value();
        ours.scaled = both;
        if (theirs.syn_seen) theirs.scaled = both;
        auto& time = seg.flags.ack() ? shown.syn_ack : shown.syn;
        auto& frame = seg.flags.ack() ? shown.syn_ack_frame : shown.syn_frame;
        if (!time) {
            time = arrived.time;
            frame = arrived.number;
        }
        done |= seg.flags.ack() ? kSynAck : kSyn;
        stream.handshake_seen = true;
    } else if (seg.flags.ack()) {
        if (shown.syn_ack && !shown.ack && from == Side::Client) {
            shown.ack = arrived.time;
            shown.ack_frame = arrived.number;
            if (shown.syn) stream.first_rtt = arrived.time - *shown.syn;
        }
        // tshark counts any bare acknowledgment, a reset's too.
        if (arrived.length == 0) done |= kAck;
    }
    if (arrived.length > 0) done |= kData;
    if (seg.flags.fin()) done |= kFin;
    if (seg.flags.rst()) done |= kRst;
}

/// Text that is new is counted, and looked at for HTTP.
void Observer::take_text(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                         Side from) {
    Way& way = stream.way(from);
    const Segment& seg = arrived.segment;
    if (arrived.length == 0 || !way.numbers.base) return;
    const u32 first = distance(*way.numbers.base, seg.seq) + (seg.flags.syn() ? 1 : 0);
    const u64 position = way.text.position_of(first);
    shown.end(from).bytes += way.text.take(position, arrived.length);
    if (!stream.http && HttpConversation::may_begin(seg.payload)) {
        stream.http = std::make_unique<HttpConversation>();
    }
    if (stream.http) {
        stream.http->take(shown.http, from, position, arrived.length, seg.payload, arrived.number,
                          arrived.time);
    }
}

/// What one side has acknowledged was there, whether the capture shows it or not.
void Observer::note_missing(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                            Side from) {
    const auto missing = [&](Side side) -> u64& {
        return shown.capture.missing[static_cast<std::size_t>(side)];
    };
    const Side to = other(from);
    Way& theirs = stream.way(to);
    const Segment& seg = arrived.segment;
    if (seg.flags.ack() && !seg.flags.rst() && theirs.numbers.base) {
        u64 acked = theirs.text.position_of(distance(*theirs.numbers.base, seg.ack));
        // A FIN is acknowledged, too, but is no text.
        if (theirs.fin_sent && seg.ack == theirs.fin) --acked;
        if (acked > theirs.acked_to) {
            theirs.acked_to = acked;
            missing(to) = theirs.text.missing_before(acked);
        }
    }
    // Late, it has been seen after all.
    const Way& ours = stream.way(from);
    if (missing(from) > 0) missing(from) = ours.text.missing_before(ours.acked_to);
}

void Observer::note_signs(ObservedStream& shown, const ObservedPacket& arrived, Side from) {
    constexpr u32 kEthernetMtu = 1500;
    CaptureSigns& signs = shown.capture;
    const auto& offered = shown.end(other(from)).offered;
    const bool super =
        offered && offered->mss ? arrived.length > *offered->mss : arrived.ip_size > kEthernetMtu;
    signs.mid_stream = !shown.syn && !shown.syn_ack;
    if (super && !arrived.from_fragments) ++signs.super_frames;
    if (arrived.checksum == ChecksumSeen::Partial) ++signs.partial_checksums;
    if (arrived.checksum == ChecksumSeen::Wrong) ++signs.wrong_checksums;
    if (arrived.ip_checksum_wrong) ++signs.wrong_ip_checksums;
    if (arrived.cut) ++signs.cut;
    if (arrived.from_fragments) ++signs.from_fragments;
}

}  // namespace tapestry
