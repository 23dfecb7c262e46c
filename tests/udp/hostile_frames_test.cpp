#include "stack/udp/udp.h"
#include "tests/support/udp_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// Good frames of every kind that the host part of a stack answers or keeps.
std::vector<std::vector<u8>> good_frames() {
    std::vector<std::vector<u8>> frames;
    const auto ip = [&](Ipv4Header header, Bytes payload) {
        frames.push_back(ethernet_frame(EtherType::Ipv4, ip_packet(header, payload)));
    };
    frames.push_back(arp_frame({ArpOperation::Request, kPeerMac, kPeer, MacAddress(), kUs}));
    frames.push_back(arp_frame({ArpOperation::Reply, kPeerMac, kPeer, kOurMac, kUs}));
    ip(ip_header(IpProtocol::Icmp), echo_request(pattern_bytes(40)));
    ip(ip_header(IpProtocol::Udp), udp_datagram(5000, 7, pattern_bytes(40)));
    ip(ip_header(IpProtocol::Udp), udp_datagram(5000, 9, pattern_bytes(40)));
    ip(ip_header(static_cast<IpProtocol>(99)), pattern_bytes(40));
    Ipv4Header ours = ip_header(IpProtocol::Udp);
    std::swap(ours.source, ours.destination);
    const auto quoted = ip_packet(ours, udp_datagram(7, 5000, pattern_bytes(8), kUs, kPeer));
    for (const u32 second : {0U, 600U, 1400U}) {
        ip(ip_header(IpProtocol::Icmp),
           icmp_message({IcmpType::DestinationUnreachable, 4, second}, quoted));
    }
    Ipv4Header fragment = ip_header(IpProtocol::Udp);
    const auto datagram = udp_datagram(5000, 7, pattern_bytes(100));
    fragment.more_fragments = true;
    ip(fragment, Bytes(datagram).first(48));
    fragment.fragment_offset = 48;
    fragment.more_fragments = false;
    ip(fragment, Bytes(datagram).subspan(48));
    frames.push_back(ethernet_frame(
        EtherType::Ipv4,
        ip_packet_with_options(ip_header(IpProtocol::Icmp), {7, 7, 4, 0, 0, 0, 0, 68, 8, 5},
                               echo_request(pattern_bytes(16)))));
    return frames;
}

/// Changes a few bytes, the length too, and in half of the cases makes the IP checksum right again,
/// so that the damage gets past the first check.
std::vector<u8> damaged(std::vector<u8> frame, Rng& rng) {
    for (u32 n = rng.below(4); n > 0; --n) {
        const std::size_t at = rng.below(static_cast<u32>(std::min<std::size_t>(frame.size(), 60)));
        frame[at] = static_cast<u8>(rng.next());
    }
    if (rng.below(8) == 0) frame.resize(rng.below(static_cast<u32>(frame.size())) + 1);
    if (frame.size() >= 34 && rng.below(2) == 0) {
        const std::size_t size = std::size_t{4} * (frame[14] & 0xfU);
        if (size >= 20 && 14 + size <= frame.size()) {
            store_be16(&frame[24], 0);
            store_be16(&frame[24], internet_checksum(Bytes(frame).subspan(14, size)));
        }
    }
    return frame;
}

TEST(HostileFrames, DamagedFramesNeverLeadToADamagedAnswer) {
    StackConfig config = UdpHost::quiet();
    config.arp.max_entries = 32;
    UdpHost host(config);
    UdpSocket socket = host.udp.socket();
    ASSERT_TRUE(socket.bind({kUs, 7}));
    ASSERT_TRUE(socket.connect({kPeer, 5000}));
    SeededRng rng(7);
    const auto frames = good_frames();
    std::vector<u8> buffer(2000);
    u64 answers = 0;
    for (int i = 0; i < 50000; ++i) {
        host.receive(damaged(frames[rng.below(static_cast<u32>(frames.size()))], rng));
        if (i % 16 == 0) host.pass(10ms);
        for (const auto& sent : host.port.take()) {
            ++answers;
            const auto packet = ip_of(sent);
            ASSERT_TRUE(is_arp(sent) || packet);
            if (!packet) continue;
            ASSERT_EQ(packet->source(), kUs);
            ASSERT_TRUE(icmp_of(sent)) << "all answers are ICMP";
            ASSERT_FALSE(destination_of(sent).is_group());
            ASSERT_LE(packet->total_length(), 1500);
        }
        (void)socket.receive(buffer);
        ASSERT_LE(host.interface->arp().size(), 32U);
        ASSERT_EQ(host.services.packets.in_use() + host.services.super_packets.in_use(),
                  host.interface->arp().waiting());
        ASSERT_GE(host.ip.route(kPeer)->mtu, 552U);
    }
    EXPECT_GT(answers, 5000U) << "many frames were good";
    host.pass(61s);
    EXPECT_EQ(host.ip.fragments().datagrams(), 0U);
    EXPECT_EQ(host.ip.fragments().memory(), 0U);
    EXPECT_TRUE(taken(host.datagram({kPeer, 5000}, 7, pattern_bytes(10)))) << "alive";
}

}  // namespace
}  // namespace tapestry
