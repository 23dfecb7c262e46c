#pragma once

#include <string_view>

#include "stack/base/types.h"

namespace tapestry {

/// Every reason for which a frame, or a part of it, is refused: one list for all layers. Returning
/// one of these is the only way to refuse; the top counts it and traces it.
enum class Drop : u8 {
    // Ethernet
    EthernetShort,
    LinkHeaderShort,
    EthernetNotForUs,
    EthernetBadSource,
    EthernetUnknownType,
    // ARP
    ArpShort,
    ArpBadHardware,
    ArpBadProtocol,
    ArpBadLength,
    ArpBadOperation,
    ArpBadSender,
    ArpNotForUs,
    ArpUnsolicited,
    ArpConflict,
    ArpStatic,
    // Neighbour resolution on the way out
    NeighborQueueFull,
    NeighborUnreachable,
    // IPv4
    Ipv4Short,
    Ipv4BadVersion,
    Ipv4BadHeaderLength,
    Ipv4BadTotalLength,
    Ipv4BadChecksum,
    Ipv4BadSource,
    Ipv4NotForUs,
    Ipv4LinkBroadcast,
    Ipv4BadOption,
    Ipv4SourceRoute,
    Ipv4UnknownProtocol,
    Ipv4NoRoute,
    Ipv4TtlExceeded,
    Ipv4TooBig,
    Ipv4BadDestination,
    Ipv4ReversePath,
    // Following, translating and filtering in a router
    FlowInvalid,
    FlowTableFull,
    FlowHostLimit,
    FlowClash,
    NatUnsolicited,
    NatNoMapping,
    NatPortsExhausted,
    NatPoolExhausted,
    NatToSelf,
    FilterDropped,
    FilterRejected,
    // Fragments
    FragmentBadLength,
    FragmentTooLong,
    FragmentOverlap,
    FragmentTimeout,
    FragmentNoMemory,
    // ICMP
    IcmpShort,
    IcmpBadChecksum,
    IcmpUnknownType,
    IcmpBroadcastEcho,
    IcmpBadQuote,
    IcmpNoMatch,
    IcmpIgnored,
    IcmpQueueFull,
    // UDP
    UdpShort,
    UdpBadLength,
    UdpBadChecksum,
    UdpBadPort,
    UdpNoSocket,
    UdpQueueFull,
    // TCP: the segment is malformed
    TcpShort,
    TcpBadDataOffset,
    TcpBadOption,
    TcpBadChecksum,
    TcpBadPort,
    TcpBadAddress,
    // TCP: the segment is well-formed and refused by the state machine
    TcpNoConnection,
    TcpListenReset,
    TcpListenNotSyn,
    TcpBacklogFull,
    TcpAcceptQueueFull,
    TcpOutOfWindow,
    TcpPaws,
    TcpBadAck,
    TcpOldAck,
    TcpUnacceptableReset,
    TcpUnexpectedSyn,
    TcpNoAck,
    TcpUnexpectedInSynSent,
    TcpDataAfterClose,
    TcpNoMemory,
    // The device and the pools
    PoolExhausted,
    DeviceFull,
    OffloadInvalid,
    kCount,
};

inline constexpr std::size_t kDropCount = static_cast<std::size_t>(Drop::kCount);

/// The enumerator's own name, for counters and JSON: "Ipv4BadChecksum".
std::string_view name(Drop drop);
/// One short sentence for a person: "the IPv4 header checksum is wrong".
std::string_view text(Drop drop);
/// Where the rule is written: "RFC 1122 3.2.1.2", or "" where no RFC speaks of it.
std::string_view rfc(Drop drop);

}  // namespace tapestry
