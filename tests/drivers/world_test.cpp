#include "drivers/world.h"

#include <gtest/gtest.h>

#include "drivers/capture.h"
#include "drivers/fault.h"
#include "drivers/segmenter.h"
#include "tests/support/packet_builder.h"
#include "tests/support/two_hosts.h"

namespace tapestry {
namespace {

using test::pattern_bytes;
using test::TwoHosts;

/// Sends `data` from the client to the server with the stack's own handles; what has arrived.
std::vector<u8> transfer(World& world, Host& client, Host& server, const std::vector<u8>& data,
                         TimePoint deadline = kNever) {
    Listener listener = server.stack().tcp_listener();
    EXPECT_TRUE(listener.listen({TwoHosts::kServer, 7000}));
    TcpSocket sender = client.stack().tcp_socket();
    EXPECT_TRUE(sender.connect({TwoHosts::kServer, 7000}));
    TcpSocket receiver;
    std::vector<u8> received;
    std::size_t sent = 0;
    std::vector<u8> block(65536);
    const auto done = [&] {
        if (sent < data.size()) {
            sent += sender.write(Bytes(data).subspan(sent)).value_or(0);
            if (sent == data.size()) {
                EXPECT_TRUE(sender.shutdown(Shutdown::Send));
            }
        }
        if (!receiver) {
            if (auto accepted = listener.accept()) receiver = std::move(*accepted);
            return false;
        }
        while (true) {
            const auto n = receiver.read(block);
            if (!n) return n.error() != Errno::Again;
            if (*n == 0) return true;
            received.insert(received.end(), block.begin(),
                            block.begin() + static_cast<std::ptrdiff_t>(*n));
        }
    };
    EXPECT_TRUE(world.run_until(done, deadline));
    return received;
}

TEST(World, IsIdleWithoutEvents) {
    World world;
    EXPECT_FALSE(world.step());
    EXPECT_EQ(world.now(), TimePoint());
    world.run_until(TimePoint(5s));
    EXPECT_EQ(world.now(), TimePoint(5s));
    EXPECT_FALSE(world.run_until([] { return false; }));
    EXPECT_EQ(world.now(), TimePoint(5s)) << "nothing can happen, so no time passes";
    EXPECT_TRUE(world.run_until_idle(TimePoint(9s)));
}

TEST(World, ActionsHappenInTheOrderOfTimeThenOfScheduling) {
    World world;
    std::vector<int> order;
    std::vector<TimePoint> times;
    const auto note = [&](int n) {
        return [&, n] {
            order.push_back(n);
            times.push_back(world.now());
        };
    };
    world.at(TimePoint(2s), note(4));
    world.at(TimePoint(1s), note(1));
    world.at(TimePoint(1s), [&] {
        note(2)();
        world.at(TimePoint(), note(3));  // the past is now
    });
    EXPECT_TRUE(world.run_until_idle(TimePoint(10s)));
    EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
    EXPECT_EQ(times, (std::vector{TimePoint(1s), TimePoint(1s), TimePoint(1s), TimePoint(2s)}));
    EXPECT_EQ(world.events(), 4U);
    EXPECT_EQ(world.last_event().kind, World::EventKind::Scheduled);
}

TEST(World, RunUntilStopsAtTheDeadlineAndAsksFirst) {
    World world;
    int happened = 0;
    for (int i = 1; i <= 3; ++i) world.at(TimePoint(i * 1s), [&] { ++happened; });
    EXPECT_TRUE(world.run_until([] { return true; }));
    EXPECT_EQ(happened, 0);
    EXPECT_FALSE(world.run_until([&] { return happened == 3; }, TimePoint(2s)));
    EXPECT_EQ(happened, 2) << "what is due at the deadline still happens";
    EXPECT_EQ(world.now(), TimePoint(2s));
    EXPECT_TRUE(world.run_until([&] { return happened == 3; }, TimePoint(8s)));
    EXPECT_EQ(world.now(), TimePoint(3s));
    EXPECT_TRUE(world.run_until_idle(TimePoint(3s)));
    EXPECT_FALSE(world.step());
}

TEST(World, TwoHostsTransferBothWays) {
    TwoHosts net;
    const auto data = pattern_bytes(300000);
    EXPECT_EQ(transfer(net.world, net.client, net.server, data), data);
    EXPECT_GT(net.world.now(), TimePoint(6ms)) << "ARP, handshake and data took round trips";
    EXPECT_LT(net.world.now(), TimePoint(1s));
}

TEST(World, OneEventTakesOneFrameUnlessAskedForMore) {
    const auto data = pattern_bytes(100000);
    const auto largest = [&](std::size_t batch) {
        TwoHosts net({.delay = 1ms}, {.batch = batch});
        Listener listener = net.server.stack().tcp_listener();
        EXPECT_TRUE(listener.listen({TwoHosts::kServer, 1}));
        TcpSocket socket = net.client.stack().tcp_socket();
        EXPECT_TRUE(socket.connect({TwoHosts::kServer, 1}));
        bool written = false;
        std::size_t most = 0;
        while (net.world.step() && net.world.now() < TimePoint(5s)) {
            most = std::max(most, net.world.last_event().frames);
            if (!written && socket.readiness().writable) written = socket.write(data).has_value();
        }
        EXPECT_TRUE(written);
        return most;
    };
    EXPECT_EQ(largest(1), 1U);
    EXPECT_GE(largest(16), 10U) << "the initial window arrives together";
}

TEST(World, AnHourOfAnIdleConnectionIsAFewEvents) {
    StackConfig config;
    config.tcp.keep_alive = true;
    config.tcp.keep_alive_idle = 600s;
    TwoHosts net({.delay = 10ms}, {}, config);
    Listener listener = net.server.stack().tcp_listener();
    ASSERT_TRUE(listener.listen({TwoHosts::kServer, 1}));
    TcpSocket socket = net.client.stack().tcp_socket();
    ASSERT_TRUE(socket.connect({TwoHosts::kServer, 1}));
    net.world.run_until(TimePoint(3600s));
    EXPECT_EQ(net.world.now(), TimePoint(3600s));
    EXPECT_EQ(socket.state(), TcpState::Established);
    EXPECT_GT(net.world.events(), 10U);
    EXPECT_LT(net.world.events(), 1000U);
}

/// A lossy network between two hosts, with a capture at the client; returns the file.
std::vector<u8> lossy_capture(u64 seed, const std::vector<u8>& data) {
    PcapngWriter writer = PcapngWriter::in_memory();
    {
        World world({.seed = seed});
        Host& client = world.add_host("client");
        Host& server = world.add_host("server");
        MemoryLink& link = world.add_link({.delay = 20ms, .bytes_per_second = 1'000'000});
        const FaultConfig bad{.drop = 3, .duplicate = 2, .reorder = 5, .corrupt = 1};
        Fault& fault = client.keep<Fault>(link.end(0), world.clock(), seed, bad, bad);
        Segmenter& segmenter = client.keep<Segmenter>(fault, world.clock());
        const u32 number = writer.add_interface("client");
        client.attach(client.keep<Capture>(segmenter, writer, number, world.clock()),
                      TwoHosts::interface(1));
        server.attach(link.end(1), TwoHosts::interface(2));
        EXPECT_EQ(transfer(world, client, server, data, TimePoint(3600s)), data);
        EXPECT_GT(fault.out_counters().dropped + fault.in_counters().dropped, 0U);
    }
    return writer.bytes();
}

TEST(World, EqualSeedsGiveEqualCaptures) {
    const auto data = pattern_bytes(200000);
    const auto first = lossy_capture(1, data);
    EXPECT_GT(first.size(), data.size());
    EXPECT_TRUE(lossy_capture(1, data) == first);
    EXPECT_FALSE(lossy_capture(2, data) == first);
}

TEST(World, ManySeedsOfABadNetworkLoseNothing) {
    const auto data = pattern_bytes(200000);
    for (u64 seed = 10; seed < 30; ++seed) {
        SCOPED_TRACE(seed);
        lossy_capture(seed, data);
    }
}

TEST(World, SteppingBackIsRunningAgainToOneEventEarlier) {
    const auto run = [](u64 events) {
        TwoHosts net;
        Listener listener = net.server.stack().tcp_listener();
        EXPECT_TRUE(listener.listen({TwoHosts::kServer, 1}));
        TcpSocket socket = net.client.stack().tcp_socket();
        EXPECT_TRUE(socket.connect({TwoHosts::kServer, 1}));
        EXPECT_TRUE(net.world.run_to_event(events));
        EXPECT_EQ(net.world.events(), events);
        return std::tuple(net.world.now(), socket.state(), net.client.stack().counters().frames_in,
                          net.server.stack().counters().frames_in);
    };
    std::vector<decltype(run(1))> states;
    for (u64 n = 1; n <= 7; ++n) states.push_back(run(n));
    for (u64 n = 7; n >= 1; --n) EXPECT_EQ(run(n), states[n - 1]) << n;
    EXPECT_NE(states.front(), states.back());
}

TEST(World, ProgramsRunAfterTheEventsOfTheirHost) {
    TwoHosts net;
    Listener listener = net.server.stack().tcp_listener();
    ASSERT_TRUE(listener.listen({TwoHosts::kServer, 7}));
    std::vector<TcpSocket> accepted;
    // An echo server that never waits.
    net.server.add_program([&] {
        while (auto socket = listener.accept()) accepted.push_back(std::move(*socket));
        std::array<u8, 100> block{};
        for (TcpSocket& socket : accepted) {
            while (const auto n = socket.read(block).value_or(0)) {
                EXPECT_EQ(socket.write(Bytes(block).first(n)), n);
            }
        }
    });
    TcpSocket socket = net.client.stack().tcp_socket();
    ASSERT_TRUE(socket.connect({TwoHosts::kServer, 7}));
    ASSERT_TRUE(net.client.run_until([&] { return socket.readiness().writable; }));
    ASSERT_EQ(socket.write(pattern_bytes(50)), 50U);
    std::vector<u8> answer(50);
    ASSERT_TRUE(net.client.run_until([&] { return socket.readable_bytes() == 50; }, TimePoint(5s)));
    ASSERT_EQ(socket.read(answer), 50U);
    EXPECT_EQ(answer, pattern_bytes(50));
}

TEST(World, FramesCanBeInjectedAtRecordedTimes) {
    World world;
    Host& host = world.add_host("host");
    MemoryLink& link = world.add_link();
    host.attach(link.end(0), TwoHosts::interface(2));
    test::PacketBuilder builder;
    builder.icmp_echo(1, 2).payload(pattern_bytes(56));
    const auto request = builder.build();
    for (int i = 1; i <= 3; ++i) {
        world.at(TimePoint(i * 100ms),
                 [&] { EXPECT_TRUE(link.end(1).transmit(test::frame_of(request, 14))); });
    }
    world.run_until(TimePoint(250ms));
    EXPECT_EQ(host.stack().counters().icmp_in_msgs, 2U);
    world.run_until(TimePoint(300ms));
    EXPECT_EQ(host.stack().counters().icmp_in_msgs, 3U);
}

TEST(World, ADeviceMayGoBeforeTheWorld) {
    World world;
    Host& client = world.add_host("client");
    Host& server = world.add_host("server");
    MemoryLink& link = world.add_link();
    {
        Fault fault(link.end(0), world.clock(), 1, {}, {.duplicate = 100});
        client.attach(fault, TwoHosts::interface(1));
        server.attach(link.end(1), TwoHosts::interface(2));
        PingSocket ping = client.stack().ping_socket();
        ASSERT_TRUE(ping.send(TwoHosts::kServer, 1, pattern_bytes(10)));
        EXPECT_TRUE(world.run_until([&] { return ping.readiness().readable; }, TimePoint(1s)));
        world.run_until(TimePoint(2s));
    }
    // Nothing of the fault's pool may be left in the world when it ends: the sanitizer would tell.
}

TEST(World, AHostMayHaveSeveralLinks) {
    World world;
    Host& left = world.add_host("left");
    Host& middle = world.add_host("middle");
    Host& right = world.add_host("right");
    const auto interface = [](u8 subnet, u8 number) {
        InterfaceConfig config;
        config.mac = MacAddress({2, 0, 0, 0, subnet, number});
        config.address = {Ipv4Address(10, 0, subnet, number), 24};
        return config;
    };
    world.connect(left, interface(1, 2), middle, interface(1, 1), {.delay = 5ms});
    world.connect(right, interface(2, 2), middle, interface(2, 1), {.delay = 30ms});
    world.run_for(1s);  // the announcements of the addresses have passed
    EXPECT_EQ(world.host_count(), 3U);
    EXPECT_EQ(world.host(1).name(), "middle");
    struct Answer {
        Ipv4Address source;
        Duration after;
    };
    const auto ping = [&](Host& from, Ipv4Address to) {
        PingSocket socket = from.stack().ping_socket();
        const TimePoint start = world.now();
        EXPECT_TRUE(socket.send(to, 1, pattern_bytes(56)));
        EXPECT_TRUE(world.run_until([&] { return socket.readiness().readable; }, start + 5s));
        return Answer{socket.receive().value_or(PingReply{}).source, world.now() - start};
    };
    // The first round trip resolves the address, the second is the ping's.
    const Answer near = ping(left, Ipv4Address(10, 0, 1, 1));
    EXPECT_EQ(near.source, Ipv4Address(10, 0, 1, 1));
    EXPECT_EQ(near.after, 20ms);
    const Answer far = ping(right, Ipv4Address(10, 0, 2, 1));
    EXPECT_EQ(far.source, Ipv4Address(10, 0, 2, 1));
    EXPECT_EQ(far.after, 120ms);
    EXPECT_EQ(ping(middle, Ipv4Address(10, 0, 1, 2)).after, 10ms) << "the middle has learnt it";
    EXPECT_EQ(ping(middle, Ipv4Address(10, 0, 2, 2)).after, 60ms);
}

}  // namespace
}  // namespace tapestry
