#include <algorithm>

#include "stack/ip/fragmentation.h"
#include "stack/ip/ipv4.h"

namespace tapestry {
namespace {

constexpr std::size_t kHeaderSize = Ipv4View::kMinHeaderSize;
constexpr std::size_t kMaxPacket = 65535;

/// Whether the device takes the packet as it is: no larger than the path's MTU, or a super-frame
/// whose segments are no larger.
bool fits(const Frame& payload, const Ipv4Route& route) {
    const std::size_t size = kHeaderSize + payload.size();
    if (size <= route.mtu) return true;
    const Offload& offload = payload.offload;
    return offload.gso_size != 0 && size <= route.interface->max_super_frame() &&
           kHeaderSize + offload.header_length + offload.gso_size <= route.mtu;
}

}  // namespace

std::optional<Ipv4Route> Ipv4::route(Ipv4Address destination) const {
    // RFC 1122 3.2.1.3: neither "this network" nor loopback addresses may appear on a wire. There
    // is no way to ourselves either.
    const bool group = destination.is_multicast() || destination.is_broadcast();
    if (!(destination.is_unicast() || group) || is_local(destination)) return std::nullopt;
    const Route* found = routes_.find(destination);
    Interface* interface = found != nullptr ? found->interface : nullptr;
    // A group is on the link, whatever the routes say.
    if (interface == nullptr && group && !interfaces_.empty()) interface = interfaces_.front();
    if (interface == nullptr) return std::nullopt;
    const bool direct = group || found->gateway.is_unspecified();
    const u32 known = path_mtu_.find(destination).value_or(interface->mtu());
    return Ipv4Route{interface, direct ? destination : found->gateway, interface->address(),
                     std::min(known, interface->mtu())};
}

SendResult Ipv4::output(Frame& payload, const Ipv4SendOptions& options, TimePoint now) {
    const auto way = route(options.destination);
    if (!way) return SendResult::NoRoute;
    const bool broadcast = is_broadcast(options.destination);
    if (broadcast && !options.allow_broadcast) return SendResult::NotAllowed;
    const Ipv4Address source = options.source.is_unspecified() ? way->source : options.source;
    if (!is_local(source)) return SendResult::NotAllowed;
    const std::size_t size = kHeaderSize + payload.size();
    if (size > kMaxPacket) return SendResult::TooBig;
    const bool whole = fits(payload, *way);
    if (!whole && options.dont_fragment) return SendResult::TooBig;

    // RFC 1112 6.1: a multicast's TTL is 1 unless the upper layer chooses another.
    const u8 default_ttl =
        options.destination.is_multicast() ? u8{1} : services_.config.ip.default_ttl;
    Ipv4Header header{.tos = options.tos,
                      .total_length = static_cast<u16>(size),
                      .dont_fragment = options.dont_fragment,
                      .ttl = options.ttl != 0 ? options.ttl : std::max(default_ttl, u8{1}),
                      .protocol = options.protocol,
                      .source = source,
                      .destination = options.destination};
    // RFC 6864 4.1: the identification of a datagram that cannot be fragmented means nothing.
    if (!options.dont_fragment) {
        header.identification = next_identification(source, options.destination, options.protocol);
    }
    if (services_.choices != nullptr) {
        const auto chosen = services_.choices->identification(header, payload.headers());
        header.identification = chosen.value_or(header.identification);
    }
    if (services_.config.forwarding &&
        !forwarder_.may_leave(*way->interface, header, payload, now)) {
        return SendResult::NotAllowed;
    }
    const SendResult sent = whole ? send_whole(payload, header, *way, now)
                                  : send_in_fragments(payload, header, *way, now);
    if (accepted(sent)) ++services_.counters.ip_out_requests;
    return sent;
}

SendResult Ipv4::send_whole(Frame& payload, const Ipv4Header& header, const Ipv4Route& route,
                            TimePoint now) {
    header.write(payload.push(kHeaderSize));
    if (payload.offload.uses_offsets()) payload.shift_offload(kHeaderSize);
    return route.interface->output(payload, route.next_hop, now);
}

SendResult Ipv4::send_in_fragments(Frame& payload, const Ipv4Header& header, const Ipv4Route& route,
                                   TimePoint now) {
    complete_checksum(payload, header.protocol, header.source, header.destination);
    std::array<u8, kHeaderSize> bytes;
    header.write(bytes.data());
    return send_fragments(
        payload, bytes, route.mtu,
        {.send =
             [&](Frame& piece) {
                 const SendResult sent = route.interface->output(piece, route.next_hop, now);
                 if (accepted(sent)) ++services_.counters.ip_fragments_created;
                 return sent;
             },
         .lost = [&](const Frame& piece,
                     SendResult why) { services_.refuse(drop_of(why), piece.headers(), now); }});
}

u16 Ipv4::next_identification(Ipv4Address source, Ipv4Address destination, IpProtocol protocol) {
    // RFC 7739 section 5 (for IPv6) compares the ways to choose: a counter per hash bucket neither
    // repeats soon nor tells one peer how much we send to another.
    std::array<u8, 9> key{};
    source.store(key.data());
    destination.store(key.data() + 4);
    key[8] = static_cast<u8>(protocol);
    return identifications_[siphash(identification_key_, key) % identifications_.size()]++;
}

}  // namespace tapestry
