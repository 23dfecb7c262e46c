#include <gtest/gtest.h>

#include "drivers/socket.h"
#include "tests/support/home_network.h"

/// What the founding story tells: from a private address to a web server and back.

namespace tapestry::test {
namespace {

std::string_view text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What the server at the far end heard, and from whom.
struct Heard {
    Endpoint from;
    std::string text;
};

/// One connection to `to` with a word each way.
Heard converse(Host& client, Host& server, const Endpoint& to, const Endpoint& listen_at) {
    Socket listener(server, SocketType::Stream);
    EXPECT_TRUE(listener.bind(listen_at));
    EXPECT_TRUE(listener.listen());
    Socket socket(client, SocketType::Stream);
    const auto connected = socket.connect(to);
    EXPECT_TRUE(connected) << static_cast<int>(connected.error());
    if (!connected) return {};
    auto accepted = listener.accept();
    EXPECT_TRUE(accepted);
    if (!accepted) return {};
    EXPECT_TRUE(socket.send("hello"));
    std::array<u8, 64> buffer;
    const auto n = accepted->recv(buffer);
    Heard heard{accepted->remote(), std::string(text(Bytes(buffer).first(n.value_or(0))))};
    EXPECT_TRUE(accepted->send("world"));
    const auto back = socket.recv(buffer);
    EXPECT_EQ(text(Bytes(buffer).first(back.value_or(0))), "world");
    return heard;
}

TEST(HomeNetwork, ThePrivateAddressTravelsTheInternetUnderTheRoutersName) {
    HomeNetwork home;
    home.masquerade();
    const Heard heard =
        converse(home.laptop, home.server, {HomeNetwork::kServer, 80}, {HomeNetwork::kServer, 80});
    EXPECT_EQ(heard.from.address, HomeNetwork::kOutside);
    EXPECT_EQ(heard.text, "hello");
    ASSERT_EQ(home.flows().size(), 1U);
    EXPECT_NE(home.flows()[0].find("ESTABLISHED src=192.168.3.10 dst=93.184.216.34"),
              std::string::npos)
        << home.flows()[0];
    EXPECT_NE(home.flows()[0].find("src=93.184.216.34 dst=203.0.113.5"), std::string::npos);
}

TEST(HomeNetwork, WithoutTranslationTheAnswerFindsNoWayBack) {
    HomeNetwork home;
    Socket socket(home.laptop, SocketType::Stream);
    EXPECT_FALSE(socket.connect({HomeNetwork::kServer, 80}));
    EXPECT_GT(home.isp.stack().counters().of(Drop::Ipv4NoRoute), 0U);
}

TEST(HomeNetwork, AForwardedPortIsReachedFromOutside) {
    HomeNetwork home;
    home.masquerade();
    home.forward_port(IpProtocol::Tcp, 8080, {HomeNetwork::kLaptop, 80});
    const Heard heard = converse(home.server, home.laptop, {HomeNetwork::kOutside, 8080},
                                 {HomeNetwork::kLaptop, 80});
    EXPECT_EQ(heard.from.address, HomeNetwork::kServer);
    EXPECT_EQ(heard.text, "hello");
}

TEST(HomeNetwork, AForwardedPortIsReachedFromInsideByItsOutsideName) {
    HomeNetwork home;
    home.masquerade();
    home.forward_port(IpProtocol::Tcp, 8080, {HomeNetwork::kTablet, 80});
    const Heard heard = converse(home.laptop, home.tablet, {HomeNetwork::kOutside, 8080},
                                 {HomeNetwork::kTablet, 80});
    EXPECT_EQ(heard.text, "hello");
    // RFC 4787 REQ-9a: whichever cable the two hosts are on.
    EXPECT_EQ(heard.from.address, HomeNetwork::kOutside);
}

TEST(HomeNetwork, PingGoesThroughAndTheTtlCountsRouters) {
    HomeNetwork home;
    home.masquerade();
    PingSocket ping = home.laptop.stack().ping_socket();
    for (u8 ttl = 1; ttl <= 3; ++ttl) {
        ping.set_ttl(ttl);
        ASSERT_TRUE(ping.send(HomeNetwork::kServer, ttl, {}));
        home.world.run_for(1s);
        const auto answer = ping.receive();
        ASSERT_TRUE(answer) << static_cast<int>(ttl);
        const std::array<Ipv4Address, 3> hops{HomeNetwork::kInside, Ipv4Address(203, 0, 113, 1),
                                              HomeNetwork::kServer};
        EXPECT_EQ(answer->source, hops[ttl - 1U]) << answer->source.to_string();
        EXPECT_EQ(answer->error.has_value(), ttl < 3);
    }
    // The echo request that came back in an error has the inside identifier again.
    EXPECT_EQ(home.drops(Drop::IcmpBadQuote), 0U);
}

TEST(HomeNetwork, LargeDatagramsPassInPieces) {
    HomeNetwork home;
    home.masquerade();
    Socket server(home.server, SocketType::Datagram);
    ASSERT_TRUE(server.bind({HomeNetwork::kServer, 53}));
    Socket client(home.laptop, SocketType::Datagram);
    const std::vector<u8> data(4000, 'x');
    ASSERT_TRUE(client.send_to(data, {HomeNetwork::kServer, 53}));
    std::vector<u8> buffer(8000);
    const auto got = server.receive_from(buffer);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->source.address, HomeNetwork::kOutside);
    ASSERT_TRUE(server.send_to(data, got->source));
    const auto back = client.receive_from(buffer);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->source, (Endpoint{HomeNetwork::kServer, 53}));
}

TEST(HomeNetwork, NobodyIsLetInUnasked) {
    HomeNetwork home;
    home.masquerade();
    Socket socket(home.server, SocketType::Stream);
    const auto connected = socket.connect({HomeNetwork::kOutside, 80});
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error(), Errno::TimedOut) << "no answer, not even a reset";
}

}  // namespace
}  // namespace tapestry::test
