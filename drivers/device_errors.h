#pragma once

#include "stack/base/types.h"

namespace tapestry {

/// Frames that a kernel device lost or refused at its border, since it was opened. They never reached
/// the stack, which therefore cannot count them.
struct DeviceErrors {
    u64 offload_invalid =
        0;                   ///< the virtio-net header contradicts the frame (Drop::OffloadInvalid)
    u64 truncated = 0;       ///< longer than a slot: cut by the kernel, so refused
    u64 no_slot = 0;         ///< the pool was empty (Drop::PoolExhausted)
    u64 kernel_dropped = 0;  ///< lost before we could read them: the kernel's buffer was full
    u64 read_failed = 0;     ///< the kernel gave an error instead of a frame
    u64 write_failed = 0;    ///< the kernel refused a frame for good, or the interface is down

    u64 total() const {
        return offload_invalid + truncated + no_slot + kernel_dropped + read_failed + write_failed;
    }
};

}  // namespace tapestry
