#include "stack/ip/icmp.h"

#include "tests/support/ip_host.h"
#include "tests/support/recording_transport.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

// ---- echo -------------------------------------------------------------------------------------

TEST(IcmpEcho, ReplyHasTheSameIdentifierSequenceAndData) {
    IpHost host;
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.tos = 0x20;
    header.ttl = 1;
    const auto data = pattern_bytes(56);
    EXPECT_TRUE(taken(host.receive_ip(header, echo_request(data, 0xbeef, 0xfffe))));
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(destination_of(sent[0]), kPeerMac);
    const auto packet = ip_of(sent[0]);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->source(), kUs);
    EXPECT_EQ(packet->destination(), kPeer);
    EXPECT_EQ(packet->ttl(), 64);
    EXPECT_EQ(packet->tos(), 0x20);
    const auto reply = icmp_of(sent[0]);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->type(), IcmpType::EchoReply);
    EXPECT_EQ(reply->code(), 0);
    EXPECT_EQ(reply->identifier(), 0xbeef);
    EXPECT_EQ(reply->sequence(), 0xfffe);
    EXPECT_EQ(copy_of(reply->payload()), data);
    EXPECT_EQ(host.services.counters.icmp_in_msgs, 1U);
    EXPECT_EQ(host.services.counters.icmp_out_msgs, 1U);
}

TEST(IcmpEcho, EverySizeComesBackAsItIs) {
    IpHost host;
    for (std::size_t size = 0; size <= 1472; ++size) {
        const auto data = pattern_bytes(size, static_cast<u32>(size));
        EXPECT_TRUE(taken(host.receive_ip(ip_header(IpProtocol::Icmp), echo_request(data))));
        const auto sent = host.port.take();
        ASSERT_EQ(sent.size(), 1U);
        ASSERT_EQ(sent[0].bytes.size(), 14 + 20 + 8 + size) << "and nothing behind it";
        ASSERT_EQ(copy_of(icmp_of(sent[0])->payload()), data);
    }
}

TEST(IcmpEcho, PaddingOfAShortFrameDoesNotComeBack) {
    IpHost host;
    auto packet = ip_packet(ip_header(IpProtocol::Icmp), echo_request({}));
    packet.resize(46, 0xaa);
    host.receive_packet(packet);
    EXPECT_EQ(host.port.take().at(0).bytes.size(), 42U);
}

TEST(IcmpEcho, BroadcastsAreNotAnswered) {
    IpHost host;
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    for (const Ipv4Address to : {Ipv4Address::broadcast(), Ipv4Address(10, 0, 0, 255)}) {
        header.destination = to;
        EXPECT_TRUE(refused_as(
            host.receive_ip(header, echo_request(pattern_bytes(8)), MacAddress::broadcast()),
            Drop::IcmpBroadcastEcho));
        EXPECT_TRUE(refused_as(host.receive_ip(header, echo_request(pattern_bytes(8))),
                               Drop::IcmpBroadcastEcho));
    }
    EXPECT_TRUE(host.port.take().empty());
}

TEST(IcmpEcho, NotAnsweredWhenSwitchedOff) {
    StackConfig config = IpHost::quiet();
    config.icmp.answer_echo = false;
    IpHost host(config);
    EXPECT_TRUE(refused_as(host.receive_ip(ip_header(IpProtocol::Icmp), echo_request({})),
                           Drop::IcmpIgnored));
    EXPECT_TRUE(host.port.take().empty());
}

TEST(IcmpEcho, OptionsDoNotSendTheReplyElsewhere) {
    IpHost host;
    const std::vector<u8> record_route = {7, 7, 8, 10, 0, 0, 9};
    host.receive_packet(ip_packet_with_options(ip_header(IpProtocol::Icmp), record_route,
                                               echo_request(pattern_bytes(8))));
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(ip_of(sent[0])->destination(), kPeer);
    EXPECT_EQ(ip_of(sent[0])->header_size(), 20U);
}

TEST(IcmpEcho, FullDeviceIsRefusedByName) {
    IpHost host;
    host.port.room = 0;
    EXPECT_TRUE(refused_as(host.receive_ip(ip_header(IpProtocol::Icmp), echo_request({})),
                           Drop::DeviceFull));
    EXPECT_EQ(host.services.counters.icmp_out_msgs, 0U);
}

// ---- what is refused --------------------------------------------------------------------------

