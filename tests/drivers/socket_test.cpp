#include "drivers/socket.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/packet_builder.h"
#include "tests/support/two_hosts.h"

namespace tapestry {
namespace {

using test::pattern_bytes;
using test::TwoHosts;

constexpr Endpoint kWeb{TwoHosts::kServer, 80};

struct SocketTest : testing::Test {
    TwoHosts net{{.delay = 5ms}};
    Host& client = net.client;
    Host& server = net.server;

    static std::string text(const std::vector<u8>& bytes, std::size_t n) {
        return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)};
    }
    Socket listening(const Endpoint& local = kWeb) {
        Socket socket(server, SocketType::Stream);
        EXPECT_TRUE(socket.bind(local));
        EXPECT_TRUE(socket.listen());
        return socket;
    }
    /// A connection: the client's socket and the server's.
    std::pair<Socket, Socket> pair() {
        Socket listener = listening();
        Socket socket(client, SocketType::Stream);
        EXPECT_TRUE(socket.connect(kWeb));
        auto accepted = listener.accept();
        EXPECT_TRUE(accepted);
        return {std::move(socket), std::move(*accepted)};
    }
};

TEST_F(SocketTest, AClientAndAServerAsInATutorial) {
    Socket server_socket(server, SocketType::Stream);
    ASSERT_TRUE(server_socket.bind({{}, 80}));
    ASSERT_TRUE(server_socket.listen(5));

    Socket client_socket(client, SocketType::Stream);
    ASSERT_TRUE(client_socket.connect(kWeb));
    EXPECT_EQ(client_socket.send("GET / HTTP/1.1\r\n\r\n"), 18U);

    auto connection = server_socket.accept();
    ASSERT_TRUE(connection);
    EXPECT_EQ(connection->remote(), client_socket.local());
    std::vector<u8> buffer(1000);
    const auto request = connection->recv(buffer);
    ASSERT_TRUE(request);
    EXPECT_EQ(text(buffer, *request), "GET / HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(connection->send("hello"));
    connection->close();

    const auto answer = client_socket.recv(buffer);
    ASSERT_TRUE(answer);
    EXPECT_EQ(text(buffer, *answer), "hello");
    EXPECT_EQ(client_socket.recv(buffer), 0U) << "the end of the stream";
    client_socket.close();
    EXPECT_TRUE(net.world.run_until_idle(TimePoint(300s)));
}

/// What happens while a call waits may close its socket: the call comes back, and touches nothing.
TEST_F(SocketTest, ACloseEndsTheCallThatWaits) {
    auto [socket, other] = pair();
    const auto close_soon = [&](Socket& which) {
        net.world.at(net.world.now() + 1s, [&which] { which.close(); });
    };
    std::vector<u8> buffer(100);
    close_soon(socket);
    EXPECT_EQ(socket.recv(buffer).error(), Errno::BadDescriptor);

    Socket listener = listening({{}, 81});
    close_soon(listener);
    EXPECT_EQ(listener.accept().error(), Errno::BadDescriptor);

    net.link.set_plugged(false);
    Socket lonely(client, SocketType::Stream);
    close_soon(lonely);
    EXPECT_EQ(lonely.connect(kWeb).error(), Errno::BadDescriptor);

    ASSERT_TRUE(other.set_options({.linger = 100s}));
    ASSERT_TRUE(other.send("nobody will acknowledge this"));
    const TimePoint begin = net.world.now();
    close_soon(other);
    other.close();
    EXPECT_LE(net.world.now(), begin + 101s) << "each of the two waits for its own time";
}

TEST_F(SocketTest, AcceptReturnsANewSocketForEachClient) {
    Socket listener = listening();
    std::vector<Socket> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(client, SocketType::Stream);
        ASSERT_TRUE(clients.back().connect(kWeb));
    }
    for (const Socket& socket : clients) {
        auto accepted = listener.accept();
        ASSERT_TRUE(accepted);
        EXPECT_EQ(accepted->remote(), socket.local());
    }
}

TEST_F(SocketTest, ConnectWaitsForTheHandshake) {
    const Socket listener = listening();
    Socket socket(client, SocketType::Stream);
    const TimePoint before = net.world.now();
    ASSERT_TRUE(socket.connect(kWeb));
    EXPECT_GE(net.world.now() - before, 10ms);
    EXPECT_EQ(socket.tcp()->state(), TcpState::Established);
    EXPECT_EQ(socket.remote(), kWeb);
    EXPECT_EQ(socket.local().address, TwoHosts::kClient);
    EXPECT_EQ(socket.connect(kWeb).error(), Errno::IsConnected);
}

