#pragma once

#include <utility>

#include "stack/buf/offload.h"

namespace tapestry {

class PacketPool;

/// A frame in a slot of a pool: the one type that owns packet bytes. Move-only; the slot goes back
/// to its pool when the handle dies. An empty handle (take() found nothing) is false.
///
///    slot |<-- headroom -->|<------ size ------>|<-- tailroom -->|
///                          ^ begin              ^ end
///
/// push() takes from the headroom (a header is put in front), pull() gives to it (a header has been
/// read).
class Packet {
public:
    Packet() = default;
    Packet(Packet&& other) noexcept { swap(other); }
    Packet& operator=(Packet&& other) noexcept {
        Packet moved(std::move(other));
        swap(moved);
        return *this;
    }
    Packet(const Packet&) = delete;
    Packet& operator=(const Packet&) = delete;
    ~Packet() { release(); }

    explicit operator bool() const { return slot_ != nullptr; }
    Bytes bytes() const { return {slot_ + begin_, size_}; }
    MutableBytes mutable_bytes() { return {slot_ + begin_, size_}; }
    std::size_t size() const { return size_; }
    std::size_t headroom() const { return begin_; }
    /// How large the packet may grow at its end.
    std::size_t room() const { return capacity_ - begin_; }

    /// Puts n bytes in front and returns them, unwritten; null when the headroom is too small.
    u8* push(std::size_t n);
    /// Takes n bytes away from the front; at most all.
    void pull(std::size_t n);
    /// Sets the size; what is new at the end is unwritten. At most room().
    void resize(std::size_t n);
    /// Replaces the content; false, and nothing changed, when it does not fit.
    bool assign(Bytes data);

    Offload offload;

private:
    friend class PacketPool;
    Packet(PacketPool& pool, u8* slot, u32 capacity, u32 headroom)
        : pool_(&pool), slot_(slot), capacity_(capacity), begin_(headroom) {}
    void swap(Packet& other) noexcept;
    void release();

    PacketPool* pool_ = nullptr;
    u8* slot_ = nullptr;
    u32 capacity_ = 0;
    u32 begin_ = 0;
    u32 size_ = 0;
};

}  // namespace tapestry
