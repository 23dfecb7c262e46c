#pragma once

#include <expected>

#include "stack/base/drop.h"
#include "stack/wire/address.h"

namespace tapestry {

/// Ethernet II (RFC 894).
///
///    0                   6                   12      14
///   +-------------------+-------------------+-------+---------------
///   |    destination    |      source       | type  |  data ...
///   +-------------------+-------------------+-------+---------------

enum class EtherType : u16 { Ipv4 = 0x0800, Arp = 0x0806, Vlan = 0x8100, Ipv6 = 0x86dd };

/// A frame whose header is there. The preamble and the check sequence never reach the software.
class EthernetView {
public:
    static constexpr std::size_t kHeaderSize = 14;
    static constexpr std::size_t kDestination = 0;
    static constexpr std::size_t kSource = 6;
    static constexpr std::size_t kType = 12;

    /// Refuses: EthernetShort.
    static std::expected<EthernetView, Drop> parse(Bytes frame) {
        if (frame.size() < kHeaderSize) return std::unexpected(Drop::EthernetShort);
        return EthernetView(frame);
    }

    MacAddress destination() const { return MacAddress::load(&bytes_[kDestination]); }
    MacAddress source() const { return MacAddress::load(&bytes_[kSource]); }
    /// Below 0x600 it is the length field of an 802.3 frame.
    EtherType type() const { return static_cast<EtherType>(load_be16(&bytes_[kType])); }
    /// Everything behind the header, padding included.
    Bytes payload() const { return bytes_.subspan(kHeaderSize); }

private:
    explicit EthernetView(Bytes frame) : bytes_(frame) {}
    Bytes bytes_;
};

/// For writing.
struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    EtherType type = EtherType::Ipv4;

    /// Writes EthernetView::kHeaderSize bytes at p.
    void write(u8* p) const {
        destination.store(p + EthernetView::kDestination);
        source.store(p + EthernetView::kSource);
        store_be16(p + EthernetView::kType, static_cast<u16>(type));
    }
};

}  // namespace tapestry
