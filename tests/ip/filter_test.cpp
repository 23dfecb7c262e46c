#include <gtest/gtest.h>

#include "tests/support/router_bench.h"

/// The firewall: first match, policies, states, counters, and what a client sees of it.

namespace tapestry::test {
namespace {

constexpr Endpoint kClient{RouterBench::kLaptop, 5000};
constexpr Endpoint kWeb{RouterBench::kServer, 80};
constexpr u8 kSyn = TcpFlags::kSyn;
constexpr u8 kAck = TcpFlags::kAck;
constexpr u8 kSynAck = TcpFlags::kSyn | TcpFlags::kAck;

Rule rule(Target target) {
    Rule rule;
    rule.target = target;
    return rule;
}
Rule state_rule(u8 states, Target target) {
    Rule made = rule(target);
    made.match.state = {{states, false}};
    return made;
}

struct Firewall : RouterBench {
    void add(Rule rule, Chain chain = Chain::Forward) {
        forwarder().append(chain, std::move(rule));
    }
    bool passes(Side side, const std::vector<u8>& packet) {
        return send(side, packet).size() == 1 && dropped.empty();
    }
    const Rule& rule_at(std::size_t i) { return forwarder().chain(Chain::Forward).rules().at(i); }
};

TEST(Filter, TheFirstRuleThatMatchesDecides) {
    Firewall wall;
    Rule accept = rule(Target::Accept);
    accept.match.destination_port = {{{80, 80}, false}};
    accept.match.protocol = {{IpProtocol::Tcp, false}};
    wall.add(accept);
    wall.add(rule(Target::Drop));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::tcp(kClient, kWeb, kSyn)));
    EXPECT_TRUE(wall.refuses(Side::Lan, Firewall::tcp(kClient, {kWeb.address, 81}, kSyn),
                             Drop::FilterDropped));
    EXPECT_TRUE(wall.refuses(Side::Lan, Firewall::udp(kClient, kWeb), Drop::FilterDropped));
    EXPECT_EQ(wall.rule_at(0).packets, 1U);
    EXPECT_EQ(wall.rule_at(0).bytes, 40U);
    EXPECT_EQ(wall.rule_at(1).packets, 2U);
}

TEST(Filter, ThePolicyDecidesWhereNoRuleDoes) {
    Firewall wall;
    wall.forwarder().set_policy(Chain::Forward, Target::Drop);
    EXPECT_TRUE(wall.refuses(Side::Lan, Firewall::udp(kClient, kWeb), Drop::FilterDropped));
    EXPECT_EQ(wall.forwarder().chain(Chain::Forward).policy_packets(), 1U);
    EXPECT_TRUE(wall.flows().empty()) << "what is dropped is not remembered";
}

TEST(Filter, ARuleWithoutATargetOnlyCounts) {
    Firewall wall;
    wall.add(rule(Target::None));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::udp(kClient, kWeb)));
    EXPECT_EQ(wall.rule_at(0).packets, 1U);
}

TEST(Filter, EstablishedLetsAnswersInAndNothingElse) {
    Firewall wall;
    wall.forwarder().set_policy(Chain::Forward, Target::Drop);
    wall.add(state_rule(ConnectionState::kEstablished | ConnectionState::kRelated, Target::Accept));
    Rule out = state_rule(ConnectionState::kNew, Target::Accept);
    out.match.in = {{"lan", false}};
    wall.add(out);
    EXPECT_TRUE(wall.refuses(Side::Wan, Firewall::tcp(kWeb, kClient, kSyn), Drop::FilterDropped));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::tcp(kClient, kWeb, kSyn)));
    EXPECT_TRUE(wall.passes(Side::Wan, Firewall::tcp(kWeb, kClient, kSynAck)));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::tcp(kClient, kWeb, kAck)));
    EXPECT_TRUE(wall.refuses(Side::Wan, Firewall::tcp({kWeb.address, 81}, kClient, kSynAck),
                             Drop::FilterDropped));
}

TEST(Filter, AnIcmpErrorIsRelatedToWhatItIsAbout) {
    Firewall wall;
    wall.forwarder().set_policy(Chain::Forward, Target::Drop);
    wall.add(state_rule(ConnectionState::kRelated, Target::Accept));
    Rule out = rule(Target::Accept);
    out.match.in = {{"lan", false}};
    wall.add(out);
    const auto sent = wall.pass(Side::Lan, Firewall::udp(kClient, kWeb));
    const auto error = Firewall::icmp_error(RouterBench::kOther, kClient.address,
                                            IcmpType::TimeExceeded, 0, sent.packet);
    EXPECT_TRUE(wall.passes(Side::Wan, error));
    const auto other =
        Firewall::icmp_error(RouterBench::kOther, kClient.address, IcmpType::TimeExceeded, 0,
                             Firewall::udp({kClient.address, 1}, kWeb));
    EXPECT_TRUE(wall.refuses(Side::Wan, other, Drop::FilterDropped));
}

