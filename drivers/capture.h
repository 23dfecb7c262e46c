#pragma once

#include <algorithm>
#include <utility>

#include "drivers/clock.h"
#include "drivers/device.h"
#include "drivers/pcapng_writer.h"

namespace tapestry {

/// When a capture that somebody may be looking at is to be written, although nothing more comes: a little
/// after the last frame.
class IdleFlush {
public:
    /// `clock` is that of the device's deadlines; without one nobody is looking.
    explicit IdleFlush(Clock clock) : clock_(std::move(clock)) {}

    /// A frame has passed.
    void touch() {
        if (clock_ && !due_) due_ = clock_() + kPatience;
    }
    bool due() const { return due_ && clock_() >= *due_; }
    void done() { due_.reset(); }
    std::optional<TimePoint> or_earlier(std::optional<TimePoint> other) const {
        if (!due_ || !other) return due_ ? due_ : other;
        return std::min(*due_, *other);
    }

private:
    static constexpr Duration kPatience = 50ms;

    Clock clock_;
    std::optional<TimePoint> due_;
};

/// Writes down what passes through a device, in both directions, as a wire would have carried it:
/// super-frames cut into their segments, every checksum complete, so that nobody who reads the file is
/// misled by offloading. A frame on the way out is written when the device has taken it. What passes
/// is not changed, and a file that cannot be written (see PcapngWriter) does not stop it.
class Capture final : public Device {
public:
    /// `inner` and `writer` outlive it. `interface` is the writer's number for this device; `stamp`
    /// tells the time that is written down. `idle`: see IdleFlush.
    Capture(Device& inner, PcapngWriter& writer, u32 interface, Clock stamp, Clock idle = {});

    PortCapabilities capabilities() const override { return inner_.capabilities(); }
    bool transmit(const Frame& frame) override;
    /// Flushes the file when nothing has arrived: the device has been drained.
    std::size_t receive(std::span<Packet> batch) override;
    int fd() const override { return inner_.fd(); }
    std::optional<TimePoint> next_deadline() const override {
        return flush_.or_earlier(inner_.next_deadline());
    }

private:
    Device& inner_;
    PcapngWriter& writer_;
    u32 interface_;
    Clock stamp_;
    IdleFlush flush_;
};

}  // namespace tapestry
