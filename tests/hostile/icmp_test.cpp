// ICMP requests, floods and unknown messages. What ICMP errors can do to a connection is in
// icmp_errors_test.cpp.

#include <set>

#include "tests/hostile/alive.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileIcmp : public HostileIpTest {
protected:
    static std::vector<u8> frame(const std::vector<u8>& message) {
        return ethernet_frame(EtherType::Ipv4, ip_packet(ip_header(IpProtocol::Icmp), message));
    }
    static std::vector<u8> to_closed_port(u16 port, Ipv4Address source = kPeer) {
        Ipv4Header header = ip_header(IpProtocol::Udp);
        header.source = source;
        return ethernet_frame(
            EtherType::Ipv4, ip_packet(header, udp_datagram(5000, port, pattern_bytes(4), source)));
    }
};

TEST_F(HostileIcmp, ICM_01_CutMessages) {
    EXPECT_TRUE(silently(frame({}), Drop::IcmpShort));
    for (u32 type = 0; type < 256; ++type) {
        const auto whole = icmp_message({static_cast<IcmpType>(type), 0, 0}, {});
        for (std::size_t size = 1; size < 8; ++size) {
            const Bytes part = Bytes(whole).first(size);
            ASSERT_TRUE(silently(frame({part.begin(), part.end()}), Drop::IcmpShort));
        }
    }
}

TEST_F(HostileIcmp, ICM_02_WrongChecksums) {
    auto message = echo_request(pattern_bytes(32));
    const u16 right = load_be16(&message[IcmpView::kChecksum]);
    for (const u16 wrong : {static_cast<u16>(right + 1), u16{0}}) {
        store_be16(&message[IcmpView::kChecksum], wrong);
        EXPECT_TRUE(silently(frame(message), Drop::IcmpBadChecksum));
    }
}

/// Answered, every one: an answer costs no memory, and a connection goes on beside it.
TEST_F(HostileIcmp, ICM_03_AFloodOfEchoRequests) {
    TcpPeer peer{.host = host_};
    ASSERT_TRUE(peer.open());
    const auto request = frame(echo_request(pattern_bytes(56)));
    for (int i = 0; i < 20000; ++i) host_.feed(request);
    EXPECT_EQ(host_.port.take().size(), 20000U);
    EXPECT_TRUE(peer.get(100000));
}

TEST_F(HostileIcmp, ICM_04_TheLargestEcho) {
    const auto whole = echo_request(pattern_bytes(65507));
    for (std::size_t at = 0; at < whole.size(); at += 1480) {
        const std::size_t size = std::min<std::size_t>(1480, whole.size() - at);
        host_.feed_ip(
            fragment_of(whole, at, size, at + size < whole.size(), ip_header(IpProtocol::Icmp)));
    }
    std::vector<u8> back;
    for (const auto& sent : host_.port.take()) {
        const auto payload = ip_of(sent)->payload();
        back.insert(back.end(), payload.begin(), payload.end());
    }
    ASSERT_EQ(back.size(), whole.size());
    EXPECT_TRUE(std::equal(back.begin() + 4, back.end(), whole.begin() + 4));
}

/// RFC 6633, RFC 6918: messages of which nothing good came are not spoken any more; times may be kept to
/// oneself (RFC 1122 3.2.2.8).
TEST_F(HostileIcmp, ICM_13_MasksTimesAndInformation) {
    const auto before = host_.interface->prefix();
    for (u8 type = 13; type <= 18; ++type) {
        const auto message =
            icmp_message({static_cast<IcmpType>(type), 0, 0x10001}, std::vector<u8>(12, 0xff));
        EXPECT_TRUE(silently(frame(message), Drop::IcmpUnknownType)) << int{type};
    }
    EXPECT_EQ(host_.interface->prefix().mask(), before.mask());
}

