#include "stack/ip/ping_socket.h"

#include <set>

#include "tests/support/ip_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class Ping : public testing::Test {
protected:
    IpHost host_;
    PingSocket socket_ = host_.ip.icmp().socket();
    std::vector<u8> data_ = pattern_bytes(56);

    std::expected<void, Drop> reply(u16 identifier, u16 sequence, Ipv4Address from = kPeer) {
        Ipv4Header header = ip_header(IpProtocol::Icmp);
        header.source = from;
        header.ttl = 55;
        return host_.receive_ip(
            header,
            icmp_message({IcmpType::EchoReply, 0, u32{identifier} << 16 | sequence}, data_));
    }
};

TEST_F(Ping, SendsAnEchoRequestWithItsIdentifier) {
    ASSERT_TRUE(socket_);
    socket_.set_ttl(5);
    EXPECT_TRUE(socket_.send(kPeer, 3, data_));
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(ip_of(sent[0])->ttl(), 5);
    const auto request = icmp_of(sent[0]);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->type(), IcmpType::EchoRequest);
    EXPECT_EQ(request->identifier(), socket_.identifier());
    EXPECT_EQ(request->sequence(), 3);
    EXPECT_EQ(copy_of(request->payload()), data_);
}

TEST_F(Ping, QueuesTheAnswer) {
    socket_.send(kPeer, 3, data_);
    EXPECT_TRUE(fails_as(socket_.receive(), Errno::Again));
    host_.pass(7ms);
    EXPECT_TRUE(taken(reply(socket_.identifier(), 3)));
    EXPECT_TRUE(socket_.readiness().readable);
    const auto answer = socket_.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->source, kPeer);
    EXPECT_EQ(answer->sequence, 3);
    EXPECT_EQ(answer->ttl, 55);
    EXPECT_EQ(answer->size, 56U);
    EXPECT_EQ(answer->arrived, TimePoint(7ms));
    EXPECT_FALSE(answer->error);
    EXPECT_FALSE(socket_.readiness().readable);
    EXPECT_TRUE(fails_as(socket_.receive(), Errno::Again));
}

TEST_F(Ping, SocketsAreToldApartByTheirIdentifiers) {
    PingSocket other = host_.ip.icmp().socket();
    EXPECT_NE(other.identifier(), socket_.identifier());
    EXPECT_TRUE(taken(reply(other.identifier(), 1)));
    EXPECT_TRUE(fails_as(socket_.receive(), Errno::Again));
    EXPECT_TRUE(other.receive());
    const u16 gone = other.identifier();
    other.close();
    EXPECT_TRUE(refused_as(reply(gone, 1), Drop::IcmpNoMatch));
    EXPECT_TRUE(fails_as(other.send(kPeer, 1, data_), Errno::BadDescriptor));
    EXPECT_TRUE(fails_as(other.receive(), Errno::BadDescriptor));
}

TEST_F(Ping, IdentifiersAreAllDifferentAndTheirNumberBounded) {
    std::vector<PingSocket> sockets;
    std::set<u16> seen{socket_.identifier()};
    for (int i = 0; i < 4095; ++i) {
        sockets.push_back(host_.ip.icmp().socket());
        ASSERT_TRUE(sockets.back());
        ASSERT_TRUE(seen.insert(sockets.back().identifier()).second);
    }
    EXPECT_FALSE(host_.ip.icmp().socket());
    sockets.pop_back();
    EXPECT_TRUE(host_.ip.icmp().socket());
}

TEST_F(Ping, QueuesErrorsOfTheNetwork) {
    socket_.send(kPeer, 9, data_);
    host_.pass(1s);
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.source = Ipv4Address(10, 0, 0, 254);
    const auto quoted = payload_of(host_.port.sent.back());
    EXPECT_TRUE(
        taken(host_.receive_ip(header, icmp_message({IcmpType::TimeExceeded, 0, 0}, quoted))));
    const auto answer = socket_.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error, IcmpType::TimeExceeded);
    EXPECT_EQ(answer->code, 0);
    EXPECT_EQ(answer->source, Ipv4Address(10, 0, 0, 254));
    EXPECT_EQ(answer->destination, kPeer);
    EXPECT_EQ(answer->sequence, 9);
    EXPECT_EQ(answer->arrived, TimePoint(1s));
}

