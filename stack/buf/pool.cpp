#include "stack/buf/pool.h"

namespace tapestry {

PacketPool::PacketPool(std::size_t slot_size, std::size_t ceiling)
    : slot_size_(slot_size), ceiling_(ceiling) {}

Packet PacketPool::take() {
    if (free_.empty()) {
        if (slots_.size() >= ceiling_) return {};
        slots_.push_back(std::make_unique_for_overwrite<u8[]>(slot_size_));
        // Room for every slot to come back, so that giving back never allocates.
        free_.reserve(slots_.capacity());
        free_.push_back(slots_.back().get());
    }
    u8* slot = free_.back();
    free_.pop_back();
    return {*this, slot, static_cast<u32>(slot_size_), static_cast<u32>(kHeadroom)};
}

Packet PacketPool::copy(Bytes data) {
    Packet packet = take();
    if (packet && !packet.assign(data)) return {};
    return packet;
}

}  // namespace tapestry
