#include "drivers/ethernet_switch.h"

#include <gtest/gtest.h>

#include <array>

#include "drivers/socket.h"
#include "drivers/world.h"

namespace tapestry {
namespace {

/// Three stations, 10.0.0.1 to 10.0.0.3.
class Lan : public testing::Test {
protected:
    Lan() {
        for (u8 i = 0; i < 3; ++i) {
            Host& host = world_.add_host("host");
            const u8 number = static_cast<u8>(i + 1);
            host.attach(switch_.port(i), {.name = "eth0",
                                          .mac = MacAddress({2, 0, 0, 0, 0, number}),
                                          .address = {Ipv4Address(10, 0, 0, number), 24}});
        }
        world_.run_for(10ms);  // announcements
    }
    u64 refused(std::size_t host, Drop drop) {
        return world_.host(host).stack().counters().of(drop);
    }

    World world_;
    EthernetSwitch switch_{world_.clock(), {.ports = 3, .delay = 1ms, .mtu = 1500}};
};

TEST_F(Lan, EveryStationReachesEveryOther) {
    for (std::size_t from = 0; from < 3; ++from) {
        for (u8 to = 1; to <= 3; ++to) {
            if (to == from + 1) continue;
            PingSocket ping = world_.host(from).stack().ping_socket();
            ASSERT_TRUE(ping.send(Ipv4Address(10, 0, 0, to), 1, {}));
            world_.run_for(100ms);
            const auto reply = ping.receive();
            ASSERT_TRUE(reply) << from << " to " << int{to};
            EXPECT_FALSE(reply->error);
        }
    }
}

TEST_F(Lan, OthersDoNotSeeWhatIsForOne) {
    PingSocket ping = world_.host(0).stack().ping_socket();
    ASSERT_TRUE(ping.send(Ipv4Address(10, 0, 0, 2), 1, {}));
    world_.run_for(100ms);
    EXPECT_TRUE(ping.receive());
    EXPECT_EQ(refused(2, Drop::EthernetNotForUs), 0U);
    EXPECT_GT(refused(2, Drop::ArpNotForUs), 0U) << "a question is for all";
}

TEST_F(Lan, TakesItsDelay) {
    PingSocket warm = world_.host(0).stack().ping_socket();
    ASSERT_TRUE(warm.send(Ipv4Address(10, 0, 0, 2), 1, {}));
    world_.run_for(100ms);
    switch_.set_delay(20ms);
    const TimePoint start = world_.now();
    ASSERT_TRUE(warm.receive());
    ASSERT_TRUE(warm.send(Ipv4Address(10, 0, 0, 2), 2, {}));
    world_.run_until([&] { return warm.readiness().readable; }, start + 1s);
    EXPECT_EQ(world_.now() - start, 40ms);
}

}  // namespace
}  // namespace tapestry
