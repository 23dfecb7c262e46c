#include "apps/router/nat_options.h"

#include <gtest/gtest.h>

#include "apps/failure.h"
#include "tests/support/home_network.h"

namespace tapestry {
namespace {

using test::HomeNetwork;

TEST(NatOptions, AreReadIntoTheConfiguration) {
    const TomlTable root = parse_toml(R"(
[nat]
mapping = "address-dependent"
filtering = "endpoint-independent"
translate_ports = false
max_flows = 100
max_flows_per_host = 10
tcp_established = "1h"
tcp_transitory = "1m"
udp = "30s"
icmp = "5s"
other = "10s"
tcp_loose = true
)",
                                      "f.toml");
    StackConfig config;
    read_nat(*root.table("nat"), config);
    EXPECT_EQ(config.nat.mapping, NatConfig::Behaviour::AddressDependent);
    EXPECT_EQ(config.nat.filtering, NatConfig::Behaviour::EndpointIndependent);
    EXPECT_FALSE(config.nat.translate_ports);
    EXPECT_EQ(config.flow.max_flows, 100U);
    EXPECT_EQ(config.flow.max_flows_per_host, 10U);
    EXPECT_EQ(config.flow.tcp_established, Duration(3600s));
    EXPECT_EQ(config.flow.tcp_transitory, Duration(60s));
    EXPECT_EQ(config.flow.udp, Duration(30s));
    EXPECT_EQ(config.flow.icmp, Duration(5s));
    EXPECT_EQ(config.flow.other, Duration(10s));
    EXPECT_TRUE(config.flow.tcp_loose);
}

TEST(NatOptions, WhatIsNotSaidStaysAndWhatIsUnknownIsRefused) {
    StackConfig config;
    read_nat(*parse_toml("[nat]", "f.toml").table("nat"), config);
    EXPECT_EQ(config.nat.mapping, NatConfig::Behaviour::EndpointIndependent);
    EXPECT_TRUE(config.nat.translate_ports);
    EXPECT_EQ(config.flow.udp, FlowConfig().udp);
    try {
        read_nat(*parse_toml("[nat]\nmaping = \"x\"", "f.toml").table("nat"), config);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_STREQ(failure.what(),
                     "f.toml:2:1: nat.maping: the key is not known (did you mean mapping?)");
    }
}

/// What is said of a file with this one rule.
std::string refusal(const std::string& rule) {
    HomeNetwork net;
    const TomlTable root = parse_toml("rules = [\n  " + rule + ",\n]", "f.toml");
    const std::array<std::string_view, 2> interfaces{"lan", "wan"};
    try {
        apply_rules(root.strings("rules"), net.forwarder(), interfaces);
    } catch (const Failure& failure) {
        return failure.what();
    }
    return "taken";
}

TEST(NatOptions, RulesPointToTheWordAtFault) {
    EXPECT_EQ(refusal("\"-t nat -A POSTROUTING -o wan -j MASQUERADE\""), "taken");
    EXPECT_EQ(refusal("\"-t nat -A POSTROUTING -o w+ -j MASQUERADE\""), "taken");
    EXPECT_EQ(refusal("\"-A FORWARD -p tcp --dport http -j DROP\""),
              "f.toml:2:30: rules: http: expected a port or a range like 1024:65535, found "
              "\"http\"; ports go by number here, names are not known");
    EXPECT_EQ(refusal("\"-A FORWARD --dport 80 -j DROP\""),
              "f.toml:2:15: rules: --dport needs -p tcp or -p udp");
    EXPECT_EQ(refusal("\"-A FORWARD -i wam -j DROP\""),
              "f.toml:2:18: rules: expected an interface (lan, wan), found \"wam\" (did you mean "
              "wan?)");
}

}  // namespace
}  // namespace tapestry