TEST(IcmpInput, ShortOrDamagedMessagesAreRefused) {
    IpHost host;
    const auto good = echo_request(pattern_bytes(8));
    for (std::size_t size = 0; size < 8; ++size) {
        EXPECT_TRUE(
            refused_as(host.receive_ip(ip_header(IpProtocol::Icmp), Bytes(good).first(size)),
                       Drop::IcmpShort));
    }
    auto bad = good;
    ++bad[IcmpView::kChecksum + 1];
    EXPECT_TRUE(
        refused_as(host.receive_ip(ip_header(IpProtocol::Icmp), bad), Drop::IcmpBadChecksum));
    EXPECT_TRUE(host.port.take().empty());
}

TEST(IcmpInput, NothingButAnEchoRequestIsAnswered) {
    IpHost host;
    const auto data = pattern_bytes(56);
    for (u32 type = 0; type < 256; ++type) {
        for (u32 code = 0; code < 256; ++code) {
            const auto message = icmp_message(
                {static_cast<IcmpType>(type), static_cast<u8>(code), 0x12340001}, data);
            const auto result = host.receive_ip(ip_header(IpProtocol::Icmp), message);
            ASSERT_EQ(result.has_value(), type == 8 && code == 0) << type << '/' << code;
            ASSERT_EQ(host.port.take().size(), type == 8 && code == 0 ? 1U : 0U);
        }
    }
}

TEST(IcmpInput, RefusalsHaveTheirNames) {
    IpHost host;
    const auto refused = [&](int type, u8 code = 0) {
        const auto result = host.receive_ip(
            ip_header(IpProtocol::Icmp),
            icmp_message({static_cast<IcmpType>(type), code, 0}, pattern_bytes(56)));
        return result ? Drop::kCount : result.error();
    };
    EXPECT_EQ(refused(0), Drop::IcmpNoMatch) << "an unsolicited echo reply";
    EXPECT_EQ(refused(3), Drop::IcmpBadQuote);
    EXPECT_EQ(refused(4), Drop::IcmpIgnored) << "source quench";
    EXPECT_EQ(refused(5, 1), Drop::IcmpIgnored) << "redirect";
    EXPECT_EQ(refused(8, 1), Drop::IcmpUnknownType);
    EXPECT_EQ(refused(11), Drop::IcmpBadQuote);
    EXPECT_EQ(refused(12), Drop::IcmpBadQuote);
    for (const int type : {1, 9, 10, 13, 14, 15, 16, 17, 18, 30, 42, 255}) {
        EXPECT_EQ(refused(type), Drop::IcmpUnknownType) << type;
    }
}

TEST(IcmpInput, RedirectChangesNoRoute) {
    IpHost host;
    host.ip.routes().add({{Ipv4Address(), 0}, host.interface.get(), kPeer});
    Ipv4Header ours;
    ours.source = kUs;
    ours.destination = Ipv4Address(8, 8, 8, 8);
    const auto quoted = ip_packet(ours, pattern_bytes(8));
    host.receive_ip(
        ip_header(IpProtocol::Icmp),
        icmp_message({IcmpType::Redirect, 1, Ipv4Address(10, 0, 0, 66).value()}, quoted));
    EXPECT_EQ(host.ip.route(Ipv4Address(8, 8, 8, 8))->next_hop, kPeer);
}

// ---- errors that others report ----------------------------------------------------------------

class IcmpErrors : public testing::Test {
protected:
    IcmpErrors() {
        host_.ip.attach(IpProtocol::Udp, udp_);
        ours_.source = kUs;
        ours_.destination = Ipv4Address(10, 0, 0, 30);
        ours_.protocol = IpProtocol::Udp;
    }
    std::expected<void, Drop> report(IcmpHeader header, Bytes quoted) {
        return host_.receive_ip(ip_header(IpProtocol::Icmp), icmp_message(header, quoted));
    }
    RecordingTransport udp_;
    IpHost host_;
    Ipv4Header ours_;
    std::vector<u8> data_ = pattern_bytes(100);
    const IcmpHeader port_unreachable_{IcmpType::DestinationUnreachable, 3, 0};
};

