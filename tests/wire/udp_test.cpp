#include "stack/wire/udp.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "stack/wire/checksum.h"
#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

const Ipv4Address kSource(10, 0, 0, 1);
const Ipv4Address kDestination(10, 0, 0, 2);

void finish(std::vector<u8>& bytes) {
    store_be16(&bytes[UdpView::kChecksum], 0);
    const u16 length = load_be16(&bytes[UdpView::kLength]);
    auto adder = pseudo_header(kSource, kDestination, 17, length);
    adder.add(Bytes(bytes).first(std::min<std::size_t>(length, bytes.size())));
    store_be16(&bytes[UdpView::kChecksum], adder.checksum());
}

std::vector<u8> datagram(std::size_t data) {
    std::vector<u8> bytes(8 + data, 0x5a);
    UdpHeader{.source_port = 5353, .destination_port = 53, .length = static_cast<u16>(8 + data)}
        .write(bytes.data());
    finish(bytes);
    return bytes;
}

Drop refusal(Bytes bytes, bool verified = false) {
    const auto view = UdpView::parse(bytes, kSource, kDestination, verified);
    return view ? Drop::kCount : view.error();
}

TEST(Udp, ReadsWhatItWrites) {
    for (const std::size_t data : {0U, 1U, 2U, 511U, 65527U}) {
        const auto bytes = datagram(data);
        const auto view = UdpView::parse(bytes, kSource, kDestination);
        ASSERT_TRUE(view) << data;
        EXPECT_EQ(view->source_port(), 5353);
        EXPECT_EQ(view->destination_port(), 53);
        EXPECT_EQ(view->length(), 8 + data);
        EXPECT_EQ(view->payload().size(), data);
    }
}

TEST(Udp, RefusesEveryTruncation) {
    const auto bytes = datagram(10);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        EXPECT_EQ(refusal(Bytes(bytes).first(n)), n < 8 ? Drop::UdpShort : Drop::UdpBadLength) << n;
        EXPECT_NE(refusal(Bytes(bytes).first(n), true), Drop::kCount) << n;
    }
}

TEST(Udp, RefusesABadLength) {
    for (const u16 length : {u16{0}, u16{7}, u16{19}, u16{65535}}) {
        auto bytes = datagram(10);
        store_be16(&bytes[UdpView::kLength], length);
        finish(bytes);
        EXPECT_EQ(refusal(bytes), Drop::UdpBadLength) << length;
    }
}

TEST(Udp, WhatLiesBehindItsLengthIsNoPayload) {
    auto bytes = datagram(10);
    bytes.resize(30, 0xaa);
    const auto view = UdpView::parse(bytes, kSource, kDestination);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->payload().size(), 10U);
}

TEST(Udp, RefusesEveryFlippedBitUnlessTheSenderMadeNoChecksum) {
    const auto good = datagram(5);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        if (bit / 8 == 4 || bit / 8 == 5) continue;  // the length is refused by its own name
        auto bytes = good;
        bytes[bit / 8] = static_cast<u8>(bytes[bit / 8] ^ (1 << bit % 8));
        EXPECT_EQ(refusal(bytes), Drop::UdpBadChecksum) << bit;
        EXPECT_EQ(refusal(bytes, true), Drop::kCount) << bit;
        if (bit / 8 < 6 || bit / 8 > 7) {
            store_be16(&bytes[UdpView::kChecksum], 0);
            EXPECT_EQ(refusal(bytes), Drop::kCount) << bit;
        }
    }
}

TEST(Udp, TheAddressesAreUnderTheChecksum) {
    const auto bytes = datagram(5);
    EXPECT_FALSE(UdpView::parse(bytes, kSource, Ipv4Address(10, 0, 0, 3)));
    EXPECT_FALSE(UdpView::parse(bytes, Ipv4Address(10, 0, 0, 3), kDestination));
}

}  // namespace
}  // namespace tapestry
