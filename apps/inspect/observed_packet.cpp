#include "apps/inspect/observed_packet.h"

#include <algorithm>

#include "stack/wire/checksum.h"

namespace tapestry {
namespace {

ChecksumSeen checksum_of(const Ipv4View& ip, Bytes tcp) {
    const u16 field = load_be16(&tcp[TcpView::kChecksum]);
    auto sum = pseudo_header(ip.source(), ip.destination(), static_cast<u8>(IpProtocol::Tcp),
                             static_cast<u32>(tcp.size()));
    // Whoever leaves the checksum to the network card puts the pseudo-header's sum there.
    const bool partial = field == sum.sum();
    sum.add(tcp);
    if (sum.checksum() == 0) return ChecksumSeen::Good;
    return partial ? ChecksumSeen::Partial : ChecksumSeen::Wrong;
}

}  // namespace

std::optional<ObservedPacket> observed_packet(const Ipv4View& ip, std::size_t wire_size) {
    if (ip.protocol() != IpProtocol::Tcp || ip.is_fragment()) return std::nullopt;
    const auto tcp = TcpView::parse(ip.payload());
    if (!tcp) return std::nullopt;
    // A capture may have cut the packet: the lengths are what the header says. A super-frame of
    // 64 KB has no length in its header, and a broken packet too much of it.
    const std::size_t headers = ip.header_size() + tcp->header_size();
    const std::size_t said = ip.total_length() == 0 ? wire_size : ip.total_length();
    const std::size_t total = std::min(said, wire_size);
    if (total < headers) return std::nullopt;
    const std::size_t length = total - headers;
    const Bytes text = tcp->payload().first(std::min(length, tcp->payload().size()));

    ObservedPacket packet;
    packet.segment = {.source = {ip.source(), tcp->source_port()},
                      .destination = {ip.destination(), tcp->destination_port()},
                      .seq = tcp->sequence(),
                      .ack = tcp->acknowledgment(),
                      .wnd = tcp->window(),
                      .up = tcp->urgent_pointer(),
                      .flags = tcp->flags(),
                      .options = TcpOptions::parse(tcp->options()).value_or(TcpOptions()),
                      .payload = text};
    packet.length = static_cast<u32>(length);
    packet.ip_size = static_cast<u32>(total);
    packet.cut = text.size() < length;
    if (!packet.cut) {
        packet.checksum = checksum_of(ip, ip.payload().first(total - ip.header_size()));
    }
    packet.ip_checksum_wrong = internet_checksum(ip.bytes().first(ip.header_size())) != 0;
    return packet;
}

}  // namespace tapestry
