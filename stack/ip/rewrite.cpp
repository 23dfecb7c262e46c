#include "stack/ip/rewrite.h"

#include "stack/wire/checksum.h"
#include "stack/wire/icmp.h"
#include "stack/wire/tcp.h"
#include "stack/wire/udp.h"

namespace tapestry {
namespace {

/// What the checksums over some 16-bit words have to be corrected by.
class Correction {
public:
    void change(u16 from, u16 to) { sum_ += u32{static_cast<u16>(~from)} + to; }
    void change(Ipv4Address from, Ipv4Address to) {
        change(static_cast<u16>(from.value() >> 16), static_cast<u16>(to.value() >> 16));
        change(static_cast<u16>(from.value()), static_cast<u16>(to.value()));
    }
    /// RFC 1624 [Eqn. 3]: HC' = ~(~HC + ~m + m').
    u16 applied_to(u16 checksum) const {
        return static_cast<u16>(~plus(static_cast<u16>(~checksum)));
    }
    /// The same for a sum that is not complemented: that of a pseudo-header.
    u16 plus(u16 partial) const {
        u64 sum = sum_ + partial;
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<u16>(sum);
    }

private:
    u64 sum_ = 0;
};

void change_word(u8* at, u16 to, Correction& correction) {
    correction.change(load_be16(at), to);
    store_be16(at, to);
}

void change_address(u8* at, Ipv4Address to, Correction& correction) {
    correction.change(Ipv4Address::load(at), to);
    to.store(at);
}

void correct(u8* checksum, const Correction& correction) {
    store_be16(checksum, correction.applied_to(load_be16(checksum)));
}

/// The addresses and the header checksum; gives what the pseudo-header has to be corrected by.
Correction rewrite_header(u8* ip, Ipv4Address source, Ipv4Address destination) {
    Correction addresses;
    change_address(ip + Ipv4View::kSource, source, addresses);
    change_address(ip + Ipv4View::kDestination, destination, addresses);
    correct(ip + Ipv4View::kChecksum, addresses);
    return addresses;
}

void rewrite_tcp(MutableBytes segment, const FlowTuple& to, Correction sum, bool partial) {
    u8* tcp = segment.data();
    Correction ports;
    change_word(tcp + TcpView::kSourcePort, to.source.port, partial ? ports : sum);
    change_word(tcp + TcpView::kDestinationPort, to.destination.port, partial ? ports : sum);
    // The quote of an ICMP error may end before the checksum.
    if (segment.size() < TcpView::kChecksum + 2) return;
    u8* checksum = tcp + TcpView::kChecksum;
    if (partial) {
        store_be16(checksum, sum.plus(load_be16(checksum)));
    } else {
        correct(checksum, sum);
    }
}

void rewrite_udp(MutableBytes datagram, const FlowTuple& to, Correction sum, bool partial) {
    u8* udp = datagram.data();
    u8* checksum = udp + UdpView::kChecksum;
    Correction ports;
    change_word(udp + UdpView::kSourcePort, to.source.port, partial ? ports : sum);
    change_word(udp + UdpView::kDestinationPort, to.destination.port, partial ? ports : sum);
    if (partial) {
        store_be16(checksum, sum.plus(load_be16(checksum)));
        return;
    }
    // RFC 768: "An all zero transmitted checksum value means that the transmitter generated no
    // checksum"; and "If the computed checksum is zero, it is transmitted as all ones".
    if (load_be16(checksum) == 0) return;
    correct(checksum, sum);
    if (load_be16(checksum) == 0) store_be16(checksum, 0xffff);
}

/// RFC 5508 section 3.1: the identifier takes the place of the ports. No pseudo-header.
void rewrite_query(MutableBytes message, u16 identifier) {
    Correction sum;
    change_word(message.data() + IcmpView::kIdentifier, identifier, sum);
    correct(message.data() + IcmpView::kChecksum, sum);
}

/// `packet` is whole, or has at least eight bytes behind its header.
void rewrite(MutableBytes packet, const FlowTuple& to, bool partial) {
    const Correction addresses =
        rewrite_header(packet.data(), to.source.address, to.destination.address);
    const std::size_t header_size = std::size_t{4} * (packet[0] & 0xfU);
    const MutableBytes payload = packet.subspan(header_size);
    switch (to.protocol) {
        case IpProtocol::Tcp:
            return rewrite_tcp(payload, to, addresses, partial);
        case IpProtocol::Udp:
            return rewrite_udp(payload, to, addresses, partial);
        case IpProtocol::Icmp:
            return rewrite_query(payload, to.source.port);
    }
}

}  // namespace

void rewrite_packet(MutableBytes packet, const FlowTuple& to, const Offload& offload) {
    rewrite(packet, to, offload.checksum == Offload::Checksum::Partial);
}

void rewrite_icmp_error(MutableBytes packet, const FlowTuple& quoted, Ipv4Address source,
                        Ipv4Address destination) {
    rewrite_header(packet.data(), source, destination);
    const std::size_t header_size = std::size_t{4} * (packet[0] & 0xfU);
    const MutableBytes message = packet.subspan(header_size);
    rewrite(message.subspan(IcmpView::kHeaderSize), quoted, false);
    u8* checksum = message.data() + IcmpView::kChecksum;
    store_be16(checksum, 0);
    store_be16(checksum, internet_checksum(message));
}

void decrement_ttl(MutableBytes packet) {
    u8* ttl = packet.data() + Ipv4View::kTtl;  // the protocol is the low byte of the same word
    Correction sum;
    change_word(ttl, static_cast<u16>(load_be16(ttl) - 0x100), sum);
    correct(packet.data() + Ipv4View::kChecksum, sum);
}

}  // namespace tapestry
