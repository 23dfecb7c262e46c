#pragma once

#include <memory>
#include <vector>

#include "stack/buf/packet.h"

namespace tapestry {

/// Slots of one size for packets, with a ceiling. Slots are made when first needed and used again in
/// last-in-first-out order, so that a short batch stays in the cache. Outlives its packets.
class PacketPool {
public:
    /// Room for a virtio-net header and an encapsulation or two.
    static constexpr std::size_t kHeadroom = 64;
    /// Slots that hold an Ethernet frame of MTU 1500 with a VLAN tag.
    static constexpr std::size_t kFrameSlot = 2048;
    /// Slots that hold the largest super-frame: 64 KiB of IP behind an Ethernet header.
    static constexpr std::size_t kSuperFrameSlot = 65536 + 512;

    /// `slot_size` counts the headroom.
    PacketPool(std::size_t slot_size, std::size_t ceiling);
    PacketPool(const PacketPool&) = delete;
    PacketPool& operator=(const PacketPool&) = delete;

    /// An empty packet with kHeadroom in front; a false handle when `ceiling` slots are out.
    Packet take();
    /// A packet with this content; a false handle when there is no slot or it does not fit.
    Packet copy(Bytes data);

    std::size_t slot_size() const { return slot_size_; }
    std::size_t in_use() const { return slots_.size() - free_.size(); }
    std::size_t allocated() const { return slots_.size(); }

private:
    friend class Packet;
    void give_back(u8* slot) { free_.push_back(slot); }

    std::size_t slot_size_;
    std::size_t ceiling_;
    std::vector<std::unique_ptr<u8[]>> slots_;
    std::vector<u8*> free_;
};

}  // namespace tapestry
