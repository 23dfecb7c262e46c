#include "stack/ip/ipv4.h"

#include "tests/support/ip_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// Takes everything and keeps a copy.
class Sink final : public TransportProtocol {
public:
    std::expected<void, Drop> input(const Ipv4Datagram& datagram, TimePoint) override {
        taken.push_back(datagram);
        payloads.push_back(copy_of(datagram.payload));
        if (answer) return std::unexpected(*answer);
        return {};
    }
    std::expected<void, Drop> icmp_error(const IcmpError& error, TimePoint) override {
        errors.push_back(error);
        quotes.push_back(copy_of(error.quoted_payload));
        return {};
    }
    std::vector<Ipv4Datagram> taken;
    std::vector<std::vector<u8>> payloads;
    std::vector<IcmpError> errors;
    std::vector<std::vector<u8>> quotes;
    std::optional<Drop> answer;
};

class Ipv4Input : public testing::Test {
protected:
    Ipv4Input() { host_.ip.attach(IpProtocol::Tcp, sink_); }
    Ipv4Header header_ = ip_header(IpProtocol::Tcp);
    std::vector<u8> data_ = pattern_bytes(40);
    Sink sink_;
    IpHost host_;

    std::expected<void, Drop> feed(MacAddress to = kOurMac) {
        return host_.receive_ip(header_, data_, to);
    }
    /// Refused by this name, without an answer and without reaching the transport.
    testing::AssertionResult silently(const std::expected<void, Drop>& result, Drop drop) {
        if (!host_.port.sent.empty()) return testing::AssertionFailure() << "something was sent";
        if (!sink_.taken.empty()) return testing::AssertionFailure() << "it was delivered";
        return refused_as(result, drop);
    }
};

TEST_F(Ipv4Input, DeliversWhatIsForUs) {
    header_.tos = 0x10;
    header_.ttl = 33;
    EXPECT_TRUE(taken(feed()));
    ASSERT_EQ(sink_.taken.size(), 1U);
    const Ipv4Datagram& datagram = sink_.taken[0];
    EXPECT_EQ(datagram.source, kPeer);
    EXPECT_EQ(datagram.destination, kUs);
    EXPECT_EQ(datagram.protocol, IpProtocol::Tcp);
    EXPECT_EQ(datagram.tos, 0x10);
    EXPECT_EQ(datagram.ttl, 33);
    EXPECT_FALSE(datagram.broadcast);
    EXPECT_FALSE(datagram.checksum_trusted);
    EXPECT_EQ(datagram.interface, host_.interface.get());
    EXPECT_EQ(sink_.payloads[0], data_);
    EXPECT_EQ(host_.services.counters.ip_in_delivers, 1U);
}

TEST_F(Ipv4Input, TrimsThePaddingOfTheFrame) {
    auto packet = ip_packet(header_, data_);
    packet.resize(packet.size() + 10, 0xaa);
    EXPECT_TRUE(taken(host_.receive_packet(packet)));
    EXPECT_EQ(sink_.payloads.at(0), data_);
}

TEST_F(Ipv4Input, TrustsWhatTheDeviceVouchesFor) {
    for (const auto checksum :
         {Offload::Checksum::InFrame, Offload::Checksum::Verified, Offload::Checksum::Partial}) {
        Offload offload;
        offload.checksum = checksum;
        offload.gso_size = 1448;
        host_.receive_packet(ip_packet(header_, data_), kOurMac, offload);
    }
    ASSERT_EQ(sink_.taken.size(), 3U);
    EXPECT_FALSE(sink_.taken[0].checksum_trusted);
    EXPECT_TRUE(sink_.taken[1].checksum_trusted);
    EXPECT_TRUE(sink_.taken[2].checksum_trusted);
    EXPECT_EQ(sink_.taken[2].gso_size, 1448);
}

