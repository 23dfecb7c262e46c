#include "stack/buf/packet.h"

#include <algorithm>
#include <cstring>

#include "stack/buf/pool.h"

namespace tapestry {

u8* Packet::push(std::size_t n) {
    if (n > begin_) return nullptr;
    begin_ -= static_cast<u32>(n);
    size_ += static_cast<u32>(n);
    return slot_ + begin_;
}

void Packet::pull(std::size_t n) {
    n = std::min<std::size_t>(n, size_);
    begin_ += static_cast<u32>(n);
    size_ -= static_cast<u32>(n);
}

void Packet::resize(std::size_t n) { size_ = static_cast<u32>(std::min(n, room())); }

bool Packet::assign(Bytes data) {
    if (data.size() > room()) return false;
    resize(data.size());
    if (!data.empty()) std::memcpy(slot_ + begin_, data.data(), data.size());
    return true;
}

void Packet::swap(Packet& other) noexcept {
    std::swap(offload, other.offload);
    std::swap(pool_, other.pool_);
    std::swap(slot_, other.slot_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
}

void Packet::release() {
    if (slot_ != nullptr) pool_->give_back(slot_);
    slot_ = nullptr;
}

}  // namespace tapestry
