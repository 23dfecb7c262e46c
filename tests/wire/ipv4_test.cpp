#include "stack/wire/ipv4.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "stack/wire/checksum.h"
#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

/// A header of `ihl` words with `payload` bytes behind it and the right checksum.
std::vector<u8> packet(std::size_t ihl = 5, std::size_t payload = 8) {
    std::vector<u8> bytes(ihl * 4 + payload);
    Ipv4Header{.total_length = static_cast<u16>(bytes.size()),
               .source = Ipv4Address(10, 0, 0, 1),
               .destination = Ipv4Address(10, 0, 0, 2)}
        .write(bytes.data());
    bytes[0] = static_cast<u8>(0x40 | ihl);
    for (std::size_t i = 20; i < ihl * 4; ++i) bytes[i] = 1;
    store_be16(&bytes[Ipv4View::kChecksum], 0);
    store_be16(&bytes[Ipv4View::kChecksum], internet_checksum(Bytes(bytes).first(ihl * 4)));
    return bytes;
}

/// Puts the checksum right after a change.
void finish(std::vector<u8>& bytes) {
    store_be16(&bytes[Ipv4View::kChecksum], 0);
    const std::size_t header = std::min<std::size_t>((bytes[0] & 0xfU) * 4, bytes.size());
    store_be16(&bytes[Ipv4View::kChecksum], internet_checksum(Bytes(bytes).first(header)));
}

Drop refusal(Bytes bytes) {
    const auto view = Ipv4View::parse(bytes);
    return view ? Drop::kCount : view.error();
}

TEST(Ipv4, WritesTheHeaderOfRfc791) {
    std::array<u8, 20> bytes{};
    Ipv4Header{.tos = 0x10,
               .total_length = 0x3c,
               .identification = 0x1c46,
               .dont_fragment = true,
               .ttl = 64,
               .protocol = IpProtocol::Tcp,
               .source = Ipv4Address(172, 16, 10, 99),
               .destination = Ipv4Address(172, 16, 10, 12)}
        .write(bytes.data());
    EXPECT_EQ(std::vector<u8>(bytes.begin(), bytes.end()),
              from_hex("45 10 003c 1c46 4000 40 06 b1d6 ac100a63 ac100a0c"));
    EXPECT_EQ(internet_checksum(bytes), 0);
}

TEST(Ipv4, ReadsEveryField) {
    std::vector<u8> bytes(28);
    Ipv4Header{.tos = 0xb8,
               .total_length = 28,
               .identification = 0xbeef,
               .more_fragments = true,
               .fragment_offset = 65528,
               .ttl = 7,
               .protocol = IpProtocol::Udp,
               .source = Ipv4Address(1, 2, 3, 4),
               .destination = Ipv4Address(5, 6, 7, 8)}
        .write(bytes.data());
    const auto view = Ipv4View::parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->header_size(), 20U);
    EXPECT_EQ(view->tos(), 0xb8);
    EXPECT_EQ(view->total_length(), 28);
    EXPECT_EQ(view->identification(), 0xbeef);
    EXPECT_FALSE(view->dont_fragment());
    EXPECT_TRUE(view->more_fragments());
    EXPECT_EQ(view->fragment_offset(), 65528U);
    EXPECT_TRUE(view->is_fragment());
    EXPECT_EQ(view->ttl(), 7);
    EXPECT_EQ(view->protocol(), IpProtocol::Udp);
    EXPECT_EQ(view->source(), Ipv4Address(1, 2, 3, 4));
    EXPECT_EQ(view->destination(), Ipv4Address(5, 6, 7, 8));
    EXPECT_TRUE(view->options().empty());
    EXPECT_EQ(view->payload().size(), 8U);
}

TEST(Ipv4, WhatIsAFragment) {
    struct Row {
        bool dont, more;
        u32 offset;
        bool fragment;
    };
    for (const Row& row : std::initializer_list<Row>{{false, false, 0, false},
                                                     {true, false, 0, false},
                                                     {false, true, 0, true},
                                                     {false, false, 8, true},
                                                     {true, true, 8, true}}) {
        std::array<u8, 20> bytes{};
        Ipv4Header{.total_length = 20,
                   .dont_fragment = row.dont,
                   .more_fragments = row.more,
                   .fragment_offset = row.offset,
                   .source = {},
                   .destination = {}}
            .write(bytes.data());
        const auto view = Ipv4View::parse(bytes);
        ASSERT_TRUE(view);
        EXPECT_EQ(view->is_fragment(), row.fragment);
        EXPECT_EQ(view->dont_fragment(), row.dont);
        EXPECT_EQ(view->fragment_offset(), row.offset);
    }
}

