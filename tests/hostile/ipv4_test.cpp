// IPv4 headers that lie: lengths, addresses, and what a host may never believe.

#include <set>

#include "tests/hostile/alive.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileIp : public HostileIpTest {
protected:
    std::vector<u8> from(Ipv4Address source, Ipv4Address destination = kUs) const {
        Ipv4Header header = ip_header(IpProtocol::Icmp);
        header.source = source;
        header.destination = destination;
        return ip_packet(header, echo_request(pattern_bytes(32)));
    }
    std::vector<u8> with_total_length(u16 length) const {
        return patched(echo_, {{2, static_cast<u8>(length >> 8)}, {3, static_cast<u8>(length)}});
    }
};

TEST_F(HostileIp, IP4_01_TotalLengthsBelowTheHeader) {
    for (const u16 length : {u16{0}, u16{1}, u16{19}}) {
        EXPECT_TRUE(silently_ip(with_total_length(length), Drop::Ipv4BadTotalLength)) << length;
    }
    auto optioned = ip_packet_with_options(ip_header(IpProtocol::Icmp), {1, 1, 1, 0}, echo_);
    EXPECT_TRUE(silently_ip(patched(optioned, {{2, 0}, {3, 23}}), Drop::Ipv4BadTotalLength));
}

TEST_F(HostileIp, IP4_02_TotalLengthsBeyondTheFrame) {
    const auto size = static_cast<u16>(echo_.size());
    EXPECT_TRUE(silently_ip(with_total_length(size + 1), Drop::Ipv4BadTotalLength));
    EXPECT_TRUE(silently_ip(with_total_length(65535), Drop::Ipv4BadTotalLength));
}

TEST_F(HostileIp, IP4_03_HeaderLengthsThatCannotBe) {
    for (u8 words = 0; words < 5; ++words) {
        EXPECT_TRUE(silently_ip(patched(echo_, {{0, static_cast<u8>(0x40 | words)}}),
                                Drop::Ipv4BadHeaderLength));
    }
    const auto bare = ip_packet(ip_header(IpProtocol::Icmp), {});
    for (u8 words = 6; words < 16; ++words) {
        EXPECT_TRUE(silently_ip(patched(bare, {{0, static_cast<u8>(0x40 | words)}}),
                                Drop::Ipv4BadHeaderLength));
        // The bytes are there, but behind the end that the packet itself names.
        auto padded = patched(bare, {{0, static_cast<u8>(0x40 | words)}});
        padded.resize(80, 1);
        EXPECT_TRUE(silently_ip(patched(padded, {}), Drop::Ipv4BadTotalLength));
    }
}

TEST_F(HostileIp, IP4_04_OtherVersions) {
    for (u8 version = 0; version < 16; ++version) {
        if (version == 4) continue;
        EXPECT_TRUE(silently_ip(patched(echo_, {{0, static_cast<u8>(version << 4 | 5)}}),
                                Drop::Ipv4BadVersion));
    }
}

TEST_F(HostileIp, IP4_05_WrongHeaderChecksums) {
    auto packet = echo_;
    const u16 right = load_be16(&packet[Ipv4View::kChecksum]);
    for (const u16 wrong : {static_cast<u16>(right + 1), u16{0}, u16{0xffff}}) {
        store_be16(&packet[Ipv4View::kChecksum], wrong);
        EXPECT_TRUE(silently_ip(packet, Drop::Ipv4BadChecksum));
    }
}

/// RFC 1122 3.2.1.7: who is at the end does not ask how many more hops a packet might have made.
TEST_F(HostileIp, IP4_06_TimeToLiveZeroAndOne) {
    for (const u8 ttl : {u8{0}, u8{1}}) {
        EXPECT_TRUE(
            icmp_answer(ethernet_frame(EtherType::Ipv4, patched(echo_, {{Ipv4View::kTtl, ttl}}))));
    }
}

/// A SYN from ourselves to ourselves would be answered for ever.
TEST_F(HostileIp, IP4_08_Land) {
    EXPECT_TRUE(silently(RawTcp{.source_port = 80}.frame(kUs, kUs), Drop::Ipv4BadSource));
    EXPECT_EQ(host_.stack.counters().tcp_passive_opens, 0U);
}

