#include "stack/udp/udp.h"

#include <algorithm>

#include "stack/udp/udp_port.h"
#include "stack/wire/checksum.h"
#include "stack/wire/udp.h"

namespace tapestry {

Udp::Udp(Services& services, Ipv4& ip) : services_(services), ip_(ip) {}

Udp::~Udp() = default;

UdpSocket Udp::socket() {
    auto port = std::make_unique<UdpPort>();
    UdpPort& made = *port;
    ports_.emplace(&made, std::move(port));
    return {*this, made};
}

// ---- from the network -------------------------------------------------------------------------

std::expected<void, Drop> Udp::input(const Ipv4Datagram& datagram, TimePoint /*now*/) {
    const auto view = UdpView::parse(datagram.payload, datagram.source, datagram.destination,
                                     datagram.checksum_trusted);
    if (!view) return std::unexpected(view.error());
    // RFC 768: port 0 as a source says "no reply expected". As a destination it names nobody.
    if (view->destination_port() == 0) return std::unexpected(Drop::UdpBadPort);
    const Endpoint source{datagram.source, view->source_port()};
    const Endpoint destination{datagram.destination, view->destination_port()};
    const Bytes data = view->payload();
    if (datagram.gso_size == 0 || data.empty()) {
        return deliver(datagram, source, destination, data);
    }
    // A super-frame is a row of datagrams, all of gso_size bytes but the last.
    std::expected<void, Drop> result;
    for (std::size_t at = 0; at < data.size(); at += datagram.gso_size) {
        const std::size_t size = std::min<std::size_t>(datagram.gso_size, data.size() - at);
        const auto taken = deliver(datagram, source, destination, data.subspan(at, size));
        if (!taken) result = taken;
    }
    return result;
}

std::expected<void, Drop> Udp::deliver(const Ipv4Datagram& datagram, const Endpoint& source,
                                       const Endpoint& destination, Bytes data) {
    const u32 limit = services_.config.udp.receive_buffer;
    if (!datagram.broadcast) {
        UdpPort* port = find(source, destination);
        if (port == nullptr) return std::unexpected(Drop::UdpNoSocket);
        const auto queued = queue(*port, source, destination, data, limit);
        if (queued) ++services_.counters.udp_in_datagrams;
        return queued;
    }
    // Everybody may listen to a broadcast: all sockets that are bound to any address get it.
    std::expected<void, Drop> result = std::unexpected(Drop::UdpNoSocket);
    const auto use = by_number_.find(destination.port);
    if (use == by_number_.end()) return result;
    for (UdpPort* port : use->second.open) {
        if (!port->local.address.is_unspecified()) continue;
        const auto queued = queue(*port, source, destination, data, limit);
        if (queued) ++services_.counters.udp_in_datagrams;
        if (queued || !result) result = queued;
    }
    return result;
}

/// The socket that is connected to the sender, else the one bound to the address, else to any.
UdpPort* Udp::find(const Endpoint& source, const Endpoint& destination) const {
    const auto exact = connected_.find({destination, source});
    if (exact != connected_.end()) return exact->second;
    const auto use = by_number_.find(destination.port);
    if (use == by_number_.end()) return nullptr;
    UdpPort* any = nullptr;
    for (UdpPort* port : use->second.open) {
        if (port->local.address == destination.address) return port;
        if (any == nullptr && port->local.address.is_unspecified()) any = port;
    }
    return any;
}

std::expected<void, Drop> Udp::queue(UdpPort& port, const Endpoint& source,
                                     const Endpoint& destination, Bytes data, u32 limit) {
    if (port.receive_buffer != 0) limit = port.receive_buffer;
    const std::size_t cost = data.size() + UdpPort::kDatagramCost;
    if (port.waiting_bytes + cost > limit) return std::unexpected(Drop::UdpQueueFull);
    port.waiting.push_back({source, destination, {data.begin(), data.end()}});
    port.waiting_bytes += cost;
    port.watch.notify();
    return {};
}

std::expected<void, Drop> Udp::icmp_error(const IcmpError& error, TimePoint now) {
    if (error.quoted_payload.size() < UdpView::kHeaderSize) {
        return std::unexpected(Drop::IcmpBadQuote);
    }
    const u8* quote = error.quoted_payload.data();
    const Endpoint local{error.source, load_be16(quote + UdpView::kSourcePort)};
    const Endpoint remote{error.destination, load_be16(quote + UdpView::kDestinationPort)};
    const auto found = connected_.find({local, remote});
    if (found == connected_.end()) return std::unexpected(Drop::IcmpNoMatch);
    if (error.type == IcmpType::DestinationUnreachable &&
        error.code == static_cast<u8>(UnreachableCode::FragmentationNeeded)) {
        // The next datagram is cut to fit; there is nothing that the user has to do.
        ip_.lower_path_mtu(error, now);
        return {};
    }
    // RFC 1122 4.1.3.3: "UDP MUST pass to the application layer all ICMP error messages that it
    // receives from the IP layer."
    found->second->error = errno_of(error.type, error.code);
    found->second->watch.notify();
    return {};
}

// ---- from the user ----------------------------------------------------------------------------

std::expected<void, Errno> Udp::bind(UdpPort& port, const Endpoint& local) {
    if (port.local.port != 0) return std::unexpected(Errno::InvalidArgument);
    if (!local.address.is_unspecified() && !ip_.is_local(local.address)) {
        return std::unexpected(Errno::AddressNotAvailable);
    }
    Endpoint chosen = local;
    if (chosen.port == 0) {
        const auto free = free_port(local.address, port);
        if (!free) return std::unexpected(free.error());
        chosen.port = *free;
    } else if (in_use(chosen, port)) {
        return std::unexpected(Errno::AddressInUse);
    }
    port.local = chosen;
    port.address_chosen = !local.address.is_unspecified();
    enter(port);
    return {};
}

std::expected<void, Errno> Udp::connect(UdpPort& port, const Endpoint& remote) {
    if (remote.port == 0 || remote.address.is_unspecified()) {
        return std::unexpected(Errno::InvalidArgument);
    }
    const auto route = ip_.route(remote.address);
    if (!route) return std::unexpected(Errno::NetworkUnreachable);
    if (ip_.is_broadcast(remote.address) && !port.broadcast) {
        return std::unexpected(Errno::AccessDenied);
    }
    Endpoint local = port.local;
    if (!port.address_chosen) local.address = route->source;
    if (local.port == 0) {
        const auto free = free_port(local.address, port);
        if (!free) return std::unexpected(free.error());
        local.port = *free;
    }
    const auto taken = connected_.find({local, remote});
    if (taken != connected_.end() && taken->second != &port) {
        return std::unexpected(Errno::AddressInUse);
    }
    leave(port);
    port.local = local;
    port.remote = remote;
    port.error = Errno::None;
    enter(port);
    return {};
}

std::expected<std::size_t, Errno> Udp::send(UdpPort& port, const Endpoint& remote, Bytes data) {
    if (remote.port == 0) return std::unexpected(Errno::InvalidArgument);
    if (data.size() > kMaxData) return std::unexpected(Errno::MessageSize);
    if (port.local.port == 0) {
        if (const auto bound = bind(port, {}); !bound) return std::unexpected(bound.error());
    }
    Ipv4Address source = port.local.address;
    if (source.is_unspecified()) {
        const auto route = ip_.route(remote.address);
        if (!route) return std::unexpected(Errno::NetworkUnreachable);
        source = route->source;
    }
    Frame datagram(data);
    const auto length = static_cast<u16>(UdpView::kHeaderSize + data.size());
    UdpHeader header{
        .source_port = port.local.port, .destination_port = remote.port, .length = length};
    u8* at = datagram.push(UdpView::kHeaderSize);
    header.write(at);
    auto adder = pseudo_header(source, remote.address, static_cast<u8>(IpProtocol::Udp), length);
    adder.add({at, UdpView::kHeaderSize});
    adder.add(data);
    // RFC 768: "If the computed checksum is zero, it is transmitted as all ones (the equivalent in
    // one's complement arithmetic)."
    header.checksum = adder.checksum() != 0 ? adder.checksum() : u16{0xffff};
    header.write(at);
    const Ipv4SendOptions options{.source = source,
                                  .destination = remote.address,
                                  .protocol = IpProtocol::Udp,
                                  .tos = port.tos,
                                  .ttl = port.ttl,
                                  .dont_fragment = false,
                                  .allow_broadcast = port.broadcast};
    const SendResult sent = ip_.output(datagram, options, services_.last_now);
    if (!accepted(sent)) return std::unexpected(errno_of(sent));
    ++services_.counters.udp_out_datagrams;
    return data.size();
}

void Udp::close(UdpPort& port) {
    leave(port);
    ports_.erase(&port);
}

// ---- port numbers -----------------------------------------------------------------------------

/// Whether another socket keeps `by` from being bound there.
bool Udp::in_use(const Endpoint& local, const UdpPort& by) const {
    const auto use = by_number_.find(local.port);
    if (use == by_number_.end()) return false;
    const auto clashes = [&](const UdpPort* other) {
        const Ipv4Address address = other->local.address;
        const bool overlap =
            address == local.address || address.is_unspecified() || local.address.is_unspecified();
        return other != &by && overlap && !(other->reuse_address && by.reuse_address);
    };
    return std::ranges::any_of(use->second.open, clashes) ||
           std::ranges::any_of(use->second.connected, clashes);
}

/// RFC 6056 3.3.1: a port of the ephemeral range, beginning at a random one.
std::expected<u16, Errno> Udp::free_port(Ipv4Address address, const UdpPort& by) {
    const u32 first = std::max<u32>(services_.config.udp.ephemeral_first, 1);
    const u32 last = services_.config.udp.ephemeral_last;
    if (last < first) return std::unexpected(Errno::AddressNotAvailable);
    const u32 count = last - first + 1;
    const u32 start = services_.rng.below(count);
    for (u32 i = 0; i < count; ++i) {
        const auto number = static_cast<u16>(first + (start + i) % count);
        const auto use = by_number_.find(number);
        // A port that the stack chooses is shared with nobody, whatever its socket would allow.
        const bool free =
            use == by_number_.end() || (use->second.open.empty() && use->second.connected.empty());
        if (free || (!by.reuse_address && !in_use({address, number}, by))) return number;
    }
    return std::unexpected(Errno::AddressNotAvailable);
}

void Udp::enter(UdpPort& port) {
    PortUse& use = by_number_[port.local.port];
    (port.remote ? use.connected : use.open).push_back(&port);
    if (port.remote) connected_[{port.local, *port.remote}] = &port;
}

void Udp::leave(UdpPort& port) {
    const auto use = by_number_.find(port.local.port);
    if (use == by_number_.end()) return;
    std::erase(port.remote ? use->second.connected : use->second.open, &port);
    if (use->second.open.empty() && use->second.connected.empty()) by_number_.erase(use);
    if (port.remote) connected_.erase({port.local, *port.remote});
}

}  // namespace tapestry
