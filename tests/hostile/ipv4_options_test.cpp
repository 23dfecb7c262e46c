// IP options: none of them is needed, so none of them may do harm. Source routes are refused (RFC 7126
// section 4); what cannot be read is a parameter problem (RFC 1122 3.2.2.5).

#include "tests/hostile/alive.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

constexpr u8 kRecordRoute = 7;
constexpr u8 kTimestamp = 68;
constexpr u8 kLoose = 131;
constexpr u8 kStrict = 137;

class HostileIpOptions : public HostileIpTest {
protected:
    std::vector<u8> with(const std::vector<u8>& options,
                         IpProtocol protocol = IpProtocol::Icmp) const {
        const auto data = protocol == IpProtocol::Icmp ? echo_request(pattern_bytes(32))
                                                       : udp_datagram(5000, 7, pattern_bytes(32));
        return ip_packet_with_options(ip_header(protocol), options, data);
    }
    std::vector<u8> frame(const std::vector<u8>& options,
                          IpProtocol protocol = IpProtocol::Icmp) const {
        return ethernet_frame(EtherType::Ipv4, with(options, protocol));
    }
    /// One parameter problem that points at an option, and no more.
    testing::AssertionResult is_a_problem(const std::vector<u8>& options, u8 pointer = 20) {
        const auto refused = refused_once(frame(options), Drop::Ipv4BadOption);
        if (!refused) return refused;
        const auto sent = host_.port.take();
        if (sent.size() != 1) return testing::AssertionFailure() << sent.size() << " answers";
        const auto message = icmp_of(sent[0]);
        if (message && message->type() == IcmpType::ParameterProblem &&
            message->identifier() == pointer << 8) {
            return testing::AssertionSuccess();
        }
        return testing::AssertionFailure() << "another answer";
    }
};

TEST_F(HostileIpOptions, IP4_17_RoutesNamedByTheSource) {
    for (const u8 type : {kLoose, kStrict}) {
        const std::vector<u8> route{type, 15, 4, 10, 0, 0, 9, 10, 0, 0, 8, 10, 0, 0, 7};
        EXPECT_TRUE(silently(frame(route), Drop::Ipv4SourceRoute));
        const std::vector<u8> behind{1, 1, kRecordRoute, 7, 4, 0, 0, 0, 0, type, 7, 4, 10, 0, 0, 9};
        EXPECT_TRUE(silently(frame(behind), Drop::Ipv4SourceRoute));
    }
}

/// A SYN with a route would have us answer along it, past every rule about addresses.
TEST_F(HostileIpOptions, IP4_18_ASynWithARouteIsNotAnswered) {
    const auto syn = RawTcp{}.bytes();
    const auto packet =
        ip_packet_with_options(ip_header(IpProtocol::Tcp), {kLoose, 7, 4, 10, 0, 0, 9}, syn);
    EXPECT_TRUE(silently_ip(packet, Drop::Ipv4SourceRoute));
    EXPECT_EQ(host_.stack.counters().tcp_passive_opens, 0U);
}

TEST_F(HostileIpOptions, IP4_19_EachFragmentWithAnotherRoute) {
    const auto whole = echo_request(pattern_bytes(40));
    for (const u32 at : {0U, 24U}) {
        Ipv4Header header = ip_header(IpProtocol::Icmp);
        header.fragment_offset = at;
        header.more_fragments = at == 0;
        const auto piece = Bytes(whole).subspan(at, 24);
        const auto packet = ip_packet_with_options(
            header, {kLoose, 7, 4, 10, 0, 0, static_cast<u8>(9 + at)}, piece);
        EXPECT_TRUE(silently_ip(packet, Drop::Ipv4SourceRoute));
    }
    EXPECT_EQ(host_.stack.ipv4().fragments().datagrams(), 0U);
}

TEST_F(HostileIpOptions, IP4_20_LengthZero) {
    for (const u8 type : {kRecordRoute, kTimestamp, kLoose, u8{0x99}}) {
        EXPECT_TRUE(is_a_problem({type, 0, 0, 0}));
    }
}

TEST_F(HostileIpOptions, IP4_21_LengthOne) {
    EXPECT_TRUE(is_a_problem({kRecordRoute, 1, 0, 0}));
    EXPECT_TRUE(is_a_problem({1, 1, kTimestamp, 1}, 22));
}

TEST_F(HostileIpOptions, IP4_22_LengthsPastTheHeader) {
    EXPECT_TRUE(is_a_problem({kRecordRoute, 40, 4, 0}));
    EXPECT_TRUE(is_a_problem({kTimestamp, 255, 5, 0}));
    EXPECT_TRUE(is_a_problem({1, 1, 1, kRecordRoute}, 23));
}

/// An error quotes the whole header, 60 bytes if it is so long, and eight more, and never more than the
/// packet has.
TEST_F(HostileIpOptions, IP4_23_TheErrorQuotesTheLongestHeader) {
    std::vector<u8> options(40, 1);
    options[38] = kRecordRoute;
    options[39] = 9;
    for (const std::size_t size : {0U, 4U, 8U, 600U, 1400U}) {
        const auto packet =
            ip_packet_with_options(ip_header(IpProtocol::Udp), options, pattern_bytes(size));
        const auto answer = icmp_answer(ethernet_frame(EtherType::Ipv4, packet));
        ASSERT_TRUE(answer) << size;
        EXPECT_EQ((*answer)[4], 58);
        const auto quote = Bytes(*answer).subspan(8);
        EXPECT_LE(quote.size(), 576U - 28U);
        EXPECT_GE(quote.size(), std::min<std::size_t>(packet.size(), 68));
        EXPECT_TRUE(std::ranges::equal(quote, Bytes(packet).first(quote.size())));
    }
}

/// Routes and times are not recorded: where they would be written is nothing to us.
TEST_F(HostileIpOptions, IP4_24_PointersThatPointElsewhere) {
    for (const u8 pointer : {u8{0}, u8{3}, u8{8}, u8{255}}) {
        EXPECT_TRUE(icmp_answer(frame({kRecordRoute, 7, pointer, 0, 0, 0, 0})));
        EXPECT_TRUE(icmp_answer(frame({kTimestamp, 8, pointer, 0xf1, 0, 0, 0, 0})));
    }
}

TEST_F(HostileIpOptions, IP4_25_NothingButPadding) {
    std::vector<u8> garbage(40, 0xde);
    garbage[0] = 0;
    garbage[1] = kLoose;
    for (const auto& options : {std::vector<u8>(40, 1), std::vector<u8>(40, 0), garbage}) {
        EXPECT_TRUE(icmp_answer(frame(options)));
        EXPECT_EQ(taken_and_sent(frame(options, IpProtocol::Udp)).size(), 1U);
    }
}

/// Whatever addresses stand in the options: the answer goes to the source.
TEST_F(HostileIpOptions, IP4_26_AThirdHostInTheOptions) {
    constexpr u8 kUnknownOption = 0x9e;
    const std::vector<std::vector<u8>> third = {{kUnknownOption, 7, 4, 10, 0, 0, 9},
                                                {kRecordRoute, 7, 4, 10, 0, 0, 9}};
    for (const auto& options : third) {
        const auto sent = taken_and_sent(frame(options));
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(ip_of(sent[0])->destination(), kPeer);
        EXPECT_EQ(ip_of(sent[0])->header_size(), 20U);
    }
    EXPECT_TRUE(silently(frame({kLoose, 7, 4, 10, 0, 0, 9}), Drop::Ipv4SourceRoute));
}

}  // namespace
}  // namespace tapestry
