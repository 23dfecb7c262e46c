#pragma once

#include <array>
#include <optional>
#include <vector>

#include "stack/base/errno.h"
#include "stack/base/siphash.h"
#include "stack/ip/forwarder.h"
#include "stack/ip/fragments.h"
#include "stack/ip/icmp.h"
#include "stack/ip/path_mtu.h"
#include "stack/ip/route_table.h"
#include "stack/ip/transport.h"

namespace tapestry {

/// How a transport protocol wants its packet sent.
struct Ipv4SendOptions {
    Ipv4Address source;  ///< unspecified: the outgoing interface's
    Ipv4Address destination;
    IpProtocol protocol = IpProtocol::Tcp;
    u8 tos = 0;
    u8 ttl = 0;  ///< 0: the default of the configuration
    bool dont_fragment = true;
    bool allow_broadcast = false;
};

/// The way to a destination.
struct Ipv4Route {
    Interface* interface = nullptr;
    Ipv4Address next_hop;
    Ipv4Address source;  ///< what an unbound socket uses (MUST-44)
    u32 mtu = 0;         ///< of the path, as far as it is known: at most the interface's
};

/// How the outcome of a send that was not accepted is called as a refusal ...
Drop drop_of(SendResult result);
/// ... and to a user.
Errno errno_of(SendResult result);

/// The internet layer of one stack (RFC 791, RFC 1122 section 3): checks, reassembly, delivery to
/// the transport protocols; routes, headers and fragments on the way out.
///
/// A host has the strong end system model (RFC 1122 3.3.4.2): an interface takes only packets for its
/// own address or a broadcast of its own subnet. Packets for anybody else are Ipv4NotForUs, unless
/// the stack forwards: then they are the Forwarder's. Not done: multicast groups on the way in,
/// source routes, other options than to skip them.
class Ipv4 final : private Fragments::Listener {
public:
    /// `services` outlives it.
    explicit Ipv4(Services& services);
    Ipv4(const Ipv4&) = delete;
    Ipv4& operator=(const Ipv4&) = delete;

    /// Interfaces are added once and stay; the route to their subnet is added with them.
    void add_interface(Interface& interface);
    RouteTable& routes() { return routes_; }
    void attach(IpProtocol protocol, TransportProtocol& transport);

    /// One packet as it came from the link.
    /// Refuses: Ipv4*, Fragment*, Icmp*, and whatever the transport refuses.
    std::expected<void, Drop> input(Interface& in, const Interface::Arrival& arrival,
                                    const Offload& offload, TimePoint now);

    /// `payload` is the transport's frame so far: header and data. Its offload offsets count from
    /// the transport header. Fragments what is too large and may be cut. Without Full, NoRoute,
    /// TooBig or NotAllowed the datagram is on its way.
    SendResult output(Frame& payload, const Ipv4SendOptions& options, TimePoint now);

    /// A packet of ours, or one that we forwarded, found no neighbour.
    void undeliverable(Packet& packet, TimePoint now);

    /// Longest prefix, gateway, path MTU. Nothing when there is no route.
    std::optional<Ipv4Route> route(Ipv4Address destination) const;
    /// One of our own addresses.
    bool is_local(Ipv4Address address) const;
    /// A broadcast address of one of our subnets, or 255.255.255.255.
    bool is_broadcast(Ipv4Address address) const;
    /// To be called by a transport that has proved a "fragmentation needed" to be about a packet of
    /// its own (RFC 5927). Returns the path MTU from now on; never more than before.
    u32 lower_path_mtu(const IcmpError& error, TimePoint now);

    /// Negative advice of a transport: what it sends there is not acknowledged. The next hop may be dead
    /// (RFC 1122 3.3.1.4), so it is asked for again.
    void suspect(Ipv4Address destination, TimePoint now);

    Icmp& icmp() { return icmp_; }
    Forwarder& forwarder() { return forwarder_; }
    const std::vector<Interface*>& interfaces() const { return interfaces_; }
    Fragments& fragments() { return fragments_; }

private:
    friend class Icmp;
    friend class Forwarder;
    void reassembly_expired(Bytes first_fragment, bool link_broadcast, TimePoint now) override;
    std::expected<void, Drop> check_addresses(const Interface& in, const Ipv4View& packet,
                                              bool link_broadcast) const;
    std::expected<void, Drop> deliver(const Interface& in, const Ipv4View& packet,
                                      const Offload& offload, bool link_broadcast, bool answer,
                                      TimePoint now);
    /// RFC 6864: unique for a while among what is sent alike; 0 for what cannot be fragmented.
    u16 next_identification(Ipv4Address source, Ipv4Address destination, IpProtocol protocol);
    SendResult send_whole(Frame& payload, const Ipv4Header& header, const Ipv4Route& route,
                          TimePoint now);
    SendResult send_in_fragments(Frame& payload, const Ipv4Header& header, const Ipv4Route& route,
                                 TimePoint now);

    Services& services_;
    std::vector<Interface*> interfaces_;
    RouteTable routes_;
    Fragments fragments_;
    PathMtuCache path_mtu_;
    Icmp icmp_;
    Forwarder forwarder_;
    std::array<TransportProtocol*, 256> transports_{};
    std::array<u16, 256> identifications_{};  ///< per bucket of (source, destination, protocol)
    SipKey identification_key_{};
};

}  // namespace tapestry
