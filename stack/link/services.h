#pragma once

#include "stack/base/config.h"
#include "stack/base/counters.h"
#include "stack/base/rng.h"
#include "stack/buf/byte_ring.h"
#include "stack/buf/pool.h"
#include "stack/timer/timer.h"
#include "stack/trace/trace.h"

namespace tapestry {

/// What all layers of one stack share. No layer owns another's state; this is all they have in
/// common.
struct Services {
    Services(const StackConfig& c, Rng& r)
        : config(c), rng(r), blocks(c.tcp.memory_ceiling) {}

    const StackConfig config;
    Rng& rng;
    Counters counters;
    TimerQueue timers;
    TraceSink* trace = nullptr;  ///< null: nobody listens
    /// Packets that wait for an address or for the rest of a datagram.
    PacketPool packets{PacketPool::kFrameSlot, 4096};
    BlockPool blocks;

    /// The one exit of every refusal: counts it, tells the listener.
    void refuse(Drop drop, Bytes bytes, TimePoint now) {
        counters.count(drop);
        if (trace != nullptr) trace->on_drop({now, drop, bytes});
    }
};

}  // namespace tapestry
