#include "stack/base/drop.h"

#include <array>

namespace tapestry {
namespace {

struct Row {
    Drop drop;
    std::string_view name;
    std::string_view text;
    std::string_view rfc;
};

using enum Drop;

constexpr std::array<Row, kDropCount> kRows{{
    {EthernetShort, "EthernetShort", "the frame is shorter than an Ethernet header", "RFC 894"},
    {LinkHeaderShort, "LinkHeaderShort", "the frame is shorter than its link's header", "RFC 894"},
    {EthernetNotForUs, "EthernetNotForUs", "the frame is addressed to another station", "RFC 894"},
    {EthernetBadSource, "EthernetBadSource", "the source address is a group address or our own",
     "RFC 1812 3.3.2"},
    {EthernetUnknownType, "EthernetUnknownType", "neither IPv4 nor ARP", "RFC 1122 2.3.1"},
    {ArpShort, "ArpShort", "the frame is shorter than an ARP packet", "RFC 826"},
    {ArpBadHardware, "ArpBadHardware", "the hardware type is not Ethernet", "RFC 826"},
    {ArpBadProtocol, "ArpBadProtocol", "the protocol type is not IPv4", "RFC 826"},
    {ArpBadLength, "ArpBadLength", "an address length does not fit its type", "RFC 826"},
    {ArpBadOperation, "ArpBadOperation", "neither a request nor a reply", "RFC 826"},
    {ArpBadSender, "ArpBadSender", "the sender cannot be a neighbour's address", "RFC 1812 3.3.2"},
    {ArpNotForUs, "ArpNotForUs", "the target is another host", "RFC 826"},
    {ArpUnsolicited, "ArpUnsolicited", "a reply that nobody asked for creates no entry", "RFC 826"},
    {ArpConflict, "ArpConflict", "somebody else claims our address", "RFC 5227 2.4"},
    {ArpStatic, "ArpStatic", "a static entry is not overwritten", "RFC 826"},
    {NeighborQueueFull, "NeighborQueueFull", "too many packets wait for this address",
     "RFC 1122 2.3.2.2"},
    {NeighborUnreachable, "NeighborUnreachable", "the next hop did not answer ARP",
     "RFC 1122 2.3.2.1"},
    {Ipv4Short, "Ipv4Short", "shorter than an IPv4 header", "RFC 1122 3.2.1"},
    {Ipv4BadVersion, "Ipv4BadVersion", "the version is not 4", "RFC 1122 3.2.1.1"},
    {Ipv4BadHeaderLength, "Ipv4BadHeaderLength", "IHL is below 5 or past the packet",
     "RFC 791 3.1"},
    {Ipv4BadTotalLength, "Ipv4BadTotalLength",
     "the total length is below the header's or past the frame", "RFC 791 3.1"},
    {Ipv4BadChecksum, "Ipv4BadChecksum", "the IPv4 header checksum is wrong", "RFC 1122 3.2.1.2"},
    {Ipv4BadSource, "Ipv4BadSource", "the source address cannot be a host's", "RFC 1122 3.2.1.3"},
    {Ipv4NotForUs, "Ipv4NotForUs", "the destination is not one of our addresses",
     "RFC 1122 3.2.1.3"},
    {Ipv4LinkBroadcast, "Ipv4LinkBroadcast",
     "a unicast packet came in a link-layer broadcast frame", "RFC 1122 3.3.6"},
    {Ipv4BadOption, "Ipv4BadOption", "an IPv4 option's length is wrong", "RFC 1122 3.2.1.8"},
    {Ipv4SourceRoute, "Ipv4SourceRoute", "source routes are not followed", "RFC 7126 4.3"},
    {Ipv4UnknownProtocol, "Ipv4UnknownProtocol", "no such transport protocol here",
     "RFC 1122 3.2.2.1"},
    {Ipv4NoRoute, "Ipv4NoRoute", "there is no route to the destination", "RFC 1122 3.3.1"},
    {Ipv4TtlExceeded, "Ipv4TtlExceeded", "the time to live ran out", "RFC 1812 5.3.1"},
    {Ipv4TooBig, "Ipv4TooBig", "larger than the MTU and not to be fragmented", "RFC 791 2.3"},
    {Ipv4BadDestination, "Ipv4BadDestination", "the destination address is not to be forwarded to",
     "RFC 1812 5.3.7"},
    {Ipv4ReversePath, "Ipv4ReversePath", "an answer would not go back the way this came",
     "RFC 1812 5.3.8"},
    {FlowInvalid, "FlowInvalid", "belongs to no conversation and cannot begin one", "RFC 5382 5"},
    {FlowTableFull, "FlowTableFull", "the router follows as many conversations as it may",
     "RFC 4787 REQ-3"},
    {FlowHostLimit, "FlowHostLimit", "this host has as many conversations as it may",
     "RFC 6888 REQ-4"},
    {FlowClash, "FlowClash", "another conversation has the same addresses and ports", "RFC 3022 3"},
    {NatUnsolicited, "NatUnsolicited", "nobody inside has asked for a packet from there",
     "RFC 4787 5"},
    {NatNoMapping, "NatNoMapping", "there is nothing to translate it by", "RFC 3022 4.1"},
    {NatPortsExhausted, "NatPortsExhausted", "all external ports are in use", "RFC 4787 4.2.1"},
    {NatPoolExhausted, "NatPoolExhausted", "all external addresses are in use", "RFC 3022 2.1"},
    {NatToSelf, "NatToSelf", "a rule translates to the router's own address, which is not done",
     "RFC 3022 2.2"},
    {FilterDropped, "FilterDropped", "a firewall rule drops it", "RFC 2979 3.1"},
    {FilterRejected, "FilterRejected", "a firewall rule rejects it", "RFC 2979 3.1"},
    {FragmentBadLength, "FragmentBadLength", "a middle fragment is no multiple of 8 bytes",
     "RFC 791 3.2"},
    {FragmentTooLong, "FragmentTooLong", "the fragment ends past 65535 bytes", "RFC 791 3.1"},
    {FragmentOverlap, "FragmentOverlap", "fragments overlap: the whole datagram is refused",
     "RFC 5722 4"},
    {FragmentTimeout, "FragmentTimeout", "the rest of the datagram did not come in time",
     "RFC 1122 3.3.2"},
    {FragmentNoMemory, "FragmentNoMemory", "the memory for reassembly is used up",
     "RFC 1122 3.3.2"},
    {IcmpShort, "IcmpShort", "shorter than an ICMP header", "RFC 792"},
    {IcmpBadChecksum, "IcmpBadChecksum", "the ICMP checksum is wrong", "RFC 792"},
    {IcmpUnknownType, "IcmpUnknownType", "an ICMP type that we do not know", "RFC 1122 3.2.2"},
    {IcmpBroadcastEcho, "IcmpBroadcastEcho", "an echo request to a broadcast is not answered",
     "RFC 1122 3.2.2.6"},
    {IcmpBadQuote, "IcmpBadQuote", "the quoted packet is too short or malformed", "RFC 1122 3.2.2"},
    {IcmpNoMatch, "IcmpNoMatch", "the quoted packet belongs to nothing of ours", "RFC 5927 4.1"},
    {IcmpIgnored, "IcmpIgnored", "a message that a host ignores", "RFC 1122 3.2.2"},
    {IcmpQueueFull, "IcmpQueueFull", "the ping socket's receive queue is full", ""},
    {UdpShort, "UdpShort", "shorter than a UDP header", "RFC 768"},
    {UdpBadLength, "UdpBadLength", "the UDP length is below 8 or past the packet", "RFC 768"},
    {UdpBadChecksum, "UdpBadChecksum", "the UDP checksum is wrong", "RFC 1122 4.1.3.4"},
    {UdpBadPort, "UdpBadPort", "the destination port is 0", "RFC 768"},
    {UdpNoSocket, "UdpNoSocket", "nobody listens on this UDP port", "RFC 1122 4.1.3.1"},
    {UdpQueueFull, "UdpQueueFull", "the socket's receive queue is full", ""},
    {TcpShort, "TcpShort", "shorter than a TCP header", "RFC 9293 3.1"},
    {TcpBadDataOffset, "TcpBadDataOffset", "the data offset is below 5 or past the segment",
     "RFC 9293 3.1"},
    {TcpBadOption, "TcpBadOption", "an option's length is below 2 or past the header",
     "RFC 9293 3.1"},
    {TcpBadChecksum, "TcpBadChecksum", "the TCP checksum is wrong", "RFC 9293 3.1"},
    {TcpBadPort, "TcpBadPort", "a port is 0", "RFC 9293 3.1"},
    {TcpBadAddress, "TcpBadAddress", "TCP speaks from and to single hosts only",
     "RFC 9293 3.9.2.3"},
    {TcpNoConnection, "TcpNoConnection", "no connection and no listener: answered with a reset",
     "RFC 9293 3.10.7.1"},
    {TcpListenReset, "TcpListenReset", "a reset to a listener is ignored", "RFC 9293 3.10.7.2"},
    {TcpListenNotSyn, "TcpListenNotSyn", "a listener takes nothing but a SYN", "RFC 9293 3.10.7.2"},
    {TcpBacklogFull, "TcpBacklogFull", "too many handshakes under way on this port",
     "RFC 4987 3.1"},
    {TcpAcceptQueueFull, "TcpAcceptQueueFull", "the application has not accepted the earlier ones",
     "RFC 9293 3.10.7.4"},
    {TcpOutOfWindow, "TcpOutOfWindow", "the segment lies outside of the receive window",
     "RFC 9293 3.10.7.4"},
    {TcpPaws, "TcpPaws", "the timestamp is older than the last one", "RFC 7323 5.3"},
    {TcpBadAck, "TcpBadAck", "the acknowledgment is for something never sent or too old",
     "RFC 5961 5.2"},
    {TcpOldAck, "TcpOldAck", "the acknowledgment is old", "RFC 9293 3.10.7.4"},
    {TcpUnacceptableReset, "TcpUnacceptableReset",
     "the reset is not exactly at RCV.NXT: challenged", "RFC 5961 3.2"},
    {TcpUnexpectedSyn, "TcpUnexpectedSyn", "a SYN in a synchronized state: challenged",
     "RFC 5961 4.2"},
    {TcpNoAck, "TcpNoAck", "a segment without ACK in a synchronized state", "RFC 9293 3.10.7.4"},
    {TcpUnexpectedInSynSent, "TcpUnexpectedInSynSent", "neither SYN nor RST while we connect",
     "RFC 9293 3.10.7.3"},
    {TcpDataAfterClose, "TcpDataAfterClose", "data for an application that has closed",
     "RFC 9293 3.6.1"},
    {TcpNoMemory, "TcpNoMemory", "the memory for connections or buffers is used up", ""},
    {PoolExhausted, "PoolExhausted", "no packet buffer is free", ""},
    {DeviceFull, "DeviceFull", "the device takes no more for now", ""},
    {OffloadInvalid, "OffloadInvalid", "the frame's offload data contradict the frame", ""},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (kRows[i].drop != static_cast<Drop>(i)) return false;
    }
    return true;
}
static_assert(in_order(), "one row for each reason, in the order of the enumeration");

const Row& row(Drop drop) { return kRows.at(static_cast<std::size_t>(drop)); }

}  // namespace

std::string_view name(Drop drop) { return row(drop).name; }
std::string_view text(Drop drop) { return row(drop).text; }
std::string_view rfc(Drop drop) { return row(drop).rfc; }

}  // namespace tapestry
