#include "apps/router/router_file.h"

#include <algorithm>

#include "apps/router/iptables.h"
#include "apps/router/nat_options.h"
#include "stack/base/rng.h"

namespace tapestry {
namespace {

constexpr std::size_t kMaxName = 15;         // of Linux's interfaces, and of rules
constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un, less the zero

void read_device(const TomlTable& table, RouterInterface& interface) {
    constexpr auto kWanted = "expected \"tap:NAME\" or \"packet:NAME\", found \"";
    const std::string text = table.need("device", table.string("device"), "device = \"tap:tap0\"");
    const std::size_t colon = text.find(':');
    const std::string kind = text.substr(0, colon);
    if (kind == "memory") {
        table.refuse("device", "a router in memory is a lab: see tapestry lab --help");
    }
    if (colon == std::string::npos || (kind != "tap" && kind != "packet")) {
        table.refuse("device", kWanted + text + '"');
    }
    interface.device =
        kind == "tap" ? RouterInterface::Device::Tap : RouterInterface::Device::Packet;
    interface.device_name = text.substr(colon + 1);
    if (interface.device_name.empty() || interface.device_name.size() > kMaxName) {
        table.refuse("device", "the name behind " + kind + ": has 1 to 15 characters");
    }
}

void read_address(const TomlTable& table, RouterInterface& interface) {
    interface.address =
        table.need("address", table.prefix("address"), "address = \"192.168.3.1/24\"");
    const Ipv4Prefix& prefix = interface.address;
    const Ipv4Address address = prefix.address;
    const bool network = prefix.length < 31 && address == prefix.network();
    if (!address.is_unicast() || network || prefix.subnet_broadcast() == address) {
        table.refuse("address", prefix.to_string() +
                                    " is not the address of a host: expected one "
                                    "inside of the network, like 192.168.3.1/24");
    }
}

/// No two interfaces may be the same in what they are told apart by.
void check_against(const TomlTable& table, const RouterInterface& interface,
                   const std::vector<RouterInterface>& others) {
    for (const RouterInterface& other : others) {
        if (other.name == interface.name) {
            table.refuse("name", "there is another interface \"" + other.name + '"');
        }
        if (other.device == interface.device && other.device_name == interface.device_name) {
            table.refuse("device", "interface " + other.name + " has that device already");
        }
        const Ipv4Prefix& a = other.address;
        const Ipv4Prefix& b = interface.address;
        if (a.network() == b.network() && a.length == b.length) {
            table.refuse("address", "the network is that of interface " + other.name +
                                        " already: give each interface one of its own");
        }
    }
}

RouterInterface read_interface(const TomlTable& table) {
    RouterInterface interface;
    read_device(table, interface);
    interface.name = table.string("name").value_or(interface.device_name);
    if (interface.name.empty() || interface.name.size() > kMaxName ||
        interface.name.find_first_of(" \t/+!") != std::string::npos) {
        table.refuse("name",
                     "expected 1 to 15 characters without spaces, found \"" + interface.name + '"');
    }
    read_address(table, interface);
    interface.mac = table.mac("mac");
    interface.mtu = static_cast<u32>(table.integer("mtu", 68, 65535).value_or(0));
    interface.offload = table.boolean("offload").value_or(true);
    table.finish();
    return interface;
}

RouterRoute read_route(const TomlTable& table, const std::vector<RouterInterface>& interfaces) {
    RouterRoute route;
    route.to = table.need("to", table.prefix("to"), "to = \"0.0.0.0/0\"");
    route.via = table.need("via", table.address("via"), "via = \"203.0.113.1\"");
    table.finish();
    const auto near = std::ranges::find_if(interfaces, [&](const RouterInterface& interface) {
        return interface.address.contains(route.via);
    });
    if (near == interfaces.end()) {
        table.refuse("via", route.via.to_string() + " is in the network of no interface");
    }
    if (near->address.address == route.via) {
        table.refuse("via", route.via.to_string() + " is the router itself: expected a neighbour");
    }
    route.to.address = route.to.network();
    route.interface = static_cast<std::size_t>(near - interfaces.begin());
    return route;
}

/// For --check: there is nothing behind it.
class NullPort final : public Port {
public:
    PortCapabilities capabilities() const override { return {}; }
    bool transmit(const Frame& /*frame*/) override { return true; }
};

/// A stack with these rules and no devices: finds faults in the rules, and can print them.
std::string rules_of(const RouterFile& file) {
    SeededRng rng(1);
    NullPort port;
    Stack stack(file.config, rng);
    set_up_router(file, stack, std::vector<Port*>(file.interfaces.size(), &port), {});
    return iptables_save(stack.forwarder(), false);
}

std::string describe(const RouterInterface& interface) {
    const bool tap = interface.device == RouterInterface::Device::Tap;
    std::string line = "interface " + interface.name + ": " + interface.address.to_string() +
                       " on " + (tap ? "tap:" : "packet:") + interface.device_name;
    if (interface.mac) {
        line += ", " + interface.mac->to_string();
    } else if (tap) {
        line += ", " + default_mac(interface.address.address).to_string();
    } else {
        line += ", its own Ethernet address";
    }
    if (interface.mtu != 0) line += ", MTU " + std::to_string(interface.mtu);
    return line + (interface.offload ? "\n" : ", no offload\n");
}

}  // namespace

MacAddress default_mac(Ipv4Address address) {
    std::array<u8, MacAddress::kSize> octets{0x02, 0x00};
    address.store(octets.data() + 2);
    return MacAddress(octets);
}

RouterFile read_router(const TomlTable& root, const std::string& path) {
    RouterFile file;
    file.path = path;
    file.config.forwarding = true;
    for (const TomlTable& table : root.tables("interface")) {
        RouterInterface interface = read_interface(table);
        check_against(table, interface, file.interfaces);
        file.interfaces.push_back(std::move(interface));
    }
    if (file.interfaces.empty()) {
        root.refuse("no interface: expected [[interface]] with device and address, at least once");
    }
    for (const TomlTable& table : root.tables("route")) {
        file.routes.push_back(read_route(table, file.interfaces));
    }
    file.rules = root.strings("rules");
    if (const auto nat = root.table("nat")) {
        // What stands below a table's name belongs to it; rules often end up there, and may.
        const auto below = nat->strings("rules");
        file.rules.insert(file.rules.end(), below.begin(), below.end());
        read_nat(*nat, file.config);
    }
    file.config.reverse_path_filter = root.boolean("reverse_path_filter").value_or(false);
    file.config.send_redirects = root.boolean("send_redirects").value_or(true);
    file.control = root.string("control").value_or("");
    if (file.control.size() > kMaxSocketPath) {
        root.refuse("control", "the path of a socket has 107 bytes at most");
    }
    file.pcap = root.string("pcap").value_or("");
    root.finish();
    static_cast<void>(rules_of(file));
    return file;
}

RouterFile read_router_file(const std::string& path) { return read_router(read_toml(path), path); }

void set_up_router(const RouterFile& file, Stack& stack, const std::vector<Port*>& ports,
                   TimePoint now) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < file.interfaces.size(); ++i) {
        const RouterInterface& from = file.interfaces[i];
        InterfaceConfig config;
        config.name = from.name;
        config.mac = from.mac.value_or(default_mac(from.address.address));
        config.address = from.address;
        config.mtu = from.mtu;
        stack.add_interface(*ports.at(i), std::move(config), now);
        names.push_back(from.name);
    }
    for (const RouterRoute& route : file.routes) {
        stack.add_route(route.to, stack.interface(route.interface), route.via);
    }
    apply_rules(file.rules, stack.forwarder(), names);
}

std::string describe_router(const RouterFile& file) {
    std::string text;
    for (const RouterInterface& interface : file.interfaces) text += describe(interface);
    for (const RouterRoute& route : file.routes) {
        text += "route " + route.to.to_string() + " via " + route.via.to_string() + " on " +
                file.interfaces[route.interface].name + '\n';
    }
    if (!file.control.empty()) text += "control socket " + file.control + '\n';
    if (!file.pcap.empty()) {
        text += "captures in " + file.pcap + '/';
        for (const RouterInterface& interface : file.interfaces) {
            text +=
                (&interface == &file.interfaces.front() ? "" : ", ") + interface.name + ".pcapng";
        }
        text += '\n';
    }
    return text + rules_of(file);
}

}  // namespace tapestry