TEST_F(IcmpErrors, ReachTheTransportOfTheQuotedPacket) {
    const auto quoted = ip_packet(ours_, data_);
    EXPECT_TRUE(taken(report({IcmpType::DestinationUnreachable, 3, 77}, Bytes(quoted).first(28))));
    ASSERT_EQ(udp_.errors.size(), 1U);
    const IcmpError& error = udp_.errors[0];
    EXPECT_EQ(error.reporter, kPeer);
    EXPECT_EQ(error.type, IcmpType::DestinationUnreachable);
    EXPECT_EQ(error.code, 3);
    EXPECT_EQ(error.next_hop_mtu, 0) << "only \"fragmentation needed\" has one";
    EXPECT_EQ(error.source, kUs);
    EXPECT_EQ(error.destination, ours_.destination);
    EXPECT_EQ(error.quoted_size, 120);
    EXPECT_EQ(udp_.quotes[0], copy_of(Bytes(data_).first(8)));
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(IcmpErrors, FragmentationNeededCarriesTheMtu) {
    EXPECT_TRUE(
        taken(report({IcmpType::DestinationUnreachable, 4, 1400}, ip_packet(ours_, data_))));
    EXPECT_EQ(udp_.errors.at(0).next_hop_mtu, 1400);
    EXPECT_EQ(host_.ip.route(ours_.destination)->mtu, 1500U) << "believed by the transport only";
}

TEST_F(IcmpErrors, QuotedOptionsArePassedOver) {
    const auto quoted = ip_packet_with_options(ours_, std::vector<u8>(40, 1), data_);
    EXPECT_TRUE(taken(report(port_unreachable_, Bytes(quoted).first(68))));
    EXPECT_EQ(udp_.quotes.at(0), copy_of(Bytes(data_).first(8)));
}

TEST_F(IcmpErrors, ShortQuotesAreRefused) {
    const auto quoted = ip_packet(ours_, data_);
    for (std::size_t size = 0; size < 28; ++size) {
        EXPECT_TRUE(
            refused_as(report(port_unreachable_, Bytes(quoted).first(size)), Drop::IcmpBadQuote))
            << size;
    }
    auto long_header = quoted;
    long_header[0] = 0x4f;
    EXPECT_TRUE(
        refused_as(report(port_unreachable_, Bytes(long_header).first(28)), Drop::IcmpBadQuote));
    EXPECT_TRUE(udp_.errors.empty());
}

TEST_F(IcmpErrors, QuoteThatSaysItIsShorterIsRefused) {
    auto quoted = ip_packet(ours_, data_);
    store_be16(&quoted[Ipv4View::kTotalLength], 27);
    EXPECT_TRUE(refused_as(report(port_unreachable_, quoted), Drop::IcmpBadQuote));
}

TEST_F(IcmpErrors, LaterFragmentIsRefused) {
    ours_.fragment_offset = 8;
    EXPECT_TRUE(refused_as(report(port_unreachable_, ip_packet(ours_, data_)), Drop::IcmpBadQuote));
    EXPECT_TRUE(udp_.errors.empty());
}

TEST_F(IcmpErrors, PacketThatWeDidNotSendIsRefused) {
    ours_.source = Ipv4Address(10, 0, 0, 31);
    EXPECT_TRUE(refused_as(report(port_unreachable_, ip_packet(ours_, data_)), Drop::IcmpNoMatch));
    ours_.source = kUs;
    ours_.protocol = static_cast<IpProtocol>(99);
    EXPECT_TRUE(refused_as(report(port_unreachable_, ip_packet(ours_, data_)), Drop::IcmpNoMatch));
}

TEST_F(IcmpErrors, ToABroadcastIsIgnored) {
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.destination = Ipv4Address(10, 0, 0, 255);
    EXPECT_TRUE(refused_as(
        host_.receive_ip(header, icmp_message(port_unreachable_, ip_packet(ours_, data_)),
                         MacAddress::broadcast()),
        Drop::IcmpIgnored));
    EXPECT_TRUE(udp_.errors.empty());
}

TEST(IcmpErrno, EachMessageHasItsMeaning) {
    const auto unreachable = [](u8 code) {
        return errno_of(IcmpType::DestinationUnreachable, code);
    };
    EXPECT_EQ(unreachable(0), Errno::NetworkUnreachable);
    EXPECT_EQ(unreachable(1), Errno::HostUnreachable);
    EXPECT_EQ(unreachable(2), Errno::ProtocolUnreachable);
    EXPECT_EQ(unreachable(3), Errno::ConnectionRefused);
    EXPECT_EQ(unreachable(4), Errno::MessageSize);
    EXPECT_EQ(unreachable(5), Errno::HostUnreachable);
    EXPECT_EQ(unreachable(6), Errno::NetworkUnreachable);
    EXPECT_EQ(unreachable(13), Errno::HostUnreachable);
    EXPECT_EQ(unreachable(200), Errno::HostUnreachable);
    EXPECT_EQ(errno_of(IcmpType::TimeExceeded, 0), Errno::HostUnreachable);
    EXPECT_EQ(errno_of(IcmpType::ParameterProblem, 0), Errno::ProtocolUnreachable);
}

}  // namespace
}  // namespace tapestry
