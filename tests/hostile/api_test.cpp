// What the machine around the stack does to it: no more sockets, a clock that leaps, a device that is
// full.

#include "tests/hostile/tcp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileApi : public HostileTcpTest {};

/// Sockets that nobody opens cost a little memory each and no port; closed, they are gone.
TEST_F(HostileApi, API_01_TenThousandSockets) {
    std::vector<TcpSocket> sockets;
    for (int i = 0; i < 10000; ++i) sockets.push_back(host_.stack.tcp_socket());
    std::vector<UdpSocket> datagrams;
    for (int i = 0; i < 10000; ++i) datagrams.push_back(host_.stack.udp_socket());
    std::size_t bound = 0;
    for (UdpSocket& one : datagrams) bound += one.bind({Ipv4Address(), 0}) ? 1U : 0U;
    EXPECT_EQ(bound, 10000U);
    expect_alive(host_);
    sockets.clear();
    datagrams.clear();
    host_.pass(61s);
    EXPECT_EQ(host_.stack.tcp().connection_count(), 0U);
}

/// Time is an argument, and goes forward only; a day at once is one timeout, not a day of them.
TEST_F(HostileApi, API_03_TheClockLeapsADay) {
    ASSERT_TRUE(establish());
    write(pattern_bytes(5000));
    (void)host_.port.take();
    host_.now += 24h;
    host_.stack.advance(host_.now);
    EXPECT_LE(host_.port.take().size(), 20U);
    host_.now += 24h;
    host_.stack.advance(host_.now);
    EXPECT_LE(host_.port.take().size(), 20U);
}

/// What the device does not take stays where it is, and is tried again.
TEST_F(HostileApi, API_05_TheDeviceIsFull) {
    ASSERT_TRUE(establish());
    host_.port.room = 0;
    write(pattern_bytes(2920));
    EXPECT_TRUE(host_.port.take().empty());
    EXPECT_TRUE(refused_once(ethernet_frame(EtherType::Ipv4, echo_), Drop::DeviceFull));
    EXPECT_TRUE(host_.stack.next_deadline()) << "it is to be tried again";
    host_.port.room = -1;
    host_.pass(100ms);
    std::vector<u8> got;
    for (const auto& one : peer_.hear()) got.insert(got.end(), one.text.begin(), one.text.end());
    EXPECT_EQ(got, pattern_bytes(2920));
}

}  // namespace
}  // namespace tapestry
