// Forged ICMP errors (RFC 5927): who can guess the four-tuple of a connection wants it reset, slowed down
// or cut into small packets.

#include "tests/hostile/alive.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileIcmpErrors : public HostileIpTest {
protected:
    static std::vector<u8> error(IcmpType type, u8 code, Bytes quote, u32 second = 0) {
        return ethernet_frame(
            EtherType::Ipv4,
            ip_packet(ip_header(IpProtocol::Icmp), icmp_message({type, code, second}, quote)));
    }
    static std::vector<u8> unreachable(u8 code, Bytes quote, u32 second = 0) {
        return error(IcmpType::DestinationUnreachable, code, quote, second);
    }
    /// A packet as we would have sent it on this connection, as far as an error quotes it.
    static std::vector<u8> quote_of(const SeenSegment& segment, u32 seq) {
        Ipv4Header ours = ip_header(IpProtocol::Tcp);
        std::swap(ours.source, ours.destination);
        const RawTcp tcp{.source_port = segment.source_port,
                         .destination_port = segment.destination_port,
                         .seq = seq,
                         .flags = TcpFlags::kAck,
                         .text = std::vector<u8>(1400)};
        auto packet = ip_packet(ours, tcp.bytes(kUs, kPeer));
        packet.resize(28);
        return packet;
    }

    TcpPeer peer_{.host = host_};
    /// A connection with data of ours in flight; gives the first of its segments.
    SeenSegment in_flight() {
        EXPECT_TRUE(peer_.open());
        peer_.send(TcpPeer::kAck | TcpPeer::kPsh, text_bytes("GET /60000 HTTP/1.1\r\n\r\n"));
        auto sent = host_.take_segments();
        std::erase_if(sent, [](const SeenSegment& one) { return one.text.empty(); });
        EXPECT_FALSE(sent.empty());
        return sent.empty() ? SeenSegment() : sent[0];
    }
    /// All of the answer, however it has been treated.
    testing::AssertionResult completes() {
        std::size_t got = 0;
        for (int turn = 0; turn < 200; ++turn) {
            peer_.send(TcpPeer::kAck);
            for (const SeenSegment& one : peer_.hear()) {
                if (one.flags & TcpPeer::kRst) return testing::AssertionFailure() << "reset";
                largest_ = std::max(largest_, one.text.size());
                if (one.flags & TcpPeer::kFin) return testing::AssertionSuccess();
                got += one.text.size();
            }
            host_.pass(100ms);
        }
        return testing::AssertionFailure() << "stuck after " << got << " bytes";
    }
    std::size_t largest_ = 0;
};

/// RFC 1122 3.2.2: no error about an error, not even about one whose IP options are broken.
TEST_F(HostileIcmpErrors, ICM_05_ErrorsAboutErrors) {
    Ipv4Header ours = ip_header(IpProtocol::Icmp);
    std::swap(ours.source, ours.destination);
    const auto quoted =
        ip_packet(ours, icmp_message({IcmpType::DestinationUnreachable, 3, 0}, pattern_bytes(28)));
    EXPECT_TRUE(silently(unreachable(3, quoted), Drop::IcmpNoMatch));
    const auto about = icmp_message({IcmpType::DestinationUnreachable, 3, 0}, quoted);
    EXPECT_TRUE(
        silently_ip(ip_packet_with_options(ip_header(IpProtocol::Icmp), {7, 0, 0, 0}, about),
                    Drop::Ipv4BadOption));
}

TEST_F(HostileIcmpErrors, ICM_06_QuotesThatAreTooShort) {
    const auto quote = quote_of(in_flight(), 1);
    for (const std::size_t size : {0U, 8U, 19U, 20U, 27U}) {
        EXPECT_TRUE(silently(unreachable(3, Bytes(quote).first(size)), Drop::IcmpBadQuote));
    }
    EXPECT_TRUE(silently(unreachable(3, patched(quote, {{0, 0x4f}})), Drop::IcmpBadQuote));
    EXPECT_TRUE(completes());
}

/// RFC 5927 5.2: what would be the end of a connection that opens is a remark to one that is open.
TEST_F(HostileIcmpErrors, ICM_07_HardErrorsAgainstAnOpenConnection) {
    const SeenSegment first = in_flight();
    for (const u8 code : {u8{1}, u8{2}, u8{3}}) {
        EXPECT_TRUE(taken_and_sent(unreachable(code, quote_of(first, first.seq))).empty());
        for (const u32 seq : {first.seq - 1, first.seq + 60100, first.seq + 0x80000000U}) {
            EXPECT_TRUE(silently(unreachable(code, quote_of(first, seq)), Drop::IcmpNoMatch));
        }
    }
    EXPECT_TRUE(completes());
}

