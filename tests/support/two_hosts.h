#pragma once

#include "drivers/world.h"

namespace tapestry::test {

/// Two hosts with a cable between them: the smallest network.
struct TwoHosts {
    explicit TwoHosts(const LinkConfig& config = {.delay = 1ms},
                      const WorldConfig& world_config = {}, const StackConfig& stack_config = {})
        : world(world_config),
          client(world.add_host("client", stack_config)),
          server(world.add_host("server", stack_config)),
          link(world.connect(client, interface(1), server, interface(2), config)) {}

    static InterfaceConfig interface(u8 number) {
        InterfaceConfig config;
        config.mac = MacAddress({2, 0, 0, 0, 0, number});
        config.address = {Ipv4Address(10, 0, 0, number), 24};
        return config;
    }
    static constexpr Ipv4Address kClient{10, 0, 0, 1};
    static constexpr Ipv4Address kServer{10, 0, 0, 2};

    World world;
    Host& client;
    Host& server;
    MemoryLink& link;
};

}  // namespace tapestry::test
