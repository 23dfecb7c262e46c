#include "stack/link/arp_cache.h"

#include "tests/support/link_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

constexpr Ipv4Address kOther(10, 0, 0, 9);
const MacAddress kOtherMac({2, 0, 0, 0, 0, 9});

std::vector<u8> packet(u8 mark) { return {mark, mark, mark, mark}; }

ArpPacket request(Ipv4Address from, MacAddress mac, Ipv4Address target = kUs) {
    return {ArpOperation::Request, mac, from, MacAddress(), target};
}
ArpPacket reply(Ipv4Address from, MacAddress mac) {
    return {ArpOperation::Reply, mac, from, kOurMac, kUs};
}

std::vector<ArpEntry> table(const LinkHost& host) {
    return host.interface->arp().entries(host.now);
}
std::size_t arp_requests_for(const std::vector<RecordingPort::Sent>& sent, Ipv4Address address) {
    std::size_t n = 0;
    for (const auto& one : sent) n += is_arp(one) && arp_of(one).target_ip == address ? 1 : 0;
    return n;
}

TEST(ArpResolve, AsksByBroadcastThenSendsWhatWaited) {
    LinkHost host;
    EXPECT_EQ(host.send(packet(1)), SendResult::Queued);
    auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(destination_of(sent[0]), MacAddress::broadcast());
    EXPECT_EQ(arp_of(sent[0]), request(kUs, kOurMac, kPeer));
    EXPECT_EQ(table(host).at(0).state, ArpState::Incomplete);

    EXPECT_TRUE(taken(host.answer()));
    sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(destination_of(sent[0]), kPeerMac);
    EXPECT_EQ(payload_of(sent[0]), packet(1));
    EXPECT_EQ(table(host), (std::vector<ArpEntry>{{kPeer, kPeerMac, ArpState::Reachable, 0}}));
}

TEST(ArpResolve, KnownNeighbourIsNotAskedForAgain) {
    LinkHost host;
    host.send(packet(1));
    host.answer();
    host.port.take();
    EXPECT_EQ(host.send(packet(2)), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(payload_of(sent[0]), packet(2));
}

TEST(ArpResolve, WaitingPacketsLeaveInOrderEachOnce) {
    LinkHost host;
    for (u8 i = 1; i <= 50; ++i) host.send(packet(i));
    host.port.take();
    host.answer();
    host.answer();  // a second answer finds nothing to release
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 50U);
    for (u8 i = 1; i <= 50; ++i) EXPECT_EQ(payload_of(sent[i - 1U]), packet(i));
    EXPECT_EQ(host.services.packets.in_use(), 0U);
    EXPECT_EQ(host.interface->arp().waiting(), 0U);
}

TEST(ArpResolve, OldestWaitingPacketGoesWhenTheRoomIsFull) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_waiting = 3;
    LinkHost host(config);
    for (u8 i = 1; i <= 5; ++i) EXPECT_EQ(host.send(packet(i)), SendResult::Queued);
    EXPECT_EQ(host.drops(Drop::NeighborQueueFull), 2U);
    host.port.take();
    host.answer();
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_EQ(payload_of(sent[0]), packet(3));
    EXPECT_EQ(payload_of(sent[2]), packet(5));
}

TEST(ArpResolve, TotalOfWaitingPacketsIsBounded) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_waiting_total = 4;
    LinkHost host(config);
    for (u8 i = 10; i < 16; ++i) host.send(packet(i), Ipv4Address(10, 0, 0, i));
    EXPECT_EQ(host.interface->arp().waiting(), 4U);
    EXPECT_EQ(host.drops(Drop::NeighborQueueFull), 2U);
    host.port.take();
    host.answer(Ipv4Address(10, 0, 0, 10));  // its packet was the oldest: gone
    EXPECT_TRUE(host.port.take().empty());
    host.answer(Ipv4Address(10, 0, 0, 15));
    ASSERT_EQ(host.port.sent.size(), 1U);
    EXPECT_EQ(payload_of(host.port.sent[0]), packet(15));
}