TEST(Filter, WhatBelongsToNothingIsInvalid) {
    Firewall wall;
    wall.add(state_rule(ConnectionState::kInvalid, Target::Drop));
    EXPECT_TRUE(wall.refuses(Side::Lan, Firewall::tcp(kClient, kWeb, kAck), Drop::FilterDropped));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::tcp(kClient, kWeb, kSyn)));
}

TEST(Filter, RejectWithAResetEndsTheAttemptAtOnce) {
    Firewall wall;
    Rule reject = rule(Target::Reject);
    reject.reject_with = RejectWith::TcpReset;
    wall.add(reject);
    const auto out = wall.pass(Side::Lan, Firewall::tcp(kClient, kWeb, kSyn, 1000));
    EXPECT_EQ(out.side, Side::Lan);
    EXPECT_EQ(out.tuple.source, kWeb) << "as if it came from there";
    EXPECT_EQ(out.tuple.destination, kClient);
    const auto tcp = TcpView::parse(Bytes(out.packet).subspan(20));
    EXPECT_TRUE(tcp->flags().rst() && tcp->flags().ack());
    EXPECT_EQ(tcp->acknowledgment(), SeqNum(1001));
    EXPECT_EQ(wall.dropped.back(), Drop::FilterRejected);
    const auto of_ack = wall.pass(Side::Lan, Firewall::tcp(kClient, kWeb, kAck, 1001, 555));
    EXPECT_EQ(TcpView::parse(Bytes(of_ack.packet).subspan(20))->sequence(), SeqNum(555));
    EXPECT_TRUE(
        wall.refuses(Side::Lan, Firewall::tcp(kClient, kWeb, TcpFlags::kRst), Drop::FilterRejected))
        << "a reset is not answered";
}

TEST(Filter, RejectWithEveryKindOfError) {
    const std::vector<std::pair<RejectWith, u8>> kinds{
        {RejectWith::NetUnreachable, 0},   {RejectWith::HostUnreachable, 1},
        {RejectWith::ProtoUnreachable, 2}, {RejectWith::PortUnreachable, 3},
        {RejectWith::NetProhibited, 9},    {RejectWith::HostProhibited, 10},
        {RejectWith::AdminProhibited, 13}};
    for (const auto& [with, code] : kinds) {
        Firewall wall;
        Rule reject = rule(Target::Reject);
        reject.reject_with = with;
        wall.add(reject);
        const auto out = wall.pass(Side::Lan, Firewall::udp(kClient, kWeb));
        const auto icmp = IcmpView::parse(Bytes(out.packet).subspan(20));
        EXPECT_EQ(icmp->type(), IcmpType::DestinationUnreachable);
        EXPECT_EQ(icmp->code(), code);
        EXPECT_EQ(out.source, RouterBench::kInside);
    }
}

TEST(Filter, EveryMatchAndItsOpposite) {
    struct Case {
        const char* what;
        std::function<void(RuleMatch&, bool)> set;  ///< the second: negated
    };
    const std::vector<Case> cases{
        {"-i",
         [](RuleMatch& m, bool n) {
             m.in = {{"lan", n}};
         }},
        {"-i with +",
         [](RuleMatch& m, bool n) {
             m.in = {{"la+", n}};
         }},
        {"-o",
         [](RuleMatch& m, bool n) {
             m.out = {{"wan", n}};
         }},
        {"-s",
         [](RuleMatch& m, bool n) {
             m.source = {{Ipv4Prefix{{192, 168, 3, 0}, 24}, n}};
         }},
        {"-d",
         [](RuleMatch& m, bool n) {
             m.destination = {{Ipv4Prefix{kWeb.address, 32}, n}};
         }},
        {"-p",
         [](RuleMatch& m, bool n) {
             m.protocol = {{IpProtocol::Tcp, n}};
         }},
        {"--sport",
         [](RuleMatch& m, bool n) {
             m.source_port = {{{4000, 6000}, n}};
         }},
        {"--dport",
         [](RuleMatch& m, bool n) {
             m.destination_port = {{{80, 80}, n}};
         }},
        {"--syn",
         [](RuleMatch& m, bool n) {
             m.tcp_flags = {{{0x17, 0x02}, n}};
         }},
        {"--ctstate",
         [](RuleMatch& m, bool n) {
             m.state = {{ConnectionState::kNew, n}};
         }},
    };
    for (const Case& one : cases) {
        for (const bool negated : {false, true}) {
            Firewall wall;
            Rule drop = rule(Target::Drop);
            one.set(drop.match, negated);
            wall.add(drop);
            EXPECT_EQ(wall.passes(Side::Lan, Firewall::tcp(kClient, kWeb, kSyn)), negated)
                << one.what;
        }
    }
}

