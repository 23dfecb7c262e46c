#pragma once

#include <algorithm>
#include <vector>

#include "stack/buf/frame.h"
#include "stack/buf/packet.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/tcp.h"
#include "stack/wire/udp.h"

namespace tapestry::test {

/// A TCP header from port 1000 to port 80, to be changed at will.
inline TcpHeader tcp_header(u32 seq, u8 flags = TcpFlags::kAck, u32 ack = 77) {
    TcpHeader header;
    header.source_port = 1000;
    header.destination_port = 80;
    header.sequence = SeqNum(seq);
    header.acknowledgment = SeqNum(ack);
    header.flags = TcpFlags{flags};
    header.window = 500;
    return header;
}

/// A frame made by hand, right unless a test says otherwise: Ethernet and IPv4 around TCP, UDP or
/// ICMP. Set what differs, then ask for the bytes.
///
///     const auto frame = PacketBuilder().tcp(tcp_header(1)).payload(bytes).build();
class PacketBuilder {
public:
    MacAddress source_mac{{2, 0, 0, 0, 0, 1}};
    MacAddress destination_mac{{2, 0, 0, 0, 0, 2}};
    Ipv4Header ip = default_ip();
    /// Added to the right checksum of the transport layer: not 0 makes it wrong.
    u16 checksum_error = 0;

    PacketBuilder& tcp(const TcpHeader& header) {
        ip.protocol = IpProtocol::Tcp;
        transport_.resize(header.size());
        header.write(transport_.data());
        checksum_at_ = TcpView::kChecksum;
        return *this;
    }
    PacketBuilder& udp(u16 source_port, u16 destination_port) {
        ip.protocol = IpProtocol::Udp;
        transport_.resize(UdpView::kHeaderSize);
        UdpHeader{.source_port = source_port, .destination_port = destination_port}.write(
            transport_.data());
        checksum_at_ = UdpView::kChecksum;
        return *this;
    }
    PacketBuilder& icmp_echo(u16 identifier, u16 sequence, bool reply = false) {
        ip.protocol = IpProtocol::Icmp;
        transport_.assign(IcmpView::kHeaderSize, 0);
        transport_[IcmpView::kType] = reply ? 0 : 8;
        store_be16(&transport_[IcmpView::kIdentifier], identifier);
        store_be16(&transport_[IcmpView::kSequence], sequence);
        checksum_at_ = IcmpView::kChecksum;
        return *this;
    }
    PacketBuilder& payload(std::vector<u8> bytes) {
        payload_ = std::move(bytes);
        return *this;
    }

    /// From the Ethernet header on, all checksums complete.
    std::vector<u8> build() const { return assemble(false); }
    /// The transport checksum left to a device: the field holds the pseudo-header's sum.
    std::vector<u8> build_partial() const { return assemble(true); }
    /// What goes with build_partial(): with gso_size the frame is a super-frame.
    Offload partial_offload(u16 gso_size = 0) const {
        Offload offload;
        offload.checksum = Offload::Checksum::Partial;
        offload.csum_start = kTransportAt;
        offload.csum_offset = static_cast<u16>(checksum_at_);
        if (gso_size > 0) {
            offload.gso = ip.protocol == IpProtocol::Tcp ? Offload::Gso::Tcp4 : Offload::Gso::Udp4;
            offload.gso_size = gso_size;
            offload.header_length = static_cast<u16>(header_size());
        }
        return offload;
    }
    std::size_t header_size() const { return kTransportAt + transport_.size(); }

private:
    static Ipv4Header default_ip() {
        Ipv4Header header;
        header.identification = 100;
        header.dont_fragment = true;
        header.source = Ipv4Address(10, 0, 0, 1);
        header.destination = Ipv4Address(10, 0, 0, 2);
        return header;
    }
    static constexpr u16 kTransportAt = EthernetView::kHeaderSize + Ipv4View::kMinHeaderSize;

    std::vector<u8> assemble(bool partial) const {
        const std::size_t length = transport_.size() + payload_.size();
        std::vector<u8> frame(kTransportAt + length);
        EthernetHeader{destination_mac, source_mac, EtherType::Ipv4}.write(frame.data());
        Ipv4Header header = ip;
        header.total_length = static_cast<u16>(Ipv4View::kMinHeaderSize + length);
        header.write(frame.data() + EthernetView::kHeaderSize);
        u8* transport = frame.data() + kTransportAt;
        std::copy(transport_.begin(), transport_.end(), transport);
        std::copy(payload_.begin(), payload_.end(), transport + transport_.size());
        if (ip.protocol == IpProtocol::Udp) {
            store_be16(transport + UdpView::kLength, static_cast<u16>(length));
        }
        ChecksumAdder adder;
        if (ip.protocol != IpProtocol::Icmp) {
            adder = pseudo_header(ip.source, ip.destination, static_cast<u8>(ip.protocol),
                                  static_cast<u32>(length));
        }
        store_be16(transport + checksum_at_, 0);
        if (!partial) adder.add({transport, length});
        u16 sum = partial ? adder.sum() : adder.checksum();
        if (!partial && sum == 0 && ip.protocol == IpProtocol::Udp) sum = 0xffff;
        store_be16(transport + checksum_at_, static_cast<u16>(sum + checksum_error));
        return frame;
    }

    std::vector<u8> transport_;
    std::vector<u8> payload_;
    std::size_t checksum_at_ = 0;
};

/// n bytes that differ from their neighbours and, for different seeds, from each other.
inline std::vector<u8> pattern_bytes(std::size_t n, u32 seed = 1) {
    std::vector<u8> bytes(n);
    u32 x = seed * 2654435761U + 1;
    for (u8& b : bytes) {
        x = x * 1664525U + 1013904223U;
        b = static_cast<u8>(x >> 24);
    }
    return bytes;
}

/// `bytes` as a Frame whose first `header_size` bytes are headers and whose payload is in two pieces.
inline Frame frame_of(Bytes bytes, std::size_t header_size, const Offload& offload = {},
                      std::size_t first_piece = 0) {
    const Bytes payload = bytes.subspan(header_size);
    const std::size_t cut = std::min(first_piece, payload.size());
    Frame frame(payload.first(cut), payload.subspan(cut));
    if (header_size > 0) std::memcpy(frame.push(header_size), bytes.data(), header_size);
    frame.offload = offload;
    return frame;
}

inline std::vector<u8> bytes_of(const Frame& frame) {
    std::vector<u8> bytes(frame.size());
    if (!bytes.empty()) frame.copy_to(bytes.data());
    return bytes;
}

}  // namespace tapestry::test