TEST(ArpResolve, SuperFrameWaitsWithItsOffload) {
    LinkHost host(LinkHost::quiet(), {1500, 65535});
    const std::vector<u8> data(60000, 0x5a);
    Frame frame(Bytes(data).first(100), Bytes(data).subspan(100));
    std::fill_n(frame.push(40), 40, u8{0x11});
    frame.offload = {Offload::Checksum::Partial, Offload::Gso::Tcp4, 1448, 40, 20, 16};
    EXPECT_EQ(host.interface->output(frame, kPeer, host.now), SendResult::Queued);
    EXPECT_EQ(host.services.super_packets.in_use(), 1U);
    host.port.take();
    host.answer();
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].bytes.size(), 60054U);
    EXPECT_EQ(sent[0].header_size, 54U);
    EXPECT_EQ(sent[0].offload,
              (Offload{Offload::Checksum::Partial, Offload::Gso::Tcp4, 1448, 54, 34, 16}));
    EXPECT_EQ(sent[0].bytes[14], 0x11);
    EXPECT_EQ(sent[0].bytes[54], 0x5a);
    EXPECT_EQ(host.services.super_packets.in_use(), 0U);
}

TEST(ArpResolve, SuperFrameBeyondThePoolIsRefusedByName) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_waiting = 1000;
    config.arp.max_waiting_total = 1000;
    LinkHost host(config, {1500, 65535});
    const std::vector<u8> data(60000);
    for (int i = 0; i < 70; ++i) host.send(data);
    EXPECT_EQ(host.drops(Drop::PoolExhausted), 6U);
    EXPECT_EQ(host.interface->arp().waiting(), 64U);
}

TEST(ArpResolve, DeviceFullAtReleaseIsRefusedByName) {
    LinkHost host;
    host.send(packet(1));
    host.send(packet(2));
    host.port.take();
    host.port.room = 1;
    host.answer();
    EXPECT_EQ(host.port.take().size(), 1U);
    EXPECT_EQ(host.drops(Drop::DeviceFull), 1U);
}

TEST(ArpRate, OneRequestASecondHoweverMuchIsSent) {
    LinkHost host;
    for (int i = 0; i < 1000; ++i) {
        host.send(packet(1));
        host.pass(1ms);
    }
    // At 0 s, and the second at exactly 1 s.
    EXPECT_EQ(arp_requests_for(host.port.take(), kPeer), 2U);
}

TEST(ArpRate, HoldsAlsoOverFailuresAndNewTries) {
    LinkHost host;
    std::vector<TimePoint> asked;
    for (int i = 0; i < 2000; ++i) {  // 20 s
        host.send(packet(1));
        host.pass(10ms);
        for (std::size_t n = arp_requests_for(host.port.take(), kPeer); n > 0; --n) {
            asked.push_back(host.now);
        }
    }
    ASSERT_GE(asked.size(), 15U) << "new tries follow failures";
    for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_GE(asked[i] - asked[i - 1], 990ms);
    EXPECT_LE(asked.size(), 21U);
}

TEST(ArpRate, HoldsWhenMoreAddressesAreTriedThanTheTableHolds) {
    StackConfig config = LinkHost::quiet();
    config.arp.max_entries = 8;
    LinkHost host(config);
    for (int round = 0; round < 9; ++round) {
        for (u8 i = 0; i < 100; ++i) host.send(packet(i), Ipv4Address(10, 0, 0, u8(20 + i)));
        host.pass(100ms);
    }
    const auto sent = host.port.take();
    for (u8 i = 0; i < 100; ++i) {
        EXPECT_LE(arp_requests_for(sent, Ipv4Address(10, 0, 0, u8(20 + i))), 1U);
    }
    EXPECT_LE(host.interface->arp().size(), 8U);
    EXPECT_GT(host.drops(Drop::NeighborQueueFull), 0U);
}

