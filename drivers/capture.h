#pragma once

#include "drivers/clock.h"
#include "drivers/device.h"
#include "drivers/pcapng_writer.h"

namespace tapestry {

/// Writes down what passes through a device, in both directions, as a wire would have carried it:
/// super-frames cut into their segments, every checksum complete, so that nobody who reads the file is
/// misled by offloading. A frame on the way out is written when the device has taken it. What passes
/// is not changed, and a file that cannot be written (see PcapngWriter) does not stop it.
class Capture final : public Device {
public:
    /// `inner` and `writer` outlive it. `interface` is the writer's number for this device; `stamp`
    /// tells the time that is written down.
    Capture(Device& inner, PcapngWriter& writer, u32 interface, Clock stamp);

    PortCapabilities capabilities() const override { return inner_.capabilities(); }
    bool transmit(const Frame& frame) override;
    /// Flushes the file when nothing has arrived: the device has been drained.
    std::size_t receive(std::span<Packet> batch) override;
    int fd() const override { return inner_.fd(); }
    std::optional<TimePoint> next_deadline() const override { return inner_.next_deadline(); }

private:
    Device& inner_;
    PcapngWriter& writer_;
    u32 interface_;
    Clock stamp_;
};

}  // namespace tapestry
