#include "stack/wire/udp.h"

#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

std::expected<UdpView, Drop> UdpView::parse(Bytes datagram, Ipv4Address source,
                                            Ipv4Address destination, bool checksum_verified) {
    if (datagram.size() < kHeaderSize) return std::unexpected(Drop::UdpShort);
    const u16 length = load_be16(&datagram[kLength]);
    if (length < kHeaderSize || length > datagram.size()) {
        return std::unexpected(Drop::UdpBadLength);
    }
    datagram = datagram.first(length);
    // RFC 768: "An all zero transmitted checksum value means that the transmitter generated no
    // checksum".
    if (!checksum_verified && load_be16(&datagram[kChecksum]) != 0) {
        auto adder = pseudo_header(source, destination, static_cast<u8>(IpProtocol::Udp), length);
        adder.add(datagram);
        if (adder.checksum() != 0) return std::unexpected(Drop::UdpBadChecksum);
    }
    return UdpView(datagram);
}

}  // namespace tapestry