TEST_F(SocketTest, ConnectToAClosedPortIsRefusedAndMayBeTriedAgain) {
    Socket socket(client, SocketType::Stream);
    EXPECT_EQ(socket.connect(kWeb).error(), Errno::ConnectionRefused);
    const Socket listener = listening();
    EXPECT_TRUE(socket.connect(kWeb));
}

TEST_F(SocketTest, ConnectToNobodyFailsAsTheNetworkSays) {
    Socket socket(client, SocketType::Stream);
    EXPECT_EQ(socket.connect({Ipv4Address(10, 0, 0, 99), 80}).error(), Errno::HostUnreachable);
    EXPECT_EQ(socket.connect({Ipv4Address(10, 9, 9, 9), 80}).error(), Errno::NetworkUnreachable);
}

TEST_F(SocketTest, ConnectCanBeGivenATime) {
    net.link.set_plugged(false);
    Socket socket(client, SocketType::Stream);
    socket.set_send_timeout(50ms);
    const TimePoint before = net.world.now();
    EXPECT_EQ(socket.connect(kWeb).error(), Errno::InProgress);
    EXPECT_EQ(net.world.now(), before + 50ms);
}

TEST_F(SocketTest, SendBlocksUntilEverythingIsTaken) {
    auto [socket, peer] = pair();
    const auto data = pattern_bytes(5'000'000);
    std::vector<u8> received;
    std::vector<u8> block(100'000);
    // The server reads as it can, while the client's only call is send().
    server.add_program([&] {
        while (const auto n = peer.tcp()->read(block).value_or(0)) {
            received.insert(received.end(), block.begin(),
                            block.begin() + static_cast<std::ptrdiff_t>(n));
        }
    });
    EXPECT_EQ(socket.send(data), data.size());
    ASSERT_TRUE(net.client.run_until([&] { return received.size() == data.size(); }));
    EXPECT_TRUE(received == data);
}

TEST_F(SocketTest, SendWithATimeReturnsWhatItCouldThenEagain) {
    auto [socket, peer] = pair();
    socket.set_send_timeout(200ms);
    const auto data = pattern_bytes(5'000'000);
    const auto sent = socket.send(data);
    ASSERT_TRUE(sent);
    EXPECT_GT(*sent, 1'000'000U);
    EXPECT_LT(*sent, data.size());
    // A little room may be left, too little to wake a waiting sender, and the last of the window.
    auto again = sent;
    TimePoint before;
    for (int i = 0; i < 5 && again; ++i) {
        before = net.world.now();
        again = socket.send(data);
    }
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error(), Errno::Again);
    EXPECT_EQ(net.world.now(), before + 200ms);
}

TEST_F(SocketTest, RecvHasATimeToo) {
    auto [socket, peer] = pair();
    std::vector<u8> buffer(10);
    socket.set_receive_timeout(300ms);
    const TimePoint before = net.world.now();
    EXPECT_EQ(socket.recv(buffer).error(), Errno::Again);
    EXPECT_EQ(net.world.now(), before + 300ms);
    ASSERT_TRUE(peer.send("x"));
    EXPECT_EQ(socket.recv(buffer), 1U);
}

TEST_F(SocketTest, AWaitThatNothingCanEndIsOver) {
    auto [socket, peer] = pair();
    std::vector<u8> buffer(10);
    EXPECT_EQ(socket.recv(buffer).error(), Errno::Again) << "the world stands still";
}

TEST_F(SocketTest, NonBlockingSocketsNeverLetTimePass) {
    Socket listener = listening();
    listener.set_non_blocking(true);
    Socket socket(client, SocketType::Stream);
    socket.set_non_blocking(true);
    const TimePoint before = net.world.now();
    EXPECT_EQ(listener.accept().error(), Errno::Again);
    EXPECT_EQ(socket.connect(kWeb).error(), Errno::InProgress);
    std::vector<u8> buffer(10);
    EXPECT_EQ(socket.recv(buffer).error(), Errno::Again);
    EXPECT_EQ(net.world.now(), before);

    std::array<PollEntry, 2> entries{PollEntry{&socket, {.writable = true}, {}},
                                     PollEntry{&listener, {.readable = true}, {}}};
    EXPECT_EQ(poll(entries), 1U);
    EXPECT_TRUE(entries[0].revents.writable);
    EXPECT_EQ(socket.take_error(), Errno::None);
    EXPECT_EQ(socket.tcp()->state(), TcpState::Established);
    entries[0].events = {};
    EXPECT_EQ(poll(entries), 1U);
    EXPECT_TRUE(entries[1].revents.readable);
    EXPECT_TRUE(listener.accept());
}

