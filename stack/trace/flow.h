#pragma once

#include <array>
#include <string>

#include "stack/base/time.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

/// Whose packets of a conversation: those of the host that began it, or those of the other.
enum class FlowDirection : u8 { Original, Reply };
constexpr FlowDirection other(FlowDirection d) {
    return d == FlowDirection::Original ? FlowDirection::Reply : FlowDirection::Original;
}

/// The five numbers that name one direction of a conversation as one side of a router sees it. ICMP
/// queries have the identifier as both ports (RFC 5508 section 3.1) and their kind in `icmp_type`;
/// other protocols have no ports.
struct FlowTuple {
    Endpoint source;
    Endpoint destination;
    IpProtocol protocol = IpProtocol::Tcp;
    u8 icmp_type = 0;  ///< of a query: echo request or echo reply

    /// What the answer carries.
    FlowTuple reversed() const;
    friend bool operator==(const FlowTuple&, const FlowTuple&) = default;
};

/// How far a TCP conversation has come, seen from the middle; the names are conntrack's. Other
/// protocols stay at None.
enum class FlowState : u8 {
    None,
    SynSent,      ///< a SYN has passed
    SynSent2,     ///< ... and one the other way: a simultaneous open
    SynRecv,      ///< ... and its SYN-ACK
    Established,  ///< the handshake is complete
    FinWait,      ///< one side has closed
    CloseWait,    ///< ... and the other has acknowledged
    LastAck,      ///< both sides have closed
    TimeWait,     ///< ... and acknowledged
    Close,        ///< somebody sent a reset
};
/// "SYN_SENT".
std::string_view name(FlowState state);

/// One conversation that a router follows, as it was at one moment. It is translated where `reply` is
/// not `original` reversed: what leaves the router is the other direction's tuple, reversed.
struct FlowSnapshot {
    u64 id = 0;          ///< in the order in which they began; never used again
    FlowTuple original;  ///< as the first packet came in
    FlowTuple reply;     ///< as the answers come in
    FlowState state = FlowState::None;
    bool replied = false;          ///< an answer has passed
    bool assured = false;          ///< it is worth keeping: established, or answered for a while
    Duration remaining{};          ///< until it is forgotten, if no packet passes
    std::array<u64, 2> packets{};  ///< by FlowDirection
    std::array<u64, 2> bytes{};    ///< of IP packets, as a wire carries them

    friend bool operator==(const FlowSnapshot&, const FlowSnapshot&) = default;

    bool source_translated() const { return reply.destination != original.source; }
    bool destination_translated() const { return reply.source != original.destination; }
};

/// The line that `conntrack -L` prints:
///
///     tcp      6 7439 ESTABLISHED src=192.168.3.10 dst=... sport=49152 dport=80 src=... [ASSURED] ...
std::string to_string(const FlowSnapshot& flow);
/// "tcp", "icmp", "unknown".
std::string flow_protocol_name(IpProtocol protocol);

}  // namespace tapestry
