#pragma once

#include <expected>

#include "stack/base/drop.h"
#include "stack/wire/endian.h"

namespace tapestry {

/// ICMP (RFC 792). All messages begin alike; the second word depends on the type: identifier and
/// sequence number for echo, next-hop MTU for "fragmentation needed" (RFC 1191 section 4).
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |     Type      |     Code      |          Checksum             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Identifier / unused         |  Sequence Number / next MTU   |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |     data, or the header and first bytes of the packet at fault
///   +-+-+-+-+-

enum class IcmpType : u8 {
    EchoReply = 0,
    DestinationUnreachable = 3,
    SourceQuench = 4,
    Redirect = 5,
    EchoRequest = 8,
    TimeExceeded = 11,
    ParameterProblem = 12,
};

/// Codes of DestinationUnreachable.
enum class UnreachableCode : u8 {
    Network = 0,
    Host = 1,
    Protocol = 2,
    Port = 3,
    FragmentationNeeded = 4,
    SourceRouteFailed = 5,
    NetworkProhibited = 9,
    HostProhibited = 10,
    AdministrativelyProhibited = 13,
};

constexpr u8 code_of(UnreachableCode code) { return static_cast<u8>(code); }

/// True for the types that report an error: never answer one with another (RFC 1122 3.2.2).
constexpr bool is_icmp_error(IcmpType type) {
    return type == IcmpType::DestinationUnreachable || type == IcmpType::SourceQuench ||
           type == IcmpType::Redirect || type == IcmpType::TimeExceeded ||
           type == IcmpType::ParameterProblem;
}

class IcmpView {
public:
    static constexpr std::size_t kHeaderSize = 8;
    static constexpr std::size_t kType = 0;
    static constexpr std::size_t kCode = 1;
    static constexpr std::size_t kChecksum = 2;
    static constexpr std::size_t kIdentifier = 4;
    static constexpr std::size_t kSequence = 6;

    /// Refuses: IcmpShort, IcmpBadChecksum (unless the device has checked it already).
    static std::expected<IcmpView, Drop> parse(Bytes message, bool checksum_verified = false);

    IcmpType type() const { return static_cast<IcmpType>(bytes_[kType]); }
    u8 code() const { return bytes_[kCode]; }
    u16 identifier() const { return load_be16(&bytes_[kIdentifier]); }
    u16 sequence() const { return load_be16(&bytes_[kSequence]); }
    /// Of "fragmentation needed"; 0 from routers older than RFC 1191.
    u16 next_hop_mtu() const { return load_be16(&bytes_[kSequence]); }
    /// Behind the 8 bytes of header: echo data or the quoted packet.
    Bytes payload() const { return bytes_.subspan(kHeaderSize); }

private:
    explicit IcmpView(Bytes message) : bytes_(message) {}
    Bytes bytes_;
};

/// For writing. `second` is the second word in host order.
struct IcmpHeader {
    IcmpType type = IcmpType::EchoRequest;
    u8 code = 0;
    u32 second = 0;

    /// Writes 8 bytes at p with the checksum over them and `payload`.
    void write(u8* p, Bytes payload) const;
};

}  // namespace tapestry
