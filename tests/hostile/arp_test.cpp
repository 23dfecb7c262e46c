// ARP that lies: RFC 826 believes everybody, so what gets into the table, and when, is what protects us.

#include "tests/hostile/alive.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

const MacAddress kStranger({2, 0x66, 0, 0, 0, 6});
constexpr Ipv4Address kUnknown{10, 0, 0, 77};

class HostileArp : public HostileTest {
protected:
    explicit HostileArp(const StackConfig& config = HostileHost::quiet()) : HostileTest(config) {}

    ArpCache& cache() { return host_.interface->arp(); }
    std::optional<MacAddress> known(Ipv4Address address) {
        return cache().lookup(address, host_.now);
    }
    static std::vector<u8> request(Ipv4Address from, MacAddress mac = kPeerMac,
                                   Ipv4Address target = kUs) {
        return arp_frame({ArpOperation::Request, mac, from, MacAddress(), target},
                         MacAddress::broadcast());
    }
    static std::vector<u8> reply(Ipv4Address from, MacAddress mac, MacAddress to = kOurMac) {
        return arp_frame({ArpOperation::Reply, mac, from, kOurMac, kUs}, to);
    }
    /// Has the stack send a datagram there.
    void talk_to(Ipv4Address address, std::size_t size = 10) {
        (void)host_.echo.send_to(pattern_bytes(size), {address, 5000});
        host_.settle();
    }
    std::size_t requests_sent() {
        const auto sent = host_.port.take();
        return static_cast<std::size_t>(std::ranges::count_if(sent, [](const auto& one) {
            return is_arp(one) && arp_of(one).operation == ArpOperation::Request;
        }));
    }
};

TEST_F(HostileArp, ARP_01_CutPackets) {
    const auto whole = request(kPeer);
    for (std::size_t size = 0; size < 28; ++size) {
        EXPECT_TRUE(silently(Bytes(whole).first(14 + size), Drop::ArpShort)) << size;
    }
}

TEST_F(HostileArp, ARP_02_OtherHardwareAndOtherProtocols) {
    const auto changed = [&](std::size_t at, u8 high, u8 low) {
        auto frame = request(kPeer);
        frame[14 + at] = high;
        frame[14 + at + 1] = low;
        return frame;
    };
    for (const u16 type : {u16{0}, u16{6}, u16{65535}}) {
        EXPECT_TRUE(silently(changed(0, static_cast<u8>(type >> 8), static_cast<u8>(type)),
                             Drop::ArpBadHardware));
    }
    EXPECT_TRUE(silently(changed(2, 0x86, 0xdd), Drop::ArpBadProtocol));
    for (const u8 length : {u8{0}, u8{5}, u8{7}, u8{255}}) {
        EXPECT_TRUE(silently(changed(4, length, 4), Drop::ArpBadLength));
    }
    for (const u8 length : {u8{0}, u8{3}, u8{16}, u8{255}}) {
        EXPECT_TRUE(silently(changed(4, 6, length), Drop::ArpBadLength));
    }
    EXPECT_FALSE(known(kPeer));
}

/// RARP's operations are not ARP's: nobody gives us an address unasked.
TEST_F(HostileArp, ARP_03_OperationsThatAreNeitherRequestNorReply) {
    for (u32 operation = 0; operation < 65536; ++operation) {
        if (operation == 1 || operation == 2) continue;
        host_.feed(
            arp_frame({static_cast<ArpOperation>(operation), kPeerMac, kPeer, kOurMac, kUs}));
    }
    EXPECT_EQ(host_.drops(Drop::ArpBadOperation), 65534U);
    EXPECT_EQ(host_.all_drops(), 65534U);
    EXPECT_TRUE(host_.port.take().empty());
    EXPECT_EQ(host_.interface->address(), kUs);
    EXPECT_EQ(cache().size(), 0U);
}

TEST_F(HostileArp, ARP_04_AnAnswerThatNobodyAskedFor) {
    EXPECT_TRUE(silently(reply(kPeer, kStranger), Drop::ArpUnsolicited));
    EXPECT_EQ(cache().size(), 0U);
}

/// RFC 826 merges: whoever says that a known neighbour has moved is believed, since a neighbour may. The
/// defence is an entry by hand, which nobody overwrites.
TEST_F(HostileArp, ARP_05_AStrangerTakesANeighboursAddress) {
    host_.feed(request(kPeer));
    ASSERT_EQ(known(kPeer), kPeerMac);
    host_.feed(reply(kPeer, kStranger));
    EXPECT_EQ(known(kPeer), kStranger);
    host_.feed(request(kPeer, kPeerMac, kPeer));  // a gratuitous one
    EXPECT_EQ(known(kPeer), kPeerMac);

    host_.know_peer();
    EXPECT_TRUE(silently(reply(kPeer, kStranger), Drop::ArpStatic));
    EXPECT_TRUE(silently(request(kPeer, kStranger, kPeer), Drop::ArpStatic));
    EXPECT_EQ(known(kPeer), kPeerMac);
}

/// RFC 5227 2.4 (b): our address is never learnt, and defended once in ten seconds.
TEST_F(HostileArp, ARP_06_AStrangerHasOurAddress) {
    EXPECT_TRUE(refused_once(request(kUs, kStranger), Drop::ArpConflict));
    const auto defence = host_.port.take();
    ASSERT_EQ(defence.size(), 1U);
    EXPECT_EQ(arp_of(defence[0]).sender_ip, kUs);
    EXPECT_EQ(arp_of(defence[0]).target_ip, kUs);
    for (int i = 0; i < 99; ++i) {
        host_.pass(100ms);
        EXPECT_TRUE(silently(i % 2 == 0 ? request(kUs, kStranger) : reply(kUs, kStranger),
                             Drop::ArpConflict));
    }
    host_.pass(101ms);
    EXPECT_TRUE(refused_once(reply(kUs, kStranger), Drop::ArpConflict));
    EXPECT_EQ(host_.port.take().size(), 1U);
    EXPECT_FALSE(known(kUs));
}

