#pragma once

#include <optional>

#include "stack/ip/ipv4.h"
#include "tests/support/link_host.h"
#include "tests/support/packet_builder.h"

namespace tapestry::test {

/// An IP packet without the frame around it: the header's length is set and it is written.
inline std::vector<u8> ip_packet(Ipv4Header header, Bytes payload) {
    std::vector<u8> packet = behind_header(Ipv4View::kMinHeaderSize, payload);
    header.total_length = static_cast<u16>(packet.size());
    header.write(packet.data());
    return packet;
}
/// The same with options, padded to a multiple of four bytes.
inline std::vector<u8> ip_packet_with_options(const Ipv4Header& header, std::vector<u8> options,
                                              Bytes payload) {
    options.resize((options.size() + 3) / 4 * 4);
    std::vector<u8> packet = ip_packet(header, payload);
    packet.insert(packet.begin() + Ipv4View::kMinHeaderSize, options.begin(), options.end());
    packet[0] = static_cast<u8>(0x45 + options.size() / 4);
    store_be16(&packet[Ipv4View::kTotalLength], static_cast<u16>(packet.size()));
    store_be16(&packet[Ipv4View::kChecksum], 0);
    const std::size_t header_size = Ipv4View::kMinHeaderSize + options.size();
    store_be16(&packet[Ipv4View::kChecksum], internet_checksum(Bytes(packet).first(header_size)));
    return packet;
}
/// From the peer to us.
inline Ipv4Header ip_header(IpProtocol protocol) {
    Ipv4Header header;
    header.protocol = protocol;
    header.source = kPeer;
    header.destination = kUs;
    return header;
}

inline std::vector<u8> icmp_message(const IcmpHeader& header, Bytes payload) {
    std::vector<u8> message = behind_header(IcmpView::kHeaderSize, payload);
    header.write(message.data(), payload);
    return message;
}
inline std::vector<u8> echo_request(Bytes data, u16 identifier = 0x1234, u16 sequence = 7) {
    return icmp_message({IcmpType::EchoRequest, 0, u32{identifier} << 16 | sequence}, data);
}
/// A UDP datagram with its checksum.
inline std::vector<u8> udp_datagram(u16 from, u16 to, Bytes data, Ipv4Address source = kPeer,
                                    Ipv4Address destination = kUs) {
    std::vector<u8> datagram = behind_header(UdpView::kHeaderSize, data);
    const auto length = static_cast<u16>(datagram.size());
    UdpHeader header{from, to, length, 0};
    header.write(datagram.data());
    auto adder = pseudo_header(source, destination, static_cast<u8>(IpProtocol::Udp), length);
    adder.add(datagram);
    header.checksum = adder.checksum() != 0 ? adder.checksum() : u16{0xffff};
    header.write(datagram.data());
    return datagram;
}

/// "the user's call failed, and for this reason"
template <typename T>
testing::AssertionResult fails_as(const std::expected<T, Errno>& result, Errno error) {
    if (result) return testing::AssertionFailure() << "worked, instead of " << name(error);
    if (result.error() != error) {
        return testing::AssertionFailure()
               << "failed with " << name(result.error()) << ", not with " << name(error);
    }
    return testing::AssertionSuccess();
}

/// The host part of a stack without TCP: IPv4 above one interface. What the stack's front door does
/// with frames, receive() does here.
class IpHost : public LinkHost {
public:
    explicit IpHost(const StackConfig& config = quiet(), PortCapabilities offers = {}, u32 mtu = 0,
                    u8 prefix_length = 24)
        : LinkHost(config, offers, mtu, prefix_length), ip(services) {
        ip.add_interface(*interface);
        learn(kPeer, kPeerMac);
    }

    /// One frame from the wire. The refusal, if it was one, is counted as the stack does it.
    std::expected<void, Drop> receive(Bytes frame, const Offload& offload = {}) {
        const auto result = take(frame, offload);
        if (!result) services.refuse(result.error(), frame, now);
        settle();
        return result;
    }
    std::expected<void, Drop> receive_packet(Bytes packet, MacAddress to = kOurMac,
                                             const Offload& offload = {}) {
        return receive(ethernet_frame(EtherType::Ipv4, packet, to), offload);
    }
    std::expected<void, Drop> receive_ip(const Ipv4Header& header, Bytes payload,
                                         MacAddress to = kOurMac) {
        return receive_packet(ip_packet(header, payload), to);
    }
    /// An address that need not be asked for.
    void learn(Ipv4Address address, MacAddress mac) {
        interface->arp().add_static(address, mac, now);
    }
    void settle() {
        for (Packet& packet : interface->take_undeliverable()) {
            ip.undeliverable(packet, now);
        }
    }

    Ipv4 ip;

private:
    std::expected<void, Drop> take(Bytes frame, const Offload& offload) {
        const auto arrival = input(frame);
        if (!arrival) return std::unexpected(arrival.error());
        if (!*arrival) return {};
        return ip.input(*interface, **arrival, offload, now);
    }

protected:
    void tick() override {
        LinkHost::tick();
        settle();
    }
};

/// The IP packet in a sent frame, if there is a valid one. It points into `sent`.
inline std::optional<Ipv4View> ip_of(const RecordingPort::Sent& sent) {
    const auto ethernet = EthernetView::parse(sent.bytes);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return std::nullopt;
    const auto view = Ipv4View::parse(ethernet->payload());
    if (!view) return std::nullopt;
    return *view;
}
/// The ICMP message in a sent frame, if there is a valid one.
inline std::optional<IcmpView> icmp_of(const RecordingPort::Sent& sent) {
    const auto packet = ip_of(sent);
    if (!packet || packet->protocol() != IpProtocol::Icmp) return std::nullopt;
    const auto message = IcmpView::parse(packet->payload());
    if (!message) return std::nullopt;
    return *message;
}
inline std::vector<u8> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace tapestry::test
