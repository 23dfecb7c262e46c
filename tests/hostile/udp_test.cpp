// UDP: lengths, checksums and ports that lie, and floods.

#include "tests/hostile/alive.h"
#include "tests/support/udp_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileUdp : public HostileIpTest {
protected:
    static std::vector<u8> frame(const std::vector<u8>& datagram) {
        return ethernet_frame(EtherType::Ipv4, ip_packet(ip_header(IpProtocol::Udp), datagram));
    }
    static std::vector<u8> to(u16 port, std::size_t size = 20, u16 from = 5000) {
        return udp_datagram(from, port, pattern_bytes(size));
    }
    /// The datagram with another length field, and a checksum that is right for it.
    static std::vector<u8> with_length(std::vector<u8> datagram, u16 length) {
        store_be16(&datagram[UdpView::kLength], length);
        store_be16(&datagram[UdpView::kChecksum], 0);
        if (length > datagram.size()) return datagram;
        auto adder = pseudo_header(kPeer, kUs, static_cast<u8>(IpProtocol::Udp), length);
        adder.add(Bytes(datagram).first(length));
        store_be16(&datagram[UdpView::kChecksum], adder.checksum());
        return datagram;
    }
};

TEST_F(HostileUdp, UDP_01_LengthsThatAreNotThePackets) {
    for (u16 length = 0; length < 8; ++length) {
        EXPECT_TRUE(silently(frame(with_length(to(7), length)), Drop::UdpBadLength)) << length;
    }
    for (const u16 length : {u16{29}, u16{1500}, u16{65535}}) {
        EXPECT_TRUE(silently(frame(with_length(to(7), length)), Drop::UdpBadLength)) << length;
    }
    // What IP brings beyond the datagram is no data.
    for (const u16 length : {u16{8}, u16{18}}) {
        const auto sent = taken_and_sent(frame(with_length(to(7), length)));
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(udp_of(sent[0])->payload().size(), length - 8U);
    }
}

TEST_F(HostileUdp, UDP_02_NoChecksum) {
    auto datagram = to(7);
    store_be16(&datagram[UdpView::kChecksum], 0);
    EXPECT_EQ(taken_and_sent(frame(datagram)).size(), 1U);
}

TEST_F(HostileUdp, UDP_03_AWrongChecksum) {
    auto datagram = to(7);
    const u16 right = load_be16(&datagram[UdpView::kChecksum]);
    store_be16(&datagram[UdpView::kChecksum], static_cast<u16>(right + 1));
    EXPECT_TRUE(silently(frame(datagram), Drop::UdpBadChecksum));
    auto closed = to(9);
    ++closed[UdpView::kChecksum];
    EXPECT_TRUE(silently(frame(closed), Drop::UdpBadChecksum)) << "not reported either";
}

/// A sum of zero would say that there is none; it is written as all ones.
TEST_F(HostileUdp, UDP_04_ASumOfZero) {
    for (const u16 from : {u16{5000}, u16{7777}}) {
        const auto zero = udp_datagram(7, from, std::vector<u8>(2), kUs, kPeer);
        const u16 rest = load_be16(&zero[UdpView::kChecksum]);
        const std::vector<u8> data{static_cast<u8>(rest >> 8), static_cast<u8>(rest)};
        const auto sent = taken_and_sent(frame(udp_datagram(from, 7, data)));
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(load_be16(ip_of(sent[0])->payload().data() + UdpView::kChecksum), 0xffff);
    }
}

TEST_F(HostileUdp, UDP_05_CutHeaders) {
    for (std::size_t size = 0; size < 8; ++size) {
        const auto whole = to(7);
        EXPECT_TRUE(silently(frame({whole.begin(), whole.begin() + static_cast<int>(size)}),
                             Drop::UdpShort));
    }
}

/// From port 0: delivered, and cannot be answered. To port 0: nobody, as Linux says it too.
TEST_F(HostileUdp, UDP_06_PortZero) {
    EXPECT_TRUE(taken_and_sent(frame(to(7, 20, 0))).empty());
    EXPECT_EQ(host_.stack.counters().udp_in_datagrams, 1U);
    EXPECT_TRUE(refused_once(frame(to(0)), Drop::UdpBadPort));
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(icmp_of(sent[0])->code(), code_of(UnreachableCode::Port));
}

/// Two echo services set upon each other would talk for ever. From our own address nothing is taken; that
/// two hosts should do it is why no program of ours has this service on by itself.
TEST_F(HostileUdp, UDP_07_TheEchoServiceAgainstItself) {
    Ipv4Header ours = ip_header(IpProtocol::Udp);
    ours.source = kUs;
    EXPECT_TRUE(silently_ip(ip_packet(ours, udp_datagram(7, 7, pattern_bytes(4), kUs)),
                            Drop::Ipv4BadSource));
    EXPECT_EQ(taken_and_sent(frame(to(7, 4, 7))).size(), 1U) << "one answer to one datagram";
}

TEST_F(HostileUdp, UDP_08_NobodyReads) {
    UdpSocket idle = host_.stack.udp_socket();
    ASSERT_TRUE(idle.bind({Ipv4Address(), 99}));
    const auto datagram = frame(to(99, 1000));
    for (int i = 0; i < 20000; ++i) host_.feed(datagram);
    std::vector<u8> buffer(2000);
    std::size_t kept = 0;
    while (const auto got = idle.receive(buffer)) kept += got->size;
    EXPECT_LE(kept, host_.stack.config().udp.receive_buffer);
    EXPECT_GE(kept, host_.stack.config().udp.receive_buffer / 2);
    EXPECT_EQ(host_.drops(Drop::UdpQueueFull), 20000 - kept / 1000);
    EXPECT_TRUE(host_.port.take().empty());
    EXPECT_TRUE(taken_and_sent(datagram).empty()) << "there is room again";
}

TEST_F(HostileUdp, UDP_09_AClosedPort) {
    const auto packet = ip_packet(ip_header(IpProtocol::Udp), to(9));
    const auto answer = icmp_answer(ethernet_frame(EtherType::Ipv4, packet));
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)[0], 3);
    EXPECT_EQ((*answer)[1], 3);
    EXPECT_EQ(copy_of(Bytes(*answer).subspan(8)), packet);
    EXPECT_EQ(host_.drops(Drop::UdpNoSocket), 1U);
}

TEST_F(HostileUdp, UDP_10_AReaderWithLittleRoom) {
    UdpSocket small = host_.stack.udp_socket();
    ASSERT_TRUE(small.bind({Ipv4Address(), 99}));
    host_.feed(frame(to(99, 1000)));
    host_.feed(frame(to(99, 10)));
    std::vector<u8> buffer(100);
    const auto first = small.receive(buffer);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->size, 100U);
    EXPECT_TRUE(first->truncated);
    const auto second = small.receive(buffer);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->size, 10U);
    EXPECT_FALSE(second->truncated) << "the rest of the first one is gone";
}

}  // namespace
}  // namespace tapestry
