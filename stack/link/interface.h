#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stack/link/arp_cache.h"
#include "stack/link/port.h"
#include "stack/link/services.h"
#include "stack/wire/ethernet.h"

namespace tapestry {

/// Who an interface is.
struct InterfaceConfig {
    std::string name = "eth0";
    MacAddress mac;
    Ipv4Prefix address;  ///< of ours, with the subnet's prefix length
    u32 mtu = 0;         ///< 0: the port's; a smaller one is kept to
};

/// What became of a frame handed to the way out.
enum class SendResult : u8 {
    Sent,        ///< the device has it
    Queued,      ///< it waits for the next hop's address; too many that wait push out the oldest
    Full,        ///< nothing was taken: try again later
    NoRoute,     ///< nobody to send it to
    TooBig,      ///< larger than the MTU, and not to be fragmented
    NotAllowed,  ///< a broadcast that was not asked for, or a source that is not ours
};
/// The frame is on its way.
constexpr bool accepted(SendResult r) { return r == SendResult::Sent || r == SendResult::Queued; }

/// One Ethernet interface with one IPv4 address: frames in and out, ARP. It knows nothing of what
/// IP does with its payload. Multicast groups are not joined: their frames are handed up as
/// broadcasts. Not done: VLAN tags, 802.3 frames with LLC.
class Interface final : private ArpCache::Link {
public:
    /// An IP packet in a frame that is for us.
    struct Arrival {
        MutableBytes packet;          ///< behind the Ethernet header, padding included
        bool link_broadcast = false;  ///< the frame was a broadcast or multicast
    };

    /// `port` and `services` outlive the interface. The MTU is at least 68 (RFC 791 section 3.2).
    Interface(u8 index, Port& port, InterfaceConfig config, Services& services);

    /// Takes one frame. An ARP packet is dealt with here and gives nothing; an IP packet is
    /// returned. Refuses: Ethernet*, Arp*.
    std::expected<std::optional<Arrival>, Drop> input(Packet& frame, TimePoint now);

    /// Sends an IP packet to a neighbour: its address is looked up, or asked for while a copy of
    /// the packet waits. 255.255.255.255, the subnet's broadcast and multicast groups go out at
    /// once.
    SendResult output(Frame& packet, Ipv4Address next_hop, TimePoint now);

    /// Announces the address (RFC 5227 2.3) if the configuration says so.
    void start(TimePoint now);

    /// IP packets whose next hop did not answer, since the last call.
    std::vector<Packet> take_undeliverable() { return std::exchange(undeliverable_, {}); }

    u8 index() const { return index_; }
    const std::string& name() const { return config_.name; }
    MacAddress mac() const { return config_.mac; }
    Ipv4Address address() const { return config_.address.address; }
    /// The address, or one that the interface answers for as well.
    bool has_address(Ipv4Address a) const { return a == address() || arp_.answers_for(a); }
    const Ipv4Prefix& prefix() const { return config_.address; }
    /// The largest IP packet on the wire.
    u32 mtu() const { return mtu_; }
    /// The largest IP packet that the device takes as a super-frame; 0: none.
    u32 max_super_frame() const { return max_super_frame_; }
    /// 255.255.255.255 or the subnet's broadcast address.
    bool is_broadcast(Ipv4Address a) const {
        return a.is_broadcast() || a == config_.address.subnet_broadcast();
    }
    ArpCache& arp() { return arp_; }
    const ArpCache& arp() const { return arp_; }
    Port& port() { return port_; }

private:
    void send_arp(const ArpPacket& packet, MacAddress destination, TimePoint now) override;
    void release(const Packet& packet, std::size_t header_size, MacAddress destination,
                 TimePoint now) override;
    void give_up(Packet packet, TimePoint now) override;

    std::expected<void, Drop> input_arp(Bytes payload, TimePoint now);
    /// Where it goes when no neighbour need be asked.
    std::optional<MacAddress> group_mac(Ipv4Address destination) const;
    bool transmit(Frame& packet, EtherType type, MacAddress destination, TimePoint now);

    u8 index_;
    Port& port_;
    InterfaceConfig config_;
    Services& services_;
    u32 mtu_;
    u32 max_super_frame_;
    ArpCache arp_;
    std::vector<Packet> undeliverable_;
};

}  // namespace tapestry
