#pragma once

#include <expected>

#include "stack/base/drop.h"
#include "stack/wire/address.h"
#include "stack/wire/seq_num.h"
#include "stack/wire/tcp_options.h"

namespace tapestry {

/// TCP (RFC 9293 section 3.1).
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |          Source Port          |       Destination Port        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                        Sequence Number                        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                    Acknowledgment Number                      |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Data |       |C|E|U|A|P|R|S|F|                               |
///   | Offset| Rsrvd |W|C|R|C|S|S|Y|I|            Window             |
///   |       |       |R|E|G|K|H|T|N|N|                               |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |           Checksum            |         Urgent Pointer        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                           [Options]                           |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// The control bits.
struct TcpFlags {
    static constexpr u8 kFin = 0x01;
    static constexpr u8 kSyn = 0x02;
    static constexpr u8 kRst = 0x04;
    static constexpr u8 kPsh = 0x08;
    static constexpr u8 kAck = 0x10;
    static constexpr u8 kUrg = 0x20;
    static constexpr u8 kEce = 0x40;
    static constexpr u8 kCwr = 0x80;

    u8 bits = 0;

    constexpr bool fin() const { return (bits & kFin) != 0; }
    constexpr bool syn() const { return (bits & kSyn) != 0; }
    constexpr bool rst() const { return (bits & kRst) != 0; }
    constexpr bool psh() const { return (bits & kPsh) != 0; }
    constexpr bool ack() const { return (bits & kAck) != 0; }
    constexpr bool urg() const { return (bits & kUrg) != 0; }
    constexpr bool ece() const { return (bits & kEce) != 0; }
    constexpr bool cwr() const { return (bits & kCwr) != 0; }

    friend constexpr bool operator==(TcpFlags, TcpFlags) = default;
};

/// A segment whose header, options included, is whole. Whether the checksum is right is known too.
class TcpView {
public:
    static constexpr std::size_t kMinHeaderSize = 20;
    static constexpr std::size_t kMaxHeaderSize = 60;
    static constexpr std::size_t kSourcePort = 0;
    static constexpr std::size_t kDestinationPort = 2;
    static constexpr std::size_t kSequence = 4;
    static constexpr std::size_t kAcknowledgment = 8;
    static constexpr std::size_t kDataOffset = 12;
    static constexpr std::size_t kFlags = 13;
    static constexpr std::size_t kWindow = 14;
    static constexpr std::size_t kChecksum = 16;
    static constexpr std::size_t kUrgentPointer = 18;

    /// Refuses: TcpShort, TcpBadDataOffset.
    static std::expected<TcpView, Drop> parse(Bytes segment) {
        if (segment.size() < kMinHeaderSize) return std::unexpected(Drop::TcpShort);
        const std::size_t header_size = std::size_t{4} * (segment[kDataOffset] >> 4U);
        if (header_size < kMinHeaderSize || header_size > segment.size()) {
            return std::unexpected(Drop::TcpBadDataOffset);
        }
        return TcpView(segment);
    }
    /// Whether the checksum over header, data and pseudo-header is right.
    bool checksum_ok(Ipv4Address source, Ipv4Address destination) const;

    u16 source_port() const { return load_be16(&bytes_[kSourcePort]); }
    u16 destination_port() const { return load_be16(&bytes_[kDestinationPort]); }
    SeqNum sequence() const { return SeqNum(load_be32(&bytes_[kSequence])); }
    SeqNum acknowledgment() const { return SeqNum(load_be32(&bytes_[kAcknowledgment])); }
    std::size_t header_size() const { return std::size_t{4} * (bytes_[kDataOffset] >> 4U); }
    TcpFlags flags() const { return TcpFlags{bytes_[kFlags]}; }
    u16 window() const { return load_be16(&bytes_[kWindow]); }
    u16 checksum() const { return load_be16(&bytes_[kChecksum]); }
    u16 urgent_pointer() const { return load_be16(&bytes_[kUrgentPointer]); }
    Bytes options() const { return bytes_.subspan(kMinHeaderSize, header_size() - kMinHeaderSize); }
    Bytes payload() const { return bytes_.subspan(header_size()); }

private:
    explicit TcpView(Bytes segment) : bytes_(segment) {}
    Bytes bytes_;
};

/// For writing.
struct TcpHeader {
    u16 source_port = 0;
    u16 destination_port = 0;
    SeqNum sequence{};
    SeqNum acknowledgment{};
    TcpFlags flags{};
    u16 window = 0;
    u16 checksum = 0;
    u16 urgent_pointer = 0;
    TcpOptions options{};

    std::size_t size() const { return TcpView::kMinHeaderSize + options.size(); }
    /// Writes size() bytes at p, the checksum field as it stands.
    void write(u8* p) const;
};

}  // namespace tapestry
