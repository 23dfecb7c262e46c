#include "drivers/fault.h"

#include <gtest/gtest.h>

#include <bit>
#include <stdexcept>

#include "drivers/segmenter.h"
#include "tests/support/fake_device.h"

namespace tapestry {
namespace {

using test::FakeDevice;
using test::frame_of;
using test::PacketBuilder;
using test::pattern_bytes;

struct FaultTest : testing::Test {
    FakeDevice device;
    TimePoint now{};
    Clock clock = [this] { return now; };

    static std::vector<u8> numbered(u32 number) {
        PacketBuilder builder;
        builder.udp(1, 2).payload(pattern_bytes(100, number));
        return builder.build();
    }
    static bool send(Device& to, u32 number) {
        const auto bytes = numbered(number);
        return to.transmit(frame_of(bytes, 42));
    }
    static std::vector<std::vector<u8>> arrivals(Device& from) {
        std::vector<std::vector<u8>> frames;
        std::vector<Packet> batch(3);
        while (const std::size_t n = from.receive(batch)) {
            for (const Packet& packet : std::span(batch).first(n)) {
                frames.emplace_back(packet.bytes().begin(), packet.bytes().end());
            }
        }
        return frames;
    }
};

TEST_F(FaultTest, WithoutFaultsIsTransparent) {
    Fault fault(device, clock, 1, {}, {});
    const Offload offload{.checksum = Offload::Checksum::Verified};
    device.feed(numbered(1), offload);
    std::vector<Packet> batch(1);
    ASSERT_EQ(fault.receive(batch), 1U);
    EXPECT_EQ(batch[0].offload, offload);
    EXPECT_TRUE(send(fault, 2));
    EXPECT_EQ(device.sent.at(0).bytes, numbered(2));
    device.room = 0;
    EXPECT_FALSE(send(fault, 3));
    EXPECT_FALSE(fault.next_deadline());
}

TEST_F(FaultTest, RefusesSettingsOutOfRange) {
    EXPECT_THROW(Fault(device, clock, 1, {.drop = 101}, {}), std::invalid_argument);
    EXPECT_THROW(Fault(device, clock, 1, {}, {.corrupt = -1}), std::invalid_argument);
    EXPECT_THROW(Fault(device, clock, 1, {.delay = -1ms}, {}), std::invalid_argument);
}

TEST_F(FaultTest, DropsTheShareThatWasAskedFor) {
    Fault fault(device, clock, 7, {.drop = 20}, {.drop = 40});
    for (u32 i = 0; i < 5000; ++i) {
        ASSERT_TRUE(send(fault, i));
        if (i < 4000) device.feed(numbered(i));
    }
    EXPECT_NEAR(static_cast<double>(device.sent.size()), 4000, 120);
    EXPECT_EQ(fault.out_counters().dropped, 5000 - device.sent.size());
    const auto in = arrivals(fault);
    EXPECT_NEAR(static_cast<double>(in.size()), 2400, 120);
    EXPECT_EQ(fault.in_counters().dropped, 4000 - in.size());
    EXPECT_EQ(fault.in_counters().seen, 4000U);
}

TEST_F(FaultTest, EverythingOrNothing) {
    Fault fault(device, clock, 7, {.drop = 100}, {.duplicate = 100});
    for (u32 i = 0; i < 100; ++i) {
        EXPECT_TRUE(send(fault, i));
        device.feed(numbered(i));
    }
    EXPECT_TRUE(device.sent.empty());
    EXPECT_EQ(arrivals(fault).size(), 200U);
    EXPECT_EQ(fault.in_counters().duplicated, 100U);
}

TEST_F(FaultTest, EqualSeedsGiveEqualFates) {
    const FaultConfig config{.drop = 10, .duplicate = 10, .reorder = 10, .corrupt = 10};
    const auto run = [&](u64 seed, bool with_arrivals) {
        device.sent.clear();
        now = {};
        Fault fault(device, clock, seed, config, config);
        for (u32 i = 0; i < 300; ++i) {
            EXPECT_TRUE(send(fault, i));
            if (with_arrivals) device.feed(numbered(i));
            now += 3ms;
            arrivals(fault);
        }
        std::vector<std::vector<u8>> sent;
        sent.reserve(device.sent.size());
        for (const auto& s : device.sent) sent.push_back(s.bytes);
        return sent;
    };
    const auto first = run(1, false);
    EXPECT_EQ(run(1, false), first);
    EXPECT_EQ(run(1, true), first) << "the other direction must not disturb this one";
    EXPECT_NE(run(2, false), first);
}

TEST_F(FaultTest, AFrameThatWasNotTakenKeepsItsFate) {
    const FaultConfig config{.drop = 30, .duplicate = 30};
    Fault fault(device, clock, 5, config, {});
    Fault patient(device, clock, 5, config, {});
    for (u32 i = 0; i < 200; ++i) EXPECT_TRUE(send(fault, i));
    const std::size_t expected = device.sent.size();
    device.sent.clear();
    for (u32 i = 0; i < 200; ++i) {
        device.room = 0;
        while (!send(patient, i)) device.room = 100;
    }
    EXPECT_EQ(patient.out_counters().dropped, fault.out_counters().dropped);
    // A duplicate may be lost when the room of the device ends between the two; here it never does.
    EXPECT_EQ(device.sent.size(), expected);
}

TEST_F(FaultTest, DelaysBothWays) {
    Fault fault(device, clock, 1, {.delay = 10ms}, {.delay = 20ms});
    ASSERT_TRUE(send(fault, 1));
    device.feed(numbered(2));
    EXPECT_TRUE(arrivals(fault).empty());
    EXPECT_EQ(fault.next_deadline(), TimePoint(10ms));
    now = TimePoint(10ms);
    EXPECT_TRUE(arrivals(fault).empty());
    ASSERT_EQ(device.sent.size(), 1U);
    EXPECT_EQ(device.sent[0].bytes, numbered(1));
    EXPECT_EQ(fault.next_deadline(), TimePoint(20ms));
    now = TimePoint(20ms);
    EXPECT_EQ(arrivals(fault), (std::vector<std::vector<u8>>{numbered(2)}));
    EXPECT_FALSE(fault.next_deadline());
}

TEST_F(FaultTest, HeldFramesWaitForRoomInTheDevice) {
    Fault fault(device, clock, 1, {.delay = 10ms}, {});
    ASSERT_TRUE(send(fault, 1));
    ASSERT_TRUE(send(fault, 2));
    now = TimePoint(10ms);
    device.room = 1;
    EXPECT_TRUE(arrivals(fault).empty());
    EXPECT_EQ(fault.next_deadline(), TimePoint(11ms));
    EXPECT_FALSE(send(fault, 3)) << "it must not overtake the second";
    device.room = 9;
    now = TimePoint(11ms);
    EXPECT_TRUE(arrivals(fault).empty());
    ASSERT_EQ(device.sent.size(), 2U);
    EXPECT_EQ(device.sent[1].bytes, numbered(2));
}

TEST_F(FaultTest, ReorderedFramesAreOvertaken) {
    Fault fault(device, clock, 3, {.reorder = 25, .reorder_by = 5ms}, {});
    for (u32 i = 0; i < 40; ++i) {
        ASSERT_TRUE(send(fault, i));
        now += 1ms;
        EXPECT_TRUE(arrivals(fault).empty());
    }
    now += 5ms;
    EXPECT_TRUE(arrivals(fault).empty());
    ASSERT_EQ(device.sent.size(), 40U);
    std::vector<u32> order;
    for (const auto& sent : device.sent) {
        for (u32 i = 0; i < 40; ++i) {
            if (sent.bytes == numbered(i)) order.push_back(i);
        }
    }
    u64 overtaken = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        bool later_passed = false;
        for (std::size_t j = 0; j < i; ++j) later_passed |= order[j] > order[i];
        overtaken += later_passed ? 1 : 0;
    }
    EXPECT_GT(fault.out_counters().reordered, 2U);
    // The last ones may have nobody behind them.
    EXPECT_GE(overtaken + 3, fault.out_counters().reordered);
    EXPECT_LE(overtaken, fault.out_counters().reordered);
}

TEST_F(FaultTest, CorruptsOneBitBehindTheEthernetHeader) {
    Fault fault(device, clock, 3, {.corrupt = 100}, {.corrupt = 100});
    std::vector<std::vector<u8>> seen;
    for (u32 i = 0; i < 200; ++i) {
        ASSERT_TRUE(send(fault, 1));
        device.feed(numbered(1), {.checksum = Offload::Checksum::Verified});
        std::vector<Packet> batch(1);
        ASSERT_EQ(fault.receive(batch), 1U);
        EXPECT_EQ(batch[0].offload.checksum, Offload::Checksum::InFrame) << "no promise any more";
        seen.emplace_back(batch[0].bytes().begin(), batch[0].bytes().end());
    }
    for (const auto& sent : device.sent) seen.push_back(sent.bytes);
    const auto original = numbered(1);
    std::size_t places = 0;
    std::vector<u8> touched(original.size());
    for (const auto& bytes : seen) {
        ASSERT_EQ(bytes.size(), original.size());
        int bits = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const auto changed = static_cast<u8>(bytes[i] ^ original[i]);
            bits += std::popcount(changed);
            if (changed != 0) {
                EXPECT_GE(i, 14U);
                places += touched[i]++ == 0 ? 1 : 0;
            }
        }
        EXPECT_EQ(bits, 1);
    }
    EXPECT_GT(places, 64U) << "spread over the frame";
}