TEST_F(Ipv4Input, RefusesMalformedHeaders) {
    const auto good = ip_packet(header_, data_);
    auto bad = good;
    bad[0] = 0x55;
    EXPECT_TRUE(silently(host_.receive_packet(bad), Drop::Ipv4BadVersion));
    bad[0] = 0x44;
    EXPECT_TRUE(silently(host_.receive_packet(bad), Drop::Ipv4BadHeaderLength));
    bad = good;
    store_be16(&bad[Ipv4View::kTotalLength], 19);
    EXPECT_TRUE(silently(host_.receive_packet(bad), Drop::Ipv4BadTotalLength));
    store_be16(&bad[Ipv4View::kTotalLength], 61);
    EXPECT_TRUE(silently(host_.receive_packet(bad), Drop::Ipv4BadTotalLength));
    bad = good;
    ++bad[Ipv4View::kChecksum];
    EXPECT_TRUE(silently(host_.receive_packet(bad), Drop::Ipv4BadChecksum));
    EXPECT_TRUE(silently(host_.receive_packet(Bytes(good).first(19)), Drop::Ipv4Short));
    EXPECT_EQ(host_.drops(Drop::Ipv4BadTotalLength), 2U);
}

TEST_F(Ipv4Input, RefusesSourcesThatAreNoHost) {
    for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.255.255.255",
                               "240.0.0.1", "255.255.255.255", "10.0.0.255", "10.0.0.0"}) {
        header_.source = *Ipv4Address::parse(source);
        EXPECT_TRUE(silently(feed(), Drop::Ipv4BadSource)) << source;
    }
}

TEST_F(Ipv4Input, RefusesItsOwnAddressAsSource) {
    header_.source = kUs;
    EXPECT_TRUE(silently(feed(), Drop::Ipv4BadSource));
}

TEST_F(Ipv4Input, RefusesDestinationsThatAreNotOurs) {
    for (const char* destination :
         {"10.0.0.3", "127.0.0.1", "0.0.0.0", "192.168.0.255", "224.0.0.1", "240.0.0.1"}) {
        header_.destination = *Ipv4Address::parse(destination);
        EXPECT_TRUE(silently(feed(), Drop::Ipv4NotForUs)) << destination;
    }
}

TEST_F(Ipv4Input, TakesNoPacketForAnotherInterface) {
    RecordingPort port;
    Interface second(1, port, {"eth1", MacAddress({2, 0, 0, 0, 0, 3}), {{10, 1, 0, 2}, 24}, 0},
                     host_.services);
    host_.ip.add_interface(second);
    header_.destination = Ipv4Address(10, 1, 0, 2);
    EXPECT_TRUE(silently(feed(), Drop::Ipv4NotForUs));
    header_.destination = Ipv4Address(10, 1, 0, 255);
    EXPECT_TRUE(silently(feed(), Drop::Ipv4NotForUs));
    header_.destination = kUs;
    header_.source = Ipv4Address(10, 1, 0, 2);
    EXPECT_TRUE(silently(feed(), Drop::Ipv4BadSource)) << "ours, on the other side";
}

TEST_F(Ipv4Input, RefusesUnicastInALinkBroadcast) {
    EXPECT_TRUE(silently(feed(MacAddress::broadcast()), Drop::Ipv4LinkBroadcast));
    EXPECT_TRUE(silently(feed(MacAddress({1, 0, 0x5e, 0, 0, 1})), Drop::Ipv4LinkBroadcast));
}

TEST_F(Ipv4Input, MarksBroadcasts) {
    for (const Ipv4Address to : {Ipv4Address::broadcast(), Ipv4Address(10, 0, 0, 255)}) {
        header_.destination = to;
        EXPECT_TRUE(taken(feed(MacAddress::broadcast())));
        EXPECT_TRUE(sink_.taken.back().broadcast);
        EXPECT_EQ(sink_.taken.back().destination, to);
    }
}

TEST_F(Ipv4Input, TtlZeroAndOneAreForUs) {
    for (const u8 ttl : {u8{0}, u8{1}}) {
        header_.ttl = ttl;
        EXPECT_TRUE(taken(feed()));
    }
    EXPECT_EQ(sink_.taken.size(), 2U);
}

