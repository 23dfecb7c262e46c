#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "stack/ip/ipv4.h"
#include "stack/udp/socket.h"

namespace tapestry {

/// UDP (RFC 768, RFC 1122 section 4.1): ports to sockets.
///
/// ICMP errors reach only sockets that are connected to where the packet at fault was sent:
/// anything less could be made up by a stranger who guesses one port (RFC 5927 section 4.1).
class Udp final : public TransportProtocol {
public:
    /// Both outlive it. Its sockets do not.
    Udp(Services& services, Ipv4& ip);
    ~Udp() override;
    Udp(const Udp&) = delete;
    Udp& operator=(const Udp&) = delete;

    UdpSocket socket();

    /// Refuses: UdpShort, UdpBadLength, UdpBadChecksum, UdpBadPort, UdpNoSocket, UdpQueueFull.
    std::expected<void, Drop> input(const Ipv4Datagram& datagram, TimePoint now) override;
    /// Refuses: IcmpBadQuote, IcmpNoMatch.
    std::expected<void, Drop> icmp_error(const IcmpError& error, TimePoint now) override;

    /// The largest datagram's data: 65535 less the headers of IP and UDP.
    static constexpr std::size_t kMaxData = 65507;

private:
    friend class UdpSocket;
    /// The sockets of one port number, in the order in which they were bound.
    struct PortUse {
        std::vector<UdpPort*> open;  ///< take datagrams from anybody
        std::vector<UdpPort*> connected;
    };
    using Conversation = std::pair<Endpoint, Endpoint>;  ///< local, remote

    std::expected<void, Errno> bind(UdpPort& port, const Endpoint& local);
    std::expected<void, Errno> connect(UdpPort& port, const Endpoint& remote);
    std::expected<std::size_t, Errno> send(UdpPort& port, const Endpoint& remote, Bytes data);
    void close(UdpPort& port);

    bool in_use(const Endpoint& local, const UdpPort& by) const;
    std::expected<u16, Errno> free_port(Ipv4Address address, const UdpPort& by);
    void enter(UdpPort& port);
    void leave(UdpPort& port);
    std::expected<void, Drop> deliver(const Ipv4Datagram& datagram, const Endpoint& source,
                                      const Endpoint& destination, Bytes data);
    UdpPort* find(const Endpoint& source, const Endpoint& destination) const;
    static std::expected<void, Drop> queue(UdpPort& port, const Endpoint& source,
                                           const Endpoint& destination, Bytes data, u32 limit);

    Services& services_;
    Ipv4& ip_;
    std::unordered_map<const UdpPort*, std::unique_ptr<UdpPort>> ports_;
    std::unordered_map<u16, PortUse> by_number_;
    std::map<Conversation, UdpPort*> connected_;
};

}  // namespace tapestry
