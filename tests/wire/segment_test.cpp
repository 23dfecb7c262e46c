#include "stack/wire/segment.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"
#include "stack/wire/checksum.h"
#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

const Ipv4Address kSource(10, 0, 0, 1);
const Ipv4Address kDestination(10, 0, 0, 2);

void finish(std::vector<u8>& bytes) {
    store_be16(&bytes[TcpView::kChecksum], 0);
    auto adder = pseudo_header(kSource, kDestination, 6, static_cast<u32>(bytes.size()));
    adder.add(bytes);
    store_be16(&bytes[TcpView::kChecksum], adder.checksum());
}

std::vector<u8> segment_bytes(const TcpHeader& header, std::size_t payload) {
    std::vector<u8> bytes(header.size() + payload, 0x77);
    header.write(bytes.data());
    finish(bytes);
    return bytes;
}

TcpHeader header() {
    TcpHeader h{.source_port = 40000,
                .destination_port = 80,
                .sequence = SeqNum(0x01020304),
                .acknowledgment = SeqNum(0x05060708),
                .flags = {TcpFlags::kAck | TcpFlags::kPsh},
                .window = 502,
                .urgent_pointer = 9,
                .options = {}};
    h.options.timestamps = TcpTimestamps{11, 22};
    return h;
}

Drop refusal(Bytes bytes, bool verified = false) {
    const auto segment = Segment::parse(bytes, kSource, kDestination, verified);
    return segment ? Drop::kCount : segment.error();
}

TEST(TcpHeader, WritesRfc9293sHeader) {
    std::array<u8, 32> bytes{};
    header().write(bytes.data());
    EXPECT_EQ(std::vector<u8>(bytes.begin(), bytes.end()),
              from_hex("9c40 0050 01020304 05060708 80 18 01f6 0000 0009"
                       "0101 080a 0000000b 00000016"));
}

TEST(Segment, ReadsWhatTheHeaderWrites) {
    const auto bytes = segment_bytes(header(), 101);
    const auto segment = Segment::parse(bytes, kSource, kDestination);
    ASSERT_TRUE(segment);
    EXPECT_EQ(segment->source, (Endpoint{kSource, 40000}));
    EXPECT_EQ(segment->destination, (Endpoint{kDestination, 80}));
    EXPECT_EQ(segment->seq, SeqNum(0x01020304));
    EXPECT_EQ(segment->ack, SeqNum(0x05060708));
    EXPECT_EQ(segment->wnd, 502);
    EXPECT_EQ(segment->up, 9);
    EXPECT_TRUE(segment->flags.ack());
    EXPECT_TRUE(segment->flags.psh());
    EXPECT_FALSE(segment->flags.syn());
    EXPECT_EQ(segment->options.timestamps, (TcpTimestamps{11, 22}));
    EXPECT_EQ(segment->payload.size(), 101U);
    EXPECT_EQ(segment->payload.data(), bytes.data() + 32) << "borrowed, not copied";
}

TEST(Segment, EachFlagIsItsOwnBit) {
    using Getter = bool (TcpFlags::*)() const;
    const std::array<std::pair<u8, Getter>, 8> flags{{{0x01, &TcpFlags::fin},
                                                      {0x02, &TcpFlags::syn},
                                                      {0x04, &TcpFlags::rst},
                                                      {0x08, &TcpFlags::psh},
                                                      {0x10, &TcpFlags::ack},
                                                      {0x20, &TcpFlags::urg},
                                                      {0x40, &TcpFlags::ece},
                                                      {0x80, &TcpFlags::cwr}}};
    for (const auto& [bit, getter] : flags) {
        for (int bits = 0; bits < 256; ++bits) {
            EXPECT_EQ((TcpFlags{static_cast<u8>(bits)}.*getter)(), (bits & bit) != 0);
        }
    }
}

TEST(Segment, SynAndFinTakeASequenceNumberEach) {
    Segment segment;
    segment.seq = SeqNum(0xffffffff);
    EXPECT_EQ(segment.len(), 0U);
    EXPECT_EQ(segment.end(), SeqNum(0xffffffff));
    const std::array<u8, 3> payload{};
    segment.payload = payload;
    EXPECT_EQ(segment.len(), 3U);
    segment.flags.bits = TcpFlags::kSyn;
    EXPECT_EQ(segment.len(), 4U);
    segment.flags.bits = TcpFlags::kSyn | TcpFlags::kFin;
    EXPECT_EQ(segment.len(), 5U);
    EXPECT_EQ(segment.end(), SeqNum(4));
}