TEST_F(HostileIp, IP4_09_SourcesThatAreNoHost) {
    for (const Ipv4Address& source :
         {Ipv4Address(127, 0, 0, 1), Ipv4Address(), Ipv4Address(224, 0, 0, 1),
          Ipv4Address(255, 255, 255, 255), Ipv4Address(240, 0, 0, 1), Ipv4Address(10, 0, 0, 255),
          Ipv4Address(10, 0, 0, 0)}) {
        EXPECT_TRUE(silently_ip(from(source), Drop::Ipv4BadSource)) << source.to_string();
        EXPECT_TRUE(silently(RawTcp{}.frame(source), Drop::Ipv4BadSource)) << source.to_string();
    }
}

/// Loopback addresses are for talking to oneself; what listens there must not be reached by the wire.
TEST_F(HostileIp, IP4_10_LoopbackDestinations) {
    for (const Ipv4Address& to : {Ipv4Address(127, 0, 0, 1), Ipv4Address(127, 0, 0, 2)}) {
        EXPECT_TRUE(silently_ip(from(kPeer, to), Drop::Ipv4NotForUs));
        EXPECT_TRUE(silently(RawTcp{}.frame(kPeer, to), Drop::Ipv4NotForUs));
    }
}

/// The strong host model (RFC 1122 3.3.4.2): an address is reached through its own interface alone.
TEST_F(HostileIp, IP4_11_TheAddressOfAnotherInterface) {
    RecordingPort inner;
    constexpr Ipv4Address kInner{192, 168, 1, 1};
    host_.stack.add_interface(inner, {"eth1", MacAddress({2, 0, 0, 0, 1, 2}), {kInner, 24}},
                              host_.now);
    EXPECT_TRUE(silently_ip(from(kPeer, kInner), Drop::Ipv4NotForUs));
    EXPECT_TRUE(silently(RawTcp{}.frame(kPeer, kInner), Drop::Ipv4NotForUs));
    EXPECT_TRUE(inner.take().empty());
}

/// Who asks everybody in another's name has the whole network answer the other.
TEST_F(HostileIp, IP4_12_AnEchoRequestToEverybody) {
    for (const Ipv4Address& to : {Ipv4Address(10, 0, 0, 255), Ipv4Address(255, 255, 255, 255)}) {
        for (const MacAddress& mac : {MacAddress::broadcast(), kOurMac}) {
            EXPECT_TRUE(silently_ip(from(kPeer, to), Drop::IcmpBroadcastEcho, mac));
        }
    }
}

/// The same with UDP: the echo service hears a broadcast and answers one host, its sender; a closed port
/// is not reported.
TEST_F(HostileIp, IP4_13_UdpToEverybody) {
    for (const Ipv4Address& to : {Ipv4Address(10, 0, 0, 255), Ipv4Address(255, 255, 255, 255)}) {
        Ipv4Header header = ip_header(IpProtocol::Udp);
        header.destination = to;
        const auto closed = ip_packet(header, udp_datagram(5000, 9, pattern_bytes(5), kPeer, to));
        EXPECT_TRUE(silently_ip(closed, Drop::UdpNoSocket, MacAddress::broadcast()));
        const auto open = ip_packet(header, udp_datagram(5000, 7, pattern_bytes(5), kPeer, to));
        for (const auto& sent :
             taken_and_sent(ethernet_frame(EtherType::Ipv4, open, MacAddress::broadcast()))) {
            EXPECT_EQ(ip_of(sent)->source(), kUs);
            EXPECT_EQ(ip_of(sent)->destination(), kPeer);
        }
    }
}

/// RFC 3514's joke: the bit means nothing.
TEST_F(HostileIp, IP4_14_TheReservedBit) {
    const auto evil = patched(echo_, {{Ipv4View::kFlagsAndOffset, 0x80}});
    EXPECT_TRUE(icmp_answer(ethernet_frame(EtherType::Ipv4, evil)));
}

