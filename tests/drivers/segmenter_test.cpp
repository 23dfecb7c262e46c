#include "drivers/segmenter.h"

#include <gtest/gtest.h>

#include "tests/support/fake_device.h"

namespace tapestry {
namespace {

using test::FakeDevice;
using test::frame_of;
using test::PacketBuilder;
using test::pattern_bytes;

struct SegmenterTest : testing::Test {
    FakeDevice device;
    TimePoint now{};
    Segmenter segmenter{device, [this] { return now; }};

    bool send(u32 seq, std::size_t size, u16 gso_size, u8 flags = TcpFlags::kAck) {
        PacketBuilder builder;
        builder.tcp(test::tcp_header(seq, flags)).payload(pattern_bytes(size, seq));
        // In a block of its own that dies after the call, as a frame's spans may.
        const auto bytes = builder.build_partial();
        return segmenter.transmit(
            frame_of(bytes, builder.header_size(), builder.partial_offload(gso_size), size / 3));
    }
    /// The payload of what was sent, in sequence and without a hole; every checksum must be right.
    std::vector<u8> stream(u32 first_seq) {
        std::vector<u8> bytes;
        for (const auto& sent : device.sent) {
            const auto ip = Ipv4View::parse(Bytes(sent.bytes).subspan(14));
            EXPECT_TRUE(ip);
            if (!ip) return {};
            const auto tcp = TcpView::parse(ip->payload());
            EXPECT_TRUE(tcp);
            if (!tcp) return {};
            EXPECT_TRUE(tcp->checksum_ok(ip->source(), ip->destination()));
            EXPECT_EQ(tcp->sequence().value(), first_seq + bytes.size());
            bytes.insert(bytes.end(), tcp->payload().begin(), tcp->payload().end());
        }
        return bytes;
    }
};

TEST_F(SegmenterTest, OffersSuperFramesWhateverTheDeviceTakes) {
    device.caps.mtu = 1400;
    EXPECT_EQ(segmenter.capabilities().mtu, 1400U);
    EXPECT_EQ(segmenter.capabilities().max_super_frame, 65535U);
}

TEST_F(SegmenterTest, SendsSegmentsInOrder) {
    ASSERT_TRUE(send(100, 60000, 1448));
    EXPECT_EQ(device.sent.size(), 42U);
    EXPECT_EQ(stream(100), pattern_bytes(60000, 100));
    EXPECT_FALSE(segmenter.next_deadline());
}

TEST_F(SegmenterTest, AFullDeviceAtTheStartTakesNothing) {
    device.room = 0;
    EXPECT_FALSE(send(100, 60000, 1448));
    EXPECT_FALSE(segmenter.next_deadline());
    device.room = 100;
    EXPECT_TRUE(send(100, 60000, 1448));
    EXPECT_EQ(stream(100), pattern_bytes(60000, 100));
}

TEST_F(SegmenterTest, AFullDeviceInTheMiddleLosesAndRepeatsNothing) {
    for (std::size_t room = 1; room < 42; ++room) {
        device.sent.clear();
        device.room = room;
        ASSERT_TRUE(send(100, 60000, 1448, TcpFlags::kAck | TcpFlags::kPsh));
        EXPECT_EQ(device.sent.size(), room);
        // Full until the rest has left, which waits for room.
        EXPECT_FALSE(send(60100, 1000, 1448));
        EXPECT_EQ(segmenter.next_deadline(), now + 1ms);
        device.room = 3;
        EXPECT_EQ(segmenter.receive({}), 0U);
        device.room = 100;
        ASSERT_TRUE(send(60100, 1000, 1448));
        EXPECT_FALSE(segmenter.next_deadline());
        auto expected = pattern_bytes(60000, 100);
        const auto more = pattern_bytes(1000, 60100);
        expected.insert(expected.end(), more.begin(), more.end());
        ASSERT_EQ(stream(100), expected) << room;
        std::size_t pushes = 0;
        for (const auto& sent : device.sent) pushes += (sent.bytes[47] & TcpFlags::kPsh) != 0;
        EXPECT_EQ(pushes, 1U);
    }
}

TEST_F(SegmenterTest, TheRestIsTriedAgainLaterAndLater) {
    device.room = 1;
    ASSERT_TRUE(send(100, 3000, 1000));
    now += 1ms;
    EXPECT_EQ(segmenter.receive({}), 0U);
    EXPECT_EQ(segmenter.next_deadline(), now + 1ms);
    device.room = 2;
    EXPECT_EQ(segmenter.receive({}), 0U);
    EXPECT_FALSE(segmenter.next_deadline());
    EXPECT_EQ(stream(100), pattern_bytes(3000, 100));
}

TEST_F(SegmenterTest, PassesCompleteFramesAndArrivalsUnchanged) {
    PacketBuilder builder;
    builder.icmp_echo(1, 1).payload(pattern_bytes(56));
    const auto bytes = builder.build();
    ASSERT_TRUE(segmenter.transmit(frame_of(bytes, 14)));
    EXPECT_EQ(device.sent.at(0).bytes, bytes);

    const Offload offload{.checksum = Offload::Checksum::Verified};
    device.feed(bytes, offload);
    std::vector<Packet> batch(2);
    ASSERT_EQ(segmenter.receive(batch), 1U);
    EXPECT_EQ(batch[0].offload, offload);
    EXPECT_TRUE(std::ranges::equal(batch[0].bytes(), bytes));
}

}  // namespace
}  // namespace tapestry