/// SAD DNS: who can count exactly how many errors a burst lets through learns whether his guess of a
/// port was among those that were not answered.
TEST_F(HostileIcmp, ICM_14_HowManyErrorsABurstGivesIsChance) {
    std::set<std::size_t> counts;
    for (int trial = 0; trial < 30; ++trial) {
        host_.pass(10s);
        (void)host_.port.take();
        for (u16 port = 2000; port < 2200; ++port) {
            host_.feed(to_closed_port(port));
        }
        counts.insert(host_.port.take().size());
    }
    EXPECT_GE(counts.size(), 4U);
    EXPECT_LE(*counts.rbegin(), host_.stack.config().icmp.error_burst);
    EXPECT_GE(*counts.begin(), host_.stack.config().icmp.error_burst / 2);
}

TEST_F(HostileIcmp, ICM_15_TenThousandErrorsInASecond) {
    for (u32 i = 0; i < 10000; ++i) {
        host_.feed(to_closed_port(static_cast<u16>(2000 + i)));
        host_.pass(100us);
    }
    const auto& limit = host_.stack.config().icmp;
    const auto count = host_.port.take().size();
    EXPECT_LE(count, limit.errors_per_second + limit.error_burst);
    EXPECT_GE(count, limit.errors_per_second / 2);
    EXPECT_EQ(host_.stack.counters().icmp_out_rate_limited, 10000 - count);
    EXPECT_EQ(host_.drops(Drop::UdpNoSocket), 10000U);
}

/// RFC 1122 3.2.2: what is not known is thrown away in silence. Of all messages one is answered.
TEST_F(HostileIcmp, ICM_16_EveryTypeWithEveryCode) {
    const auto noise = pattern_bytes(64);
    for (u32 type = 0; type < 256; ++type) {
        for (u32 code = 0; code < 256; ++code) {
            host_.feed(frame(
                icmp_message({static_cast<IcmpType>(type), static_cast<u8>(code), 0x1234}, noise)));
        }
    }
    EXPECT_EQ(host_.all_drops(), 65535U);
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(icmp_of(sent[0])->type(), IcmpType::EchoReply);
}

/// A ping of ours, answered with 40 bytes of IP options, and reported with as many in the quote.
TEST_F(HostileIcmp, ICM_18_LongHeadersAgainstOurOwnPing) {
    PingSocket ping = host_.stack.ping_socket();
    ASSERT_TRUE(ping.send(kPeer, 7, pattern_bytes(20)));
    const auto request = host_.port.take();
    ASSERT_EQ(request.size(), 1U);
    const std::vector<u8> options(40, 1);
    const auto reply = icmp_message({IcmpType::EchoReply, 0, u32{ping.identifier()} << 16 | 7U},
                                    pattern_bytes(20));
    host_.feed_ip(ip_packet_with_options(ip_header(IpProtocol::Icmp), options, reply));
    const auto answer = ping.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->sequence, 7);
    EXPECT_EQ(answer->size, 20U);
    EXPECT_FALSE(answer->error);

    Ipv4Header ours = ip_header(IpProtocol::Icmp);
    std::swap(ours.source, ours.destination);
    const auto sent = ip_of(request[0])->payload();
    auto quote = ip_packet_with_options(ours, options, sent);
    for (const std::size_t size : {59U, 60U, 64U, 67U}) {
        const auto cut = icmp_message({IcmpType::TimeExceeded, 0, 0}, Bytes(quote).first(size));
        EXPECT_TRUE(silently(frame(cut), Drop::IcmpBadQuote)) << size;
    }
    quote.resize(68);
    host_.feed(frame(icmp_message({IcmpType::TimeExceeded, 0, 0}, quote)));
    const auto error = ping.receive();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error, IcmpType::TimeExceeded);
    EXPECT_EQ(error->sequence, 7);
}

TEST_F(HostileIcmp, ICM_19_AnswersToNoRequest) {
    PingSocket ping = host_.stack.ping_socket();
    for (u32 id = 0; id < 65536; id += 13) {
        if (id == ping.identifier()) continue;
        host_.feed(frame(icmp_message({IcmpType::EchoReply, 0, id << 16 | 1U}, pattern_bytes(8))));
    }
    EXPECT_EQ(host_.all_drops(), host_.drops(Drop::IcmpNoMatch));
    EXPECT_FALSE(ping.receive());
    EXPECT_TRUE(host_.port.take().empty());
}

}  // namespace
}  // namespace tapestry
