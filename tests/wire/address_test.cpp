#include "stack/wire/address.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

TEST(MacAddress, ReadsAndPrintsSixOctets) {
    const MacAddress mac({0x02, 0x00, 0xab, 0xcd, 0xef, 0x1f});
    EXPECT_EQ(mac.to_string(), "02:00:ab:cd:ef:1f");
    EXPECT_EQ(MacAddress::parse("02:00:ab:cd:ef:1f"), mac);
    EXPECT_EQ(MacAddress::parse("02-00-AB-CD-EF-1F"), mac);
    std::array<u8, 6> bytes{};
    mac.store(bytes.data());
    EXPECT_EQ(MacAddress::load(bytes.data()), mac);
}

TEST(MacAddress, RefusesEverythingElse) {
    for (const char* text :
         {"", "02", "02:00:ab:cd:ef", "02:00:ab:cd:ef:1f:00", "02:00:ab:cd:ef:1", "2:0:ab:cd:ef:1f",
          "02:00:ab:cd:ef:1g", "02:00:ab:cd:ef:-1", "02:00-ab:cd:ef:1f", "0200:ab:cd:ef:1f0",
          "02.00.ab.cd.ef.1f", " 2:00:ab:cd:ef:1f", "0x:00:ab:cd:ef:1f"}) {
        EXPECT_FALSE(MacAddress::parse(text)) << '"' << text << '"';
    }
}

TEST(MacAddress, KnowsItsKinds) {
    EXPECT_TRUE(MacAddress::broadcast().is_broadcast());
    EXPECT_TRUE(MacAddress::broadcast().is_group());
    EXPECT_TRUE(MacAddress({0x01, 0x00, 0x5e, 0, 0, 1}).is_group());
    EXPECT_FALSE(MacAddress({0x01, 0x00, 0x5e, 0, 0, 1}).is_broadcast());
    EXPECT_FALSE(MacAddress({0x02, 0, 0, 0, 0, 1}).is_group());
    EXPECT_TRUE(MacAddress().is_zero());
}

TEST(Ipv4Address, ReadsAndPrintsDottedDecimal) {
    EXPECT_EQ(Ipv4Address::parse("192.168.3.10"), Ipv4Address(192, 168, 3, 10));
    EXPECT_EQ(Ipv4Address::parse("0.0.0.0"), Ipv4Address());
    EXPECT_EQ(Ipv4Address::parse("255.255.255.255"), Ipv4Address::broadcast());
    EXPECT_EQ(Ipv4Address(1, 20, 255, 0).to_string(), "1.20.255.0");
    EXPECT_EQ(Ipv4Address(1, 2, 3, 4).value(), 0x01020304U);
}

TEST(Ipv4Address, RefusesEverythingElse) {
    for (const char* text : {"",
                             ".",
                             "1",
                             "1.2.3",
                             "1.2.3.4.5",
                             "1.2.3.",
                             ".1.2.3",
                             "1..2.3",
                             "256.1.1.1",
                             "1.1.1.256",
                             "01.2.3.4",
                             "1.2.3.00",
                             "+1.2.3.4",
                             "-1.2.3.4",
                             "1.2.3.4 ",
                             " 1.2.3.4",
                             "1.2.3.x",
                             "0x1.2.3.4",
                             "1.2.3.99999999999999999999",
                             "1.2.3.4/24"}) {
        EXPECT_FALSE(Ipv4Address::parse(text)) << '"' << text << '"';
    }
}

TEST(Ipv4Address, KnowsItsKinds) {
    struct Row {
        const char* text;
        bool this_network, loopback, multicast, reserved, broadcast, unicast;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"0.0.0.0", true, false, false, false, false, false},
             {"0.1.2.3", true, false, false, false, false, false},
             {"1.0.0.0", false, false, false, false, false, true},
             {"126.255.255.255", false, false, false, false, false, true},
             {"127.0.0.1", false, true, false, false, false, false},
             {"128.0.0.1", false, false, false, false, false, true},
             {"223.255.255.255", false, false, false, false, false, true},
             {"224.0.0.0", false, false, true, false, false, false},
             {"239.255.255.255", false, false, true, false, false, false},
             {"240.0.0.0", false, false, false, true, false, false},
             {"255.255.255.254", false, false, false, true, false, false},
             {"255.255.255.255", false, false, false, false, true, false},
         }) {
        const auto address = Ipv4Address::parse(row.text);
        ASSERT_TRUE(address) << row.text;
        EXPECT_EQ(address->is_this_network(), row.this_network) << row.text;
        EXPECT_EQ(address->is_loopback(), row.loopback) << row.text;
        EXPECT_EQ(address->is_multicast(), row.multicast) << row.text;
        EXPECT_EQ(address->is_reserved(), row.reserved) << row.text;
        EXPECT_EQ(address->is_broadcast(), row.broadcast) << row.text;
        EXPECT_EQ(address->is_unicast(), row.unicast) << row.text;
    }
}

TEST(Ipv4Prefix, ReadsAndPrints) {
    EXPECT_EQ(Ipv4Prefix::parse("192.168.3.10/24"), (Ipv4Prefix{Ipv4Address(192, 168, 3, 10), 24}));
    EXPECT_EQ(Ipv4Prefix::parse("0.0.0.0/0"), (Ipv4Prefix{Ipv4Address(), 0}));
    EXPECT_EQ(Ipv4Prefix::parse("10.0.0.1"), (Ipv4Prefix{Ipv4Address(10, 0, 0, 1), 32}));
    EXPECT_EQ((Ipv4Prefix{Ipv4Address(10, 0, 0, 1), 8}.to_string()), "10.0.0.1/8");
    for (const char* text : {"10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/08",
                             "10.0.0.1/24x", "10.0.0/24", "/24", "10.0.0.1/24/24"}) {
        EXPECT_FALSE(Ipv4Prefix::parse(text)) << text;
    }
}

TEST(Ipv4Prefix, MaskNetworkAndBroadcastAtEveryLength) {
    for (u8 length = 0; length <= 32; ++length) {
        const Ipv4Prefix prefix{Ipv4Address(10, 20, 30, 40), length};
        u32 mask = 0;
        for (int bit = 0; bit < length; ++bit) mask |= 0x80000000U >> bit;
        EXPECT_EQ(prefix.mask(), mask) << int{length};
        EXPECT_EQ(prefix.network().value(), 0x0a141e28U & mask) << int{length};
        EXPECT_TRUE(prefix.contains(prefix.address));
        EXPECT_TRUE(prefix.contains(Ipv4Address(0x0a141e28U | ~mask)));
        if (length > 0) {
            const u32 last_bit = 0x80000000U >> (length - 1);
            EXPECT_FALSE(prefix.contains(Ipv4Address(0x0a141e28U ^ last_bit)));
        }
        // RFC 3021: a /31 has two hosts and no broadcast address; a /32 is one host.
        EXPECT_EQ(prefix.subnet_broadcast().has_value(), length <= 30) << int{length};
        if (length <= 30) {
            EXPECT_EQ(prefix.subnet_broadcast()->value(), 0x0a141e28U | ~mask);
        }
    }
}

TEST(Endpoint, PrintsAddressAndPort) {
    EXPECT_EQ((Endpoint{Ipv4Address(10, 0, 0, 1), 8080}.to_string()), "10.0.0.1:8080");
    EXPECT_LT((Endpoint{Ipv4Address(10, 0, 0, 1), 9}), (Endpoint{Ipv4Address(10, 0, 0, 1), 10}));
}

}  // namespace
}  // namespace tapestry
