#include <set>

#include "stack/ip/icmp.h"
#include "tests/support/ip_host.h"
#include "tests/support/recording_transport.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// To a port where nobody listens.
class IcmpReports : public testing::Test {
protected:
    IcmpReports() { host_.ip.attach(IpProtocol::Udp, udp_); }
    RecordingTransport udp_;
    IpHost host_;
    Ipv4Header header_ = ip_header(IpProtocol::Udp);
    std::vector<u8> datagram_ = udp_datagram(5000, 9, pattern_bytes(20));
};

TEST_F(IcmpReports, PortUnreachableQuotesThePacket) {
    header_.tos = 0xb8;
    EXPECT_TRUE(refused_as(host_.receive_ip(header_, datagram_), Drop::UdpNoSocket));
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    const auto packet = ip_of(sent[0]);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->source(), kUs);
    EXPECT_EQ(packet->destination(), kPeer);
    EXPECT_EQ(packet->tos(), 0);
    const auto message = icmp_of(sent[0]);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::DestinationUnreachable);
    EXPECT_EQ(message->code(), 3);
    EXPECT_EQ(load_be32(packet->payload().data() + 4), 0U);
    EXPECT_EQ(copy_of(message->payload()), ip_packet(header_, datagram_));
}

TEST_F(IcmpReports, QuoteFillsUpTo576Bytes) {
    const auto large = udp_datagram(5000, 9, pattern_bytes(1400));
    host_.receive_ip(header_, large);
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(ip_of(sent[0])->total_length(), 576);
    const auto whole = ip_packet(header_, large);
    EXPECT_EQ(copy_of(icmp_of(sent[0])->payload()), copy_of(Bytes(whole).first(548)));
}

TEST_F(IcmpReports, QuoteHasOptionsAndEightBytesEvenWhenItMayBeShort) {
    StackConfig config = IpHost::quiet();
    config.icmp.error_max_size = 0;
    IpHost host(config);
    host.ip.attach(IpProtocol::Udp, udp_);
    const auto whole = ip_packet_with_options(header_, std::vector<u8>(40, 1), datagram_);
    host.receive_packet(whole);
    EXPECT_EQ(copy_of(icmp_of(host.port.sent.at(0))->payload()), copy_of(Bytes(whole).first(68)));
}

TEST_F(IcmpReports, NotWhenSwitchedOff) {
    StackConfig config = IpHost::quiet();
    config.udp.port_unreachable = false;
    IpHost host(config);
    host.ip.attach(IpProtocol::Udp, udp_);
    EXPECT_TRUE(refused_as(host.receive_ip(header_, datagram_), Drop::UdpNoSocket));
    EXPECT_TRUE(host.port.take().empty());
}

// RFC 1122 3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving:" and then
// five rules, a test for each.
TEST_F(IcmpReports, NoneAboutAnIcmpError) {
    const auto quote = ip_packet(header_, datagram_);
    for (const int type : {3, 4, 5, 11, 12}) {
        const auto error = icmp_message({static_cast<IcmpType>(type), 0, 0}, quote);
        host_.ip.icmp().send_error(IcmpType::TimeExceeded, 0, 0,
                                   ip_packet(ip_header(IpProtocol::Icmp), error), false, host_.now);
    }
    host_.ip.icmp().send_error(IcmpType::TimeExceeded, 0, 0,
                               ip_packet(ip_header(IpProtocol::Icmp), {}), false, host_.now);
    EXPECT_TRUE(host_.port.take().empty());
    host_.ip.icmp().send_error(IcmpType::TimeExceeded, 0, 0,
                               ip_packet(ip_header(IpProtocol::Icmp), echo_request({})), false,
                               host_.now);
    EXPECT_EQ(host_.port.take().size(), 1U) << "but about an echo request";
}

