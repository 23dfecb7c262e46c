#include "stack/buf/frame.h"

#include <gtest/gtest.h>

#include <vector>

namespace tapestry {
namespace {

std::vector<u8> flat(const Frame& frame) {
    std::vector<u8> bytes(frame.size());
    frame.copy_to(bytes.data());
    return bytes;
}

TEST(Frame, HeadersGrowForwardInFrontOfThePayload) {
    const std::array<u8, 2> first{10, 11};
    const std::array<u8, 3> second{12, 13, 14};
    Frame frame(first, second);
    EXPECT_EQ(frame.size(), 5U);
    EXPECT_TRUE(frame.headers().empty());
    u8* inner = frame.push(2);
    inner[0] = 3;
    inner[1] = 4;
    u8* outer = frame.push(1);
    outer[0] = 2;
    EXPECT_EQ(flat(frame), (std::vector<u8>{2, 3, 4, 10, 11, 12, 13, 14}));
    EXPECT_EQ(frame.payload_size(), 5U);
    EXPECT_EQ(frame.payload()[0].data(), first.data()) << "borrowed";
}

TEST(Frame, EitherPieceMayBeEmpty) {
    EXPECT_EQ(flat(Frame()).size(), 0U);
    const std::array<u8, 2> bytes{1, 2};
    EXPECT_EQ(flat(Frame(bytes)), (std::vector<u8>{1, 2}));
    EXPECT_EQ(flat(Frame({}, bytes)), (std::vector<u8>{1, 2}));
    Frame headers_only;
    *headers_only.push(1) = 9;
    EXPECT_EQ(flat(headers_only), (std::vector<u8>{9}));
}

TEST(Frame, HasRoomForAllHeadersTogether) {
    Frame frame;
    // Ethernet with a VLAN tag, IPv4 and TCP with all options, a virtio-net header.
    const std::array<std::size_t, 4> sizes{60, 60, 18, 12};
    std::size_t total = 0;
    for (const std::size_t n : sizes) {
        u8* p = frame.push(n);
        for (std::size_t i = 0; i < n; ++i) p[i] = static_cast<u8>(n);
        total += n;
    }
    EXPECT_LE(total, Frame::kHeaderCapacity);
    EXPECT_EQ(frame.headers().size(), total);
    EXPECT_EQ(frame.headers().front(), 12);
    EXPECT_EQ(frame.headers().back(), 60);
}

TEST(Frame, PushingAHeaderMovesTheOffsetsOfTheOffload) {
    Frame frame;
    frame.offload.checksum = Offload::Checksum::Partial;
    frame.offload.csum_start = 20;
    frame.offload.csum_offset = 16;
    frame.offload.header_length = 40;
    frame.shift_offload(14);
    EXPECT_EQ(frame.offload.csum_start, 34);
    EXPECT_EQ(frame.offload.csum_offset, 16) << "counts from csum_start";
    EXPECT_EQ(frame.offload.header_length, 54);
}

}  // namespace
}  // namespace tapestry
