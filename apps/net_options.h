#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/fault.h"
#include "stack/wire/address.h"

namespace tapestry {

/// What --show prints while a command runs.
enum class Show : u8 { None, Ladder, Frames };

/// The options that all commands on the network have in common: where the stack is attached, what the
/// cable does to frames, and what is shown and recorded.
struct NetOptions {
    enum class Kind : u8 { Sandbox, Tap, Memory };

    Kind kind = Kind::Sandbox;
    std::string tap;                     ///< Kind::Tap: the interface
    std::optional<Ipv4Prefix> address;   ///< nothing: 192.168.3.10/24
    std::optional<Ipv4Address> gateway;  ///< nothing: 192.168.3.1
    std::optional<MacAddress> mac;
    u32 mtu = 0;              ///< 0: the device's own
    bool offload = true;      ///< super-frames and partial checksums, where the device can
    bool force_veth = false;  ///< the sandbox's cable is a veth pair even where a TAP works
    std::string pcap;         ///< empty: no capture
    bool pcap_bare = false;   ///< without comments about what the stack made of each frame
    FaultConfig fault;        ///< of both directions
    u64 seed = 1;             ///< of the faults; with --net memory of everything
    Show show = Show::None;
    std::string profile;                ///< "linux"; empty: our own defaults
    std::vector<std::string> settings;  ///< "tcp.min_rto=200ms", over the profile
};

}  // namespace tapestry
