#include "stack/link/arp_cache.h"

#include "tests/link/arp_packets.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

TEST(ArpLearn, RequestForUsIsAnsweredByUnicastAndLearnt) {
    LinkHost host;
    EXPECT_TRUE(taken(host.receive_arp(request(kPeer, kPeerMac), MacAddress::broadcast())));
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].bytes.size(), 42U);
    EXPECT_EQ(destination_of(sent[0]), kPeerMac);
    EXPECT_EQ(arp_of(sent[0]), (ArpPacket{ArpOperation::Reply, kOurMac, kUs, kPeerMac, kPeer}));
    EXPECT_EQ(host.services.counters.arp_replies_out, 1U);
    EXPECT_EQ(host.send(packet(1)), SendResult::Sent);
}

TEST(ArpLearn, TrailingBytesAreIgnored) {
    LinkHost host;
    auto frame = arp_frame(request(kPeer, kPeerMac));
    frame.resize(frame.size() + 1000, 0xee);
    EXPECT_TRUE(taken(host.input(frame)));
    EXPECT_EQ(host.port.take().at(0).bytes.size(), 42U);
}

TEST(ArpLearn, RequestForSomebodyElseCreatesNothing) {
    LinkHost host;
    EXPECT_TRUE(refused_as(host.receive_arp(request(kPeer, kPeerMac, kOther)), Drop::ArpNotForUs));
    EXPECT_TRUE(table(host).empty());
    EXPECT_TRUE(host.port.take().empty());
}

TEST(ArpLearn, RequestForSomebodyElseUpdatesAKnownEntry) {
    LinkHost host;
    host.receive_arp(request(kPeer, kPeerMac));
    EXPECT_TRUE(taken(host.receive_arp(request(kPeer, kOtherMac, kOther))));
    EXPECT_EQ(table(host).at(0).mac, kOtherMac);
}

TEST(ArpLearn, UnsolicitedReplyCreatesNothing) {
    LinkHost host;
    EXPECT_TRUE(refused_as(host.receive_arp(reply(kPeer, kPeerMac)), Drop::ArpUnsolicited));
    EXPECT_TRUE(refused_as(host.receive_arp(reply(kPeer, kPeerMac), MacAddress::broadcast()),
                           Drop::ArpUnsolicited));
    EXPECT_TRUE(table(host).empty());
}

TEST(ArpLearn, ReplyAfterTheFailureCreatesNothing) {
    LinkHost host;
    host.send(packet(1));
    host.pass(3s);
    EXPECT_TRUE(refused_as(host.receive_arp(reply(kPeer, kPeerMac)), Drop::ArpUnsolicited));
    EXPECT_EQ(table(host).at(0).state, ArpState::Failed);
}

TEST(ArpLearn, RequestFromAFailedAddressIsLearnt) {
    LinkHost host;
    host.send(packet(1));
    host.pass(3s);
    EXPECT_TRUE(taken(host.receive_arp(request(kPeer, kPeerMac))));
    EXPECT_EQ(table(host).at(0).state, ArpState::Reachable);
}

TEST(ArpLearn, BroadcastReplyIsTakenWhilePending) {
    LinkHost host;
    host.send(packet(1));
    EXPECT_TRUE(taken(host.receive_arp(reply(kPeer, kPeerMac), MacAddress::broadcast())));
    EXPECT_EQ(table(host).at(0).state, ArpState::Reachable);
}

// RFC 826's merge believes any valid packet about a known address, an unsolicited reply too. It is
// what makes a changed network card work; a static entry is the way not to believe it.
TEST(ArpLearn, UnsolicitedReplyUpdatesAKnownEntry) {
    LinkHost host;
    host.receive_arp(request(kPeer, kPeerMac));
    EXPECT_TRUE(taken(host.receive_arp(reply(kPeer, kOtherMac))));
    host.port.take();
    host.send(packet(1));
    EXPECT_EQ(destination_of(host.port.take().at(0)), kOtherMac);
}

TEST(ArpLearn, GratuitousRequestUpdatesAKnownEntryAndCreatesNone) {
    LinkHost host;
    host.receive_arp(request(kPeer, kPeerMac));
    EXPECT_TRUE(taken(host.receive_arp(request(kPeer, kOtherMac, kPeer))));
    EXPECT_EQ(table(host).at(0).mac, kOtherMac);
    EXPECT_TRUE(
        refused_as(host.receive_arp(request(kOther, kOtherMac, kOther)), Drop::ArpNotForUs));
    EXPECT_EQ(table(host).size(), 1U);
}

TEST(ArpLearn, ProbeIsAnsweredButNotLearnt) {
    LinkHost host;
    EXPECT_TRUE(taken(host.receive_arp(request(Ipv4Address(), kPeerMac))));
    EXPECT_EQ(arp_of(host.port.take().at(0)),
              (ArpPacket{ArpOperation::Reply, kOurMac, kUs, kPeerMac, Ipv4Address()}));
    EXPECT_TRUE(table(host).empty());
    EXPECT_TRUE(
        refused_as(host.receive_arp(request(Ipv4Address(), kPeerMac, kOther)), Drop::ArpNotForUs));
}