TEST(Segment, RefusesEveryTruncationOfTheHeader) {
    const auto bytes = segment_bytes(header(), 0);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        const Drop expected = n < 20 ? Drop::TcpShort : Drop::TcpBadDataOffset;
        EXPECT_EQ(refusal(Bytes(bytes).first(n)), expected) << n;
        EXPECT_EQ(refusal(Bytes(bytes).first(n), true), expected) << n;
    }
}

TEST(Segment, RefusesABadDataOffset) {
    for (u8 offset = 0; offset < 16; ++offset) {
        auto bytes = segment_bytes(header(), 4);  // 36 bytes
        bytes[TcpView::kDataOffset] = static_cast<u8>(offset << 4);
        finish(bytes);
        const bool fits = offset >= 5 && offset <= 9;
        const Drop drop = refusal(bytes);
        if (fits) {
            EXPECT_NE(drop, Drop::TcpBadDataOffset) << int{offset};
        } else {
            EXPECT_EQ(drop, Drop::TcpBadDataOffset) << int{offset};
        }
    }
}

TEST(Segment, TheReservedBitsAreIgnored) {
    auto bytes = segment_bytes(header(), 4);
    bytes[TcpView::kDataOffset] |= 0x0f;
    finish(bytes);
    EXPECT_EQ(refusal(bytes), Drop::kCount);
    EXPECT_EQ(TcpView::parse(bytes)->header_size(), 32U);
}

TEST(Segment, RefusesEveryFlippedBitBehindTheDataOffset) {
    const auto good = segment_bytes(header(), 7);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        if (bit / 8 == TcpView::kDataOffset) continue;
        auto bytes = good;
        bytes[bit / 8] = static_cast<u8>(bytes[bit / 8] ^ (1 << bit % 8));
        EXPECT_EQ(refusal(bytes), Drop::TcpBadChecksum) << bit;
    }
    EXPECT_FALSE(Segment::parse(good, kSource, Ipv4Address(10, 0, 0, 3)));
}

TEST(Segment, ADeviceMayVouchForTheChecksum) {
    auto bytes = segment_bytes(header(), 7);
    store_be16(&bytes[TcpView::kChecksum], 0x1111);
    EXPECT_EQ(refusal(bytes), Drop::TcpBadChecksum);
    EXPECT_EQ(refusal(bytes, true), Drop::kCount);
}

TEST(Segment, RefusesPortZero) {
    TcpHeader from_zero = header();
    from_zero.source_port = 0;
    EXPECT_EQ(refusal(segment_bytes(from_zero, 0)), Drop::TcpBadPort);
    TcpHeader to_zero = header();
    to_zero.destination_port = 0;
    EXPECT_EQ(refusal(segment_bytes(to_zero, 0)), Drop::TcpBadPort);
}

TEST(Segment, RefusesAnOptionThatOverrunsTheHeader) {
    auto bytes = segment_bytes(header(), 40);
    bytes[23] = 11;  // the timestamps option would end in the payload
    finish(bytes);
    EXPECT_EQ(refusal(bytes), Drop::TcpBadOption);
}

TEST(Segment, RandomBytesAreReadOrRefusedAndNothingElse) {
    SeededRng rng(5);
    int taken = 0;
    for (int round = 0; round < 20000; ++round) {
        std::vector<u8> bytes(rng.below(80));
        for (u8& byte : bytes) byte = static_cast<u8>(rng.next());
        if (bytes.size() > TcpView::kDataOffset) bytes[TcpView::kDataOffset] = 0x50;
        const auto segment = Segment::parse(bytes, kSource, kDestination, true);
        if (segment) {
            ++taken;
            ASSERT_EQ(segment->payload.size(), bytes.size() - 20);
        }
    }
    EXPECT_GT(taken, 10000);
}

}  // namespace
}  // namespace tapestry
