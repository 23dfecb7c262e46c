#include "stack/ip/fragments.h"

#include <algorithm>

#include "tests/ip/fragments_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

TEST_F(FragmentsTest, TimeOutOnceAfterSixtySeconds) {
    piece(0, 1480, true);
    link_.pass(30s);
    piece(2960, 100, false);  // does not start the time anew
    link_.pass(29999ms);
    EXPECT_TRUE(expired_.empty());
    link_.pass(1ms);
    ASSERT_EQ(expired_.size(), 1U);
    EXPECT_TRUE(std::ranges::equal(Bytes(expired_[0]).subspan(20), Bytes(data_).first(1480)));
    EXPECT_EQ(fragments_.datagrams(), 0U);
    EXPECT_EQ(fragments_.memory(), 0U);
    EXPECT_EQ(link_.drops(Drop::FragmentTimeout), 1U);
    link_.pass(600s);
    EXPECT_EQ(expired_.size(), 1U);
}

TEST_F(FragmentsTest, TimeOutWithoutTheFirstFragmentSaysNothing) {
    piece(1480, 100, false);
    link_.pass(60s);
    EXPECT_TRUE(expired_.empty());
    EXPECT_EQ(link_.drops(Drop::FragmentTimeout), 1U);
    EXPECT_EQ(fragments_.datagrams(), 0U);
}

class SmallFragments : public FragmentsTest {
protected:
    SmallFragments() : FragmentsTest(config()) {}
    static StackConfig config() {
        StackConfig config = IpHost::quiet();
        config.ip.reassembly_memory = 10000;
        config.ip.reassembly_memory_per_source = 5000;
        config.ip.max_fragments_per_datagram = 6;
        return config;
    }
};

TEST_F(SmallFragments, OldestOfTheSameSourceGoesAtItsLimit) {
    for (u16 id = 1; id <= 4; ++id) {
        header_.identification = id;
        EXPECT_TRUE(pending(piece(0, 800, true)));
    }
    EXPECT_EQ(fragments_.datagrams(), 4U);
    header_.identification = 5;
    EXPECT_TRUE(pending(piece(0, 800, true)));
    EXPECT_EQ(fragments_.datagrams(), 4U);
    EXPECT_EQ(link_.drops(Drop::FragmentNoMemory), 1U);
    EXPECT_LE(fragments_.memory(), 5000U);
    header_.identification = 2;
    EXPECT_TRUE(whole(piece(800, 10, false), 810)) << "younger ones are kept";
}

TEST_F(SmallFragments, FloodOfOneSourceLeavesAnotherAlone) {
    header_.source = Ipv4Address(10, 0, 0, 99);
    EXPECT_TRUE(pending(piece(0, 800, true)));
    header_.source = kPeer;
    for (u16 id = 0; id < 10000; ++id) {
        header_.identification = id;
        piece(0, 800, true);
        ASSERT_LE(fragments_.memory(), 10000U);
    }
    header_.identification = 0;
    header_.source = Ipv4Address(10, 0, 0, 99);
    EXPECT_TRUE(whole(piece(800, 10, false), 810));
}

TEST_F(SmallFragments, OldestOfAllGoesAtTheTotalLimit) {
    for (u8 i = 1; i <= 30; ++i) {
        header_.source = Ipv4Address(10, 0, 0, i);
        EXPECT_TRUE(pending(piece(0, 800, true)));
        EXPECT_LE(fragments_.memory(), 10000U);
    }
    header_.source = Ipv4Address(10, 0, 0, 30);
    EXPECT_TRUE(whole(piece(800, 10, false), 810));
    header_.source = Ipv4Address(10, 0, 0, 1);
    EXPECT_TRUE(pending(piece(800, 10, false))) << "it had to go";
}

TEST_F(SmallFragments, DatagramThatDoesNotFitAloneIsRefused) {
    EXPECT_TRUE(pending(piece(0, 1480, true)));
    EXPECT_TRUE(pending(piece(1480, 1480, true)));
    EXPECT_TRUE(refused_as(piece(2960, 1480, true), Drop::FragmentNoMemory));
    EXPECT_EQ(fragments_.memory(), Fragments::kDatagramCost);
}

TEST_F(SmallFragments, NumberOfFragmentsIsBounded) {
    for (u32 i = 0; i < 6; ++i) EXPECT_TRUE(pending(piece(i * 16, 8, true)));
    EXPECT_TRUE(refused_as(piece(6 * 16, 8, true), Drop::FragmentNoMemory));
    EXPECT_TRUE(refused_as(piece(8, 8, true), Drop::FragmentOverlap));
}

