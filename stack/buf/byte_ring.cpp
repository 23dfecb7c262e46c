#include "stack/buf/byte_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace tapestry {

u8* BlockPool::take(u32 size, bool optional) {
    if (optional && in_use_ + size > ceiling_ / 2) return nullptr;
    auto& free = free_.at(static_cast<std::size_t>(std::countr_zero(size / kMinBlock)));
    if (free.empty()) {
        if (!make_room(size)) return nullptr;
        allocated_ += size;
        in_use_ += size;
        return std::make_unique_for_overwrite<u8[]>(size).release();
    }
    in_use_ += size;
    u8* block = free.back().release();
    free.pop_back();
    return block;
}

void BlockPool::give_back(u8* block, u32 size) {
    std::unique_ptr<u8[]> owned(block);
    in_use_ -= size;
    auto& free = free_.at(static_cast<std::size_t>(std::countr_zero(size / kMinBlock)));
    // Keep what a steady flow takes again at once; let the rest of a burst go.
    constexpr u64 kKeep = u64{64} << 20;
    if (allocated_ - in_use_ > kKeep) {
        allocated_ -= size;
        return;
    }
    free.push_back(std::move(owned));
}

/// Lets go of idle blocks, the largest first, until `size` more bytes are below the ceiling.
bool BlockPool::make_room(u32 size) {
    if (in_use_ + size > ceiling_) return false;
    for (std::size_t i = kSizes; i-- > 0 && allocated_ + size > ceiling_;) {
        while (!free_.at(i).empty() && allocated_ + size > ceiling_) {
            free_.at(i).pop_back();
            allocated_ -= u64{kMinBlock} << i;
        }
    }
    return true;
}

ByteRing::ByteRing(ByteRing&& other) noexcept
    : pool_(other.pool_),
      block_(std::exchange(other.block_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      head_(std::exchange(other.head_, 0)),
      size_(std::exchange(other.size_, 0)),
      ahead_end_(std::exchange(other.ahead_end_, 0)) {}

bool ByteRing::append(Bytes data) {
    if (data.empty()) return true;
    if (!reserve(u64{size_} + data.size())) return false;
    put(size_, data);
    size_ += static_cast<u32>(data.size());
    ahead_end_ = std::max(ahead_end_, size_);
    return true;
}

bool ByteRing::write_ahead(u32 offset, Bytes data) {
    if (data.empty()) return true;
    const u64 end = u64{size_} + offset + data.size();
    if (!reserve(end, offset > 0)) return false;
    put(size_ + offset, data);
    ahead_end_ = std::max(ahead_end_, static_cast<u32>(end));
    return true;
}

std::array<Bytes, 2> ByteRing::peek(u32 offset, u32 n) const {
    if (offset >= size_) return {};
    n = std::min(n, size_ - offset);
    const u32 start = (head_ + offset) & (capacity_ - 1);
    const u32 first = std::min(n, capacity_ - start);
    return {Bytes(block_ + start, first), Bytes(block_, n - first)};
}

u32 ByteRing::copy_out(u32 offset, MutableBytes out) const {
    u32 copied = 0;
    for (const Bytes piece : peek(offset, static_cast<u32>(out.size()))) {
        if (piece.empty()) continue;
        std::memcpy(out.data() + copied, piece.data(), piece.size());
        copied += static_cast<u32>(piece.size());
    }
    return copied;
}

void ByteRing::discard(u32 n, bool ahead) {
    n = std::min(n, size_);
    size_ -= n;
    ahead_end_ -= std::min(n, ahead_end_);
    if (size_ == 0 && !ahead) {
        clear();
    } else {
        head_ = (head_ + n) & (capacity_ - 1);
    }
}

void ByteRing::clear() {
    if (block_ != nullptr) pool_->give_back(block_, capacity_);
    block_ = nullptr;
    capacity_ = head_ = size_ = ahead_end_ = 0;
}

/// Makes room for `needed` bytes from the head on, and keeps what has been written there.
bool ByteRing::reserve(u64 needed, bool optional) {
    if (needed <= capacity_) return true;
    if (needed > BlockPool::kMaxBlock) return false;
    const u32 capacity = std::bit_ceil(std::max(static_cast<u32>(needed), BlockPool::kMinBlock));
    u8* block = pool_->take(capacity, optional);
    if (block == nullptr) return false;
    if (block_ != nullptr) {
        const u32 keep = std::max(size_, ahead_end_);
        const u32 first = std::min(keep, capacity_ - head_);
        std::memcpy(block, block_ + head_, first);
        std::memcpy(block + first, block_, keep - first);
        pool_->give_back(block_, capacity_);
    }
    block_ = block;
    capacity_ = capacity;
    head_ = 0;
    return true;
}

void ByteRing::put(u32 at, Bytes data) {
    const u32 start = (head_ + at) & (capacity_ - 1);
    const std::size_t first = std::min<std::size_t>(data.size(), capacity_ - start);
    std::memcpy(block_ + start, data.data(), first);
    if (first < data.size()) {
        std::memcpy(block_, data.data() + first, data.size() - first);
    }
}

}  // namespace tapestry