/// RFC 1122 3.2.2.1: reported, but with an end.
TEST_F(HostileIp, IP4_15_EveryProtocolThatWeDoNotSpeak) {
    u32 answers = 0;
    for (u32 protocol = 0; protocol < 256; ++protocol) {
        if (protocol == 1 || protocol == 6 || protocol == 17) continue;
        const auto packet =
            ip_packet(ip_header(static_cast<IpProtocol>(protocol)), pattern_bytes(40));
        const auto answer = icmp_answer(ethernet_frame(EtherType::Ipv4, packet));
        if (!answer) continue;
        ++answers;
        EXPECT_EQ((*answer)[0], 3);
        EXPECT_EQ((*answer)[1], 2);
    }
    EXPECT_EQ(host_.drops(Drop::Ipv4UnknownProtocol), 253U);
    EXPECT_GE(answers, 30U);
    EXPECT_LE(answers, host_.stack.config().icmp.error_burst);
    EXPECT_EQ(host_.stack.counters().icmp_out_rate_limited, 253U - answers);
}

/// We have no tunnels: the packet inside is never looked at, whole or in fragments.
TEST_F(HostileIp, IP4_16_APacketInAPacket) {
    const auto tunnel = ip_header(static_cast<IpProtocol>(4));
    const auto inner = RawTcp{}.packet();
    EXPECT_TRUE(refused_once(ethernet_frame(EtherType::Ipv4, ip_packet(tunnel, inner)),
                             Drop::Ipv4UnknownProtocol));
    const auto longer = ip_packet(tunnel, pattern_bytes(200));
    EXPECT_TRUE(refused_once(ethernet_frame(EtherType::Ipv4, longer), Drop::Ipv4UnknownProtocol));
    host_.feed_ip(fragment_of(inner, 0, 24, true, tunnel));
    EXPECT_TRUE(refused_once(
        ethernet_frame(EtherType::Ipv4, fragment_of(inner, 24, inner.size() - 24, false, tunnel)),
        Drop::Ipv4UnknownProtocol));
    EXPECT_EQ(host_.stack.counters().tcp_in_segs, 0U);
}

/// RFC 7739: numbers of one peer say nothing about what we send to another; those of datagrams that may
/// not be cut need not differ at all (RFC 6864 4.1).
TEST_F(HostileIp, IP4_27_IdentificationsAreNoGlobalCounter) {
    const Ipv4Address other(10, 0, 0, 3);
    host_.interface->arp().add_static(other, kPeerMac, host_.now);
    std::vector<u16> numbers;
    for (int i = 0; i < 1000; ++i) {
        const auto sent =
            taken_and_sent(ethernet_frame(EtherType::Ipv4, from(i % 2 == 0 ? kPeer : other)));
        ASSERT_EQ(sent.size(), 1U);
        ASSERT_FALSE(ip_of(sent[0])->dont_fragment());
        numbers.push_back(ip_of(sent[0])->identification());
    }
    u32 steps = 0;
    for (std::size_t i = 1; i < numbers.size(); ++i) {
        const auto step = static_cast<u16>(numbers[i] - numbers[i - 1]);
        if (step > 0 && step < 16) ++steps;
    }
    EXPECT_LT(steps, 100U) << "a counter for all";
    const std::set<u16> one_peer = [&] {
        std::set<u16> set;
        for (std::size_t i = 0; i < numbers.size(); i += 2) set.insert(numbers[i]);
        return set;
    }();
    EXPECT_EQ(one_peer.size(), 500U) << "RFC 6864 4.3: not the same again so soon";
}

/// A forged "fragmentation needed" must not get us to send packets that may be cut: their numbers would
/// be what an attacker needs for forged fragments.
TEST_F(HostileIp, IP4_28_NobodyTurnsDontFragmentOff) {
    TcpPeer peer{.host = host_};
    ASSERT_TRUE(peer.open());
    peer.send(TcpPeer::kAck | TcpPeer::kPsh, text_bytes("GET /50000 HTTP/1.1\r\n\r\n"));
    const auto sent = host_.port.take();
    ASSERT_FALSE(sent.empty());
    for (const u32 mtu : {0U, 68U, 552U, 600U}) {
        auto quoted = payload_of(sent[0]);
        quoted.resize(28);
        host_.feed_ip(ip_packet(ip_header(IpProtocol::Icmp),
                                icmp_message({IcmpType::DestinationUnreachable, 4, mtu}, quoted)));
    }
    host_.pass(3s);
    const auto again = host_.port.take();
    EXPECT_FALSE(again.empty());
    for (const auto& one : again) {
        EXPECT_TRUE(ip_of(one)->dont_fragment());
        EXPECT_FALSE(ip_of(one)->is_fragment());
    }
}

}  // namespace
}  // namespace tapestry