TEST_F(IcmpReports, NoneAboutAnIpBroadcastOrMulticast) {
    for (const Ipv4Address to : {Ipv4Address::broadcast(), Ipv4Address(10, 0, 0, 255)}) {
        header_.destination = to;
        const auto broadcast = udp_datagram(5000, 9, pattern_bytes(20), kPeer, to);
        EXPECT_TRUE(refused_as(host_.receive_ip(header_, broadcast), Drop::UdpNoSocket));
    }
    header_.destination = Ipv4Address(224, 0, 0, 1);
    host_.ip.icmp().send_error(IcmpType::TimeExceeded, 0, 0, ip_packet(header_, datagram_), false,
                               host_.now);
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(IcmpReports, NoneAboutALinkBroadcast) {
    host_.ip.icmp().send_error(IcmpType::DestinationUnreachable, 3, 0,
                               ip_packet(header_, datagram_), true, host_.now);
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(IcmpReports, NoneAboutALaterFragment) {
    header_.fragment_offset = 8;
    host_.ip.icmp().send_error(IcmpType::TimeExceeded, 0, 0, ip_packet(header_, datagram_), false,
                               host_.now);
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(IcmpReports, NoneToASourceThatIsNoSingleHost) {
    for (const char* source : {"0.0.0.0", "0.0.0.1", "127.0.0.1", "255.255.255.255", "10.0.0.255",
                               "224.0.0.1", "240.0.0.1", "10.0.0.2"}) {
        header_.source = *Ipv4Address::parse(source);
        host_.ip.icmp().send_error(IcmpType::TimeExceeded, 0, 0, ip_packet(header_, datagram_),
                                   false, host_.now);
    }
    EXPECT_TRUE(host_.port.take().empty());
    EXPECT_TRUE(host_.refused.empty()) << "it is not even tried";
}

TEST_F(IcmpReports, RateIsLimited) {
    int sent = 0;
    for (int i = 0; i < 10000; ++i) {  // in one second
        host_.receive_ip(header_, datagram_);
        sent += static_cast<int>(host_.port.take().size());
        host_.pass(100us);
    }
    EXPECT_LE(sent, 150) << "a burst of 50, and 100 in the second";
    EXPECT_GE(sent, 130);
    EXPECT_EQ(host_.services.counters.icmp_out_rate_limited, 10000U - static_cast<u64>(sent));
    EXPECT_TRUE(taken(host_.receive_ip(ip_header(IpProtocol::Icmp), echo_request({}))))
        << "answers to an echo are not errors";
    EXPECT_EQ(host_.port.take().size(), 1U);
    host_.pass(10s);
    host_.receive_ip(header_, datagram_);
    EXPECT_EQ(host_.port.take().size(), 1U);
}

TEST(TokenBucketTest, DepthOfAFullBucketVaries) {
    std::set<int> depths;
    SeededRng rng(5);
    TokenBucket bucket(100, 50, rng);
    TimePoint now{};
    for (int round = 0; round < 50; ++round) {
        now += 10s;
        int depth = 0;
        while (bucket.take(now)) ++depth;
        EXPECT_LE(depth, 50);
        EXPECT_GE(depth, 38);
        depths.insert(depth);
    }
    EXPECT_GE(depths.size(), 5U);
}

TEST(TokenBucketTest, LongPausesAndZeroRatesDoNotOverflow) {
    SeededRng rng(5);
    TokenBucket bucket(0xffffffff, 0xffffffff, rng);
    EXPECT_TRUE(bucket.take(TimePoint{}));
    EXPECT_TRUE(bucket.take(TimePoint::max()));
    TokenBucket small(u32{1} << 31, 10, rng);
    while (small.take(TimePoint{})) {
    }
    // What comes in 2^33 ns is 2^64 tokens' worth: 0 in 64 bits.
    EXPECT_TRUE(small.take(TimePoint(Duration(i64{1} << 33))));
    TokenBucket closed(0, 50, rng);
    EXPECT_FALSE(closed.take(TimePoint{}));
    TokenBucket flat(50, 0, rng);
    EXPECT_FALSE(flat.take(TimePoint{}));
}

}  // namespace
}  // namespace tapestry
