#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "stack/wire/address.h"

namespace tapestry {

/// The internet checksum (RFC 1071): the one's complement sum of 16-bit words, gathered 64 bits wide.
///
/// Pieces may be added one after another whatever their lengths: an odd piece leaves the next one
/// standing on an odd boundary, and the sum takes that into account.
class ChecksumAdder {
public:
    void add(Bytes data);
    void add_be16(u16 value) { sum_ += odd_ ? std::byteswap(value) : value; }
    void add_be32(u32 value) {
        add_be16(static_cast<u16>(value >> 16));
        add_be16(static_cast<u16>(value));
    }
    /// The folded sum, not complemented: what a partial checksum field holds.
    u16 sum() const { return fold(sum_); }
    /// The value for a checksum field, in host order.
    u16 checksum() const { return static_cast<u16>(~sum()); }

    /// The carries go round.
    static constexpr u16 fold(u64 sum) {
        sum = (sum & 0xffffffff) + (sum >> 32);
        sum = (sum & 0xffffffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<u16>(sum);
    }

private:
    u64 sum_ = 0;       ///< one's complement sum of big-endian words, with carries to fold
    bool odd_ = false;  ///< an odd number of bytes has been added
};

/// The checksum of a header or message in one piece, in host order. Over data that include a right
/// checksum it is 0.
u16 internet_checksum(Bytes data);

/// The same over an IPv4 header without options: five words, and no loop.
u16 header_checksum(std::span<const u8, 20> header);

/// The sum over the pseudo-header (RFC 9293 section 3.1, RFC 768) to which TCP's or UDP's bytes are
/// added. `length` is the length of the transport header and its data.
inline ChecksumAdder pseudo_header(Ipv4Address source, Ipv4Address destination, u8 protocol,
                                   u32 length) {
    ChecksumAdder adder;
    adder.add_be32(source.value());
    adder.add_be32(destination.value());
    adder.add_be16(protocol);
    adder.add_be32(length);
    return adder;
}

/// The new checksum after a 16-bit word of the data changed from `from` to `to`: equation 3 of
/// RFC 1624, which stays right where equation 2 of RFC 1141 does not. All in host order.
constexpr u16 update_checksum(u16 checksum, u16 from, u16 to) {
    u32 sum = static_cast<u16>(~checksum);
    sum += static_cast<u16>(~from);
    sum += to;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>(~sum);
}

}  // namespace tapestry
