#pragma once

#include <optional>

#include "stack/base/time.h"
#include "stack/buf/pool.h"
#include "stack/link/port.h"

namespace tapestry {

/// A place where frames come from and go to. Wrappers (capture, fault, segmenter) are devices too and
/// stand around another one.
class Device : public Port {
public:
    /// Fills `batch` from its front with frames that have arrived and returns how many; 0: none for
    /// now. Never waits. Packets of an earlier batch may be handed in again: they are overwritten.
    /// A device that holds frames back lets go, in both directions, of those that are due.
    virtual std::size_t receive(std::span<Packet> batch) = 0;
    /// What poll() can wait for, or -1: a device in memory.
    virtual int fd() const { return -1; }
    /// When receive() should be called at the latest although fd() says nothing: a frame that was held
    /// back (by a delay, or because the way out was full) is due then. Nothing: fd() says it all.
    /// Once receive() has returned 0 it lies in the future.
    virtual std::optional<TimePoint> next_deadline() const { return std::nullopt; }
};

}  // namespace tapestry
