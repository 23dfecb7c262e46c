#pragma once

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/ip_host.h"

namespace tapestry::test {

/// A TCP segment as a stranger may write it: any option bytes, any data offset, any checksum.
struct RawTcp {
    u16 source_port = 1000;
    u16 destination_port = 80;
    u32 seq = 0;
    u32 ack = 0;
    u8 flags = TcpFlags::kSyn;
    u16 window = 65535;
    u16 urgent = 0;
    std::vector<u8> options{};  ///< as they stand; padded with zeroes to a multiple of four bytes
    std::vector<u8> text{};
    std::optional<u8> data_offset{};  ///< in words; nothing: the right one
    u16 checksum_error = 0;           ///< added to the right checksum

    std::vector<u8> bytes(Ipv4Address from = kPeer, Ipv4Address to = kUs) const {
        const std::size_t header_size = TcpView::kMinHeaderSize + (options.size() + 3) / 4 * 4;
        std::vector<u8> segment = behind_header(header_size, text);
        TcpHeader header;
        header.source_port = source_port;
        header.destination_port = destination_port;
        header.sequence = SeqNum(seq);
        header.acknowledgment = SeqNum(ack);
        header.flags = TcpFlags{flags};
        header.window = window;
        header.urgent_pointer = urgent;
        header.write(segment.data());
        std::copy(options.begin(), options.end(), segment.begin() + TcpView::kMinHeaderSize);
        segment[TcpView::kDataOffset] =
            static_cast<u8>(data_offset.value_or(static_cast<u8>(header_size / 4)) << 4U);
        auto adder = pseudo_header(from, to, static_cast<u8>(IpProtocol::Tcp),
                                   static_cast<u32>(segment.size()));
        adder.add(segment);
        store_be16(&segment[TcpView::kChecksum],
                   static_cast<u16>(adder.checksum() + checksum_error));
        return segment;
    }
    /// In an IP packet.
    std::vector<u8> packet(Ipv4Address from = kPeer, Ipv4Address to = kUs) const {
        Ipv4Header header = ip_header(IpProtocol::Tcp);
        header.source = from;
        header.destination = to;
        return ip_packet(header, bytes(from, to));
    }
    /// In a frame to us.
    std::vector<u8> frame(Ipv4Address from = kPeer, Ipv4Address to = kUs) const {
        return ethernet_frame(EtherType::Ipv4, packet(from, to));
    }
};

/// An IP packet with some bytes of its header changed and the checksum made right again, as far as
/// the header length that it now claims is there.
inline std::vector<u8> patched(std::vector<u8> packet,
                               std::initializer_list<std::pair<std::size_t, u8>> changes) {
    for (const auto& [at, value] : changes) packet.at(at) = value;
    store_be16(&packet[Ipv4View::kChecksum], 0);
    const std::size_t header_size =
        std::min<std::size_t>(packet.size(), std::size_t{4} * (packet[0] & 0xfU));
    store_be16(&packet[Ipv4View::kChecksum], internet_checksum(Bytes(packet).first(header_size)));
    return packet;
}

/// One fragment of `payload`: `size` bytes from `offset` on.
inline std::vector<u8> fragment_of(Bytes payload, std::size_t offset, std::size_t size, bool more,
                                   Ipv4Header header) {
    header.dont_fragment = false;
    header.more_fragments = more;
    header.fragment_offset = static_cast<u32>(offset);
    return ip_packet(header, payload.subspan(offset, size));
}

}  // namespace tapestry::test
