#include "stack/link/interface.h"

#include <algorithm>

namespace tapestry {
namespace {

/// RFC 791 section 3.2: every internet module can forward 68 octets without further fragmentation.
constexpr u32 kMinMtu = 68;
/// Smaller values of the type field are lengths of 802.3 frames (RFC 1122 2.3.3, IEEE 802.3).
constexpr u16 kFirstEtherType = 0x0600;

u32 chosen_mtu(const Port& port, u32 wanted) {
    const u32 possible = port.capabilities().mtu;
    return std::max(kMinMtu, wanted == 0 ? possible : std::min(wanted, possible));
}

}  // namespace

Interface::Interface(u8 index, Port& port, InterfaceConfig config, Services& services)
    : index_(index),
      port_(port),
      config_(std::move(config)),
      services_(services),
      mtu_(chosen_mtu(port, config_.mtu)),
      max_super_frame_(port.capabilities().max_super_frame),
      arp_(services, *this, config_.address, config_.mac) {}

std::expected<std::optional<Interface::Arrival>, Drop> Interface::input(Packet& frame,
                                                                        TimePoint now) {
    const auto ethernet = EthernetView::parse(frame.bytes());
    if (!ethernet) return std::unexpected(ethernet.error());
    const MacAddress destination = ethernet->destination();
    if (destination != config_.mac && !destination.is_group()) {
        return std::unexpected(Drop::EthernetNotForUs);
    }
    // A group address cannot send. Our own as the source is an echo of what we sent: answering it
    // would be talking to ourselves.
    const MacAddress source = ethernet->source();
    if (source.is_group() || source == config_.mac) {
        return std::unexpected(Drop::EthernetBadSource);
    }
    if (ethernet->type() == EtherType::Arp) {
        const auto taken = input_arp(ethernet->payload(), now);
        if (!taken) return std::unexpected(taken.error());
        return std::nullopt;
    }
    if (static_cast<u16>(ethernet->type()) < kFirstEtherType ||
        ethernet->type() != EtherType::Ipv4) {
        return std::unexpected(Drop::EthernetUnknownType);
    }
    return Arrival{frame.mutable_bytes().subspan(EthernetView::kHeaderSize),
                   destination.is_group()};
}

std::expected<void, Drop> Interface::input_arp(Bytes payload, TimePoint now) {
    const auto packet = ArpPacket::parse(payload);
    if (!packet) return std::unexpected(packet.error());
    const auto reply = arp_.input(*packet, now);
    if (!reply) return std::unexpected(reply.error());
    if (*reply) {
        ++services_.counters.arp_replies_out;
        send_arp(**reply, (*reply)->target_mac, now);
    }
    return {};
}

SendResult Interface::output(Frame& packet, Ipv4Address next_hop, TimePoint now) {
    // Nobody would answer: we are not our own neighbour.
    if (next_hop == address() || next_hop.is_unspecified()) return SendResult::NoRoute;
    auto mac = group_mac(next_hop);
    if (!mac) mac = arp_.lookup(next_hop, now);
    if (!mac) {
        arp_.wait(next_hop, packet, now);
        return SendResult::Queued;
    }
    return transmit(packet, EtherType::Ipv4, *mac, now) ? SendResult::Sent : SendResult::Full;
}

std::optional<MacAddress> Interface::group_mac(Ipv4Address destination) const {
    if (is_broadcast(destination)) return MacAddress::broadcast();
    if (!destination.is_multicast()) return std::nullopt;
    // RFC 1112 6.4: "An IP host group address is mapped to an Ethernet multicast address by placing
    // the low-order 23-bits of the IP address into the low-order 23 bits of the Ethernet multicast
    // address 01-00-5E-00-00-00 (hex)."
    const u32 low = destination.value() & 0x7fffff;
    return MacAddress({0x01, 0x00, 0x5e, static_cast<u8>(low >> 16), static_cast<u8>(low >> 8),
                       static_cast<u8>(low)});
}

/// False when the device is full; nothing is counted then.
bool Interface::transmit(Frame& packet, EtherType type, MacAddress destination, TimePoint now) {
    EthernetHeader{destination, config_.mac, type}.write(packet.push(EthernetView::kHeaderSize));
    if (packet.offload.uses_offsets()) packet.shift_offload(EthernetView::kHeaderSize);
    if (!port_.transmit(packet)) return false;
    ++services_.counters.frames_out;
    services_.counters.bytes_out += packet.size();
    if (services_.trace != nullptr) {
        services_.trace->on_frame(
            {now, Direction::Out, index_, packet.headers(), packet.payload(), packet.offload});
    }
    return true;
}

void Interface::send_arp(const ArpPacket& packet, MacAddress destination, TimePoint now) {
    Frame frame;
    const auto bytes = packet.to_bytes();
    std::memcpy(frame.push(bytes.size()), bytes.data(), bytes.size());
    if (!transmit(frame, EtherType::Arp, destination, now)) {
        services_.refuse(Drop::DeviceFull, bytes, now);
    }
}

void Interface::release(const Packet& packet, std::size_t header_size, MacAddress destination,
                        TimePoint now) {
    // The frame gets the form again in which it came: headers, then payload.
    Frame frame(packet.bytes().subspan(header_size));
    std::memcpy(frame.push(header_size), packet.bytes().data(), header_size);
    frame.offload = packet.offload;
    if (!transmit(frame, EtherType::Ipv4, destination, now)) {
        services_.refuse(Drop::DeviceFull, packet.bytes(), now);
    }
}

void Interface::give_up(Packet packet, TimePoint now) {
    services_.refuse(Drop::NeighborUnreachable, packet.bytes(), now);
    undeliverable_.push_back(std::move(packet));
}

void Interface::start(TimePoint now) {
    if (services_.config.arp.announce && !address().is_unspecified()) arp_.announce(now);
}

}  // namespace tapestry
