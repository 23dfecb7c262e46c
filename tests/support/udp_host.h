#pragma once

#include "stack/udp/udp.h"
#include "tests/support/ip_host.h"

namespace tapestry::test {

/// IPv4 and UDP above one interface.
class UdpHost : public IpHost {
public:
    explicit UdpHost(const StackConfig& config = quiet(), PortCapabilities offers = {})
        : IpHost(config, offers), udp(services, ip) {
        ip.attach(IpProtocol::Udp, udp);
    }

    /// A datagram for us, with a right checksum.
    std::expected<void, Drop> datagram(const Endpoint& from, u16 to, Bytes data,
                                       Ipv4Address destination = kUs) {
        Ipv4Header header = ip_header(IpProtocol::Udp);
        header.source = from.address;
        header.destination = destination;
        const bool broadcast = destination != kUs;
        return receive_ip(header, udp_datagram(from.port, to, data, from.address, destination),
                          broadcast ? MacAddress::broadcast() : kOurMac);
    }

    Udp udp;
};

/// The UDP datagram in a sent frame, if there is a valid one.
inline std::optional<UdpView> udp_of(const RecordingPort::Sent& sent) {
    const auto packet = ip_of(sent);
    if (!packet || packet->protocol() != IpProtocol::Udp) return std::nullopt;
    const auto view = UdpView::parse(packet->payload(), packet->source(), packet->destination());
    if (!view) return std::nullopt;
    return *view;
}

}  // namespace tapestry::test