TEST_F(Ipv4Input, ReservedFlagIsIgnored) {
    auto packet = ip_packet(header_, data_);
    packet[Ipv4View::kFlagsAndOffset] |= 0x80;
    store_be16(&packet[Ipv4View::kChecksum], 0);
    store_be16(&packet[Ipv4View::kChecksum], internet_checksum(Bytes(packet).first(20)));
    EXPECT_TRUE(taken(host_.receive_packet(packet)));
    EXPECT_EQ(sink_.payloads.at(0), data_);
}

TEST_F(Ipv4Input, PassesOverHarmlessOptions) {
    const std::vector<std::vector<u8>> harmless = {
        std::vector<u8>(40, 1),        // NOPs
        std::vector<u8>(40, 0),        // end of list
        {0, 0x83, 3, 4},               // garbage behind the end
        {7, 7, 4, 0, 0, 0, 0},         // record route
        {7, 3, 255},                   // ... with a wild pointer
        {68, 8, 5, 0xf0, 0, 0, 0, 0},  // timestamp, overflowed
        {1, 1, 0x99, 5, 1, 2, 3},      // unknown
        {0x94, 4, 0, 0},               // router alert
    };
    for (const auto& options : harmless) {
        EXPECT_TRUE(taken(host_.receive_packet(ip_packet_with_options(header_, options, data_))));
        EXPECT_EQ(sink_.payloads.back(), data_);
    }
    EXPECT_EQ(sink_.taken.size(), harmless.size());
}

TEST_F(Ipv4Input, RefusesBrokenOptions) {
    const std::vector<std::vector<u8>> broken = {
        {7, 0, 0, 0}, {68, 0, 0, 0}, {7, 1, 0, 0}, {7, 40, 4, 0}, {1, 1, 1, 7}, {1, 1, 7, 3},
    };
    for (const auto& options : broken) {
        EXPECT_TRUE(
            refused_as(host_.receive_packet(ip_packet_with_options(header_, options, data_)),
                       Drop::Ipv4BadOption));
    }
}

/// RFC 1122 3.2.2.5, RFC 792: the pointer is the place of the option in the header at fault.
TEST_F(Ipv4Input, UnreadableOptionsAreAParameterProblem) {
    const std::vector<std::pair<std::vector<u8>, u8>> broken = {{{7, 0, 0, 0}, 20},
                                                                {{1, 1, 7, 9}, 22},
                                                                {{1, 1, 1, 7}, 23},
                                                                {{68, 4, 5, 0, 1, 7, 40, 4}, 25}};
    for (const auto& [options, pointer] : broken) {
        const auto packet = ip_packet_with_options(header_, options, data_);
        EXPECT_TRUE(refused_as(host_.receive_packet(packet), Drop::Ipv4BadOption));
        const auto sent = host_.port.take();
        ASSERT_EQ(sent.size(), 1U);
        const auto message = icmp_of(sent[0]);
        ASSERT_TRUE(message);
        EXPECT_EQ(message->type(), IcmpType::ParameterProblem);
        EXPECT_EQ(message->code(), 0);
        EXPECT_EQ(message->identifier(), pointer << 8);
        EXPECT_EQ(message->sequence(), 0);
        EXPECT_EQ(copy_of(message->payload()), packet);
    }
    // RFC 1122 3.2.2: never as the result of a broadcast or a later fragment.
    const auto packet = ip_packet_with_options(header_, {7, 0, 0, 0}, data_);
    EXPECT_FALSE(host_.receive_packet(packet, MacAddress::broadcast()));
    header_.fragment_offset = 8;
    EXPECT_FALSE(host_.receive_packet(ip_packet_with_options(header_, {7, 0, 0, 0}, data_)));
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(Ipv4Input, RefusesSourceRoutes) {
    for (const u8 type : {u8{131}, u8{137}}) {
        const std::vector<u8> route = {1, type, 7, 4, 10, 0, 0, 9};
        EXPECT_TRUE(silently(host_.receive_packet(ip_packet_with_options(header_, route, data_)),
                             Drop::Ipv4SourceRoute));
    }
    const std::vector<u8> broken = {131, 0, 0, 0};
    EXPECT_TRUE(refused_as(host_.receive_packet(ip_packet_with_options(header_, broken, data_)),
                           Drop::Ipv4BadOption));
}

TEST_F(Ipv4Input, UnknownProtocolIsAnsweredProtocolUnreachable) {
    header_.protocol = static_cast<IpProtocol>(4);
    EXPECT_TRUE(refused_as(feed(), Drop::Ipv4UnknownProtocol));
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    const auto message = icmp_of(sent[0]);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::DestinationUnreachable);
    EXPECT_EQ(message->code(), 2);
    EXPECT_EQ(copy_of(message->payload()), ip_packet(header_, data_));
}

