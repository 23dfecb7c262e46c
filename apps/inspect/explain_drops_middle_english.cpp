#include <array>

#include "apps/inspect/explain_tables.h"

/// Refusals: routers, fragments, ICMP, UDP.

namespace tapestry {
namespace {

using enum Drop;

constexpr auto kRows = std::to_array<DropText>({
    {FlowInvalid,
     {"The packet belongs to no conversation that the router follows, and cannot begin one.",
      "A TCP conversation begins with a SYN. A segment from the middle of one that the router "
      "does not know is old, forged, or the router has forgotten it.",
      "After a restart of the router all connections through its NAT look like this."}},
    {FlowTableFull,
     {"The router follows as many conversations as it may.",
      "Each takes memory; without a limit a flood of new ones would bring the router down.",
      "Conversations that have only begun are the first to make room."}},
    {FlowHostLimit,
     {"This host has as many conversations as it may.",
      "One host must not take all the room, or all the ports, from the others.",
      "A scan or a broken program reaches such a limit quickly."}},
    {FlowClash,
     {"Another conversation already has the same addresses and ports.",
      "After translation both would look the same, and nobody could tell whose an answer is.",
      "NAT must choose another port before it comes to this."}},
    {NatUnsolicited,
     {"Nobody inside has asked for a packet from there: the NAT drops it.",
      "A NAT can pass on only what belongs to a row of its table. There is no row, so it does "
      "not know for whom the packet is.",
      "That is why servers behind a NAT need a port forwarding. A NAT is not a firewall, "
      "though it looks like one here."}},
    {NatNoMapping,
     {"There is nothing to translate the packet by.",
      "Only TCP, UDP and ICMP have ports or identifiers by which conversations can be told "
      "apart.",
      "Other protocols do not pass a NAT that shares one address."}},
    {NatPortsExhausted,
     {"All external ports are in use.",
      "One external address has about 64,000 ports for each protocol, and each conversation "
      "needs one.",
      "Short timeouts for old rows are what frees them."}},
    {NatPoolExhausted,
     {"All external addresses are in use.",
      "A dynamic NAT without ports lends each inside host an address of its own; the pool is "
      "empty.",
      "The next host must wait until an address is given back."}},
    {NatToSelf,
     {"A rule translates to the router's own address, which is not done here.",
      "The packet would have to be taken in by the router itself in the middle of its way.",
      "Let the rule of the INPUT chain decide instead."}},
    {FilterDropped,
     {"A rule of the firewall drops the packet in silence.",
      "The sender hears nothing: it has to wait for its own timeouts. That hides the host, "
      "but makes errors slow to show.",
      "A connection that \"hangs\" often meets such a rule; one that is \"refused\" meets a "
      "reset."}},
    {FilterRejected,
     {"A rule of the firewall rejects the packet: the sender is told.",
      "A reset or an ICMP message ends the attempt at once.",
      "To reject is friendlier than to drop, and easier to debug."}},
    {FragmentBadLength,
     {"A fragment that is not the last one has a length that is no multiple of 8.",
      "Offsets count units of 8 bytes, so the next fragment could not begin where this one "
      "ends.",
      "Only the last fragment may have any length."}},
    {FragmentTooLong,
     {"The fragment ends beyond 65,535 bytes, the largest datagram.",
      "Put together it would overflow the buffer: the \"ping of death\".",
      "Check offset plus length before you copy."}},
    {FragmentOverlap,
     {"Fragments overlap: the whole datagram is thrown away.",
      "Overlaps let an attacker show a firewall one text and the host another. Honest routers "
      "never make them.",
      "It is not enough to drop the one fragment: all that came and still comes of it is "
      "refused."}},
    {FragmentTimeout,
     {"The rest of the datagram did not come in time: what came is thrown away.",
      "One lost fragment makes all the others useless; memory must not wait for ever.",
      "IP does not send anything again. TCP does, but the whole segment."}},
    {FragmentNoMemory,
     {"The memory for putting datagrams together is used up.",
      "A flood of first fragments would otherwise fill the machine.",
      "TCP avoids fragments by learning the path's MTU."}},
    {IcmpShort,
     {"The message is shorter than an ICMP header.", "Type, code and checksum must be there.",
      "Check lengths first."}},
    {IcmpBadChecksum,
     {"The checksum of the ICMP message is wrong.",
      "It was damaged on the way, and is dropped in silence.",
      "It covers the whole message, not just the header, and has no pseudo-header."}},
    {IcmpUnknownType,
     {"The ICMP type is one that we do not know: it is ignored.",
      "New types may come up; whoever does not know them must do no harm.",
      "Never answer an ICMP error with an ICMP error."}},
    {IcmpBroadcastEcho,
     {"An echo request to a broadcast address is not answered.",
      "With a forged source all hosts of a network would flood a victim (the \"smurf\" "
      "attack).",
      "The RFC leaves the choice; today everybody keeps silent."}},
    {IcmpBadQuote,
     {"The packet that the error quotes is too short or malformed.",
      "An error must quote the header of the packet that it is about and 8 bytes more, so "
      "that the ports can be found.",
      "Without ports nobody knows which connection is meant."}},
    {IcmpNoMatch,
     {"The quoted packet belongs to nothing of ours.",
      "An ICMP error is believed only if it quotes something that we have really sent, and, "
      "for TCP, that is still under way.",
      "Without this check anybody could end or slow down connections with forged messages."}},
    {IcmpIgnored,
     {"The message is one that a host ignores.",
      "Source quench, for example, is obsolete: congestion is seen by losses or ECN.",
      "To follow old advice can be used against you."}},
    {IcmpQueueFull,
     {"The queue of the ping socket is full.", "The program does not read as fast as answers come.",
      "The answer did arrive: it is not lost in the network."}},
    {UdpShort,
     {"The datagram is shorter than a UDP header of 8 bytes.", "Ports and length must be there.",
      "Check lengths first."}},
    {UdpBadLength,
     {"The UDP length is below 8 or goes beyond the packet.",
      "UDP says its own length, and it must fit into the IP packet.",
      "It may be smaller than what IP carries; the rest does not count."}},
    {UdpBadChecksum,
     {"The UDP checksum is wrong: the datagram is dropped.",
      "It covers the text and the addresses, so that nothing reaches a wrong program.",
      "A field of 0 means \"no checksum\" in IPv4; a computed 0 is sent as 0xffff."}},
    {UdpBadPort,
     {"The destination port is 0.", "Port 0 is nobody's.",
      "As a source port 0 is legal: it means that no answer is wanted."}},
    {UdpNoSocket,
     {"Nobody listens on this UDP port: the sender is told by ICMP (port unreachable).",
      "UDP has no reset of its own, so ICMP has to say it.",
      "Answers to a broadcast or multicast are not given."}},
    {UdpQueueFull,
     {"The receive queue of the socket is full: the datagram is dropped.",
      "The program does not read fast enough. UDP has no window to slow the sender down.",
      "UDP promises nothing: the program itself must notice what is missing."}},
});

}  // namespace

std::span<const DropText> english_middle_drops() { return kRows; }

}  // namespace tapestry
