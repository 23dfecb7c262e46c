#include "drivers/vnet_header.h"

#include <gtest/gtest.h>

#include "tests/support/packet_builder.h"

namespace tapestry {
namespace {

using test::PacketBuilder;

// The header's fields as the kernel's <linux/virtio_net.h> numbers them, written down once more.
VnetHeader raw(u8 flags, u8 gso, u16 header_length = 0, u16 gso_size = 0, u16 start = 0,
               u16 offset = 0) {
    VnetHeader header{flags, gso};
    std::memcpy(&header[2], &header_length, 2);
    std::memcpy(&header[4], &gso_size, 2);
    std::memcpy(&header[6], &start, 2);
    std::memcpy(&header[8], &offset, 2);
    return header;
}

PacketBuilder tcp_frame(std::size_t payload = 4000) {
    return PacketBuilder().tcp(test::tcp_header(1)).payload(test::pattern_bytes(payload));
}

TEST(VnetHeader, OrdinaryFrameIsAllZeros) {
    EXPECT_EQ(to_vnet_header({}), VnetHeader{});
    const auto frame = tcp_frame().build();
    EXPECT_EQ(from_vnet_header(VnetHeader{}, frame), Offload{});
}

TEST(VnetHeader, WritesWhatTheKernelReads) {
    const auto builder = tcp_frame();
    EXPECT_EQ(to_vnet_header(builder.partial_offload()), raw(1, 0, 0, 0, 34, 16));
    EXPECT_EQ(to_vnet_header(builder.partial_offload(1460)), raw(1, 1, 54, 1460, 34, 16));
    const auto udp = PacketBuilder().udp(1, 2).payload(test::pattern_bytes(3000));
    EXPECT_EQ(to_vnet_header(udp.partial_offload(1400)), raw(1, 5, 42, 1400, 34, 6));
}

TEST(VnetHeader, VerifiedIsSaidByTheKernelOnly) {
    Offload offload;
    offload.checksum = Offload::Checksum::Verified;
    EXPECT_EQ(to_vnet_header(offload), VnetHeader{});
    const auto frame = tcp_frame().build();
    EXPECT_EQ(from_vnet_header(raw(2, 0), frame), offload);
}

TEST(VnetHeader, RoundTrips) {
    const auto builder = tcp_frame();
    const auto frame = builder.build_partial();
    for (const u16 gso_size : std::initializer_list<u16>{0, 1, 536, 1460, 4000, 65535}) {
        const Offload offload = builder.partial_offload(gso_size);
        EXPECT_EQ(from_vnet_header(to_vnet_header(offload), frame), offload) << gso_size;
    }
    const auto udp = PacketBuilder().udp(1, 2).payload(test::pattern_bytes(3000));
    const Offload offload = udp.partial_offload(1400);
    EXPECT_EQ(from_vnet_header(to_vnet_header(offload), udp.build_partial()), offload);
}

TEST(VnetHeader, HeaderLengthIsTakenFromTheFrame) {
    // The kernel puts the size of its first buffer there, which may be anything.
    const auto builder = tcp_frame();
    for (const u16 hint : std::initializer_list<u16>{0, 1, 54, 200, 65535}) {
        const auto offload =
            from_vnet_header(raw(1, 1, hint, 1460, 34, 16), builder.build_partial());
        ASSERT_TRUE(offload) << hint;
        EXPECT_EQ(offload->header_length, 54);
    }
}

TEST(VnetHeader, OptionsCountAsHeader) {
    TcpHeader header = test::tcp_header(1);
    header.options.timestamps = TcpTimestamps{1, 2};
    auto builder = PacketBuilder().tcp(header).payload(test::pattern_bytes(4000));
    const auto offload = from_vnet_header(raw(1, 1, 0, 1448, 34, 16), builder.build_partial());
    ASSERT_TRUE(offload);
    EXPECT_EQ(offload->header_length, 66);
}

TEST(VnetHeader, EcnAndUnknownFlagsChangeNothing) {
    const auto builder = tcp_frame();
    const auto offload = builder.partial_offload(1460);
    EXPECT_EQ(from_vnet_header(raw(1, 0x81, 54, 1460, 34, 16), builder.build_partial()), offload);
    EXPECT_EQ(from_vnet_header(raw(0xfd, 1, 54, 1460, 34, 16), builder.build_partial()), offload);
}

TEST(VnetHeader, ChecksumMustLieInTheFrame) {
    const std::vector<u8> frame(60);
    const auto accepted = [&](u16 start, u16 offset) {
        return from_vnet_header(raw(1, 0, 0, 0, start, offset), frame).has_value();
    };
    EXPECT_TRUE(accepted(14, 0));
    EXPECT_TRUE(accepted(34, 24));  // the last two bytes
    EXPECT_FALSE(accepted(34, 25));
    EXPECT_FALSE(accepted(13, 0));  // inside the Ethernet header
    EXPECT_FALSE(accepted(0, 0));
    EXPECT_FALSE(accepted(59, 0));
    EXPECT_FALSE(accepted(60, 0));
    EXPECT_FALSE(accepted(34, 65535));
    EXPECT_FALSE(accepted(65535, 65535));
    EXPECT_FALSE(from_vnet_header(raw(1, 0, 0, 0, 14, 0), {}));
}

TEST(VnetHeader, SuperFramesAreHeldAgainstTheFrame) {
    const auto builder = tcp_frame();
    const auto frame = builder.build_partial();
    const auto invalid = std::expected<Offload, Drop>(std::unexpected(Drop::OffloadInvalid));
    EXPECT_EQ(from_vnet_header(raw(1, 1, 54, 0, 34, 16), frame), invalid) << "segment size 0";
    EXPECT_EQ(from_vnet_header(raw(0, 1, 54, 1460), frame), invalid) << "no checksum offload";
    EXPECT_EQ(from_vnet_header(raw(1, 1, 54, 1460, 38, 12), frame), invalid) << "not the header";
    EXPECT_EQ(from_vnet_header(raw(1, 1, 54, 1460, 34, 6), frame), invalid) << "not the field";
    EXPECT_EQ(from_vnet_header(raw(1, 5, 42, 1460, 34, 6), frame), invalid) << "TCP called UDP";
    for (const u8 type : std::initializer_list<u8>{2, 3, 4, 6, 0x7f, 0x80, 0x82, 0xff}) {
        EXPECT_EQ(from_vnet_header(raw(1, type, 54, 1460, 34, 16), frame), invalid) << int{type};
    }
    for (std::size_t size = 0; size < 54; ++size) {
        EXPECT_EQ(from_vnet_header(raw(2, 1, 54, 1460), Bytes(frame).first(size)), invalid) << size;
    }
    EXPECT_TRUE(from_vnet_header(raw(2, 1, 54, 1460), Bytes(frame).first(54)));
}

TEST(VnetHeader, SuperFramesMustBeIpv4) {
    const auto good = tcp_frame().build_partial();
    const auto broken = [&](std::size_t at, u8 value) {
        auto frame = good;
        frame[at] = value;
        return !from_vnet_header(raw(1, 1, 54, 1460, 34, 16), frame);
    };
    EXPECT_FALSE(broken(14, 0x45));
    EXPECT_TRUE(broken(12, 0x86));  // another EtherType
    EXPECT_TRUE(broken(14, 0x65));  // version 6
    EXPECT_TRUE(broken(14, 0x44));  // header too short
    EXPECT_TRUE(broken(14, 0x46));  // transport elsewhere than csum_start says
    EXPECT_TRUE(broken(14, 0x4f));
    EXPECT_TRUE(broken(23, 17));    // UDP
    EXPECT_TRUE(broken(46, 0x40));  // TCP header too short
}

TEST(VnetHeader, AnyHeaderBeforeAnyFrameIsTakenOrRefused) {
    // What is accepted obeys its promise, whatever the bytes are.
    const auto frame = tcp_frame(100).build_partial();
    u32 x = 7;
    std::size_t taken = 0;
    for (int i = 0; i < 200000; ++i) {
        VnetHeader header;
        for (u8& byte : header) {
            x = x * 1664525U + 1013904223U;
            byte = static_cast<u8>(x >> 24);
        }
        header[0] &= 3;
        header[1] &= 0x85;
        header[7] = header[9] = 0;
        const Bytes bytes = Bytes(frame).first(x % (frame.size() + 1));
        const auto offload = from_vnet_header(header, bytes);
        if (!offload) continue;
        ++taken;
        if (offload->checksum == Offload::Checksum::Partial) {
            ASSERT_LE(std::size_t{offload->csum_start} + offload->csum_offset + 2, bytes.size());
        }
        if (offload->gso != Offload::Gso::None) {
            ASSERT_GT(offload->gso_size, 0);
            ASSERT_LE(offload->header_length, bytes.size());
            ASSERT_TRUE(offload->checksum_trusted());
        }
    }
    EXPECT_GT(taken, 1000U);
}

}  // namespace
}  // namespace tapestry
