#pragma once

#include "stack/base/config.h"
#include "stack/base/counters.h"
#include "stack/base/rng.h"
#include "stack/buf/byte_ring.h"
#include "stack/buf/frame.h"
#include "stack/buf/pool.h"
#include "stack/link/choices.h"
#include "stack/timer/timer.h"
#include "stack/trace/trace.h"

namespace tapestry {

/// What all layers of one stack share. No layer owns another's state; this is all they have in
/// common.
struct Services {
    Services(const StackConfig& c, Rng& r) : config(c), rng(r), blocks(c.tcp.memory_ceiling) {}

    const StackConfig config;
    Rng& rng;
    Counters counters;
    TimerQueue timers;
    TraceSink* trace = nullptr;  ///< null: nobody listens
    Choices* choices = nullptr;  ///< null: chance
    /// The time as the stack was last told: for user calls, which have no other.
    TimePoint last_now{};
    /// Packets that wait for an address.
    PacketPool packets{PacketPool::kFrameSlot, 4096};
    /// The same for super-frames, which fit nowhere else. A slot takes no memory before its first
    /// use.
    PacketPool super_packets{PacketPool::kSuperFrameSlot, 64};
    BlockPool blocks;

    /// A copy of a frame that cannot leave yet, in a slot of the right size, offload data included.
    /// A false handle when no slot is free.
    Packet keep(const Frame& frame) {
        const bool fits = frame.size() <= PacketPool::kFrameSlot - PacketPool::kHeadroom;
        Packet packet = fits ? packets.take() : super_packets.take();
        if (!packet || frame.size() > packet.room()) return {};
        packet.resize(frame.size());
        frame.copy_to(packet.mutable_bytes().data());
        packet.offload = frame.offload;
        return packet;
    }

    /// The one exit of every refusal: counts it, tells the listener.
    void refuse(Drop drop, Bytes bytes, TimePoint at) {
        counters.count(drop);
        if (trace != nullptr) trace->on_drop({at, drop, bytes});
    }
};

}  // namespace tapestry
