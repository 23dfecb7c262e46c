#include "drivers/memory_link.h"

#include <gtest/gtest.h>

#include "tests/support/packet_builder.h"

namespace tapestry {
namespace {

using test::frame_of;
using test::PacketBuilder;
using test::pattern_bytes;

using Frames = std::vector<std::vector<u8>>;

struct MemoryLinkTest : testing::Test {
    TimePoint now{};
    Clock clock = [this] { return now; };

    static bool send(Device& device, std::size_t frame_size, u32 seed = 1,
                     const Offload& offload = {}) {
        const auto bytes = pattern_bytes(frame_size, seed);
        return device.transmit(frame_of(bytes, 14, offload, 7));
    }
    /// Everything that has arrived by now.
    static Frames arrivals(Device& device) {
        Frames frames;
        std::vector<Packet> batch(3);
        while (const std::size_t n = device.receive(batch)) {
            for (const Packet& packet : std::span(batch).first(n)) {
                frames.emplace_back(packet.bytes().begin(), packet.bytes().end());
            }
        }
        return frames;
    }
};

TEST_F(MemoryLinkTest, CarriesFramesBothWaysWithTheirOffload) {
    MemoryLink link(clock);
    const Offload offload{
        .checksum = Offload::Checksum::Partial, .csum_start = 34, .csum_offset = 6};
    ASSERT_TRUE(send(link.end(0), 100, 1, offload));
    ASSERT_TRUE(send(link.end(1), 200, 2));
    std::vector<Packet> batch(2);
    ASSERT_EQ(link.end(1).receive(batch), 1U);
    EXPECT_EQ(batch[0].offload, offload);
    EXPECT_TRUE(std::ranges::equal(batch[0].bytes(), pattern_bytes(100, 1)));
    EXPECT_EQ(arrivals(link.end(0)), Frames{pattern_bytes(200, 2)});
    EXPECT_EQ(link.counters(0).sent, 1U);
    EXPECT_EQ(link.counters(0).delivered, 1U);
}

TEST_F(MemoryLinkTest, DelayIsKeptToTheNanosecond) {
    MemoryLink link(clock, {.delay = 10ms});
    ASSERT_TRUE(send(link.end(0), 100));
    EXPECT_EQ(link.end(1).next_deadline(), TimePoint(10ms));
    EXPECT_FALSE(link.end(0).next_deadline());
    now = TimePoint(10ms - 1ns);
    EXPECT_TRUE(arrivals(link.end(1)).empty());
    now = TimePoint(10ms);
    EXPECT_EQ(arrivals(link.end(1)).size(), 1U);
    EXPECT_FALSE(link.end(1).next_deadline());
}

TEST_F(MemoryLinkTest, TheRateSpacesFrames) {
    MemoryLink link(clock, {.delay = 5ms, .bytes_per_second = 1'000'000});
    ASSERT_TRUE(send(link.end(0), 1000));
    ASSERT_TRUE(send(link.end(0), 500));
    EXPECT_EQ(link.end(1).next_deadline(), TimePoint(6ms));
    now = TimePoint(6ms);
    EXPECT_EQ(arrivals(link.end(1)).size(), 1U);
    EXPECT_EQ(link.end(1).next_deadline(), TimePoint(6ms + 500us));
}

TEST_F(MemoryLinkTest, AFullQueueDropsItsTail) {
    MemoryLink link(clock, {.bytes_per_second = 1'000'000, .queue_bytes = 3000});
    for (u32 i = 0; i < 5; ++i) EXPECT_TRUE(send(link.end(0), 1000, i));
    // One is on the wire; what waits for it and what is on it may together hold 3000 bytes.
    EXPECT_EQ(link.counters(0).queue_drops, 2U);
    now += 1ms;
    EXPECT_TRUE(send(link.end(0), 1000, 9));
    EXPECT_EQ(link.counters(0).queue_drops, 2U);
    now += 1s;
    EXPECT_EQ(arrivals(link.end(1)), (Frames{pattern_bytes(1000, 0), pattern_bytes(1000, 1),
                                             pattern_bytes(1000, 2), pattern_bytes(1000, 9)}));
}

TEST_F(MemoryLinkTest, AFullQueueSaysSoWhenAsked) {
    MemoryLink link(clock,
                    {.bytes_per_second = 1'000'000, .queue_bytes = 3000, .tail_drop = false});
    for (u32 i = 0; i < 3; ++i) EXPECT_TRUE(send(link.end(0), 1000, i));
    EXPECT_FALSE(send(link.end(0), 1000, 3));
    now += 1ms;
    EXPECT_TRUE(send(link.end(0), 1000, 3));
    EXPECT_EQ(link.counters(0).queue_drops, 0U);
}

TEST_F(MemoryLinkTest, FramesUnderWayAreBounded) {
    MemoryLink link(clock, {.delay = 1s, .max_frames = 10});
    for (u32 i = 0; i < 10; ++i) EXPECT_TRUE(send(link.end(0), 100, i));
    EXPECT_FALSE(send(link.end(0), 100, 10));
    EXPECT_TRUE(send(link.end(1), 100, 10)) << "the other direction has room of its own";
    now += 1s;
    EXPECT_EQ(arrivals(link.end(1)).size(), 10U);
    EXPECT_TRUE(send(link.end(0), 100, 10));
}

TEST_F(MemoryLinkTest, FramesLargerThanTheWireAreLost) {
    MemoryLink link(clock, {.mtu = 1000});
    EXPECT_TRUE(send(link.end(0), 1000 + 18));
    EXPECT_TRUE(send(link.end(0), 1000 + 19));
    EXPECT_EQ(link.counters(0).size_drops, 1U);
    EXPECT_EQ(arrivals(link.end(1)).size(), 1U);
}

TEST_F(MemoryLinkTest, SuperFramesCrossInOnePieceButPayForTheirHeaders) {
    MemoryLink link(clock, {.bytes_per_second = 1'000'000, .max_super_frame = 65535});
    PacketBuilder builder;
    builder.tcp(test::tcp_header(1)).payload(pattern_bytes(3000));
    const auto super = builder.build_partial();
    const Offload offload = builder.partial_offload(1000);
    ASSERT_TRUE(link.end(0).transmit(frame_of(super, builder.header_size(), offload)));
    // Three segments with 54 bytes of headers each.
    EXPECT_EQ(link.end(1).next_deadline(), TimePoint(3162us));
    now = TimePoint(1s);
    std::vector<Packet> batch(1);
    ASSERT_EQ(link.end(1).receive(batch), 1U);
    EXPECT_EQ(batch[0].offload, offload);
    EXPECT_TRUE(std::ranges::equal(batch[0].bytes(), super));
}

TEST_F(MemoryLinkTest, AShorterCableKeepsTheOrder) {
    MemoryLink link(clock, {.delay = 10ms});
    ASSERT_TRUE(send(link.end(0), 100, 1));
    link.reconfigure({.delay = 1ms});
    ASSERT_TRUE(send(link.end(0), 100, 2));
    now += 10ms;
    EXPECT_EQ(arrivals(link.end(1)), (Frames{pattern_bytes(100, 1), pattern_bytes(100, 2)}));
}

TEST_F(MemoryLinkTest, AnUnpluggedCableLosesWhatIsSent) {
    MemoryLink link(clock);
    link.set_plugged(false);
    EXPECT_TRUE(send(link.end(0), 100, 1));
    link.set_plugged(true);
    EXPECT_TRUE(send(link.end(0), 100, 2));
    EXPECT_EQ(arrivals(link.end(1)), Frames{pattern_bytes(100, 2)});
    EXPECT_EQ(link.counters(0).unplugged_drops, 1U);
}

}  // namespace
}  // namespace tapestry
