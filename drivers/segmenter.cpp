#include "drivers/segmenter.h"

#include <algorithm>

#include "drivers/wire_frames.h"

namespace tapestry {

Segmenter::Segmenter(Device& inner, Clock clock) : inner_(inner), clock_(std::move(clock)) {}

PortCapabilities Segmenter::capabilities() const {
    return {.mtu = inner_.capabilities().mtu, .max_super_frame = 65535};
}

bool Segmenter::transmit(const Frame& frame) {
    if (rest_ && !flush_rest()) return false;
    const WireFrames wire(frame);
    if (wire.as_is()) return inner_.transmit(frame);
    for (std::size_t i = 0; i < wire.count(); ++i) {
        if (inner_.transmit(wire.at(i))) continue;
        // Nothing has left: the caller keeps it. Otherwise we do.
        return i > 0 && keep_rest(frame, i);
    }
    return true;
}

std::size_t Segmenter::receive(std::span<Packet> batch) {
    if (rest_) flush_rest();
    return inner_.receive(batch);
}

std::optional<TimePoint> Segmenter::next_deadline() const {
    const auto inner = inner_.next_deadline();
    if (!rest_) return inner;
    return inner ? std::min(*inner, retry_at_) : retry_at_;
}

bool Segmenter::flush_rest() {
    const WireFrames wire(rest_);
    for (; rest_first_ < wire.count(); ++rest_first_) {
        if (!inner_.transmit(wire.at(rest_first_))) {
            retry_at_ = clock_() + kRetry;
            return false;
        }
    }
    rest_ = Packet();
    return true;
}

/// Takes a copy of a super-frame of which the segments from `first` on have not left.
bool Segmenter::keep_rest(const Frame& frame, std::size_t first) {
    rest_ = pool_.take();
    if (frame.size() > rest_.room()) {
        // Larger than any IP packet: nobody makes such a frame, and what is lost is made good by TCP.
        rest_ = Packet();
        return true;
    }
    rest_.resize(frame.size());
    frame.copy_to(rest_.mutable_bytes().data());
    rest_.offload = frame.offload;
    rest_first_ = first;
    retry_at_ = clock_() + kRetry;
    return true;
}

}  // namespace tapestry
