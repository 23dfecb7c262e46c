#include "stack/wire/ethernet.h"

#include <gtest/gtest.h>

#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

TEST(Ethernet, RefusesEveryFrameShorterThanAHeader) {
    const std::vector<u8> frame(14);
    for (std::size_t n = 0; n < 14; ++n) {
        const auto view = EthernetView::parse(Bytes(frame).first(n));
        ASSERT_FALSE(view) << n;
        EXPECT_EQ(view.error(), Drop::EthernetShort) << n;
    }
    ASSERT_TRUE(EthernetView::parse(frame));
    EXPECT_TRUE(EthernetView::parse(frame)->payload().empty());
}

TEST(Ethernet, ReadsWhatItWrites) {
    const EthernetHeader header{.destination = MacAddress({2, 0, 0, 0, 0, 1}),
                                .source = MacAddress({2, 0, 0, 0, 0, 2}),
                                .type = EtherType::Arp};
    std::array<u8, 16> frame{};
    header.write(frame.data());
    EXPECT_EQ(std::vector<u8>(frame.begin(), frame.end()),
              from_hex("020000000001 020000000002 0806 0000"));
    const auto view = EthernetView::parse(frame);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->destination(), header.destination);
    EXPECT_EQ(view->source(), header.source);
    EXPECT_EQ(view->type(), EtherType::Arp);
    EXPECT_EQ(view->payload().size(), 2U);
}

}  // namespace
}  // namespace tapestry
