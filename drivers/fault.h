#pragma once

#include <array>
#include <map>

#include "drivers/clock.h"
#include "drivers/device.h"
#include "stack/base/rng.h"

namespace tapestry {

/// What a Fault does to the frames of one direction. Percentages are from 0 to 100, each drawn by
/// itself for each frame of the wire.
struct FaultConfig {
    double drop = 0;
    double duplicate = 0;  ///< the copy follows at once
    double reorder = 0;    ///< held back by `reorder_by` on top of `delay`: later ones overtake it
    double corrupt = 0;    ///< one bit somewhere behind the Ethernet header is turned over
    Duration delay{};      ///< of every frame
    Duration reorder_by = 10ms;

    /// Whether there is anything to do.
    bool active() const {
        return drop > 0 || duplicate > 0 || reorder > 0 || corrupt > 0 || delay > Duration{};
    }
};

/// A bad network in front of a device: loses, duplicates, delays, reorders and corrupts frames in
/// both directions, by chance that a seed decides. The two directions draw from generators of their
/// own and each frame takes the same number of draws, so what happens to the hundredth frame of a
/// direction depends on nothing but the seed and the configuration.
///
/// Frames are meant one by one, as on a wire. On the way out it takes no super-frames; the order of a
/// chain is stack, Segmenter, Fault, device. Super-frames that the device has received are cut first.
/// A corrupted frame never keeps a promise that its checksum is right.
class Fault final : public Device {
public:
    /// Of one direction, in frames of the wire.
    struct Counters {
        u64 seen = 0;
        u64 dropped = 0;
        u64 duplicated = 0;
        u64 reordered = 0;
        u64 corrupted = 0;
        u64 overflowed = 0;  ///< lost because too many were held, or because it was too large
    };

    /// `inner` outlives it. Throws std::invalid_argument for a percentage outside 0 to 100 or a
    /// negative time.
    Fault(Device& inner, Clock clock, u64 seed, const FaultConfig& out, const FaultConfig& in);

    /// Counts as a device that takes no super-frames.
    PortCapabilities capabilities() const override;
    bool transmit(const Frame& frame) override;
    std::size_t receive(std::span<Packet> batch) override;
    int fd() const override { return inner_.fd(); }
    std::optional<TimePoint> next_deadline() const override;

    const Counters& out_counters() const { return out_.counters; }
    const Counters& in_counters() const { return in_.counters; }

private:
    /// What chance has decided for one frame.
    struct Fate {
        bool drop = false;
        bool duplicate = false;
        bool reorder = false;
        bool corrupt = false;
        u64 bit = 0;  ///< which one, modulo how many there are
    };
    struct Way {
        Way(u64 seed, const FaultConfig& c) : config(c), rng(seed) {}
        FaultConfig config;
        SeededRng rng;
        Counters counters;
        std::multimap<TimePoint, Packet> held;  ///< by release; equal ones in order of arrival
        Fate draw();
        bool chance(double percent) { return rng.unit() * 100 < percent; }
    };

    void admit(const Packet& packet);
    bool send(const Frame& frame, const Fate& fate);
    bool release_out();
    bool hold(Way& way, const Frame& frame, const Fate& fate, TimePoint release);

    static constexpr Duration kRetry = 1ms;
    static constexpr std::size_t kMaxHeld = 8192;

    Device& inner_;
    Clock clock_;
    PacketPool pool_;
    Way out_;
    Way in_;
    bool stuck_ = false;  ///< a frame is due and the device is full
    TimePoint retry_at_{};
    std::array<Packet, 16> arrivals_;
};

}  // namespace tapestry