TEST_F(FaultTest, ADeviceThatFinishesChecksumsCannotHideTheDamage) {
    Fault fault(device, clock, 3, {.corrupt = 100}, {});
    PacketBuilder builder;
    builder.tcp(test::tcp_header(1)).payload(pattern_bytes(1000));
    const auto partial = builder.build_partial();
    const auto right = builder.build();
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(
            fault.transmit(frame_of(partial, builder.header_size(), builder.partial_offload())));
        EXPECT_EQ(device.sent.back().offload.checksum, Offload::Checksum::InFrame);
        int bits = 0;
        for (std::size_t b = 0; b < right.size(); ++b) {
            bits += std::popcount(static_cast<u8>(device.sent.back().bytes[b] ^ right[b]));
        }
        EXPECT_EQ(bits, 1) << "against the frame with its checksum complete";
    }
}

TEST_F(FaultTest, BehindASegmenterEachSegmentHasItsOwnFate) {
    Fault fault(device, clock, 3, {.drop = 50}, {});
    EXPECT_EQ(fault.capabilities().max_super_frame, 0U);
    Segmenter segmenter(fault, clock);
    PacketBuilder builder;
    builder.tcp(test::tcp_header(1)).payload(pattern_bytes(40000));
    const auto super = builder.build_partial();
    ASSERT_TRUE(segmenter.transmit(frame_of(super, 54, builder.partial_offload(1000))));
    EXPECT_EQ(fault.out_counters().seen, 40U);
    EXPECT_GT(device.sent.size(), 8U);
    EXPECT_LT(device.sent.size(), 32U);
}

