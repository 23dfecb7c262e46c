#include "apps/router/router_file.h"

#include <gtest/gtest.h>

#include "apps/failure.h"

namespace tapestry {
namespace {

constexpr auto kLan = R"([[interface]]
name = "lan"
device = "tap:tap0"
address = "192.168.3.1/24"
)";
constexpr auto kWan = R"([[interface]]
device = "packet:wan"
address = "203.0.113.5/24"
mac = "02:00:00:00:00:05"
mtu = 1400
offload = false
)";

RouterFile parse(const std::string& text) {
    return read_router(parse_toml(text, "r.toml"), "r.toml");
}

std::string refusal(const std::string& text) {
    try {
        parse(text);
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), kUsage);
        return failure.what();
    }
    return "taken";
}

TEST(RouterFile, IsRead) {
    const RouterFile file = parse(std::string(R"(
control = "/run/r.sock"
pcap = "captures"
reverse_path_filter = true
send_redirects = false
rules = ["-A FORWARD -i lan -j ACCEPT"]
)") + kLan + kWan + R"(
[[route]]
to = "0.0.0.0/0"
via = "203.0.113.1"
[nat]
rules = ["-t nat -A POSTROUTING -o wan -j MASQUERADE"]
udp = "2m"
)");
    ASSERT_EQ(file.interfaces.size(), 2U);
    EXPECT_EQ(file.interfaces[0].name, "lan");
    EXPECT_EQ(file.interfaces[0].device, RouterInterface::Device::Tap);
    EXPECT_EQ(file.interfaces[0].device_name, "tap0");
    EXPECT_TRUE(file.interfaces[0].offload);
    EXPECT_EQ(file.interfaces[1].name, "wan") << "that of the device";
    EXPECT_EQ(file.interfaces[1].device, RouterInterface::Device::Packet);
    EXPECT_EQ(file.interfaces[1].mtu, 1400U);
    EXPECT_FALSE(file.interfaces[1].offload);
    ASSERT_EQ(file.routes.size(), 1U);
    EXPECT_EQ(file.routes[0].interface, 1U);
    EXPECT_EQ(file.rules.size(), 2U);
    EXPECT_EQ(file.control, "/run/r.sock");
    EXPECT_EQ(file.pcap, "captures");
    EXPECT_TRUE(file.config.forwarding);
    EXPECT_TRUE(file.config.reverse_path_filter);
    EXPECT_FALSE(file.config.send_redirects);
    EXPECT_EQ(file.config.flow.udp, Duration(120s));
}

TEST(RouterFile, IsDescribed) {
    const RouterFile file = parse(std::string("rules = [\"-P FORWARD DROP\"]\n") + kLan + kWan +
                                  "[[route]]\nto = \"10.1.2.3/8\"\nvia = \"192.168.3.9\"\n");
    EXPECT_EQ(describe_router(file),
              "interface lan: 192.168.3.1/24 on tap:tap0, 02:00:c0:a8:03:01\n"
              "interface wan: 203.0.113.5/24 on packet:wan, 02:00:00:00:00:05, MTU 1400, no "
              "offload\n"
              "route 10.0.0.0/8 via 192.168.3.9 on lan\n"
              "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"
              "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n");
}

TEST(RouterFile, TheExamplesAreGood) {
    for (const char* name : {"home", "office"}) {
        const std::string path =
            TEST_ROOT "/../apps/router/examples/" + std::string(name) + ".toml";
        const RouterFile file = read_router_file(path);
        EXPECT_GE(file.interfaces.size(), 2U) << path;
        EXPECT_NE(describe_router(file).find("-j MASQUERADE"), std::string::npos) << path;
    }
}

/// A file, and what is said about it.
struct Bad {
    std::string text;
    const char* message;
};

TEST(RouterFile, RefusesWithPlaceAndRemedy) {
    const std::string lan = kLan;
    const std::string route = lan + "[[route]]\n";
    const Bad bad[] = {
        {"",
         "r.toml:1:1: no interface: expected [[interface]] with device and address, at least "
         "once"},
        {"[[interface]]\n", "r.toml:1:1: interface: device is missing (device = \"tap:tap0\")"},
        {"[[interface]]\ndevice = \"eth0\"\n",
         "r.toml:2:10: interface.device: expected \"tap:NAME\" or \"packet:NAME\", found \"eth0\""},
        {"[[interface]]\ndevice = \"memory\"\n",
         "r.toml:2:10: interface.device: a router in memory is a lab: see tapestry lab --help"},
        {"[[interface]]\ndevice = \"tap:\"\n",
         "r.toml:2:10: interface.device: the name behind tap: has 1 to 15 characters"},
        {"[[interface]]\ndevice = \"tap:a\"\naddress = \"192.168.3.0/24\"\n",
         "r.toml:3:11: interface.address: 192.168.3.0/24 is not the address of a host: expected "
         "one inside of the network, like 192.168.3.1/24"},
        {"[[interface]]\ndevice = \"tap:a\"\naddress = \"192.168.3.255/24\"\n",
         "r.toml:3:11: interface.address: 192.168.3.255/24 is not the address of a host: expected "
         "one inside of the network, like 192.168.3.1/24"},
        {"[[interface]]\ndevice = \"tap:a\"\nname = \"a b\"\naddress = \"10.0.0.1/8\"\n",
         "r.toml:3:8: interface.name: expected 1 to 15 characters without spaces, found \"a b\""},
        {lan + "mtu = 20\n",
         "r.toml:5:7: interface.mtu: expected a whole number from 68 to 65535, found 20"},
        {lan + "adress = 1\n",
         "r.toml:5:1: interface.adress: the key is not known (did you mean address?)"},
        {lan + "[[interface]]\nname = \"lan\"\ndevice = \"tap:b\"\naddress = \"10.0.0.1/8\"\n",
         "r.toml:6:8: interface.name: there is another interface \"lan\""},
        {lan + "[[interface]]\nname = \"b\"\ndevice = \"tap:tap0\"\naddress = \"10.0.0.1/8\"\n",
         "r.toml:7:10: interface.device: interface lan has that device already"},
        {lan + "[[interface]]\ndevice = \"tap:b\"\naddress = \"192.168.3.2/24\"\n",
         "r.toml:7:11: interface.address: the network is that of interface lan already: give each "
         "interface one of its own"},
        {route, "r.toml:5:1: route: to is missing (to = \"0.0.0.0/0\")"},
        {route + "to = \"0.0.0.0/0\"\nvia = \"10.0.0.1\"\n",
         "r.toml:7:7: route.via: 10.0.0.1 is in the network of no interface"},
        {route + "to = \"0.0.0.0/0\"\nvia = \"192.168.3.1\"\n",
         "r.toml:7:7: route.via: 192.168.3.1 is the router itself: expected a neighbour"},
        {"rules = [\"-A FORWARD -j LOG\"]\n" + lan,
         "r.toml:1:25: rules: LOG: expected one of ACCEPT, DROP, REJECT, RETURN, SNAT, MASQUERADE, "
         "DNAT, found \"LOG\"; tapestry nat -E and pcap = show what passes"},
        {"rules = [\"-A FORWARD -i wan -j DROP\"]\n" + lan,
         "r.toml:1:25: rules: expected an interface (lan), found \"wan\" (did you mean lan?)"},
        {"controll = \"x\"\n" + lan,
         "r.toml:1:1: controll: the key is not known (did you mean control?)"},
        {lan + "[nat]\nmapping = \"symmetric\"\n",
         "r.toml:6:11: nat.mapping: expected \"endpoint-independent\", \"address-dependent\" or "
         "\"address-and-port-dependent\", found \"symmetric\""},
        {"control = \"" + std::string(108, 'x') + "\"\n" + lan,
         "r.toml:1:11: control: the path of a socket has 107 bytes at most"},
    };
    for (const Bad& one : bad) EXPECT_EQ(refusal(one.text), one.message) << one.text;
}

}  // namespace
}  // namespace tapestry