TEST_F(HostileIcmpErrors, ICM_08_ErrorsWhileWeConnect) {
    TcpSocket socket = host_.stack.tcp_socket();
    ASSERT_TRUE(socket.connect({kPeer, 90}));
    host_.settle();
    const auto syn = host_.take_segments();
    ASSERT_EQ(syn.size(), 1U);
    for (const u32 seq : {syn[0].seq - 1, syn[0].seq + 1, syn[0].seq + 100000}) {
        EXPECT_TRUE(silently(unreachable(3, quote_of(syn[0], seq)), Drop::IcmpNoMatch));
        EXPECT_EQ(socket.state(), TcpState::SynSent);
    }
    auto other_port = syn[0];
    ++other_port.source_port;
    EXPECT_TRUE(silently(unreachable(3, quote_of(other_port, syn[0].seq)), Drop::IcmpNoMatch));
    host_.feed(unreachable(3, quote_of(syn[0], syn[0].seq)));
    EXPECT_EQ(socket.state(), TcpState::Closed);
    EXPECT_EQ(socket.take_error(), Errno::ConnectionRefused);
}

/// CVE-2004-1060: tiny packets cost us and the network; below 552 nobody is believed.
TEST_F(HostileIcmpErrors, ICM_09_APathThatCarriesNothing) {
    const SeenSegment first = in_flight();
    const u16 before = static_cast<u16>(first.text.size());
    // Not about a packet that is under way: not believed.
    EXPECT_TRUE(silently(unreachable(4, quote_of(first, first.seq - 1), 600), Drop::IcmpNoMatch));
    for (const u32 mtu : {0U, 1U, 67U, 68U, 552U}) {
        host_.feed(unreachable(4, quote_of(first, first.seq), mtu));
        const auto way = host_.stack.ipv4().route(kPeer);
        ASSERT_TRUE(way);
        EXPECT_GE(way->mtu, host_.stack.config().ip.min_path_mtu) << mtu;
    }
    (void)peer_.hear();
    EXPECT_TRUE(completes());
    EXPECT_LE(largest_, before);
    EXPECT_GE(largest_, 552U - 60U);
}

TEST_F(HostileIcmpErrors, ICM_10_APathThatCarriesMore) {
    const SeenSegment first = in_flight();
    for (const u32 mtu : {1500U, 1501U, 9000U, 65535U}) {
        host_.feed(unreachable(4, quote_of(first, first.seq), mtu));
        EXPECT_EQ(host_.stack.ipv4().route(kPeer)->mtu, 1500U);
    }
    host_.feed(unreachable(4, quote_of(first, first.seq), 800));
    host_.feed(unreachable(4, quote_of(first, first.seq), 1200));
    EXPECT_EQ(host_.stack.ipv4().route(kPeer)->mtu, 800U) << "never more than before";
    (void)peer_.hear();
    EXPECT_TRUE(completes());
}

TEST_F(HostileIcmpErrors, ICM_11_Redirects) {
    const SeenSegment first = in_flight();
    const auto routes = host_.stack.ipv4().routes().all();
    for (u8 code = 0; code < 4; ++code) {
        for (const Ipv4Address& gateway :
             {kUs, Ipv4Address(10, 0, 0, 66), Ipv4Address(192, 168, 66, 66)}) {
            EXPECT_TRUE(silently(
                error(IcmpType::Redirect, code, quote_of(first, first.seq), gateway.value()),
                Drop::IcmpIgnored));
        }
    }
    EXPECT_EQ(host_.stack.ipv4().routes().all(), routes);
    EXPECT_TRUE(completes());
}

/// RFC 6633: sent by nobody any more but by those who want a connection to be slow.
TEST_F(HostileIcmpErrors, ICM_12_SourceQuench) {
    Listener listener = host_.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), 81}));
    peer_.server = 81;
    ASSERT_TRUE(peer_.open());
    auto socket = listener.accept();
    ASSERT_TRUE(socket);
    ASSERT_TRUE(socket->write(pattern_bytes(5000)));
    host_.settle();
    const auto sent = host_.take_segments();
    ASSERT_FALSE(sent.empty());
    const auto before = socket->snapshot();
    EXPECT_TRUE(silently(error(IcmpType::SourceQuench, 0, quote_of(sent[0], sent[0].seq)),
                         Drop::IcmpIgnored));
    EXPECT_EQ(socket->snapshot(), before);
}

/// Behind the first fragment there are no ports to be found by.
TEST_F(HostileIcmpErrors, ICM_17_AQuotedFragment) {
    const SeenSegment first = in_flight();
    const auto quote = quote_of(first, first.seq);
    EXPECT_TRUE(silently(unreachable(3, patched(quote, {{6, 0x20}, {7, 1}})), Drop::IcmpBadQuote));
    EXPECT_TRUE(silently(unreachable(3, patched(quote, {{6, 0x00}, {7, 9}})), Drop::IcmpBadQuote));
    EXPECT_TRUE(completes());
}

}  // namespace
}  // namespace tapestry
