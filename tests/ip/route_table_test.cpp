#include "stack/ip/route_table.h"

#include <algorithm>

#include "tests/support/link_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class RouteTableTest : public testing::Test {
protected:
    LinkHost host_;
    Interface* interface_ = host_.interface.get();
    RouteTable table_;

    Route to(const char* prefix, const char* gateway = "0.0.0.0") const {
        return {*Ipv4Prefix::parse(prefix), interface_, *Ipv4Address::parse(gateway)};
    }
    std::string gateway_for(const char* destination) const {
        const Route* route = table_.find(*Ipv4Address::parse(destination));
        return route == nullptr ? "none" : route->gateway.to_string();
    }
};

TEST_F(RouteTableTest, EmptyTableHasNoWay) { EXPECT_EQ(gateway_for("10.0.0.1"), "none"); }

TEST_F(RouteTableTest, LongestPrefixWinsInAnyOrderOfInsertion) {
    for (const bool upwards : {true, false}) {
        table_ = RouteTable();
        std::vector<Route> routes = {to("0.0.0.0/0", "1.0.0.1"), to("10.0.0.0/8", "1.0.0.2"),
                                     to("10.1.0.0/16", "1.0.0.3"), to("10.1.2.0/24", "1.0.0.4"),
                                     to("10.1.2.3/32", "1.0.0.5")};
        if (!upwards) std::reverse(routes.begin(), routes.end());
        for (const Route& route : routes) EXPECT_TRUE(table_.add(route));
        EXPECT_EQ(gateway_for("192.168.0.1"), "1.0.0.1");
        EXPECT_EQ(gateway_for("10.2.0.1"), "1.0.0.2");
        EXPECT_EQ(gateway_for("10.1.3.1"), "1.0.0.3");
        EXPECT_EQ(gateway_for("10.1.2.4"), "1.0.0.4");
        EXPECT_EQ(gateway_for("10.1.2.3"), "1.0.0.5");
    }
}

TEST_F(RouteTableTest, FirstAddedWinsATie) {
    table_.add(to("10.0.0.0/8", "1.0.0.1"));
    table_.add(to("10.0.0.0/8", "1.0.0.2"));
    EXPECT_EQ(gateway_for("10.0.0.1"), "1.0.0.1");
    EXPECT_EQ(table_.remove(*Ipv4Prefix::parse("10.0.0.0/8"), Ipv4Address(1, 0, 0, 1)), 1U);
    EXPECT_EQ(gateway_for("10.0.0.1"), "1.0.0.2");
}

TEST_F(RouteTableTest, HostBitsOfThePrefixDoNotCount) {
    table_.add(to("10.0.0.77/24", "1.0.0.1"));
    EXPECT_EQ(gateway_for("10.0.0.1"), "1.0.0.1");
    EXPECT_EQ(table_.all().at(0).prefix.to_string(), "10.0.0.0/24");
    EXPECT_EQ(table_.remove(*Ipv4Prefix::parse("10.0.0.5/24")), 1U);
    EXPECT_EQ(gateway_for("10.0.0.1"), "none");
}

TEST_F(RouteTableTest, RemovesOnlyTheExactPrefix) {
    table_.add(to("10.0.0.0/8", "1.0.0.1"));
    table_.add(to("10.0.0.0/16", "1.0.0.2"));
    EXPECT_EQ(table_.remove(*Ipv4Prefix::parse("10.0.0.0/8")), 1U);
    EXPECT_EQ(table_.remove(*Ipv4Prefix::parse("10.0.0.0/8")), 0U);
    EXPECT_EQ(gateway_for("10.0.0.1"), "1.0.0.2");
    EXPECT_EQ(gateway_for("10.1.0.1"), "none");
}

TEST_F(RouteTableTest, RefusesWhatIsNoRoute) {
    EXPECT_FALSE(table_.add({*Ipv4Prefix::parse("10.0.0.0/8"), nullptr, {}}));
    EXPECT_FALSE(table_.add({{Ipv4Address(10, 0, 0, 0), 33}, interface_, {}}));
    EXPECT_TRUE(table_.add(to("10.0.0.0/8")));
    EXPECT_FALSE(table_.add(to("10.0.0.0/8"))) << "it is there already";
    EXPECT_EQ(table_.all().size(), 1U);
}

}  // namespace
}  // namespace tapestry