TEST(Filter, MultiportAndIcmpTypes) {
    Firewall wall;
    Rule ports = rule(Target::Drop);
    ports.match.protocol = {{IpProtocol::Tcp, false}};
    ports.match.destination_ports = {{22, 22}, {80, 90}};
    wall.add(ports);
    Rule ping = rule(Target::Drop);
    ping.match.icmp = {{{IcmpType::EchoRequest, {}}, false}};
    wall.add(ping);
    EXPECT_FALSE(wall.passes(Side::Lan, Firewall::tcp(kClient, {kWeb.address, 85}, kSyn)));
    EXPECT_FALSE(wall.passes(Side::Lan, Firewall::tcp(kClient, {kWeb.address, 22}, kSyn)));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::tcp(kClient, {kWeb.address, 91}, kSyn)));
    EXPECT_FALSE(wall.passes(Side::Lan, Firewall::echo(kClient.address, kWeb.address, 1)));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::udp(kClient, kWeb)))
        << "a UDP datagram has no ICMP type";
}

TEST(Filter, ALimitLetsABurstAndThenOneATimePass) {
    Firewall wall;
    Rule few = rule(Target::Accept);
    few.match.limit = RateLimit(6, 60s, 3);
    wall.add(few);
    wall.add(rule(Target::Drop));
    const auto burst = [&] {
        int passed = 0;
        while (passed < 100 && wall.passes(Side::Lan, Firewall::udp(kClient, kWeb))) ++passed;
        return passed;
    };
    EXPECT_EQ(burst(), 3);
    wall.wait(9999ms);
    EXPECT_EQ(burst(), 0);
    wall.wait(1ms);
    EXPECT_EQ(burst(), 1);
    wall.wait(3600s);
    EXPECT_EQ(burst(), 3);
}

TEST(Filter, TheRouterItselfHasItsOwnChains) {
    Firewall wall;
    wall.forwarder().set_policy(Chain::Input, Target::Drop);
    EXPECT_TRUE(wall.refuses(Side::Lan, Firewall::echo(kClient.address, RouterBench::kInside, 1),
                             Drop::FilterDropped));
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::udp(kClient, kWeb))) << "INPUT is not FORWARD";
    // An answer to what the router itself has asked comes in where that is allowed.
    wall.add(state_rule(ConnectionState::kEstablished, Target::Accept), Chain::Input);
    PingSocket ping = wall.stack().ping_socket();
    ASSERT_TRUE(ping.send(kClient.address, 1, {}));
    ASSERT_EQ(wall.take().size(), 1U);
    wall.send(Side::Lan,
              Firewall::echo(kClient.address, RouterBench::kInside, ping.identifier(), true));
    EXPECT_TRUE(ping.receive());
}

TEST(Filter, OutputKeepsTheRouterItselfSilent) {
    Firewall wall;
    wall.forwarder().set_policy(Chain::Output, Target::Drop);
    PingSocket ping = wall.stack().ping_socket();
    EXPECT_FALSE(ping.send(kClient.address, 1, {}));
    EXPECT_TRUE(wall.take().empty());
    EXPECT_EQ(wall.drops(Drop::FilterDropped), 1U);
    EXPECT_TRUE(wall.passes(Side::Lan, Firewall::udp(kClient, kWeb)));
}

TEST(Filter, ForwardSeesInsideAddressesOnBothWays) {
    Firewall wall;
    wall.masquerade();
    Rule to_laptop = rule(Target::None);
    to_laptop.match.destination = {{Ipv4Prefix{kClient.address, 32}, false}};
    wall.add(to_laptop);
    const auto out = wall.pass(Side::Lan, Firewall::udp(kClient, kWeb));
    wall.pass(Side::Wan, Firewall::udp(kWeb, out.tuple.source));
    EXPECT_EQ(wall.rule_at(0).packets, 1U) << "after PREROUTING the answer is for the laptop";
}

TEST(Filter, AForwardedPortIsFilteredByWhereItReallyGoes) {
    Firewall wall;
    wall.dnat(IpProtocol::Tcp, 8080, {RouterBench::kTablet, 80});
    Rule drop = rule(Target::Drop);
    drop.match.destination = {{Ipv4Prefix{RouterBench::kTablet, 32}, false}};
    drop.match.destination_port = {{{80, 80}, false}};
    wall.add(drop);
    EXPECT_TRUE(wall.refuses(Side::Wan, Firewall::tcp(kWeb, {RouterBench::kOutside, 8080}, kSyn),
                             Drop::FilterDropped));
    EXPECT_TRUE(wall.flows().empty());
}

}  // namespace
}  // namespace tapestry::test
