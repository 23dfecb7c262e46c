#pragma once

#include "drivers/clock.h"
#include "drivers/device.h"

namespace tapestry {

/// Software offload for a device that has none: stands in front of it, finishes checksums, and cuts
/// super-frames into frames of the wire (see WireFrames). What it passes on is complete, so the
/// device below may be a plain TAP, a link that wants wire frames, or a Fault that loses single
/// segments. Received frames pass unchanged.
///
/// The device may become full in the middle of a super-frame, of which part has then left. The rest
/// is copied and follows, from the next transmit() or receive(); until it is out, transmit() says
/// full. So every frame is taken whole or not at all, and leaves once and in order.
class Segmenter final : public Device {
public:
    /// `inner` outlives the segmenter.
    Segmenter(Device& inner, Clock clock);

    PortCapabilities capabilities() const override;
    bool transmit(const Frame& frame) override;
    std::size_t receive(std::span<Packet> batch) override;
    int fd() const override { return inner_.fd(); }
    std::optional<TimePoint> next_deadline() const override;

private:
    bool flush_rest();
    bool keep_rest(const Frame& frame, std::size_t first);

    /// How soon a full device is tried again.
    static constexpr Duration kRetry = 1ms;

    Device& inner_;
    Clock clock_;
    PacketPool pool_{PacketPool::kSuperFrameSlot, 1};
    Packet rest_;                 ///< a super-frame of which the device has taken a part
    std::size_t rest_first_ = 0;  ///< the first segment of it that has not left
    TimePoint retry_at_{};
};

}  // namespace tapestry