TEST_F(Ping, ErrorAboutSomethingElseIsNotBelieved) {
    socket_.send(kPeer, 9, data_);
    socket_.send(Ipv4Address(10, 0, 0, 255), 9, data_);  // refused: it changes nothing
    const auto claim = [&](Ipv4Address destination, u16 identifier, IcmpType type) {
        Ipv4Header ours = ip_header(IpProtocol::Icmp);
        ours.source = kUs;
        ours.destination = destination;
        const auto quoted =
            ip_packet(ours, icmp_message({type, 0, u32{identifier} << 16 | 9}, data_));
        return host_.receive_ip(ip_header(IpProtocol::Icmp),
                                icmp_message({IcmpType::DestinationUnreachable, 1, 0}, quoted));
    };
    const u16 id = socket_.identifier();
    EXPECT_TRUE(refused_as(claim(kPeer, static_cast<u16>(id + 1), IcmpType::EchoRequest),
                           Drop::IcmpNoMatch));
    EXPECT_TRUE(
        refused_as(claim(Ipv4Address(10, 0, 0, 77), id, IcmpType::EchoRequest), Drop::IcmpNoMatch));
    EXPECT_TRUE(refused_as(claim(kPeer, id, IcmpType::EchoReply), Drop::IcmpNoMatch));
    EXPECT_TRUE(taken(claim(kPeer, id, IcmpType::EchoRequest)));
    EXPECT_EQ(socket_.receive()->code, 1);
    EXPECT_TRUE(fails_as(socket_.receive(), Errno::Again));
}

TEST_F(Ping, HostThatDoesNotAnswerArpIsReportedByOurselves) {
    const Ipv4Address silent(10, 0, 0, 50);
    EXPECT_TRUE(socket_.send(silent, 4, data_));
    host_.pass(3s);
    const auto answer = socket_.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error, IcmpType::DestinationUnreachable);
    EXPECT_EQ(answer->code, 1);
    EXPECT_EQ(answer->source, kUs);
    EXPECT_EQ(answer->destination, silent);
    EXPECT_EQ(answer->sequence, 4);
}

TEST_F(Ping, FragmentationNeededLowersThePathMtuOnceProved) {
    socket_.set_dont_fragment(true);
    const auto large = pattern_bytes(1472);
    EXPECT_TRUE(socket_.send(kPeer, 1, large));
    auto quoted = payload_of(host_.port.sent.back());
    quoted.resize(548);
    EXPECT_TRUE(
        taken(host_.receive_ip(ip_header(IpProtocol::Icmp),
                               icmp_message({IcmpType::DestinationUnreachable, 4, 1400}, quoted))));
    EXPECT_EQ(host_.ip.route(kPeer)->mtu, 1400U);
    EXPECT_EQ(socket_.receive()->code, 4);
    EXPECT_TRUE(fails_as(socket_.send(kPeer, 2, large), Errno::MessageSize));
    socket_.set_dont_fragment(false);
    EXPECT_TRUE(socket_.send(kPeer, 3, large)) << "now it is cut";
}

TEST_F(Ping, RefusalsHaveTheirErrno) {
    const std::vector<u8> huge(65508);
    EXPECT_TRUE(fails_as(socket_.send(kPeer, 1, huge), Errno::MessageSize));
    EXPECT_TRUE(socket_.send(kPeer, 1, Bytes(huge).first(65507)));
    EXPECT_TRUE(
        fails_as(socket_.send(Ipv4Address(8, 8, 8, 8), 1, data_), Errno::NetworkUnreachable));
    EXPECT_TRUE(fails_as(socket_.send(Ipv4Address(10, 0, 0, 255), 1, data_), Errno::AccessDenied));
    socket_.set_broadcast(true);
    EXPECT_TRUE(socket_.send(Ipv4Address(10, 0, 0, 255), 1, data_));
    host_.port.room = 0;
    EXPECT_TRUE(fails_as(socket_.send(kPeer, 1, data_), Errno::Again));
}

TEST_F(Ping, QueueIsBounded) {
    for (u16 i = 0; i < 256; ++i) EXPECT_TRUE(taken(reply(socket_.identifier(), i)));
    EXPECT_TRUE(refused_as(reply(socket_.identifier(), 256), Drop::IcmpQueueFull));
    EXPECT_EQ(socket_.receive()->sequence, 0) << "the oldest are kept";
}

TEST_F(Ping, WatcherIsToldOncePerTake) {
    ReadySet set;
    std::vector<u64> tokens;
    socket_.watch(&set, 42);
    EXPECT_TRUE(set.empty());
    reply(socket_.identifier(), 1);
    reply(socket_.identifier(), 2);
    set.take(tokens);
    EXPECT_EQ(tokens, std::vector<u64>{42});
    reply(socket_.identifier(), 3);
    set.take(tokens);
    EXPECT_EQ(tokens, std::vector<u64>{42});
    socket_.watch(&set, 43);
    set.take(tokens);
    EXPECT_EQ(tokens, std::vector<u64>{43}) << "it is ready already";
}

TEST_F(Ping, MovedSocketGoesOn) {
    PingSocket moved(std::move(socket_));
    EXPECT_FALSE(socket_);
    EXPECT_TRUE(moved.send(kPeer, 1, data_));
    PingSocket assigned;
    assigned = std::move(moved);
    EXPECT_TRUE(taken(reply(assigned.identifier(), 1)));
    EXPECT_TRUE(assigned.receive());
}

}  // namespace
}  // namespace tapestry
