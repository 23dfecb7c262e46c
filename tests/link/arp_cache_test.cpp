#include "stack/link/arp_cache.h"

#include "tests/link/arp_packets.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

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

TEST(ArpRate, HoldsForProbesToo) {
    StackConfig config = LinkHost::quiet();
    config.arp.reachable_time = 10ms;
    LinkHost host(config);
    host.send(packet(1));
    host.answer();
    host.port.take();
    std::size_t probes = 0;
    for (int i = 0; i < 300; ++i) {  // 6 s
        host.pass(20ms);
        EXPECT_EQ(host.send(packet(2)), SendResult::Sent);
        const std::size_t asked = arp_requests_for(host.port.take(), kPeer);
        if (asked > 0) host.answer();
        probes += asked;
    }
    EXPECT_GE(probes, 5U);
    EXPECT_LE(probes, 6U);
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
    host.pass(2s);
    EXPECT_EQ(arp_requests_for(host.port.take(), kPeer), 2U) << "with as many requests as before";
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

/// Negative advice: fresh or not, the neighbour is asked at its next use, once; it is not forgotten.
TEST(ArpAgeing, ASuspectIsProbedAtItsNextUse) {
    LinkHost host;
    host.send(packet(1));
    host.answer();
    host.pass(2s);
    host.port.take();
    host.send(packet(2));
    EXPECT_EQ(host.port.take().size(), 1U) << "fresh: not asked";
    host.interface->arp().suspect(kPeer, host.now);
    host.interface->arp().suspect(Ipv4Address(10, 0, 0, 99), host.now);
    EXPECT_EQ(host.send(packet(3)), SendResult::Sent);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(std::count_if(sent.begin(), sent.end(), [](const auto& f) { return is_arp(f); }), 1);
    host.answer();
    host.send(packet(4));
    EXPECT_EQ(host.port.take().size(), 1U) << "it has answered";
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

}  // namespace
}  // namespace tapestry
