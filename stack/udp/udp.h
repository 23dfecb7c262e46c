#pragma once

#include <memory>
#include <unordered_map>

#include "stack/ip/ipv4.h"
#include "stack/udp/socket.h"

namespace tapestry {

/// UDP (RFC 768, RFC 1122 section 4.1): ports to sockets.
class Udp final : public TransportProtocol {
public:
    Udp(Services& services, Ipv4& ip);
    ~Udp() override;

    UdpSocket socket();

    std::expected<void, Drop> input(const Ipv4Datagram& datagram, TimePoint now) override;
    std::expected<void, Drop> icmp_error(const IcmpError& error, TimePoint now) override;
};

}  // namespace tapestry
