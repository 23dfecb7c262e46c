#include "stack/tcp/tcp.h"

#include <algorithm>

#include "stack/wire/checksum.h"

namespace tapestry {

std::size_t FourTupleHash::operator()(const FourTuple& tuple) const {
    std::array<u8, 12> bytes{};
    tuple.local.address.store(&bytes[0]);
    tuple.remote.address.store(&bytes[4]);
    store_be16(&bytes[8], tuple.local.port);
    store_be16(&bytes[10], tuple.remote.port);
    return siphash(key, bytes);
}

namespace {

SipKey random_key(Rng& rng) {
    const u64 first = rng.next();
    return {first, rng.next()};
}

}  // namespace

Tcp::Tcp(Services& services, Ipv4& ip)
    : services_(services),
      ip_(ip),
      isn_(random_key(services.rng)),
      tuples_(16, FourTupleHash{random_key(services.rng)}),
      next_ephemeral_(services.rng.below(u32{services.config.tcp.ephemeral_last} -
                                         services.config.tcp.ephemeral_first + 1)),
      cookies_(random_key(services.rng)) {}

Tcp::~Tcp() = default;

std::expected<void, Drop> Tcp::input(const Ipv4Datagram& datagram, TimePoint now) {
    auto parsed = Segment::parse(datagram.payload, datagram.source, datagram.destination,
                                 datagram.checksum_trusted);
    if (!parsed) return std::unexpected(parsed.error());
    parsed->ecn = datagram.tos & Ecn::kMask;
    const Segment& seg = *parsed;
    ++services_.counters.tcp_in_segs;
    // MUST-57: "A TCP implementation MUST silently discard an incoming SYN segment that is addressed to
    // a broadcast or multicast address." We say it of every segment.
    if (datagram.broadcast) return std::unexpected(Drop::TcpBadAddress);

    std::optional<SeqNum> iss_floor;
    if (Connection* connection = find({seg.destination, seg.source})) {
        const SegmentResult result = input(*connection, seg, now);
        if (!result.reopen) {
            if (result.drop) return std::unexpected(*result.drop);
            return {};
        }
        iss_floor = connection->sender_.snd().nxt;
    }
    if (ListenQueue* queue = find_listener(seg.destination)) {
        return input_listen(*queue, seg, iss_floor, now);
    }
    if (datagram.answer) answer_nobody(seg, now);
    return std::unexpected(Drop::TcpNoConnection);
}

SegmentResult Tcp::input(Connection& connection, const Segment& seg, TimePoint now) {
    SegmentResult result;
    {
        TcpTraceGuard guard(connection, Stimulus::Segment, now);
        guard.segment(seg);
        connection.traffic_.heard(seg.flags.ack(), !seg.payload.empty(), now);
        result = connection.on_segment(seg, now);
        guard.decided(result.verdict, result.drop);
    }
    touch(connection);
    if (result.reply) {
        send_reply(seg, *result.reply, now, connection.options_.get());
        connection.traffic_.sent(0, 0, now);
        if (!result.reply->flags.rst()) connection.after_header_sent(*result.reply, now);
    }
    return result;
}

/// RFC 9293 3.10.7.1: CLOSED. "all data in the incoming segment is discarded. An incoming segment
/// containing a RST is discarded. An incoming segment not containing a RST causes a RST to be sent in
/// response."
void Tcp::answer_nobody(const Segment& seg, TimePoint now) {
    if (seg.flags.rst()) return;
    TcpHeader reset;
    if (seg.flags.ack()) {
        // "<SEQ=SEG.ACK><CTL=RST>"
        reset.sequence = seg.ack;
        reset.flags = {TcpFlags::kRst};
    } else {
        // "<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>"
        reset.acknowledgment = seg.end();
        reset.flags = {TcpFlags::kRst | TcpFlags::kAck};
    }
    send_reply(seg, reset, now);
}

/// RFC 9293 3.10.7.2: LISTEN.
std::expected<void, Drop> Tcp::input_listen(ListenQueue& queue, const Segment& seg,
                                            std::optional<SeqNum> iss_floor, TimePoint now) {
    // First, check for a RST; second, for an ACK; third, for a SYN.
    if (seg.flags.rst()) return std::unexpected(Drop::TcpListenReset);
    if (seg.flags.ack()) {
        if (queue.awaits_cookies(now) && !seg.flags.syn()) return take_cookie(queue, seg, now);
        answer_nobody(seg, now);
        return std::unexpected(Drop::TcpListenNotSyn);
    }
    // A SYN with a FIN is no honest peer's.
    if (!seg.flags.syn() || seg.flags.fin()) return std::unexpected(Drop::TcpListenNotSyn);
    if (connections_.size() >= services_.config.tcp.max_connections) {
        return std::unexpected(Drop::TcpNoMemory);
    }
    if (!queue.can_start()) {
        // A cookie cannot promise that its ISS is beyond those of the connection before (RFC 6191).
        const bool cookie = services_.config.tcp.syn_cookies && queue.can_finish() && !iss_floor;
        if (!cookie) return std::unexpected(Drop::TcpBacklogFull);
        answer_with_cookie(queue, seg, now);
        return {};
    }
    Connection& connection = create();
    TcpTraceGuard guard(connection, Stimulus::Segment, now);
    guard.segment(seg);
    take_options(connection, queue);
    connection.open_passive(seg, iss_floor, now);
    connection.wait_at(queue);
    register_tuple(connection);
    touch(connection);
    guard.decided(Verdict::ListenSyn);
    return {};
}

std::expected<void, Drop> Tcp::icmp_error(const IcmpError& error, TimePoint now) {
    if (error.quoted_payload.size() < 8) return std::unexpected(Drop::IcmpBadQuote);
    const u8* p = error.quoted_payload.data();
    Connection* connection = find({{error.source, load_be16(p + TcpView::kSourcePort)},
                                   {error.destination, load_be16(p + TcpView::kDestinationPort)}});
    if (connection == nullptr) return std::unexpected(Drop::IcmpNoMatch);
    TcpTraceGuard guard(*connection, Stimulus::Segment, now);
    const auto verdict = connection->on_icmp_error(error, now);
    touch(*connection);
    if (!verdict) return std::unexpected(verdict.error());
    guard.decided(*verdict);
    return {};
}

void Tcp::run_deadline(Connection& connection, TimePoint now) {
    TcpTraceGuard guard(connection, Stimulus::Timer, now);
    guard.decided(connection.on_deadline(now));
    touch(connection);
}

void Tcp::flush(TimePoint now) {
    blocked_ = false;
    while (!dirty_.empty() && !blocked_) {
        std::swap(dirty_, flushing_);
        for (Connection* connection : flushing_) {
            connection->dirty_ = false;
            {
                TcpTraceGuard guard(*connection, Stimulus::Flush, now);
                const bool done = connection->flush(now);
                guard.decided(done ? Verdict::FlushSent : Verdict::FlushBlocked);
                if (!done) {
                    blocked_ = true;
                    touch(*connection);
                }
            }
            if (connection->state() == TcpState::Closed && connection->orphaned()) {
                destroy(*connection);
            }
        }
        flushing_.clear();
    }
}

SendResult Tcp::output(const Endpoint& local, const Endpoint& remote, const TcpHeader& header,
                       const std::array<Bytes, 2>& text, u16 gso_size, u8 ecn,
                       const TcpSocketOptions* options, TimePoint now) {
    Frame frame(text[0], text[1]);
    const std::size_t header_size = header.size();
    u8* const bytes = frame.push(header_size);
    header.write(bytes);
    store_be16(bytes + TcpView::kSourcePort, local.port);
    store_be16(bytes + TcpView::kDestinationPort, remote.port);
    // The device, or the segmenter before it, finishes the sum over the text; what it needs is the sum
    // over the pseudo-header.
    const ChecksumAdder pseudo =
        pseudo_header(local.address, remote.address, static_cast<u8>(IpProtocol::Tcp),
                      static_cast<u32>(header_size + frame.payload_size()));
    store_be16(bytes + TcpView::kChecksum, pseudo.sum());
    frame.offload = {.checksum = Offload::Checksum::Partial,
                     .gso = gso_size != 0 ? Offload::Gso::Tcp4 : Offload::Gso::None,
                     .gso_size = gso_size,
                     .header_length = static_cast<u16>(header_size),
                     .csum_start = 0,
                     .csum_offset = TcpView::kChecksum};
    Ipv4SendOptions send{
        .source = local.address, .destination = remote.address, .protocol = IpProtocol::Tcp};
    if (options != nullptr) {
        send.ttl = options->ttl;
        send.tos = options->tos;
    }
    send.tos |= ecn;
    const SendResult result = ip_.output(frame, send, now);
    if (result != SendResult::Full) {
        ++services_.counters.tcp_out_segs;
        if (header.flags.rst()) ++services_.counters.tcp_out_rsts;
    }
    return result;
}

void Tcp::send_reply(const Segment& seg, const TcpHeader& reply, TimePoint now,
                     const TcpSocketOptions* options) {
    // A reply that the device does not take is lost, as on any wire: the peer will ask again.
    static_cast<void>(
        output(seg.destination, seg.source, reply, {}, 0, Ecn::kNotEct, options, now));
}

Connection& Tcp::create() {
    connections_.push_back(std::make_unique<Connection>(*this, services_));
    Connection& connection = *connections_.back();
    connection.index_ = static_cast<u32>(connections_.size() - 1);
    return connection;
}

void Tcp::destroy(Connection& connection) {
    unregister_tuple(connection);
    std::erase(dirty_, &connection);
    const u32 index = connection.index_;
    std::swap(connections_[index], connections_.back());
    connections_[index]->index_ = index;
    connections_.pop_back();
}

void Tcp::touch(Connection& connection) {
    if (connection.dirty_) return;
    connection.dirty_ = true;
    dirty_.push_back(&connection);
}

bool Tcp::register_tuple(Connection& connection) {
    const bool fresh =
        tuples_.try_emplace({connection.local(), connection.remote()}, &connection).second;
    if (fresh) connection.opened_ = true;
    return fresh;
}

void Tcp::unregister_tuple(Connection& connection) {
    if (latest_ == &connection) latest_ = nullptr;
    const auto found = tuples_.find({connection.local(), connection.remote()});
    if (found != tuples_.end() && found->second == &connection) tuples_.erase(found);
}

/// Segments come in trains: most are for the connection that the one before was for.
Connection* Tcp::find(const FourTuple& tuple) {
    if (latest_ != nullptr && tuple == FourTuple{latest_->local(), latest_->remote()}) {
        return latest_;
    }
    const auto found = tuples_.find(tuple);
    if (found == tuples_.end()) return nullptr;
    return latest_ = found->second;
}

/// The listener on this very address, else the one on any address.
ListenQueue* Tcp::find_listener(const Endpoint& local) const {
    ListenQueue* any = nullptr;
    for (const auto& queue : listeners_) {
        if (queue->local() == local) return queue.get();
        if (queue->local() == Endpoint{Ipv4Address(), local.port}) any = queue.get();
    }
    return any;
}

void TcpTraceGuard::begin(const Connection& connection) {
    connection_ = &connection;
    before_ = std::make_unique<TcpSnapshot>(connection.snapshot());
}

void TcpTraceGuard::end() {
    TraceSink* sink = connection_->services_.trace;
    const TcpSnapshot after = connection_->snapshot();
    // A flush that had nothing to do, or a timer that came too early, is no event.
    const bool idle = stimulus_ == Stimulus::Flush || verdict_ == Verdict::None;
    if (sink == nullptr || (idle && *before_ == after)) return;
    sink->on_tcp({now_, stimulus_, segment_, verdict_, drop_, *before_, after});
}

}  // namespace tapestry
