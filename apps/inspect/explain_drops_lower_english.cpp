#include <array>

#include "apps/inspect/explain_tables.h"

/// Refusals: Ethernet, ARP, IPv4, the device.

namespace tapestry {
namespace {

using enum Drop;

constexpr auto kRows = std::to_array<DropText>({
    {EthernetShort,
     {"The frame is shorter than an Ethernet header of 14 bytes.",
      "Destination, source and type are needed to know what to do with it.",
      "An Ethernet cable never carries so few bytes; it is a broken driver or a test."}},
    {LinkHeaderShort,
     {"The frame is shorter than the header of its kind of link.",
      "Without that header nobody can tell which protocol it carries.",
      "Captures of \"any\" device have another link header than Ethernet ones."}},
    {EthernetNotForUs,
     {"The frame is addressed to another station and is passed over.",
      "A switch that does not know yet where a station is sends its frames everywhere. "
      "Everybody else ignores them.",
      "This is no error and no loss: the frame reaches its station as well."}},
    {EthernetBadSource,
     {"The source address is a group address, or our own.",
      "Frames are sent by single stations. Our own address as the source means a loop in the "
      "network, or that somebody imitates us.",
      "The lowest bit of the first byte tells a group address from that of a station."}},
    {EthernetUnknownType,
     {"The frame carries neither IPv4 nor ARP.",
      "The type field says which protocol follows. What nobody here speaks is thrown away in "
      "silence.",
      "IPv6 and the messages of switches are such frames: seeing them is normal."}},
    {ArpShort,
     {"The frame is shorter than an ARP packet.",
      "All addresses must be there before one of them may be believed.",
      "A short frame is padded to 60 bytes, so there may be more bytes than the packet has, "
      "never fewer."}},
    {ArpBadHardware,
     {"The ARP packet is not about Ethernet.",
      "ARP serves many kinds of networks; the first field says which.",
      "The field is 1 for Ethernet."}},
    {ArpBadProtocol,
     {"The ARP packet does not ask for an IPv4 address.",
      "ARP could serve other protocols, too; here it is IPv4 only.",
      "The field has the same values as Ethernet's type field."}},
    {ArpBadLength,
     {"The lengths of the addresses do not fit their kinds.",
      "An Ethernet address has 6 bytes, an IPv4 address 4. With other lengths the fields are "
      "not where they are expected.",
      "Check lengths before you read fields."}},
    {ArpBadOperation,
     {"The ARP packet is neither a request nor a reply.",
      "Only these two have a meaning here (1 and 2).",
      "Reverse ARP uses other numbers; nobody needs it any more."}},
    {ArpBadSender,
     {"The sender's addresses cannot be those of a neighbour.",
      "Whoever answers must be a single station with an address of this network. Otherwise "
      "the cache would send packets to everybody, or nowhere.",
      "Believing everything in ARP lets anybody redirect traffic."}},
    {ArpNotForUs,
     {"The ARP request asks for another host.",
      "Requests are broadcast, so everybody hears them, and only the one who is asked "
      "answers.",
      "A known sender may be refreshed all the same, but no new entry is made."}},
    {ArpUnsolicited,
     {"A reply comes that nobody asked for: it makes no entry.",
      "ARP has no proof of anything. To take answers only to one's own questions makes it "
      "harder to redirect traffic.",
      "An entry that exists may be refreshed by it."}},
    {ArpConflict,
     {"Somebody else claims our address.",
      "Two hosts with one address break each other's connections. It is reported, and we "
      "defend the address.",
      "Do not overwrite your own address in the cache."}},
    {ArpStatic,
     {"The entry was set by hand and is not changed by what the network says.",
      "A static entry is meant to be trusted more than a packet.",
      "If the neighbour's card is changed, the entry must be changed by hand, too."}},
    {NeighborQueueFull,
     {"Too many packets wait for this neighbour's Ethernet address: the packet is dropped.",
      "While ARP asks, a few packets wait. The queue is short, because the answer may never "
      "come.",
      "At least one packet should wait: without that the first packet to each neighbour is "
      "always lost."}},
    {NeighborUnreachable,
     {"The next hop did not answer ARP: the packet cannot be delivered.",
      "Several requests went out, and nobody has that address. The sender is told by ICMP, or "
      "the application by an error.",
      "For an address far away it is the gateway that is asked for, not the destination."}},
    {Ipv4Short,
     {"The packet is shorter than an IPv4 header of 20 bytes.", "Nothing in it can be relied on.",
      "Check the length before you read any field."}},
    {Ipv4BadVersion,
     {"The version field is not 4.", "The first four bits say how to read the rest.",
      "Ethernet's type field and the version must agree."}},
    {Ipv4BadHeaderLength,
     {"The header length (IHL) is below 5 or goes beyond the packet.",
      "IHL counts words of 4 bytes; the shortest header has 5.",
      "Forgetting to multiply by 4, or options of the header, is the usual reason."}},
    {Ipv4BadTotalLength,
     {"The total length is below that of the header, or goes beyond the frame.",
      "The field says where the packet ends; a frame may be longer (padding), never shorter.",
      "The length of the frame is not that of the packet: bytes behind the total length do "
      "not count."}},
    {Ipv4BadChecksum,
     {"The checksum of the IPv4 header is wrong: the packet is dropped in silence.",
      "A bit has changed on the way, maybe in an address. Nobody can be told, since the "
      "source may be wrong, too.",
      "The checksum covers the header only. Each router changes the TTL and therefore the "
      "checksum."}},
    {Ipv4BadSource,
     {"The source address cannot be that of a host (a broadcast, a multicast group, or our "
      "own).",
      "Answers to it would go to many, or to ourselves.",
      "Check the source before answering anything: answers to a broadcast multiply."}},
    {Ipv4NotForUs,
     {"The destination is none of our addresses.",
      "A host accepts what is for it; only a router passes packets on.",
      "A host must not forward, even if it knows the way."}},
    {Ipv4LinkBroadcast,
     {"A packet for a single host came in a frame for everybody.",
      "Something is wrong with the sender. If everybody answered, the network would be "
      "flooded.",
      "Broadcast on the link and broadcast in IP must come together."}},
    {Ipv4BadOption,
     {"The length of an IPv4 option is wrong.", "What follows cannot be found any more.",
      "Options with a length of 0 let careless readers run in circles."}},
    {Ipv4SourceRoute,
     {"The packet wants to choose its own way (source routing): it is refused.",
      "This lets an attacker send answers past firewalls, and nobody needs it.",
      "Loose and strict source routes are options of the IPv4 header."}},
    {Ipv4UnknownProtocol,
     {"Nobody here speaks the protocol that the packet carries.",
      "The sender is told by ICMP (protocol unreachable), so that it does not go on trying.",
      "TCP is 6, UDP 17, ICMP 1."}},
    {Ipv4NoRoute,
     {"There is no route to the destination.",
      "The most specific route that fits is taken; here none fits, not even a default route.",
      "A router tells the sender by ICMP (network unreachable)."}},
    {Ipv4TtlExceeded,
     {"The time to live has run out: the router drops the packet and tells the sender (time "
      "exceeded).",
      "Each router takes one away, so that a packet in a loop dies. traceroute lives on these "
      "messages.",
      "The destination host itself does not check the TTL: only whoever forwards."}},
    {Ipv4TooBig,
     {"The packet is larger than the next link carries and must not be fragmented.",
      "The router tells the sender how much would fit. TCP takes its segments smaller and "
      "sends again.",
      "A firewall that drops these ICMP messages makes connections hang: a black hole."}},
    {Ipv4BadDestination,
     {"The destination is an address to which nothing is forwarded.",
      "Loopback, link-local and reserved addresses have a meaning in one place only.",
      "They must not leave a host or a link."}},
    {Ipv4ReversePath,
     {"An answer to this source would leave by another interface than the packet came in by.",
      "So the source is probably forged (reverse path filtering).",
      "In networks where two ways exist for good reasons the check must be loose."}},
    {PoolExhausted,
     {"No packet buffer is free: the frame is dropped.",
      "Memory for packets has a ceiling, so that a flood cannot use up the machine.",
      "TCP sends lost segments again; that is what makes dropping safe."}},
    {DeviceFull,
     {"The device takes no more frames for now.",
      "It is still busy with the earlier ones. TCP keeps its data and tries again; other "
      "packets are dropped.",
      "Nothing has been lost in the network."}},
    {OffloadInvalid,
     {"What is said about the frame (its checksum, its segment size) contradicts the frame.",
      "With offloading a device leaves part of the work to us; if the two do not agree, "
      "nothing can be trusted.",
      "Such frames come from a broken driver or from an attacker in a virtual machine."}},
});

}  // namespace

std::span<const DropText> english_lower_drops() { return kRows; }

}  // namespace tapestry