TEST_F(SocketTest, PollKeepsItsTime) {
    Socket listener = listening();
    std::array<PollEntry, 1> entries{PollEntry{&listener, {.readable = true}, {}}};
    const TimePoint before = net.world.now();
    EXPECT_EQ(poll(entries, 0ms), 0U);
    EXPECT_EQ(net.world.now(), before);
    EXPECT_EQ(poll(entries, 250ms), 0U);
    EXPECT_EQ(net.world.now(), before + 250ms);
    EXPECT_EQ(poll({}).error(), Errno::InvalidArgument);
    Socket none;
    entries[0].socket = &none;
    EXPECT_EQ(poll(entries).error(), Errno::BadDescriptor);
}

TEST_F(SocketTest, ShutdownEndsOneDirection) {
    auto [socket, peer] = pair();
    ASSERT_TRUE(socket.send("request"));
    ASSERT_TRUE(socket.shutdown(Shutdown::Send));
    EXPECT_EQ(socket.send("more").error(), Errno::BrokenPipe);
    std::vector<u8> buffer(100);
    EXPECT_EQ(peer.recv(buffer), 7U);
    EXPECT_EQ(peer.recv(buffer), 0U);
    ASSERT_TRUE(peer.send("answer"));
    EXPECT_EQ(socket.recv(buffer), 6U);
}

TEST_F(SocketTest, AResetIsTold) {
    auto [socket, peer] = pair();
    ASSERT_TRUE(peer.set_options({.linger = Duration{}}));
    peer.close();
    std::vector<u8> buffer(100);
    EXPECT_EQ(socket.recv(buffer).error(), Errno::ConnectionReset);
    EXPECT_EQ(socket.recv(buffer), 0U) << "told once; then the end of the stream";
    EXPECT_EQ(socket.send("x").error(), Errno::BrokenPipe);
}

