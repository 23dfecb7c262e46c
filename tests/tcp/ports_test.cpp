#include <gtest/gtest.h>

#include <set>

#include "tests/support/tcp_host.h"

// Which local port and address a connection gets, and which calls are refused.

namespace tapestry::test {
namespace {

const Endpoint kRemote{TcpHost::kPeer, 80};

testing::AssertionResult fails(const std::expected<void, Errno>& result, Errno error) {
    if (result) return testing::AssertionFailure() << "it worked";
    if (result.error() != error) {
        return testing::AssertionFailure() << name(result.error()) << " instead of " << name(error);
    }
    return testing::AssertionSuccess();
}

StackConfig few_ports() {
    StackConfig config = TcpHost::quiet();
    config.tcp.ephemeral_first = 50000;
    config.tcp.ephemeral_last = 50007;
    return config;
}

TEST(Ports, EphemeralOnesAreInTheirRangeAndDifferent) {
    TcpHost host(few_ports());
    std::vector<TcpSocket> sockets;
    std::set<u16> ports;
    for (int i = 0; i < 8; ++i) {
        sockets.push_back(host.stack.tcp_socket());
        ASSERT_TRUE(sockets.back().connect(kRemote));
        const u16 port = sockets.back().local().port;
        EXPECT_GE(port, 50000);
        EXPECT_LE(port, 50007);
        EXPECT_EQ(sockets.back().local().address, TcpHost::kUs);
        EXPECT_TRUE(ports.insert(port).second) << port << " twice";
    }
    TcpSocket ninth = host.stack.tcp_socket();
    EXPECT_TRUE(fails(ninth.connect(kRemote), Errno::AddressNotAvailable));
    // To another remote endpoint every port is free again.
    EXPECT_TRUE(ninth.connect({TcpHost::kPeer, 81}));
}

TEST(Ports, EphemeralOnesBeginWhereNobodyCanGuess) {
    std::set<u16> first;
    for (u64 seed = 1; seed <= 8; ++seed) {
        TcpHost host;
        SeededRng rng(seed);
        Stack stack(TcpHost::quiet(), rng);
        stack.add_interface(host.port, {"eth0", MacAddress({2, 0, 0, 0, 0, 9}), {TcpHost::kUs, 24}},
                            TimePoint{});
        TcpSocket socket = stack.tcp_socket();
        ASSERT_TRUE(socket.connect(kRemote));
        first.insert(socket.local().port);
    }
    EXPECT_GE(first.size(), 7U);
}

TEST(Ports, EphemeralOnesAvoidListeners) {
    TcpHost host(few_ports());
    std::vector<Listener> listeners;
    for (u16 port = 50000; port <= 50006; ++port) {
        listeners.push_back(host.stack.tcp_listener());
        ASSERT_TRUE(listeners.back().listen({Ipv4Address(), port}));
    }
    TcpSocket socket = host.stack.tcp_socket();
    ASSERT_TRUE(socket.connect(kRemote));
    EXPECT_EQ(socket.local().port, 50007);
}

TEST(Ports, AListenerCanHaveOneChosen) {
    TcpHost host(few_ports());
    Listener listener = host.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), 0}));
    EXPECT_GE(listener.local().port, 50000);
    EXPECT_LE(listener.local().port, 50007);
}

TEST(Ports, OnePortHasOneListener) {
    TcpHost host;
    Listener one = host.stack.tcp_listener();
    ASSERT_TRUE(one.listen({Ipv4Address(), 80}));
    Listener two = host.stack.tcp_listener();
    EXPECT_TRUE(fails(two.listen({Ipv4Address(), 80}), Errno::AddressInUse));
    EXPECT_TRUE(fails(two.listen({TcpHost::kUs, 80}), Errno::AddressInUse));
    EXPECT_TRUE(fails(two.listen({Ipv4Address(10, 0, 0, 77), 81}), Errno::AddressNotAvailable));
    EXPECT_TRUE(fails(one.listen({Ipv4Address(), 81}), Errno::InvalidArgument))
        << "listens already";
    one.close();
    EXPECT_TRUE(two.listen({Ipv4Address(), 80}));
}