struct BadSender {
    const char* what;
    Ipv4Address ip;
    MacAddress mac;
};
class ArpBadSenderTest : public testing::TestWithParam<BadSender> {};

TEST_P(ArpBadSenderTest, IsNeitherLearntNorAnswered) {
    LinkHost host;
    EXPECT_TRUE(
        refused_as(host.receive_arp(request(GetParam().ip, GetParam().mac)), Drop::ArpBadSender));
    EXPECT_TRUE(
        refused_as(host.receive_arp(reply(GetParam().ip, GetParam().mac)), Drop::ArpBadSender));
    EXPECT_TRUE(table(host).empty());
    EXPECT_TRUE(host.port.take().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Arp, ArpBadSenderTest,
    testing::Values(BadSender{"broadcast_mac", kPeer, MacAddress::broadcast()},
                    BadSender{"multicast_mac", kPeer, MacAddress({1, 0, 0x5e, 0, 0, 1})},
                    BadSender{"zero_mac", kPeer, MacAddress()},
                    BadSender{"our_mac", kPeer, kOurMac},
                    BadSender{"loopback", Ipv4Address(127, 0, 0, 1), kPeerMac},
                    BadSender{"multicast_ip", Ipv4Address(224, 0, 0, 1), kPeerMac},
                    BadSender{"broadcast_ip", Ipv4Address::broadcast(), kPeerMac},
                    BadSender{"off_subnet", Ipv4Address(192, 168, 1, 1), kPeerMac},
                    BadSender{"subnet_broadcast", Ipv4Address(10, 0, 0, 255), kPeerMac},
                    BadSender{"subnet_itself", Ipv4Address(10, 0, 0, 0), kPeerMac}),
    [](const auto& one) { return std::string(one.param.what); });

TEST(ArpLearn, ReplyWithSenderZeroIsRefused) {
    LinkHost host;
    EXPECT_TRUE(refused_as(host.receive_arp(reply(Ipv4Address(), kPeerMac)), Drop::ArpBadSender));
}

TEST(ArpLearn, GatewayOutsideOfTheSubnetIsBelievedWhenAskedFor) {
    LinkHost host(LinkHost::quiet(), {}, 0, 32);
    const Ipv4Address gateway(172, 16, 0, 1);
    host.send(packet(1), gateway);
    EXPECT_TRUE(taken(host.answer(gateway, kOtherMac)));
    EXPECT_EQ(table(host).at(0).mac, kOtherMac);
}

TEST(ArpConflictTest, OwnAddressIsNeverStoredAndDefendedRarely) {
    LinkHost host;
    EXPECT_TRUE(refused_as(host.receive_arp(request(kUs, kOtherMac)), Drop::ArpConflict));
    auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(destination_of(sent[0]), MacAddress::broadcast());
    EXPECT_EQ(arp_of(sent[0]), request(kUs, kOurMac, kUs));
    for (int i = 0; i < 99; ++i) {
        host.pass(100ms);
        EXPECT_TRUE(refused_as(host.receive_arp(reply(kUs, kOtherMac)), Drop::ArpConflict));
    }
    EXPECT_TRUE(host.port.take().empty()) << "9.9 s later";
    host.pass(100ms);
    host.receive_arp(reply(kUs, kOtherMac));
    EXPECT_EQ(host.port.take().size(), 1U);
    EXPECT_TRUE(table(host).empty());
}

TEST(ArpStaticTest, IsNeverOverwrittenNorAged) {
    LinkHost host;
    host.interface->arp().add_static(kPeer, kPeerMac, host.now);
    EXPECT_TRUE(refused_as(host.receive_arp(request(kPeer, kOtherMac)), Drop::ArpStatic));
    EXPECT_TRUE(refused_as(host.receive_arp(reply(kPeer, kOtherMac)), Drop::ArpStatic));
    host.pass(100000s);
    EXPECT_EQ(host.send(packet(1)), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U) << "no probe";
    EXPECT_EQ(destination_of(sent[0]), kPeerMac);
    EXPECT_EQ(table(host).at(0).state, ArpState::Static);
    EXPECT_TRUE(taken(host.receive_arp(request(kPeer, kPeerMac)))) << "it agrees, and is answered";
    EXPECT_EQ(host.port.take().size(), 1U);
}

TEST(ArpStaticTest, ReleasesWhatWaits) {
    LinkHost host;
    host.send(packet(1));
    host.port.take();
    host.interface->arp().add_static(kPeer, kPeerMac, host.now);
    ASSERT_EQ(host.port.sent.size(), 1U);
    EXPECT_EQ(payload_of(host.port.sent[0]), packet(1));
    host.pass(10s);
    EXPECT_TRUE(host.interface->take_undeliverable().empty());
}

TEST(ArpRemove, ForgetsAndGivesUpWhatWaits) {
    LinkHost host;
    host.send(packet(1));
    EXPECT_TRUE(host.interface->arp().remove(kPeer, host.now));
    EXPECT_EQ(host.interface->take_undeliverable().size(), 1U);
    EXPECT_FALSE(host.interface->arp().remove(kPeer, host.now));
    EXPECT_TRUE(table(host).empty());
}

TEST(ArpLimit, FloodOfRequestsKeepsTheBoundAndWhoWeTalkTo) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_entries = 16;
    LinkHost host(config, {}, 0, 8);
    host.send(packet(1));
    host.answer();
    for (u32 i = 0; i < 20000; ++i) {
        host.receive_arp(request(Ipv4Address(0x0a010000 + i), kOtherMac));
        ASSERT_LE(host.interface->arp().size(), 16U);
    }
    EXPECT_EQ(host.services.counters.arp_replies_out, 20000U) << "each is answered";
    EXPECT_EQ(host.send(packet(2)), SendResult::Sent);
}

