#include "drivers/wire_frames.h"

#include <gtest/gtest.h>

#include "stack/buf/pool.h"
#include "tests/support/packet_builder.h"

namespace tapestry {
namespace {

using test::bytes_of;
using test::frame_of;
using test::PacketBuilder;
using test::pattern_bytes;

TcpHeader data_header(u32 seq, u8 flags) {
    TcpHeader header = test::tcp_header(seq, flags);
    header.options.timestamps = TcpTimestamps{.value = 1, .echo_reply = 2};
    return header;
}

using Frames = std::vector<std::vector<u8>>;

std::vector<u8> part(const std::vector<u8>& bytes, std::size_t from, std::size_t n) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    return {begin, begin + static_cast<std::ptrdiff_t>(std::min(n, bytes.size() - from))};
}

/// What the wire carries for a super-frame, made segment by segment by the packet builder.
Frames expected_segments(PacketBuilder builder, u32 seq, u8 flags, const std::vector<u8>& payload,
                         u16 gso_size) {
    Frames frames;
    const u16 id = builder.ip.identification;
    for (std::size_t at = 0; at < payload.size(); at += gso_size) {
        u8 here = flags;
        if (at + gso_size < payload.size())
            here &= static_cast<u8>(~0x09);          // FIN and PSH: the last
        if (at > 0) here &= static_cast<u8>(~0x80);  // CWR: the first
        if (!(id == 0 && builder.ip.dont_fragment)) {
            builder.ip.identification = static_cast<u16>(id + at / gso_size);
        }
        builder.tcp(data_header(seq + static_cast<u32>(at), here));
        builder.payload(part(payload, at, gso_size));
        frames.push_back(builder.build());
    }
    return frames;
}

Frames all(const WireFrames& wire) {
    Frames frames;
    for (std::size_t i = 0; i < wire.count(); ++i) {
        const Frame frame = wire.at(i);
        EXPECT_EQ(frame.offload, Offload());
        frames.push_back(bytes_of(frame));
    }
    return frames;
}

TEST(WireFrames, CutsASuperFrameAsHardwareDoes) {
    constexpr u8 kFlags = TcpFlags::kAck | TcpFlags::kPsh | TcpFlags::kFin | TcpFlags::kCwr;
    const auto payload = pattern_bytes(5 * 1448 + 17);
    PacketBuilder builder;
    const auto expected = expected_segments(builder, 0xfffff000, kFlags, payload, 1448);
    builder.tcp(data_header(0xfffff000, kFlags)).payload(payload);
    const auto super = builder.build_partial();
    const Offload offload = builder.partial_offload(1448);
    // Whatever way the frame lies in memory: headers apart, headers with data, all in one piece.
    for (const std::size_t headers :
         {std::size_t{14}, std::size_t{34}, builder.header_size(), builder.header_size() + 100}) {
        for (const std::size_t first_piece : {std::size_t{0}, std::size_t{5}, std::size_t{3333}}) {
            const Frame frame = frame_of(super, headers, offload, first_piece);
            const WireFrames wire(frame);
            EXPECT_FALSE(wire.as_is());
            ASSERT_EQ(wire.count(), 6U);
            EXPECT_EQ(all(wire), expected) << headers << " " << first_piece;
            std::size_t total = 0;
            for (const auto& segment : expected) total += segment.size();
            EXPECT_EQ(wire.wire_size(), total);
        }
    }
}

TEST(WireFrames, CutsAReceivedPacket) {
    const auto payload = pattern_bytes(3000);
    PacketBuilder builder;
    const auto expected = expected_segments(builder, 5, TcpFlags::kAck, payload, 1000);
    builder.tcp(data_header(5, TcpFlags::kAck)).payload(payload);
    PacketPool pool(PacketPool::kSuperFrameSlot, 1);
    Packet packet = pool.copy(builder.build_partial());
    packet.offload = builder.partial_offload(1000);
    EXPECT_EQ(all(WireFrames(packet)), expected);
}

TEST(WireFrames, KeepsTheIdentificationOfAnAtomicDatagram) {
    const auto payload = pattern_bytes(300);
    for (const bool dont_fragment : {true, false}) {
        PacketBuilder builder;
        builder.ip.identification = 0;
        builder.ip.dont_fragment = dont_fragment;
        const auto expected = expected_segments(builder, 5, TcpFlags::kAck, payload, 100);
        builder.tcp(data_header(5, TcpFlags::kAck)).payload(payload);
        const auto super = builder.build_partial();
        const Frame frame = frame_of(super, 14, builder.partial_offload(100));
        EXPECT_EQ(all(WireFrames(frame)), expected);
    }
}

TEST(WireFrames, SegmentsSmallerThanTheHeadersOfTheFrame) {
    const auto payload = pattern_bytes(50);
    PacketBuilder builder;
    const auto expected = expected_segments(builder, 5, TcpFlags::kAck, payload, 7);
    builder.tcp(data_header(5, TcpFlags::kAck)).payload(payload);
    const auto super = builder.build_partial();
    const Frame frame = frame_of(super, builder.header_size() + 33, builder.partial_offload(7), 9);
    EXPECT_EQ(all(WireFrames(frame)), expected);
}

TEST(WireFrames, CutsUdpIntoDatagrams) {
    const auto payload = pattern_bytes(2500);
    PacketBuilder builder;
    builder.udp(7, 8).payload(payload);
    const auto super = builder.build_partial();
    const Frame frame = frame_of(super, 14, builder.partial_offload(1200));
    Frames expected;
    for (std::size_t at = 0; at < payload.size(); at += 1200) {
        builder.payload(part(payload, at, 1200));
        expected.push_back(builder.build());
        ++builder.ip.identification;
    }
    EXPECT_EQ(all(WireFrames(frame)), expected);
}

TEST(WireFrames, FinishesAPartialChecksum) {
    for (const std::size_t size : {0U, 1U, 2U, 1001U, 1448U}) {
        PacketBuilder tcp;
        tcp.tcp(data_header(9, TcpFlags::kAck)).payload(pattern_bytes(size));
        PacketBuilder udp;
        udp.udp(1, 2).payload(pattern_bytes(size));
        for (const PacketBuilder& builder : {tcp, udp}) {
            const auto partial = builder.build_partial();
            for (const std::size_t headers :
                 {std::size_t{0}, std::size_t{14}, std::size_t{41}, builder.header_size()}) {
                const Frame frame = frame_of(partial, headers, builder.partial_offload(), 3);
                const WireFrames wire(frame);
                EXPECT_FALSE(wire.as_is());
                EXPECT_EQ(all(wire), Frames{builder.build()}) << size << " " << headers;
            }
        }
    }
}

TEST(WireFrames, AUdpChecksumIsNeverSentAsZero) {
    // Two bytes of payload that bring the sum to 0xffff, whose complement is 0.
    PacketBuilder builder;
    builder.udp(1, 2).payload({0, 0});
    const auto probe = builder.build();
    const u16 sum = load_be16(&probe[40]);
    builder.payload({static_cast<u8>(sum >> 8), static_cast<u8>(sum)});
    const auto partial = builder.build_partial();
    const auto out = all(WireFrames(frame_of(partial, 14, builder.partial_offload())));
    EXPECT_EQ(load_be16(&out.at(0)[40]), 0xffff);
}

TEST(WireFrames, LeavesACompleteFrameAlone) {
    PacketBuilder builder;
    builder.icmp_echo(1, 2).payload(pattern_bytes(56));
    builder.checksum_error = 1;
    const auto bytes = builder.build();
    for (const std::size_t headers : {std::size_t{0}, std::size_t{14}, std::size_t{42}}) {
        const Frame frame = frame_of(bytes, headers, {}, 20);
        const WireFrames wire(frame);
        EXPECT_TRUE(wire.as_is());
        EXPECT_EQ(wire.wire_size(), bytes.size());
        EXPECT_EQ(all(wire), Frames{bytes});
    }
}

TEST(WireFrames, AnOffloadThatDoesNotFitIsIgnored) {
    PacketBuilder builder;
    builder.tcp(data_header(9, TcpFlags::kAck)).payload(pattern_bytes(400));
    const auto bytes = builder.build();
    const auto stays = [](const std::vector<u8>& frame_bytes, const Offload& offload) {
        const Frame frame =
            frame_of(frame_bytes, std::min<std::size_t>(14, frame_bytes.size()), offload);
        const WireFrames wire(frame);
        return wire.count() == 1 && bytes_of(wire.at(0)) == frame_bytes;
    };
    const Offload past_end{
        .checksum = Offload::Checksum::Partial, .csum_start = 34, .csum_offset = 0xfff0};
    EXPECT_TRUE(stays(bytes, past_end));
    const Offload no_size{.gso = Offload::Gso::Tcp4};
    EXPECT_TRUE(stays(bytes, no_size));
    const Offload wrong_protocol{.gso = Offload::Gso::Udp4, .gso_size = 100};
    EXPECT_TRUE(stays(bytes, wrong_protocol));
    const Offload tcp{.gso = Offload::Gso::Tcp4, .gso_size = 100};
    for (std::size_t size = 0; size < 66; ++size) {
        EXPECT_TRUE(stays(part(bytes, 0, size), tcp)) << size;
    }
    for (const auto& [at, value] :
         {std::pair<std::size_t, u8>{12, 0x86}, {14, 0x65}, {14, 0x44}, {46, 0x40}}) {
        auto hostile = bytes;
        hostile[at] = value;
        EXPECT_TRUE(stays(hostile, tcp)) << at;
    }
}

}  // namespace
}  // namespace tapestry