TEST(Ports, ABoundPortIsTaken) {
    TcpHost host;
    TcpSocket socket = host.stack.tcp_socket();
    ASSERT_TRUE(socket.bind({Ipv4Address(), 1234}));
    EXPECT_TRUE(fails(socket.bind({Ipv4Address(), 1235}), Errno::InvalidArgument))
        << "bound already";
    TcpSocket second = host.stack.tcp_socket();
    EXPECT_TRUE(fails(second.bind({TcpHost::kUs, 1234}), Errno::AddressInUse));
    EXPECT_TRUE(fails(second.bind({TcpHost::kPeer, 1235}), Errno::AddressNotAvailable));
    Listener listener = host.stack.tcp_listener();
    EXPECT_TRUE(fails(listener.listen({Ipv4Address(), 1234}), Errno::AddressInUse));
    // MUST-43: and it is what the SYN says.
    ASSERT_TRUE(socket.connect(kRemote));
    host.settle();
    EXPECT_EQ(host.take().at(0).source_port, 1234);
}

TEST(Ports, ClosingGivesTheBoundPortBack) {
    TcpHost host;
    TcpSocket socket = host.stack.tcp_socket();
    ASSERT_TRUE(socket.bind({Ipv4Address(), 1234}));
    socket.close();
    host.settle();
    TcpSocket second = host.stack.tcp_socket();
    EXPECT_TRUE(second.bind({Ipv4Address(), 1234}));
}

/// MUST-46, and what else makes no sense.
TEST(Ports, ConnectRefusesImpossibleRemotes) {
    TcpHost host;
    TcpSocket socket = host.stack.tcp_socket();
    const auto connect = [&](Ipv4Address to, u16 port) { return socket.connect({to, port}); };
    EXPECT_TRUE(fails(connect({255, 255, 255, 255}, 80), Errno::AccessDenied));
    EXPECT_TRUE(fails(connect({10, 0, 255, 255}, 80), Errno::AccessDenied));
    EXPECT_TRUE(fails(connect({224, 0, 0, 1}, 80), Errno::AccessDenied));
    EXPECT_TRUE(fails(connect(TcpHost::kPeer, 0), Errno::InvalidArgument));
    EXPECT_TRUE(fails(connect({172, 16, 0, 1}, 80), Errno::NetworkUnreachable));
    host.settle();
    EXPECT_TRUE(host.take().empty());
    EXPECT_EQ(socket.state(), TcpState::Closed);
    ASSERT_TRUE(socket.connect(kRemote)) << "a refused call changes nothing";
    EXPECT_TRUE(fails(socket.connect(kRemote), Errno::IsConnected));
}

TEST(Ports, AnEmptyHandleIsNoSocket) {
    TcpSocket socket;
    std::array<u8, 4> bytes{};
    EXPECT_FALSE(socket);
    EXPECT_TRUE(fails(socket.connect(kRemote), Errno::BadDescriptor));
    EXPECT_TRUE(fails(socket.bind(kRemote), Errno::BadDescriptor));
    EXPECT_TRUE(fails(socket.shutdown(Shutdown::Send), Errno::BadDescriptor));
    EXPECT_TRUE(fails(socket.set_options({}), Errno::BadDescriptor));
    EXPECT_EQ(socket.read(bytes).error(), Errno::BadDescriptor);
    EXPECT_EQ(socket.write(bytes).error(), Errno::BadDescriptor);
    EXPECT_EQ(socket.peek(4).error(), Errno::BadDescriptor);
    EXPECT_EQ(socket.state(), TcpState::Closed);
    Listener listener;
    EXPECT_TRUE(fails(listener.listen(kRemote), Errno::BadDescriptor));
    EXPECT_EQ(listener.accept().error(), Errno::BadDescriptor);
    socket.close();
    listener.close();
}

/// RFC 9293 3.10.2 and 3.10.3: SEND and RECEIVE before there is a connection.
TEST(Ports, ASocketThatWasNeverOpenHasNoConnection) {
    TcpHost host;
    TcpSocket socket = host.stack.tcp_socket();
    std::array<u8, 4> bytes{};
    EXPECT_EQ(socket.read(bytes).error(), Errno::NotConnected);
    EXPECT_EQ(socket.write(bytes).error(), Errno::NotConnected);
    EXPECT_TRUE(fails(socket.shutdown(Shutdown::Both), Errno::NotConnected));
}

}  // namespace
}  // namespace tapestry::test