TEST_F(SocketTest, CloseWithLingerWaitsForTheLastAcknowledgment) {
    auto [socket, peer] = pair();
    ASSERT_TRUE(socket.set_options({.linger = 5s}));
    EXPECT_EQ(socket.options().linger, Duration(5s));
    ASSERT_TRUE(socket.send(pattern_bytes(100'000)));
    const TimePoint before = net.world.now();
    socket.close();
    EXPECT_GE(net.world.now() - before, 10ms);
    EXPECT_LT(net.world.now() - before, 5s);
    EXPECT_EQ(peer.tcp()->readable_bytes(), 100'000U);
    EXPECT_FALSE(socket);
}

TEST_F(SocketTest, CloseSendsTheFinAtOnce) {
    auto [socket, peer] = pair();
    const u64 before = net.link.counters(0).sent;
    socket.close();
    EXPECT_EQ(net.link.counters(0).sent, before + 1);
}

TEST_F(SocketTest, BindAndListenReportWhatIsWrong) {
    const Socket listener = listening();
    Socket second(server, SocketType::Stream);
    EXPECT_EQ(second.bind(kWeb).error(), Errno::AddressInUse);
    EXPECT_EQ(second.bind({Ipv4Address(1, 2, 3, 4), 80}).error(), Errno::AddressNotAvailable);
    EXPECT_EQ(second.accept().error(), Errno::InvalidArgument);
    EXPECT_EQ(second.send("x").error(), Errno::NotConnected);
    ASSERT_TRUE(second.bind({{}, 8080}));
    ASSERT_TRUE(second.listen());
    EXPECT_EQ(second.local().port, 8080);
    EXPECT_TRUE(second.listen()) << "again: nothing to do";
    EXPECT_EQ(second.connect(kWeb).error(), Errno::InvalidArgument);
    std::vector<u8> buffer(1);
    EXPECT_EQ(second.recv(buffer).error(), Errno::NotConnected);

    Socket any(server, SocketType::Stream);
    ASSERT_TRUE(any.listen()) << "without bind() the stack chooses a port";
    EXPECT_NE(any.local().port, 0);
    Socket connected(client, SocketType::Stream);
    ASSERT_TRUE(connected.connect(kWeb));
    EXPECT_EQ(connected.listen().error(), Errno::InvalidArgument);
}

TEST_F(SocketTest, NoSocketIsABadDescriptor) {
    Socket none;
    Socket closed(client, SocketType::Stream);
    closed.close();
    Socket moved_from(client, SocketType::Datagram);
    const Socket moved_to = std::move(moved_from);
    std::vector<u8> buffer(10);
    // NOLINTNEXTLINE(bugprone-use-after-move): what a moved-from socket says is the question
    for (Socket* socket : {&none, &closed, &moved_from}) {
        EXPECT_FALSE(*socket);
        EXPECT_EQ(socket->bind({}).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->connect(kWeb).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->listen().error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->accept().error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->send("x").error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->recv(buffer).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->peek(buffer).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->send_to(buffer, kWeb).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->receive_from(buffer).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->shutdown(Shutdown::Both).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->set_options({}).error(), Errno::BadDescriptor);
        EXPECT_EQ(socket->take_error(), Errno::BadDescriptor);
        socket->close();
    }
    EXPECT_TRUE(moved_to);
}

TEST_F(SocketTest, OptionsReachAcceptedSockets) {
    Socket listener = listening();
    TcpSocketOptions no_delay;
    no_delay.no_delay = true;
    ASSERT_TRUE(listener.set_options(no_delay));
    Socket socket(client, SocketType::Stream);
    TcpSocketOptions tiny_segments;
    tiny_segments.max_segment = 1;
    EXPECT_EQ(socket.set_options(tiny_segments).error(), Errno::InvalidArgument);
    EXPECT_EQ(socket.options(), TcpSocketOptions{});
    ASSERT_TRUE(socket.connect(kWeb));
    const auto accepted = listener.accept();
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->options().no_delay);
    EXPECT_TRUE(accepted->tcp()->options().no_delay);
}

TEST_F(SocketTest, OptionsFromBeforeListeningReachAcceptedSockets) {
    Socket listener(server, SocketType::Stream);
    ASSERT_TRUE(listener.bind(kWeb));
    TcpSocketOptions no_delay;
    no_delay.no_delay = true;
    ASSERT_TRUE(listener.set_options(no_delay));
    ASSERT_TRUE(listener.listen());
    Socket socket(client, SocketType::Stream);
    ASSERT_TRUE(socket.connect(kWeb));
    const auto accepted = listener.accept();
    ASSERT_TRUE(accepted);
    EXPECT_TRUE(accepted->options().no_delay);
}

TEST_F(SocketTest, Datagrams) {
    Socket service(server, SocketType::Datagram);
    ASSERT_TRUE(service.bind({{}, 53}));
    Socket socket(client, SocketType::Datagram);
    std::vector<u8> buffer(2000);
    ASSERT_EQ(socket.send_to(pattern_bytes(100), {TwoHosts::kServer, 53}), 100U);
    const auto question = service.receive_from(buffer);
    ASSERT_TRUE(question);
    EXPECT_EQ(question->source, (Endpoint{TwoHosts::kClient, socket.local().port}));
    EXPECT_EQ(question->size, 100U);
    ASSERT_TRUE(service.send_to(pattern_bytes(50), question->source));
    EXPECT_EQ(socket.recv(buffer), 50U);

    ASSERT_TRUE(socket.connect({TwoHosts::kServer, 54}));
    ASSERT_TRUE(socket.send("nobody listens"));
    EXPECT_EQ(socket.recv(buffer).error(), Errno::ConnectionRefused);
    EXPECT_EQ(socket.listen().error(), Errno::InvalidArgument);
    EXPECT_EQ(socket.send_to(std::vector<u8>(70000), kWeb).error(), Errno::MessageSize);
}

TEST_F(SocketTest, DatagramsHaveThoseOptionsThatMakeSenseForThem) {
    Socket service(server, SocketType::Datagram);
    ASSERT_TRUE(service.bind({{}, 53}));
    Socket socket(client, SocketType::Datagram);
    const TcpSocketOptions fine{.receive_buffer = 500, .ttl = 3, .tos = 0xb9};
    ASSERT_TRUE(service.set_options(fine));
    EXPECT_EQ(service.options(), fine);
    EXPECT_EQ(service.set_options({.no_delay = true}).error(), Errno::InvalidArgument);
    EXPECT_EQ(service.set_options({.receive_buffer = ~u32{0}}).error(), Errno::InvalidArgument);
    EXPECT_EQ(service.options(), fine);
    // 500 bytes hold one datagram of 400, and the cost of another.
    for (const std::size_t size : {400, 300}) {
        ASSERT_TRUE(socket.send_to(pattern_bytes(size), {TwoHosts::kServer, 53}));
    }
    client.run_until([] { return false; }, client.now() + 1s);
    std::vector<u8> buffer(2000);
    EXPECT_EQ(service.peek(buffer), 400U);
    EXPECT_EQ(service.recv(buffer), 400U);
    service.set_non_blocking(true);
    EXPECT_EQ(service.peek(buffer).error(), Errno::Again);
    EXPECT_EQ(service.recv(buffer).error(), Errno::Again);

    ASSERT_TRUE(socket.connect({TwoHosts::kServer, 54}));
    ASSERT_TRUE(socket.send("nobody listens"));
    std::array<PollEntry, 1> table{PollEntry{.socket = &socket, .events = {}, .revents = {}}};
    ASSERT_EQ(poll(table), 1U);
    EXPECT_TRUE(table[0].revents.error);
    EXPECT_EQ(socket.take_error(), Errno::ConnectionRefused);
    EXPECT_EQ(socket.take_error(), Errno::None);
}

TEST_F(SocketTest, PeekLeavesWhatItShows) {
    Socket listener = listening();
    Socket socket(client, SocketType::Stream);
    ASSERT_TRUE(socket.connect(kWeb));
    auto accepted = listener.accept();
    ASSERT_TRUE(accepted);
    ASSERT_TRUE(socket.send("hello"));
    std::vector<u8> buffer(3);
    EXPECT_EQ(accepted->peek(buffer), 3U) << "waits, as recv() does";
    EXPECT_EQ(std::string(buffer.begin(), buffer.end()), "hel");
    std::vector<u8> all(10);
    EXPECT_EQ(accepted->peek(all), 5U);
    EXPECT_EQ(accepted->recv(all), 5U);
    EXPECT_EQ(accepted->info().bytes_received, 5U);
    socket.close();
    std::array<PollEntry, 1> table{
        PollEntry{.socket = &*accepted, .events = {.read_hangup = true}, .revents = {}}};
    ASSERT_EQ(poll(table), 1U);
    EXPECT_EQ(table[0].revents, Readiness{.read_hangup = true});
    EXPECT_EQ(accepted->peek(all), 0U);
}

TEST_F(SocketTest, ADatagramIsSentAtTheTimeThatItIs) {
    Socket socket(client, SocketType::Datagram);
    Socket service(server, SocketType::Datagram);
    ASSERT_TRUE(service.bind({{}, 53}));
    net.world.run_until(TimePoint(100s));
    ASSERT_TRUE(socket.send_to(pattern_bytes(10), {TwoHosts::kServer, 53}));
    EXPECT_EQ(client.stack().now(), TimePoint(100s));
    std::vector<u8> buffer(100);
    EXPECT_TRUE(service.recv(buffer));
    EXPECT_LT(net.world.now(), TimePoint(101s));
}

TEST(SocketFullDevice, ABlockingDatagramWaitsForRoom) {
    LinkConfig config{.delay = 1ms, .bytes_per_second = 100'000, .queue_bytes = 5000};
    config.tail_drop = false;
    TwoHosts net(config);
    Socket service(net.server, SocketType::Datagram);
    ASSERT_TRUE(service.bind({{}, 53}));
    Socket socket(net.client, SocketType::Datagram);
    ASSERT_TRUE(socket.connect({TwoHosts::kServer, 53}));
    std::vector<u8> buffer(2000);
    ASSERT_TRUE(socket.send(pattern_bytes(1000)));
    ASSERT_TRUE(service.recv(buffer)) << "the addresses are resolved now";
    for (int i = 0; i < 20; ++i) ASSERT_EQ(socket.send(pattern_bytes(1000)), 1000U) << i;
    EXPECT_GT(net.world.now(), TimePoint(140ms)) << "20 kB at 100 kB/s";
    for (int i = 0; i < 20; ++i) EXPECT_EQ(service.recv(buffer), 1000U);

    socket.set_non_blocking(true);
    std::expected<std::size_t, Errno> sent = 0;
    for (int i = 0; i < 20 && sent; ++i) sent = socket.send(pattern_bytes(1000));
    EXPECT_EQ(sent.error(), Errno::Again);
}

}  // namespace
}  // namespace tapestry
