#include <gtest/gtest.h>

#include <algorithm>

#include "tests/tcp/connected_host.h"

// Which address a connection has on our side, on a host with two of them; and what one batch of frames is
// answered with.

namespace tapestry::test {
namespace {

constexpr Ipv4Address kSecond{10, 9, 0, 2};
constexpr Ipv4Address kSecondPeer{10, 9, 0, 1};

/// A host with a second device.
struct TwoAddresses {
    TwoAddresses() {
        other = &host.stack.add_interface(
            second_port, {"eth1", MacAddress({2, 0, 0, 0, 0, 9}), {kSecond, 16}}, host.now);
        other->arp().add_static(kSecondPeer, PacketBuilder().source_mac, host.now);
    }
    /// The source addresses of what has left by either device.
    std::vector<Ipv4Address> sources() {
        std::vector<Ipv4Address> all;
        for (RecordingPort* port : {&host.port, &second_port}) {
            for (const auto& frame : port->take()) {
                const auto ethernet = EthernetView::parse(frame.bytes);
                if (!ethernet || ethernet->type() != EtherType::Ipv4) continue;
                if (const auto ip = Ipv4View::parse(ethernet->payload())) {
                    all.push_back(ip->source());
                }
            }
        }
        return all;
    }

    TcpHost host;
    RecordingPort second_port;
    Interface* other = nullptr;
};

/// MUST-43: the address that bind() named is the one that the SYN comes from.
TEST(LocalAddress, MayBeGivenInTheOpenCall) {
    TwoAddresses world;
    TcpSocket socket = world.host.stack.tcp_socket();
    ASSERT_TRUE(socket.bind({kSecond, 0}));
    ASSERT_TRUE(socket.connect({TcpHost::kPeer, 80}));
    world.host.settle();
    EXPECT_EQ(world.sources(), std::vector{kSecond});
    EXPECT_EQ(socket.local().address, kSecond);
    EXPECT_FALSE(world.host.stack.tcp_socket().bind({kSecondPeer, 0})) << "it is not ours";
}

/// MUST-44: without bind() IP says which, by the way to the peer.
TEST(LocalAddress, IsTheOneOfTheWayToThePeer) {
    TwoAddresses world;
    TcpSocket near = world.host.stack.tcp_socket();
    ASSERT_TRUE(near.connect({TcpHost::kPeer, 80}));
    world.host.settle();
    EXPECT_EQ(world.sources(), std::vector{TcpHost::kUs});
    TcpSocket far = world.host.stack.tcp_socket();
    ASSERT_TRUE(far.connect({kSecondPeer, 80}));
    world.host.settle();
    EXPECT_EQ(world.sources(), std::vector{kSecond});
}

/// MUST-45: a better way that comes later changes nothing for a connection that there is.
TEST(LocalAddress, StaysWhenTheRouteChanges) {
    TwoAddresses world;
    TcpSocket socket = world.host.stack.tcp_socket();
    ASSERT_TRUE(socket.connect({TcpHost::kPeer, 80}));
    world.host.settle();
    world.host.stack.add_route({TcpHost::kPeer, 32}, *world.other, kSecondPeer);
    world.host.pass(10s);  // the SYN again, now by the other device
    const auto sources = world.sources();
    EXPECT_GT(sources.size(), 2U);
    EXPECT_EQ(std::count(sources.begin(), sources.end(), TcpHost::kUs),
              static_cast<std::ptrdiff_t>(sources.size()));
}

/// MUST-58 and MUST-59: what comes in one batch is all looked at before anything is acknowledged.
TEST(Batch, IsAnsweredByOneAcknowledgment) {
    ConnectedHost one;
    std::vector<Packet> batch;
    for (u32 i = 0; i < 10; ++i) {
        PacketBuilder builder;
        builder.ip.source = TcpHost::kPeer;
        batch.push_back(
            one.host.pool.copy(builder.tcp(tcp_header(101 + i * 1000, TcpFlags::kAck, one.iss + 1))
                                   .payload(std::vector<u8>(1000, 'x'))
                                   .build()));
    }
    one.host.stack.receive(*one.host.interface, batch, one.host.now);
    const auto sent = one.host.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].ack, SeqNum(101 + 10000));
}

}  // namespace
}  // namespace tapestry::test