TEST_F(FaultTest, AReceivedSuperFrameIsCutFirst) {
    Fault fault(device, clock, 3, {}, {.drop = 50});
    PacketBuilder builder;
    builder.tcp(test::tcp_header(1)).payload(pattern_bytes(40000));
    device.feed(builder.build_partial(), builder.partial_offload(1000));
    std::size_t n = 0;
    for (const auto& frame : arrivals(fault)) {
        ++n;
        EXPECT_EQ(frame.size(), 1054U);
        const auto ip = Ipv4View::parse(Bytes(frame).subspan(14));
        ASSERT_TRUE(ip);
        EXPECT_TRUE(TcpView::parse(ip->payload())->checksum_ok(ip->source(), ip->destination()));
    }
    EXPECT_EQ(n + fault.in_counters().dropped, 40U);
    EXPECT_GT(n, 8U);
    EXPECT_LT(n, 32U);
}

TEST_F(FaultTest, WhatItHoldsIsBounded) {
    Fault fault(device, clock, 1, {.delay = 1s}, {});
    u32 taken = 0;
    while (taken < 100000 && send(fault, taken)) ++taken;
    EXPECT_LT(taken, 100000U) << "full at last";
    now += 1s;
    EXPECT_TRUE(arrivals(fault).empty());
    EXPECT_EQ(device.sent.size(), taken);
    EXPECT_TRUE(send(fault, 1));
}

}  // namespace
}  // namespace tapestry
