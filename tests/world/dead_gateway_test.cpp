#include <gtest/gtest.h>

#include "drivers/world.h"

// RFC 9293 3.8.3, RFC 1122 3.3.1.4: a transport that is not answered tells IP, which asks whether the
// next hop is still there.

namespace tapestry::test {
namespace {

constexpr Ipv4Address kA{10, 0, 0, 1};
constexpr Ipv4Address kB{10, 0, 0, 2};

TEST(DeadGateway, IsAskedForAtR1) {
    World world;
    Host& a = world.add_host("a");
    Host& b = world.add_host("b");
    MemoryLink& link =
        world.connect(a, {"eth0", MacAddress({2, 0, 0, 0, 0, 1}), {kA, 24}, 0}, b,
                      {"eth0", MacAddress({2, 0, 0, 0, 0, 2}), {kB, 24}, 0}, {.delay = 1ms});
    Listener listener = b.stack().tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), 80}));
    TcpSocket client = a.stack().tcp_socket();
    ASSERT_TRUE(client.connect({kB, 80}));
    ASSERT_TRUE(world.run_until([&] { return listener.acceptable(); }, TimePoint{1s}));
    const auto requests = [&] { return a.stack().counters().arp_requests_out; };
    const u64 before = requests();

    link.set_plugged(false);
    ASSERT_TRUE(client.write(std::array<u8, 3>{1, 2, 3}));
    // The loss probe and the timeouts at 1 and 3 s are no news yet; the third, at 7 s, is R1.
    world.run_for(6500ms);
    EXPECT_EQ(requests(), before);
    world.run_for(1s);
    EXPECT_EQ(requests(), before + 1) << "the entry is but a few seconds old";
    world.run_for(5s);
    EXPECT_EQ(requests(), before + 3) << "three times, then it is forgotten";

    link.set_plugged(true);
    TcpSocket server = std::move(*listener.accept());
    std::array<u8, 10> buffer{};
    const auto arrived = [&] { return server.read(buffer).value_or(0) == 3; };
    EXPECT_TRUE(world.run_until(arrived, world.now() + 60s)) << "and all goes on";
}

}  // namespace
}  // namespace tapestry::test