TEST(ArpLimit, NeighbourThatAskedFirstIsKeptOnceWeSendToIt) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_entries = 4;
    LinkHost host(config, {}, 0, 8);
    host.receive_arp(request(kPeer, kPeerMac));
    host.send(packet(1));
    for (u32 i = 0; i < 100; ++i) {
        host.receive_arp(request(Ipv4Address(0x0a010000 + i), kOtherMac));
    }
    EXPECT_EQ(host.send(packet(2)), SendResult::Sent);
}

TEST(ArpLimit, WhoOnlyAsksIsAnsweredButNotLearntWhenAllAreInUse) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_entries = 4;
    LinkHost host(config);
    for (u8 i = 20; i < 24; ++i) {
        host.send(packet(1), Ipv4Address(10, 0, 0, i));
        host.answer(Ipv4Address(10, 0, 0, i));
    }
    const auto before = table(host);
    host.port.take();
    EXPECT_TRUE(taken(host.receive_arp(request(kOther, kOtherMac))));
    EXPECT_EQ(host.port.take().size(), 1U);
    EXPECT_EQ(table(host), before);
}

TEST(ArpLimit, UnansweredAddressThatWasAskedForLongestAgoGoesFirst) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_entries = 4;  // half of which may be unanswered
    LinkHost host(config);
    const Ipv4Address a(10, 0, 0, 20);
    const Ipv4Address b(10, 0, 0, 21);
    const Ipv4Address c(10, 0, 0, 22);
    host.send(packet(1), a);
    host.pass(500ms);
    host.send(packet(1), b);
    host.pass(3100ms);        // both have failed
    host.send(packet(1), a);  // asked for again
    host.pass(100ms);
    host.port.take();
    host.send(packet(1), c);
    EXPECT_EQ(arp_requests_for(host.port.take(), c), 1U);
    ASSERT_EQ(table(host).size(), 2U);
    EXPECT_EQ(table(host)[0].address, a);
    EXPECT_EQ(table(host)[1].address, c);
}

TEST(ArpLimit, SilentAddressesCannotPushOutWhoWeTalkTo) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_entries = 16;
    LinkHost host(config, {}, 0, 8);
    host.send(packet(1));
    host.answer();
    for (u32 i = 0; i < 2000; ++i) {
        host.send(packet(2), Ipv4Address(0x0a010000 + i));
        host.pass(10ms);
        ASSERT_LE(host.interface->arp().size(), 16U);
    }
    EXPECT_EQ(host.send(packet(3)), SendResult::Sent);
    EXPECT_LE(host.interface->arp().waiting(), 16U);
}

TEST(ArpLimit, LeastRecentlyUsedNeighbourGoesFirst) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_entries = 4;
    LinkHost host(config);
    const auto host_address = [](int i) { return Ipv4Address(10, 0, 0, static_cast<u8>(20 + i)); };
    for (int i = 0; i < 4; ++i) {
        host.send(packet(1), host_address(i));
        host.answer(host_address(i));
        host.pass(1s);
    }
    host.send(packet(2), host_address(0));  // used again
    host.send(packet(3), host_address(4));  // needs room
    EXPECT_EQ(host.send(packet(4), host_address(0)), SendResult::Sent);
    EXPECT_EQ(host.send(packet(4), host_address(2)), SendResult::Sent);
    EXPECT_EQ(host.send(packet(4), host_address(1)), SendResult::Queued) << "it had to go";
}

TEST(ArpAnnounce, GratuitousRequestAtTheStart) {
    LinkHost host{StackConfig()};
    host.interface->start(host.now);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(destination_of(sent[0]), MacAddress::broadcast());
    EXPECT_EQ(arp_of(sent[0]), request(kUs, kOurMac, kUs));
}

TEST(ArpAnnounce, NotWhenSwitchedOff) {
    LinkHost host;
    host.interface->start(host.now);
    EXPECT_TRUE(host.port.take().empty());
}

}  // namespace
}  // namespace tapestry
