#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "drivers/clock.h"
#include "drivers/device.h"
#include "stack/wire/address.h"

namespace tapestry {

/// An Ethernet switch in memory with a cable at each of its ports, for a network of more than two
/// stations: a MemoryLink has two ends. A frame for one station leaves by the port at which that
/// station has been heard; one for a group, or for a station that nobody has heard of, by all others
/// (IEEE 802.1D, in short: there is no spanning tree, and what is learnt is never forgotten).
///
/// A frame takes `delay` from one station to another. Nothing is lost but what is larger than the
/// MTU; wire frames only, never super-frames.
class EthernetSwitch {
public:
    struct Config {
        std::size_t ports = 2;
        Duration delay{};
        u32 mtu = 1500;
    };

    EthernetSwitch(Clock clock, const Config& config);
    EthernetSwitch(const EthernetSwitch&) = delete;
    EthernetSwitch& operator=(const EthernetSwitch&) = delete;

    /// The device at the far end of a port's cable: the station's.
    Device& port(std::size_t index) { return *ports_.at(index); }
    std::size_t port_count() const { return ports_.size(); }
    /// Of frames that enter from now on.
    void set_delay(Duration delay) { config_.delay = delay; }

private:
    struct Flight {
        Packet packet;
        TimePoint arrival;
    };
    struct StationPort final : Device {
        PortCapabilities capabilities() const override;
        bool transmit(const Frame& frame) override;
        std::size_t receive(std::span<Packet> batch) override;
        std::optional<TimePoint> next_deadline() const override;

        EthernetSwitch* owner = nullptr;
        std::size_t index = 0;
        std::deque<Flight> arriving;
        std::vector<MacAddress> heard;  ///< stations at this port
    };

    void learn(MacAddress station, StationPort& port);
    StationPort* port_of(MacAddress station);
    void deliver(const Packet& frame, StationPort& port);

    static constexpr std::size_t kMaxFrames = 8192;

    Clock clock_;
    Config config_;
    PacketPool pool_;
    std::vector<std::unique_ptr<StationPort>> ports_;
};

}  // namespace tapestry
