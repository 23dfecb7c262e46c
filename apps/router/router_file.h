#pragma once

#include "apps/toml_file.h"
#include "stack/stack.h"

namespace tapestry {

/// One interface of a router, and what it is attached to.
struct RouterInterface {
    enum class Device : u8 { Tap, Packet };
    std::string name;  ///< that rules know it by
    Device device = Device::Tap;
    std::string device_name;
    Ipv4Prefix address;
    std::optional<MacAddress> mac;  ///< nothing: see default_mac()
    u32 mtu = 0;                    ///< 0: the device's own
    bool offload = true;
};

struct RouterRoute {
    Ipv4Prefix to;
    Ipv4Address via;
    std::size_t interface = 0;  ///< whose subnet `via` is in
};

/// What a router is to be: a TOML file, read and checked as far as that goes without a device. The
/// format is in docs/router.md.
struct RouterFile {
    std::string path;
    std::vector<RouterInterface> interfaces;
    std::vector<RouterRoute> routes;
    StackConfig config;
    std::vector<TomlString> rules;
    std::string control;  ///< path of the control socket; empty: none
    std::string pcap;     ///< directory for a capture of each interface; empty: none
};

/// Throws Failure, one line with the place in the file.
RouterFile read_router_file(const std::string& path);
RouterFile read_router(const TomlTable& root, const std::string& path);

/// Locally administered, and the same every time: 02:00 and the four bytes of the address.
MacAddress default_mac(Ipv4Address address);

/// Adds interfaces (each with its port), routes and rules to a stack made with `file.config`.
void set_up_router(const RouterFile& file, Stack& stack, const std::vector<Port*>& ports,
                   TimePoint now);

/// What --check prints: all that the file says, defaults filled in.
std::string describe_router(const RouterFile& file);

}  // namespace tapestry
