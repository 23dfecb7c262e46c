#pragma once

#include <vector>

#include "drivers/world.h"

namespace tapestry::test {

/// The network of the founding story: two laptops behind a router, and a web server far away.
///
///     laptop 192.168.3.10 --+
///                           +-- 192.168.3.1 router 203.0.113.5 ---- 203.0.113.1 server 93.184.216.34
///     tablet 192.168.3.11 --+
///
/// The laptops have a cable each (a memory link has two ends), to interfaces lan and lan2 of the
/// router. The server stands behind a second router, "isp", which forwards and nothing else.
struct HomeNetwork {
    static constexpr Ipv4Address kLaptop{192, 168, 3, 10};
    static constexpr Ipv4Address kTablet{192, 168, 4, 10};
    static constexpr Ipv4Address kInside{192, 168, 3, 1};
    static constexpr Ipv4Address kOutside{203, 0, 113, 5};
    static constexpr Ipv4Address kServer{93, 184, 216, 34};

    explicit HomeNetwork(const StackConfig& router_config = {},
                         const LinkConfig& link = {.delay = 1ms})
        : laptop(world.add_host("laptop")),
          tablet(world.add_host("tablet")),
          router(world.add_host("router", forwarding(router_config))),
          isp(world.add_host("isp", forwarding({}))),
          server(world.add_host("server")),
          lan(world.connect(laptop, interface("eth0", 1, kLaptop, 24), router,
                            interface("lan", 2, kInside, 24), link)),
          lan2(world.connect(tablet, interface("eth0", 3, kTablet, 24), router,
                             interface("lan2", 4, {192, 168, 4, 1}, 24), link)),
          wan(world.connect(router, interface("wan", 5, kOutside, 24), isp,
                            interface("home", 6, {203, 0, 113, 1}, 24), link)),
          far(world.connect(isp, interface("net", 7, {93, 184, 216, 1}, 24), server,
                            interface("eth0", 8, kServer, 24), link)) {
        const Ipv4Prefix everything{{}, 0};
        laptop.stack().add_route(everything, laptop.stack().interface(0), kInside);
        tablet.stack().add_route(everything, tablet.stack().interface(0), {192, 168, 4, 1});
        router.stack().add_route(everything, router.stack().interface(2), {203, 0, 113, 1});
        server.stack().add_route(everything, server.stack().interface(0), {93, 184, 216, 1});
    }

    static StackConfig forwarding(StackConfig config) {
        config.forwarding = true;
        return config;
    }
    static InterfaceConfig interface(std::string name, u8 number, Ipv4Address address, u8 length) {
        InterfaceConfig config;
        config.name = std::move(name);
        config.mac = MacAddress({2, 0, 0, 0, 0, number});
        config.address = {address, length};
        return config;
    }
    /// -t nat -A POSTROUTING -o wan -j MASQUERADE
    void masquerade() {
        Rule rule;
        rule.match.out = {{"wan", false}};
        rule.target = Target::Masquerade;
        router.stack().forwarder().append(Chain::Postrouting, rule);
    }
    /// -t nat -A PREROUTING -d 203.0.113.5 -p PROTOCOL --dport FROM -j DNAT --to-destination TO
    void forward_port(IpProtocol protocol, u16 from, Endpoint to) {
        Rule rule;
        rule.match.destination = {{Ipv4Prefix{kOutside, 32}, false}};
        rule.match.protocol = {{protocol, false}};
        rule.match.destination_port = {{{from, from}, false}};
        rule.target = Target::Dnat;
        rule.to = {to.address, to.address};
        rule.to_ports = PortRange{to.port, to.port};
        router.stack().forwarder().append(Chain::Prerouting, rule);
    }
    Forwarder& forwarder() { return router.stack().forwarder(); }
    /// The router's table, a conntrack line each.
    std::vector<std::string> flows() {
        std::vector<std::string> lines;
        for (const FlowSnapshot& flow : forwarder().flows().snapshots(world.now())) {
            lines.push_back(to_string(flow));
        }
        return lines;
    }
    u64 drops(Drop drop) { return router.stack().counters().of(drop); }

    World world;
    Host& laptop;
    Host& tablet;
    Host& router;
    Host& isp;
    Host& server;
    MemoryLink& lan;
    MemoryLink& lan2;
    MemoryLink& wan;
    MemoryLink& far;
};

}  // namespace tapestry::test
