#pragma once

#include <array>
#include <memory>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// Blocks of memory for byte rings, in powers of two, used again by size; the total has a ceiling.
/// Outlives its rings.
class BlockPool {
public:
    static constexpr u32 kMinBlock = 4096;
    static constexpr u32 kMaxBlock = 1U << 30;

    explicit BlockPool(u64 ceiling) : ceiling_(ceiling) {}
    BlockPool(const BlockPool&) = delete;
    BlockPool& operator=(const BlockPool&) = delete;

    /// `size` is a power of two from kMinBlock to kMaxBlock. Null when the ceiling is reached: what
    /// rings hold would be more. What is `optional` leaves half of it to what is not.
    u8* take(u32 size, bool optional = false);
    void give_back(u8* block, u32 size);

    /// Bytes in the hands of rings.
    u64 in_use() const { return in_use_; }
    /// Half of the ceiling is reached: nobody should ask for more than is needed.
    bool tight() const { return in_use_ >= ceiling_ / 2; }
    /// Bytes that the pool holds, in use or not.
    u64 allocated() const { return allocated_; }

private:
    static constexpr std::size_t kSizes = 19;  // 2^12 to 2^30
    bool make_room(u32 size);

    u64 ceiling_;
    u64 in_use_ = 0;
    u64 allocated_ = 0;
    std::array<std::vector<std::unique_ptr<u8[]>>, kSizes> free_;
};

/// A queue of bytes that takes memory only while it holds some: nothing when empty, then a block
/// that doubles up to what the owner allows. Bytes may also be laid down behind the end, with a gap,
/// and be joined later: that is how out-of-order data wait in the receive buffer.
///
///      head                 size                       capacity
///       |<---- readable ---->|   gap  |<- laid ahead ->|
///
/// Spans that it hands out are good until the next call that is not const.
class ByteRing {
public:
    explicit ByteRing(BlockPool& pool) : pool_(&pool) {}
    ByteRing(ByteRing&& other) noexcept;
    ByteRing& operator=(ByteRing&&) = delete;
    ByteRing(const ByteRing&) = delete;
    ByteRing& operator=(const ByteRing&) = delete;
    ~ByteRing() { clear(); }

    /// Bytes that can be read.
    u32 size() const { return size_; }
    bool empty() const { return size_ == 0; }
    /// Bytes of memory held.
    u32 capacity() const { return capacity_; }

    /// Appends all of `data`, or nothing: false when the pool has no memory for it.
    [[nodiscard]] bool append(Bytes data);
    /// Lays `data` down `offset` bytes behind the end. They cannot be read before extend(). False when
    /// the pool has no memory for it; behind a gap, where one byte may cost the memory of all that is
    /// missing before it, that is when half of the pool's is in use.
    [[nodiscard]] bool write_ahead(u32 offset, Bytes data);
    /// Makes the next n bytes readable, which write_ahead() has laid down.
    void extend(u32 n) { size_ += n; }
    /// At most n readable bytes from `offset` on, where they lie.
    std::array<Bytes, 2> peek(u32 offset, u32 n) const;
    /// Copies readable bytes from `offset` on to `out` and returns how many.
    u32 copy_out(u32 offset, MutableBytes out) const;
    /// Forgets the first n readable bytes. `ahead` says that bytes are laid down behind the end, so
    /// that the memory must be kept even when nothing is readable.
    void discard(u32 n, bool ahead = false);
    void clear();

private:
    bool reserve(u64 needed, bool optional = false);
    void put(u32 at, Bytes data);

    BlockPool* pool_;
    u8* block_ = nullptr;
    u32 capacity_ = 0;
    u32 head_ = 0;
    u32 size_ = 0;
    u32 ahead_end_ = 0;  ///< how far behind `head_` anything has been written
};

}  // namespace tapestry
