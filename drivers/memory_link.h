#pragma once

#include <array>
#include <deque>

#include "drivers/clock.h"
#include "drivers/device.h"

namespace tapestry {

/// What a link in memory is like; the same in both directions.
struct LinkConfig {
    Duration delay{};              ///< propagation, one way
    u64 bytes_per_second = 0;      ///< of frames from the Ethernet header on; 0: no limit
    u32 queue_bytes = 256U << 10;  ///< with a rate: bytes that may wait for the wire
    bool tail_drop = true;         ///< a full queue loses frames, as a router's; false: says "full"
    u32 max_frames = 4096;         ///< under way in one direction, whatever the rate; then "full"
    u32 mtu = 1500;
    u32 max_super_frame = 0;  ///< 0: wire frames only; else super-frames cross in one piece
};

/// A full-duplex Ethernet cable in memory: what enters one end leaves the other after the time that
/// size, rate and delay make, in order. A frame is copied once and keeps its Offload. Nothing here
/// waits or is lost by chance: see Fault for that.
class MemoryLink {
public:
    /// What one direction has done. The rest of what was sent is under way.
    struct Counters {
        u64 sent = 0;
        u64 delivered = 0;
        u64 queue_drops = 0;  ///< the queue in front of the wire was full
        u64 size_drops = 0;   ///< larger than the MTU, and not a super-frame that the link carries
        u64 unplugged_drops = 0;  ///< sent while the cable was out
    };

    explicit MemoryLink(Clock clock, const LinkConfig& config = {});
    MemoryLink(const MemoryLink&) = delete;
    MemoryLink& operator=(const MemoryLink&) = delete;

    /// The device at end 0 or 1.
    Device& end(std::size_t index) { return ends_.at(index); }
    /// Of the direction that leaves `from`.
    const Counters& counters(std::size_t from) const { return ends_.at(from).way.counters; }
    const LinkConfig& config() const { return config_; }
    /// Changes delay, rate and queue from now on; frames under way stay as they are. MTU and
    /// super-frames keep to what they were.
    void reconfigure(const LinkConfig& config);
    /// Pulls the cable out (both ways lose what is sent, as a cable does) or puts it back.
    void set_plugged(bool plugged) { plugged_ = plugged; }

private:
    struct Flight {
        Packet packet;
        TimePoint arrival;
    };
    /// One direction.
    struct Way {
        std::deque<Flight> flights;
        TimePoint wire_free{};  ///< when the last bit of what was sent has left
        Counters counters;
    };
    struct End final : Device {
        PortCapabilities capabilities() const override;
        bool transmit(const Frame& frame) override;
        std::size_t receive(std::span<Packet> batch) override;
        std::optional<TimePoint> next_deadline() const override;

        MemoryLink* link = nullptr;
        End* other = nullptr;
        Way way;  ///< from here to the other end
    };

    bool transmit(Way& way, const Frame& frame);
    bool fits(const Frame& frame) const;

    Clock clock_;
    LinkConfig config_;
    bool plugged_ = true;
    PacketPool pool_;
    std::array<End, 2> ends_;
};

}  // namespace tapestry
