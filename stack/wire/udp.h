#pragma once

#include <expected>

#include "stack/base/drop.h"
#include "stack/wire/address.h"

namespace tapestry {

/// UDP (RFC 768).
///
///    0      7 8     15 16    23 24    31
///   +--------+--------+--------+--------+
///   |     Source      |   Destination   |
///   |      Port       |      Port       |
///   +--------+--------+--------+--------+
///   |     Length      |    Checksum     |
///   +--------+--------+--------+--------+
///   |          data octets ...
///   +---------------- ...

class UdpView {
public:
    static constexpr std::size_t kHeaderSize = 8;
    static constexpr std::size_t kSourcePort = 0;
    static constexpr std::size_t kDestinationPort = 2;
    static constexpr std::size_t kLength = 4;
    static constexpr std::size_t kChecksum = 6;

    /// `datagram` is the IP payload. A checksum field of 0 means that the sender made none.
    /// Refuses: UdpShort, UdpBadLength, UdpBadChecksum (unless already verified).
    static std::expected<UdpView, Drop> parse(Bytes datagram, Ipv4Address source,
                                              Ipv4Address destination,
                                              bool checksum_verified = false);

    u16 source_port() const { return load_be16(&bytes_[kSourcePort]); }
    u16 destination_port() const { return load_be16(&bytes_[kDestinationPort]); }
    u16 length() const { return load_be16(&bytes_[kLength]); }
    u16 checksum() const { return load_be16(&bytes_[kChecksum]); }
    Bytes payload() const { return bytes_.subspan(kHeaderSize); }

private:
    explicit UdpView(Bytes datagram) : bytes_(datagram) {}
    Bytes bytes_;
};

/// For writing.
struct UdpHeader {
    u16 source_port = 0;
    u16 destination_port = 0;
    u16 length = 8;    ///< header and data
    u16 checksum = 0;  ///< 0: none

    /// Writes 8 bytes at p as they stand; the checksum is the caller's business.
    void write(u8* p) const {
        store_be16(p + UdpView::kSourcePort, source_port);
        store_be16(p + UdpView::kDestinationPort, destination_port);
        store_be16(p + UdpView::kLength, length);
        store_be16(p + UdpView::kChecksum, checksum);
    }
};

}  // namespace tapestry
