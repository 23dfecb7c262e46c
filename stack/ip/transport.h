#pragma once

#include <expected>

#include "stack/link/interface.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

/// A whole datagram for one of our addresses, as the transport protocols get it.
struct Ipv4Datagram {
    Ipv4Address source;
    Ipv4Address destination;
    IpProtocol protocol = IpProtocol::Tcp;
    u8 tos = 0;
    u8 ttl = 0;
    bool broadcast = false;         ///< to a broadcast or multicast address, of IP or of the link
    bool checksum_trusted = false;  ///< the transport checksum need not be checked
    bool answer = true;             ///< a refusal may be told to the sender (RFC 5382 REQ-4)
    u16 gso_size = 0;               ///< payload of each segment if it is a super-frame
    Bytes payload;
    const Interface* interface = nullptr;  ///< where it came in
};

/// An error that the network (or our own link) reports about a packet that we sent.
struct IcmpError {
    Ipv4Address reporter;
    IcmpType type = IcmpType::DestinationUnreachable;
    u8 code = 0;
    u16 next_hop_mtu = 0;  ///< of "fragmentation needed"; 0: not said
    // From the quoted packet, which claims to be one of ours:
    Ipv4Address source;
    Ipv4Address destination;
    u16 quoted_size = 0;   ///< total length of the packet at fault
    Bytes quoted_payload;  ///< at least 8 bytes of the transport header
};

/// A protocol above IP.
class TransportProtocol {
public:
    virtual ~TransportProtocol() = default;
    /// UdpNoSocket makes IP answer with "port unreachable".
    virtual std::expected<void, Drop> input(const Ipv4Datagram& datagram, TimePoint now) = 0;
    /// Must not believe it before it has found the socket that sent the quoted packet.
    virtual std::expected<void, Drop> icmp_error(const IcmpError& error, TimePoint now) = 0;
};

}  // namespace tapestry