TEST_F(Ipv4Input, RefusalOfTheTransportIsPassedOn) {
    sink_.answer = Drop::TcpPaws;
    EXPECT_TRUE(refused_as(feed(), Drop::TcpPaws));
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(Ipv4Input, EveryTruncationIsRefusedOrTaken) {
    const auto whole = ip_packet_with_options(header_, {7, 7, 4, 0, 0, 0, 0}, data_);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(host_.receive_packet(Bytes(whole).first(size))) << size;
    }
    EXPECT_TRUE(sink_.taken.empty());
}

TEST_F(Ipv4Input, DeviceVouchesForFragmentsNotForTheDatagram) {
    Offload verified;
    verified.checksum = Offload::Checksum::Verified;
    header_.more_fragments = true;
    host_.receive_packet(ip_packet(header_, Bytes(data_).first(16)), kOurMac, verified);
    header_.more_fragments = false;
    header_.fragment_offset = 16;
    EXPECT_TRUE(taken(
        host_.receive_packet(ip_packet(header_, Bytes(data_).subspan(16)), kOurMac, verified)));
    ASSERT_EQ(sink_.taken.size(), 1U);
    EXPECT_EQ(sink_.payloads[0], data_);
    EXPECT_FALSE(sink_.taken[0].checksum_trusted);
}

// ---- what became of packets that found no neighbour -------------------------------------------

TEST_F(Ipv4Input, UndeliverablePacketBecomesAHostUnreachableOfOurOwn) {
    const Ipv4Address silent(10, 0, 0, 50);
    const auto segment = pattern_bytes(30);
    Frame frame(segment);
    Ipv4SendOptions options;
    options.destination = silent;
    EXPECT_EQ(host_.ip.output(frame, options, host_.now), SendResult::Queued);
    host_.pass(3s);
    ASSERT_EQ(sink_.errors.size(), 1U);
    const IcmpError& error = sink_.errors[0];
    EXPECT_EQ(error.reporter, kUs);
    EXPECT_EQ(error.type, IcmpType::DestinationUnreachable);
    EXPECT_EQ(error.code, 1);
    EXPECT_EQ(error.source, kUs);
    EXPECT_EQ(error.destination, silent);
    EXPECT_EQ(error.quoted_size, 50);
    EXPECT_EQ(sink_.quotes[0], segment);
}

TEST_F(Ipv4Input, UndeliverableDatagramIsReportedOnceHoweverManyItsFragments) {
    const auto large = pattern_bytes(5000);
    Frame frame(large);
    Ipv4SendOptions options;
    options.destination = Ipv4Address(10, 0, 0, 50);
    options.dont_fragment = false;
    EXPECT_EQ(host_.ip.output(frame, options, host_.now), SendResult::Sent);
    host_.pass(3s);
    EXPECT_EQ(host_.drops(Drop::NeighborUnreachable), 4U);
    EXPECT_EQ(sink_.errors.size(), 1U);
}

TEST_F(Ipv4Input, UndeliverablePacketOfSomebodyElseIsNotReportedToUs) {
    header_.destination = Ipv4Address(10, 0, 0, 50);
    Packet packet = host_.pool.copy(ip_packet(header_, data_));
    host_.ip.undeliverable(packet, host_.now);
    EXPECT_TRUE(sink_.errors.empty());
}

}  // namespace
}  // namespace tapestry