TEST_F(FragmentsTest, RoseAttackStaysBoundedAndAGoodDatagramGetsThrough) {
    for (u16 id = 0; id < 20000; ++id) {
        header_.identification = id;
        header_.source = Ipv4Address(0x0a000100U + id % 64);
        piece(0, 8, true);
        piece(65000, 8, false);
        ASSERT_LE(fragments_.memory(), link_.services.config.ip.reassembly_memory);
    }
    header_.source = kPeer;
    EXPECT_TRUE(pending(piece(0, 1480, true)));
    EXPECT_TRUE(whole(piece(1480, 20, false), 1500));
    link_.pass(61s);
    EXPECT_EQ(fragments_.memory(), 0U);
    EXPECT_FALSE(link_.services.timers.next_deadline());
}

// ---- through IPv4 -----------------------------------------------------------------------------

TEST(FragmentsThroughIpv4, EchoOfTheLargestSizeComesBackWhole) {
    IpHost host;
    const auto data = pattern_bytes(65507);
    const auto request = echo_request(data);
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.identification = 99;
    for (u32 from = 0; from < request.size(); from += 1480) {
        header.fragment_offset = from;
        const auto size = std::min<std::size_t>(1480, request.size() - from);
        header.more_fragments = from + size < request.size();
        EXPECT_TRUE(taken(host.receive_ip(header, Bytes(request).subspan(from, size))));
    }
    std::vector<u8> reply;
    for (const auto& sent : host.port.sent) {
        const auto packet = ip_of(sent);
        ASSERT_TRUE(packet);
        reply.insert(reply.end(), packet->payload().begin(), packet->payload().end());
    }
    const auto message = IcmpView::parse(reply);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::EchoReply);
    EXPECT_EQ(copy_of(message->payload()), data);
}

TEST(FragmentsThroughIpv4, PaddingOfTheFrameIsNotData) {
    IpHost host;
    const auto request = echo_request(pattern_bytes(24));
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.more_fragments = true;
    auto first = ip_packet(header, Bytes(request).first(16));
    first.resize(46, 0xaa);
    EXPECT_TRUE(taken(host.receive_packet(first)));
    header.more_fragments = false;
    header.fragment_offset = 16;
    auto last = ip_packet(header, Bytes(request).subspan(16));
    last.resize(46, 0xaa);
    EXPECT_TRUE(taken(host.receive_packet(last)));
    ASSERT_EQ(host.port.sent.size(), 1U);
    EXPECT_EQ(copy_of(icmp_of(host.port.sent[0])->payload()), pattern_bytes(24));
}

TEST(FragmentsThroughIpv4, DamagedDatagramFailsItsChecksum) {
    IpHost host;
    auto request = echo_request(pattern_bytes(24));
    request.back() ^= 1;
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.more_fragments = true;
    Offload verified;
    verified.checksum = Offload::Checksum::Verified;
    host.receive_packet(ip_packet(header, Bytes(request).first(16)), kOurMac, verified);
    header.more_fragments = false;
    header.fragment_offset = 16;
    EXPECT_TRUE(refused_as(
        host.receive_packet(ip_packet(header, Bytes(request).subspan(16)), kOurMac, verified),
        Drop::IcmpBadChecksum));
}

TEST(FragmentsThroughIpv4, TimeoutIsReportedWithCodeOneAboutTheFirstFragment) {
    IpHost host;
    Ipv4Header header = ip_header(IpProtocol::Udp);
    header.more_fragments = true;
    const auto data = pattern_bytes(1480);
    host.receive_ip(header, data);
    host.pass(60s);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    const auto message = icmp_of(sent[0]);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::TimeExceeded);
    EXPECT_EQ(message->code(), 1);
    const auto first = ip_packet(header, data);
    EXPECT_EQ(copy_of(message->payload()), copy_of(Bytes(first).first(548)));
    host.pass(600s);
    EXPECT_TRUE(host.port.take().empty());
}

TEST(FragmentsThroughIpv4, TimeoutOfABroadcastIsNotReported) {
    IpHost host;
    Ipv4Header header = ip_header(IpProtocol::Udp);
    header.destination = Ipv4Address(10, 0, 0, 255);
    header.more_fragments = true;
    EXPECT_TRUE(taken(host.receive_ip(header, pattern_bytes(1480), MacAddress::broadcast())));
    host.pass(60s);
    EXPECT_TRUE(host.port.take().empty());
    EXPECT_EQ(host.drops(Drop::FragmentTimeout), 1U);
}

}  // namespace
}  // namespace tapestry
