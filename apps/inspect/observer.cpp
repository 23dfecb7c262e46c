#include "apps/inspect/observer.h"

#include <algorithm>

/// Theory of operation. Every segment is held against what its direction (`ours`) and the other
/// (`theirs`) have shown before; the order of the questions is that of Wireshark, since a segment
/// that answers to two descriptions has to get the same one. Then it is remembered.

namespace tapestry {
namespace {

/// How long a first line may be, and how many of one end are kept.
constexpr std::size_t kHttpLine = 200;
constexpr std::size_t kHttpLines = 1000;

u32 distance(SeqNum from, SeqNum to) { return to.value() - from.value(); }

}  // namespace

bool Observer::packet(u64 number, TimePoint time, Bytes ipv4, std::size_t wire_size) {
    const auto ip = Ipv4View::parse_quoted(ipv4);
    if (!ip || ip->protocol() != IpProtocol::Tcp || ip->is_fragment()) return false;
    const auto tcp = TcpView::parse(ip->payload());
    if (!tcp) return false;
    const auto options = TcpOptions::parse(tcp->options());
    // A capture may have cut the packet: the lengths are what the header says.
    const std::size_t headers = ip->header_size() + tcp->header_size();
    // A super-frame of 64 KB has no length in its header, and a broken packet too much of it.
    const std::size_t said = ip->total_length() == 0 ? wire_size : ip->total_length();
    const std::size_t total = std::min(said, wire_size);
    if (total < headers) return false;
    const Arrived arrived{number,
                          time,
                          {.source = {ip->source(), tcp->source_port()},
                           .destination = {ip->destination(), tcp->destination_port()},
                           .seq = tcp->sequence(),
                           .ack = tcp->acknowledgment(),
                           .wnd = tcp->window(),
                           .up = tcp->urgent_pointer(),
                           .flags = tcp->flags(),
                           .options = options.value_or(TcpOptions()),
                           .payload = tcp->payload()},
                          static_cast<u32>(total - headers)};
    observe(arrived);
    return true;
}

void Observer::observe(const Arrived& arrived) {
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
    // A short frame of Ethernet has padding behind its packet.
    const Bytes captured = arrived.segment.payload;
    out.payload = captured.first(std::min<std::size_t>(captured.size(), arrived.length));
    handshake(stream, shown, arrived, from);
    out.analysis = analyze(stream, arrived, from, out.duplicate_ack);
    if (reused) out.analysis.add(Analysis::ReusedPorts);
    out.note = relative(stream, arrived, from);
    remember(stream, arrived, from, out.analysis);
    states(stream, shown, arrived, from);
    take_text(stream.way(from), shown.end(from), arrived);
    const Way& ours = stream.way(from);
    const bool scaled = ours.scaled && !arrived.segment.flags.syn();
    out.window = u32{arrived.segment.wnd} << (scaled ? ours.scale.value_or(0) : 0);
    out.client = shown.end(Side::Client).state;
    out.server = shown.end(Side::Server).state;
    ++shown.end(from).segments;
    shown.last = arrived.time;
    for (std::size_t i = 0; i < shown.counts.size(); ++i) {
        if (out.analysis.has(static_cast<Analysis>(i))) ++shown.counts[i];
    }
    sink_(out);
}

/// The conversation of a segment, a new one where it begins one: tshark takes a SYN with another
/// initial number for that, between ports that are known already.
std::size_t Observer::find(const Arrived& arrived, bool& reused) {
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

TcpNote Observer::relative(Stream& stream, const Arrived& arrived, Side from) {
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

void Observer::remember(Stream& stream, const Arrived& arrived, Side from, const AnalysisSet& set) {
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

void Observer::handshake(Stream& stream, ObservedStream& shown, const Arrived& arrived, Side from) {
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
        // RFC 7323 2.2: only where both have offered it.
        if (seg.flags.ack()) ours.scaled = theirs.scaled = ours.scale && theirs.scale;
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

/// Text that is new is counted; the beginning of each contiguous piece is looked at for HTTP.
void Observer::take_text(Way& way, ObservedEnd& end, const Arrived& arrived) {
    if (arrived.length == 0 || !way.numbers.base || arrived.segment.flags.syn()) return;
    u32 from = distance(*way.numbers.base, arrived.segment.seq);
    const u32 to = from + arrived.length;
    const bool in_order = from == way.contiguous;
    from = std::max(from, way.contiguous);
    if (static_cast<i32>(to - from) <= 0) return;
    // What lies between the pieces that are there already.
    u32 fresh = to - from;
    auto piece = way.pieces.lower_bound(from);
    if (piece != way.pieces.begin() && std::prev(piece)->second > from) --piece;
    u32 left = from;
    u32 right = to;
    while (piece != way.pieces.end() && piece->first <= to) {
        const u32 low = std::max(piece->first, from);
        const u32 high = std::min(piece->second, to);
        if (high > low) fresh -= high - low;
        left = std::min(left, piece->first);
        right = std::max(right, piece->second);
        piece = way.pieces.erase(piece);
    }
    way.pieces[left] = right;
    end.bytes += fresh;
    while (!way.pieces.empty() && way.pieces.begin()->first <= way.contiguous) {
        way.contiguous = std::max(way.contiguous, way.pieces.begin()->second);
        way.pieces.erase(way.pieces.begin());
    }
    if (in_order) find_http(end, arrived.segment.payload);
}

/// The first line of a message, where one begins with a segment, as they nearly always do.
void Observer::find_http(ObservedEnd& end, Bytes text) {
    const std::string_view words(reinterpret_cast<const char*>(text.data()), text.size());
    constexpr std::array<std::string_view, 10> kBeginnings{
        "GET ",     "HEAD ",    "POST ",  "PUT ",   "DELETE ",
        "OPTIONS ", "CONNECT ", "TRACE ", "PATCH ", "HTTP/1."};
    if (std::ranges::none_of(kBeginnings, [&](auto w) { return words.starts_with(w); })) return;
    const std::size_t line = words.find("\r\n");
    if (line > kHttpLine || end.http.size() >= kHttpLines) return;
    end.http.emplace_back(words.substr(0, line));
}

}  // namespace tapestry
