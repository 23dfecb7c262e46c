#include "stack/wire/icmp.h"

#include <gtest/gtest.h>

#include "stack/wire/checksum.h"
#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

std::vector<u8> echo(std::size_t data) {
    std::vector<u8> bytes(8 + data);
    for (std::size_t i = 0; i < data; ++i) bytes[8 + i] = static_cast<u8>(i);
    IcmpHeader{.type = IcmpType::EchoRequest, .code = 0, .second = 0x12340007}.write(
        bytes.data(), Bytes(bytes).subspan(8));
    return bytes;
}

TEST(Icmp, ReadsWhatItWritesAtEvenAndOddLengths) {
    for (const std::size_t data : {0U, 1U, 2U, 55U, 56U, 1472U}) {
        const auto bytes = echo(data);
        const auto view = IcmpView::parse(bytes);
        ASSERT_TRUE(view) << data;
        EXPECT_EQ(view->type(), IcmpType::EchoRequest);
        EXPECT_EQ(view->code(), 0);
        EXPECT_EQ(view->identifier(), 0x1234);
        EXPECT_EQ(view->sequence(), 7);
        EXPECT_EQ(view->payload().size(), data);
    }
}

TEST(Icmp, RefusesEveryShorterMessage) {
    const auto bytes = echo(0);
    for (std::size_t n = 0; n < 8; ++n) {
        const auto view = IcmpView::parse(Bytes(bytes).first(n));
        ASSERT_FALSE(view) << n;
        EXPECT_EQ(view.error(), Drop::IcmpShort);
        EXPECT_FALSE(IcmpView::parse(Bytes(bytes).first(n), true)) << n;
    }
}

TEST(Icmp, RefusesEveryFlippedBit) {
    const auto good = echo(13);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        auto bytes = good;
        bytes[bit / 8] = static_cast<u8>(bytes[bit / 8] ^ (1 << bit % 8));
        const auto view = IcmpView::parse(bytes);
        ASSERT_FALSE(view) << bit;
        EXPECT_EQ(view.error(), Drop::IcmpBadChecksum);
        EXPECT_TRUE(IcmpView::parse(bytes, true)) << "the device has vouched for it";
    }
}

TEST(Icmp, TheMtuOfFragmentationNeededIsTheLowerHalfOfTheSecondWord) {
    std::vector<u8> bytes(8);
    IcmpHeader{.type = IcmpType::DestinationUnreachable,
               .code = static_cast<u8>(UnreachableCode::FragmentationNeeded),
               .second = 1400}
        .write(bytes.data(), {});
    EXPECT_EQ(IcmpView::parse(bytes)->next_hop_mtu(), 1400);
}

// RFC 1122 section 3.2.2 divides the messages into error messages and query messages.
TEST(Icmp, WhichTypesAreErrors) {
    for (int type = 0; type < 256; ++type) {
        const bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        EXPECT_EQ(is_icmp_error(static_cast<IcmpType>(type)), error) << type;
    }
}

}  // namespace
}  // namespace tapestry