class HostileSmallArp : public HostileArp {
protected:
    HostileSmallArp() : HostileArp(small()) {}
    static StackConfig small() {
        StackConfig config = HostileHost::quiet();
        config.arp.max_entries = 64;
        return config;
    }
};

/// Half of them in the subnet, so that they are believed; the neighbour that we talk to stays.
TEST_F(HostileSmallArp, ARP_07_AFloodOfMadeUpNeighbours) {
    host_.feed(request(kPeer));
    talk_to(kPeer);
    for (u32 i = 0; i < 20000; ++i) {
        const u32 host_part = i % 2 == 0 ? 2 + i / 2 % 250 : 256 + i;
        const Ipv4Address sender((10U << 24) + (host_part == 2 ? 3 : host_part));
        host_.feed(request(sender, MacAddress({2, 7, 0, 0, static_cast<u8>(i >> 8), u8(i)})));
        ASSERT_LE(cache().size(), 64U);
    }
    EXPECT_EQ(known(kPeer), kPeerMac);
}

/// RFC 1122 2.3.2.2: some packets wait for each address, but there is an end; 2.3.2.1: one request a
/// second for each.
TEST_F(HostileArp, ARP_08_NeighboursThatNeverAnswer) {
    const auto& config = host_.stack.config().arp;
    for (u32 i = 0; i < 10000; ++i) {
        talk_to(Ipv4Address(10, 0, 0, static_cast<u8>(3 + i % 200)));
        ASSERT_LE(cache().waiting(), config.max_waiting_total);
        ASSERT_LE(cache().size(), config.max_entries);
    }
    EXPECT_EQ(requests_sent(), 200U) << "no time has passed: one for each address";
    EXPECT_GE(host_.drops(Drop::NeighborQueueFull), 10000 - config.max_waiting_total);
    host_.pass(10s);
    EXPECT_EQ(requests_sent(), 400U) << "two more for each, and then no more";
    EXPECT_EQ(cache().waiting(), 0U);
    EXPECT_EQ(host_.drops(Drop::NeighborQueueFull) + host_.drops(Drop::NeighborUnreachable),
              10000U);
}

TEST_F(HostileArp, ARP_09_SendersThatAreNoHost) {
    // RFC 5227 1.1: a probe is answered, and says nothing about anybody.
    const auto sent = taken_and_sent(request(Ipv4Address()));
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(destination_of(sent[0]), kPeerMac);
    for (const Ipv4Address& sender :
         {Ipv4Address(127, 0, 0, 1), Ipv4Address(224, 0, 0, 1), Ipv4Address(255, 255, 255, 255),
          Ipv4Address(10, 0, 0, 255), Ipv4Address(10, 0, 0, 0), Ipv4Address(192, 168, 9, 9)}) {
        EXPECT_TRUE(silently(request(sender), Drop::ArpBadSender)) << sender.to_string();
    }
    EXPECT_EQ(cache().size(), 0U);
}

/// The address in the frame and the one in the packet need not be the same (a proxy may answer), but what
/// is learnt must be one station's, and not ours.
TEST_F(HostileArp, ARP_10_HardwareAddressesThatAreNobodys) {
    for (const MacAddress& mac :
         {MacAddress::broadcast(), MacAddress({1, 0, 0x5e, 0, 0, 1}), MacAddress(), kOurMac}) {
        EXPECT_TRUE(silently(request(kPeer, mac), Drop::ArpBadSender));
        talk_to(kUnknown);
        (void)host_.port.take();
        EXPECT_TRUE(silently(reply(kUnknown, mac), Drop::ArpBadSender));
    }
    EXPECT_FALSE(known(kPeer));
    EXPECT_FALSE(known(kUnknown));
    host_.feed(request(kPeer, kStranger));
    EXPECT_EQ(known(kPeer), kStranger);
}

TEST_F(HostileArp, ARP_11_AnAnswerToEverybody) {
    const auto shouted = reply(kUnknown, kStranger, MacAddress::broadcast());
    EXPECT_TRUE(silently(shouted, Drop::ArpUnsolicited));
    EXPECT_FALSE(known(kUnknown));
    talk_to(kUnknown);
    (void)host_.port.take();
    EXPECT_EQ(taken_and_sent(shouted).size(), 1U) << "this one was asked for: the datagram leaves";
    EXPECT_EQ(known(kUnknown), kStranger);
}

TEST_F(HostileArp, ARP_12_AThousandBytesBehindThePacket) {
    auto long_request = request(kPeer);
    long_request.resize(long_request.size() + 1000, 0xaa);
    const auto sent = taken_and_sent(long_request);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].bytes.size(), 14U + 28U);
    EXPECT_EQ(known(kPeer), kPeerMac);
}

TEST_F(HostileArp, ARP_13_FiftyPacketsWaitAndTheAnswerComesTwice) {
    for (std::size_t i = 0; i < 50; ++i) talk_to(kUnknown, 100 + i);
    (void)host_.port.take();
    const auto sent = taken_and_sent(reply(kUnknown, kStranger));
    ASSERT_EQ(sent.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) {
        EXPECT_EQ(ip_of(sent[i])->payload().size(), 8 + 100 + i) << "in their order";
    }
    EXPECT_TRUE(taken_and_sent(reply(kUnknown, kStranger)).empty()) << "each of them once";
    EXPECT_EQ(cache().waiting(), 0U);
}

}  // namespace
}  // namespace tapestry