TEST(ArpFailure, WaitingPacketsComeOutAfterTheLastRequest) {
    LinkHost host;
    host.send(packet(1));
    host.send(packet(2));
    host.pass(2999ms);
    EXPECT_EQ(arp_requests_for(host.port.take(), kPeer), 3U);
    EXPECT_TRUE(host.interface->take_undeliverable().empty());
    host.pass(1ms);
    const auto lost = host.interface->take_undeliverable();
    ASSERT_EQ(lost.size(), 2U);
    EXPECT_EQ(lost[0].bytes()[0], 1);
    EXPECT_EQ(lost[1].bytes()[0], 2);
    EXPECT_TRUE(host.interface->take_undeliverable().empty()) << "once";
    EXPECT_EQ(host.drops(Drop::NeighborUnreachable), 2U);
    EXPECT_EQ(table(host).at(0).state, ArpState::Failed);
    EXPECT_FALSE(host.services.timers.next_deadline()) << "nothing more to wait for";
}

TEST(ArpFailure, LaterTryWorks) {
    LinkHost host;
    host.send(packet(1));
    host.pass(10s);
    host.port.take();
    EXPECT_EQ(host.send(packet(2)), SendResult::Queued);
    EXPECT_EQ(arp_requests_for(host.port.take(), kPeer), 1U);
    host.answer();
    ASSERT_EQ(host.port.sent.size(), 1U);
    EXPECT_EQ(payload_of(host.port.sent[0]), packet(2));
}

TEST(ArpFailure, FullDeviceCountsAsAnAttempt) {
    LinkHost host;
    host.port.room = 0;
    host.send(packet(1));
    EXPECT_EQ(host.drops(Drop::DeviceFull), 1U);
    host.port.room = -1;
    host.pass(1s);
    EXPECT_EQ(arp_requests_for(host.port.take(), kPeer), 1U);
}

TEST(ArpAgeing, StaleEntryServesWhileItIsProbedByUnicast) {
    LinkHost host;
    host.send(packet(1));
    host.answer();
    host.pass(60s);
    EXPECT_EQ(table(host).at(0).state, ArpState::Stale);
    host.port.take();
    EXPECT_EQ(host.send(packet(2)), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(destination_of(sent[0]), kPeerMac);
    EXPECT_EQ(arp_of(sent[0]).target_ip, kPeer);
    EXPECT_EQ(payload_of(sent[1]), packet(2));
    EXPECT_EQ(table(host).at(0).state, ArpState::Probing);
    host.answer();
    EXPECT_EQ(table(host).at(0).state, ArpState::Reachable);
    host.pass(10s);
    EXPECT_TRUE(host.port.take().empty());
}

TEST(ArpAgeing, UnansweredProbesForgetTheEntry) {
    LinkHost host;
    host.send(packet(1));
    host.answer();
    host.pass(60s);
    host.port.take();
    host.send(packet(2));
    host.pass(2s);
    EXPECT_EQ(host.send(packet(3)), SendResult::Sent) << "still used during the last probe";
    host.pass(1s);
    std::size_t probes = 0;
    for (const auto& sent : host.port.take()) {
        if (!is_arp(sent)) continue;
        ++probes;
        EXPECT_EQ(destination_of(sent), kPeerMac);
    }
    EXPECT_EQ(probes, 3U);
    EXPECT_TRUE(table(host).empty());
    EXPECT_EQ(host.send(packet(4)), SendResult::Queued);
    EXPECT_EQ(destination_of(host.port.take().at(0)), MacAddress::broadcast());
}

TEST(ArpAgeing, IdleStaleEntryIsNotProbed) {
    LinkHost host;
    host.send(packet(1));
    host.answer();
    host.port.take();
    host.pass(600s);
    EXPECT_TRUE(host.port.take().empty());
    EXPECT_FALSE(host.services.timers.next_deadline());
}

TEST(ArpAgeing, UnusedEntryIsForgotten) {
    LinkHost host;
    host.send(packet(1));
    host.answer();
    host.pass(1199s);
    EXPECT_EQ(table(host).size(), 1U);
    host.pass(1s);
    EXPECT_TRUE(table(host).empty());
    EXPECT_EQ(host.send(packet(2)), SendResult::Queued);
}

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
