#include "stack/wire/arp.h"

#include <gtest/gtest.h>

#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

std::vector<u8> request_bytes() {
    return from_hex(
        "0001 0800 06 04 0001"
        "020000000002 c0a8030a"
        "000000000000 c0a80301");
}

ArpPacket request() {
    return {.operation = ArpOperation::Request,
            .sender_mac = MacAddress({2, 0, 0, 0, 0, 2}),
            .sender_ip = Ipv4Address(192, 168, 3, 10),
            .target_mac = MacAddress(),
            .target_ip = Ipv4Address(192, 168, 3, 1)};
}

TEST(Arp, ReadsAndWritesRfc826sPacket) {
    const auto parsed = ArpPacket::parse(request_bytes());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, request());
    const auto written = request().to_bytes();
    EXPECT_EQ(std::vector<u8>(written.begin(), written.end()), request_bytes());
}

TEST(Arp, IgnoresPadding) {
    auto bytes = request_bytes();
    bytes.resize(46, 0xaa);
    EXPECT_EQ(ArpPacket::parse(bytes), request());
}

TEST(Arp, RefusesEveryShorterPacket) {
    const auto bytes = request_bytes();
    for (std::size_t n = 0; n < ArpPacket::kSize; ++n) {
        EXPECT_EQ(ArpPacket::parse(Bytes(bytes).first(n)), std::unexpected(Drop::ArpShort)) << n;
    }
}

TEST(Arp, RefusesByName) {
    struct Row {
        std::size_t at;
        u8 value;
        Drop drop;
    };
    for (const Row& row : std::initializer_list<Row>{
             {0, 1, Drop::ArpBadHardware},
             {1, 0, Drop::ArpBadHardware},
             {1, 6, Drop::ArpBadHardware},
             {2, 0x86, Drop::ArpBadProtocol},
             {3, 0x06, Drop::ArpBadProtocol},
             {4, 0, Drop::ArpBadLength},
             {4, 5, Drop::ArpBadLength},
             {4, 255, Drop::ArpBadLength},
             {5, 0, Drop::ArpBadLength},
             {5, 16, Drop::ArpBadLength},
             {6, 1, Drop::ArpBadOperation},
             {7, 0, Drop::ArpBadOperation},
             {7, 3, Drop::ArpBadOperation},
             {7, 4, Drop::ArpBadOperation},
         }) {
        auto bytes = request_bytes();
        bytes.at(row.at) = row.value;
        EXPECT_EQ(ArpPacket::parse(bytes), std::unexpected(row.drop)) << row.at << ' ' << row.value;
    }
}

}  // namespace
}  // namespace tapestry
