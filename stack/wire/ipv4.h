#pragma once

#include <expected>

#include "stack/base/drop.h"
#include "stack/wire/address.h"

namespace tapestry {

/// The ECN field: the low two bits of what was the TOS octet (RFC 3168 section 5).
struct Ecn {
    static constexpr u8 kNotEct = 0;
    static constexpr u8 kEct1 = 1;
    static constexpr u8 kEct0 = 2;
    static constexpr u8 kCe = 3;
    static constexpr u8 kMask = 3;
};

/// IPv4 (RFC 791 section 3.1).
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |Version|  IHL  |Type of Service|          Total Length         |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |         Identification        |Flags|      Fragment Offset    |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Time to Live |    Protocol   |         Header Checksum       |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                       Source Address                          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                    Destination Address                        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                    Options                    |    Padding    |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// The protocol numbers that we speak; any other value of the field may occur.
enum class IpProtocol : u8 { Icmp = 1, Tcp = 6, Udp = 17 };

/// A packet whose header is whole and whose total length fits: trailing padding is cut off.
class Ipv4View {
public:
    static constexpr std::size_t kMinHeaderSize = 20;
    static constexpr std::size_t kMaxHeaderSize = 60;
    static constexpr std::size_t kTos = 1;
    static constexpr std::size_t kTotalLength = 2;
    static constexpr std::size_t kIdentification = 4;
    static constexpr std::size_t kFlagsAndOffset = 6;
    static constexpr std::size_t kTtl = 8;
    static constexpr std::size_t kProtocol = 9;
    static constexpr std::size_t kChecksum = 10;
    static constexpr std::size_t kSource = 12;
    static constexpr std::size_t kDestination = 16;

    static constexpr u16 kDontFragment = 0x4000;
    static constexpr u16 kMoreFragments = 0x2000;
    static constexpr u16 kOffsetMask = 0x1fff;

    /// Refuses: Ipv4Short, Ipv4BadVersion, Ipv4BadHeaderLength, Ipv4BadTotalLength, Ipv4BadChecksum.
    static std::expected<Ipv4View, Drop> parse(Bytes packet);
    /// For the packet quoted in an ICMP error, which is cut short and whose checksum was right
    /// once: only the header must be there. The payload is what there is of it.
    /// Refuses: IcmpBadQuote.
    static std::expected<Ipv4View, Drop> parse_quoted(Bytes packet);

    std::size_t header_size() const { return std::size_t{4} * (bytes_[0] & 0xfU); }
    u8 tos() const { return bytes_[kTos]; }
    u16 total_length() const { return load_be16(&bytes_[kTotalLength]); }
    u16 identification() const { return load_be16(&bytes_[kIdentification]); }
    bool dont_fragment() const { return (flags_and_offset() & kDontFragment) != 0; }
    bool more_fragments() const { return (flags_and_offset() & kMoreFragments) != 0; }
    /// In bytes, 0 to 65528.
    u32 fragment_offset() const { return 8U * (flags_and_offset() & kOffsetMask); }
    bool is_fragment() const { return (flags_and_offset() & (kMoreFragments | kOffsetMask)) != 0; }
    u8 ttl() const { return bytes_[kTtl]; }
    IpProtocol protocol() const { return static_cast<IpProtocol>(bytes_[kProtocol]); }
    u16 checksum() const { return load_be16(&bytes_[kChecksum]); }
    Ipv4Address source() const { return Ipv4Address::load(&bytes_[kSource]); }
    Ipv4Address destination() const { return Ipv4Address::load(&bytes_[kDestination]); }
    Bytes options() const { return bytes_.subspan(kMinHeaderSize, header_size() - kMinHeaderSize); }
    Bytes payload() const { return bytes_.subspan(header_size()); }
    /// Header and payload.
    Bytes bytes() const { return bytes_; }

private:
    explicit Ipv4View(Bytes packet) : bytes_(packet) {}
    u16 flags_and_offset() const { return load_be16(&bytes_[kFlagsAndOffset]); }
    Bytes bytes_;
};

/// For writing: a header without options.
struct Ipv4Header {
    u8 tos = 0;
    u16 total_length = 0;
    u16 identification = 0;
    bool dont_fragment = false;
    bool more_fragments = false;
    u32 fragment_offset = 0;  ///< in bytes, a multiple of 8
    u8 ttl = 64;
    IpProtocol protocol = IpProtocol::Tcp;
    Ipv4Address source;
    Ipv4Address destination;

    /// Writes 20 bytes at p, the checksum included.
    void write(u8* p) const;
};

}  // namespace tapestry