TEST(Ipv4, ReadsOptions) {
    for (std::size_t ihl = 5; ihl <= 15; ++ihl) {
        const auto bytes = packet(ihl);
        const auto view = Ipv4View::parse(bytes);
        ASSERT_TRUE(view) << ihl;
        EXPECT_EQ(view->header_size(), ihl * 4);
        EXPECT_EQ(view->options().size(), ihl * 4 - 20);
        EXPECT_EQ(view->payload().size(), 8U);
    }
}

// RFC 894: a short packet is padded to the least size of a frame. The padding is no payload.
TEST(Ipv4, CutsOffTrailingPadding) {
    auto bytes = packet(5, 8);
    bytes.resize(46, 0xaa);
    const auto view = Ipv4View::parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->payload().size(), 8U);
    EXPECT_EQ(view->bytes().size(), 28U);
}

TEST(Ipv4, RefusesEveryTruncation) {
    const auto bytes = packet(7, 8);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        const Drop expected = n < 20   ? Drop::Ipv4Short
                              : n < 28 ? Drop::Ipv4BadHeaderLength
                                       : Drop::Ipv4BadTotalLength;
        EXPECT_EQ(refusal(Bytes(bytes).first(n)), expected) << n;
    }
    EXPECT_EQ(refusal(bytes), Drop::kCount);
}

TEST(Ipv4, RefusesEveryOtherVersion) {
    for (u32 version = 0; version < 16; ++version) {
        auto bytes = packet();
        bytes[0] = static_cast<u8>(version << 4 | 5);
        finish(bytes);
        EXPECT_EQ(refusal(bytes), version == 4 ? Drop::kCount : Drop::Ipv4BadVersion) << version;
    }
}

TEST(Ipv4, RefusesABadHeaderLength) {
    for (u8 ihl = 0; ihl < 5; ++ihl) {
        auto bytes = packet();
        bytes[0] = static_cast<u8>(0x40 | ihl);
        EXPECT_EQ(refusal(bytes), Drop::Ipv4BadHeaderLength) << int{ihl};
    }
    auto bytes = packet(5, 8);  // 28 bytes: IHL 7 is the last that fits
    for (u8 ihl = 8; ihl < 16; ++ihl) {
        bytes[0] = static_cast<u8>(0x40 | ihl);
        EXPECT_EQ(refusal(bytes), Drop::Ipv4BadHeaderLength) << int{ihl};
    }
}

TEST(Ipv4, RefusesABadTotalLength) {
    for (const u16 length : {u16{0}, u16{1}, u16{19}, u16{29}, u16{65535}}) {
        auto bytes = packet(5, 8);
        store_be16(&bytes[Ipv4View::kTotalLength], length);
        finish(bytes);
        EXPECT_EQ(refusal(bytes), Drop::Ipv4BadTotalLength) << length;
    }
    // Longer than 20 but shorter than the header that the packet says it has.
    auto bytes = packet(7, 8);
    store_be16(&bytes[Ipv4View::kTotalLength], 27);
    finish(bytes);
    EXPECT_EQ(refusal(bytes), Drop::Ipv4BadTotalLength);
}

TEST(Ipv4, RefusesEveryFlippedBitOfTheHeader) {
    const auto good = packet();
    for (std::size_t bit = 8; bit < 160; ++bit) {
        auto bytes = good;
        bytes[bit / 8] = static_cast<u8>(bytes[bit / 8] ^ (1 << bit % 8));
        const bool length = bit / 8 == 2 || bit / 8 == 3;
        const Drop drop = refusal(bytes);
        EXPECT_TRUE(drop == Drop::Ipv4BadChecksum || (length && drop == Drop::Ipv4BadTotalLength))
            << bit << ' ' << name(drop == Drop::kCount ? Drop::Ipv4Short : drop);
    }
}

TEST(Ipv4, AQuoteNeedsItsHeaderOnly) {
    auto bytes = packet(6, 8);
    bytes[Ipv4View::kTtl] = 0;  // changed on the way: the checksum is no longer right
    store_be16(&bytes[Ipv4View::kTotalLength], 1500);
    const auto view = Ipv4View::parse_quoted(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->payload().size(), 8U);
    EXPECT_EQ(view->total_length(), 1500);
    for (std::size_t n = 0; n < 24; ++n) {
        const auto cut = Ipv4View::parse_quoted(Bytes(bytes).first(n));
        ASSERT_FALSE(cut) << n;
        EXPECT_EQ(cut.error(), Drop::IcmpBadQuote);
    }
    bytes[0] = 0x65;
    EXPECT_EQ(Ipv4View::parse_quoted(bytes).error(), Drop::IcmpBadQuote);
    bytes[0] = 0x44;
    EXPECT_EQ(Ipv4View::parse_quoted(bytes).error(), Drop::IcmpBadQuote);
}

}  // namespace
}  // namespace tapestry
