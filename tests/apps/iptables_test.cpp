#include "apps/router/iptables.h"

#include <gtest/gtest.h>

#include <sstream>

#include "stack/base/rng.h"
#include "tests/support/home_network.h"

namespace tapestry {
namespace {

using test::HomeNetwork;

/// A line as it is typed, and how iptables-save shows it.
struct Good {
    const char* line;
    const char* saved;
};

constexpr Good kGood[] = {
    {"-t nat -A POSTROUTING -s 192.168.3.0/24 -o wan -j MASQUERADE",
     "-A POSTROUTING -s 192.168.3.0/24 -o wan -j MASQUERADE"},
    {"iptables -t nat -A POSTROUTING -o wan -j MASQUERADE", "-A POSTROUTING -o wan -j MASQUERADE"},
    {"sudo iptables -t nat -A POSTROUTING -o wan+ -j MASQUERADE",
     "-A POSTROUTING -o wan+ -j MASQUERADE"},
    {"-t nat -A POSTROUTING -p tcp -o wan -j MASQUERADE --to-ports 1024-2000",
     "-A POSTROUTING -o wan -p tcp -j MASQUERADE --to-ports 1024-2000"},
    {"-t nat -A POSTROUTING -o wan -j SNAT --to-source 203.0.113.5",
     "-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.5"},
    {"-t nat -A POSTROUTING -o wan -p udp -j SNAT --to-source 203.0.113.5-203.0.113.9:1024-65535",
     "-A POSTROUTING -o wan -p udp -j SNAT --to-source 203.0.113.5-203.0.113.9:1024-65535"},
    {"-t nat -A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination 192.168.3.10:80",
     "-A PREROUTING -i wan -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.3.10:80"},
    {"-t nat -A PREROUTING -d 203.0.113.5 -j DNAT --to-destination 192.168.3.10-192.168.3.20",
     "-A PREROUTING -d 203.0.113.5/32 -j DNAT --to-destination 192.168.3.10-192.168.3.20"},
    {"-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
     "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"},
    {"-A FORWARD -m state --state NEW -j DROP", "-A FORWARD -m conntrack --ctstate NEW -j DROP"},
    {"-A FORWARD -m conntrack ! --ctstate invalid -j ACCEPT",
     "-A FORWARD -m conntrack ! --ctstate INVALID -j ACCEPT"},
    {"-A INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset",
     "-A INPUT -p tcp -m tcp --dport 22 -j REJECT --reject-with tcp-reset"},
    {"-A FORWARD -j REJECT", "-A FORWARD -j REJECT --reject-with icmp-port-unreachable"},
    {"-A FORWARD -j REJECT --reject-with icmp-net-unreachable",
     "-A FORWARD -j REJECT --reject-with icmp-net-unreachable"},
    {"-A FORWARD -j REJECT --reject-with icmp-host-unreachable",
     "-A FORWARD -j REJECT --reject-with icmp-host-unreachable"},
    {"-A FORWARD -j REJECT --reject-with icmp-proto-unreachable",
     "-A FORWARD -j REJECT --reject-with icmp-proto-unreachable"},
    {"-A FORWARD -j REJECT --reject-with icmp-net-prohibited",
     "-A FORWARD -j REJECT --reject-with icmp-net-prohibited"},
    {"-A FORWARD -j REJECT --reject-with icmp-host-prohibited",
     "-A FORWARD -j REJECT --reject-with icmp-host-prohibited"},
    {"-A FORWARD -j REJECT --reject-with admin-prohib",
     "-A FORWARD -j REJECT --reject-with icmp-admin-prohibited"},
    {"-A INPUT -p icmp --icmp-type echo-request -m limit --limit 5/min --limit-burst 7 -j ACCEPT",
     "-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/min --limit-burst 7 -j ACCEPT"},
    {"-A INPUT -m limit --limit 10 -j ACCEPT", "-A INPUT -m limit --limit 10/sec -j ACCEPT"},
    {"-A INPUT -m limit -j ACCEPT", "-A INPUT -m limit --limit 3/hour -j ACCEPT"},
    {"-A FORWARD -p tcp -m multiport --dports 80,443,8000:8100 -j ACCEPT",
     "-A FORWARD -p tcp -m multiport --dports 80,443,8000:8100 -j ACCEPT"},
    {"-A FORWARD -p udp -m multiport --sports 53 -j ACCEPT",
     "-A FORWARD -p udp -m multiport --sports 53 -j ACCEPT"},
    {"-A FORWARD -p tcp -m tcp --dport 1024: --sport :1023 -m comment --comment \"high "
     "\\\"ones\\\"\"",
     "-A FORWARD -p tcp -m tcp --sport 0:1023 --dport 1024:65535 -m comment --comment "
     "\"high \\\"ones\\\"\""},
    {"-A FORWARD -p tcp --syn -j DROP",
     "-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"},
    {"-A FORWARD -p tcp ! --syn -m comment --comment mid -j DROP",
     "-A FORWARD -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m comment --comment mid -j DROP"},
    {"-A FORWARD -p tcp -m tcp --tcp-flags ALL NONE -j DROP",
     "-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP"},
    {"-A FORWARD ! -s 10.0.0.0/255.0.0.0 ! -d 192.168.3.77/24 ! -i lan ! -o wan ! -p udp -j DROP",
     "-A FORWARD ! -s 10.0.0.0/8 ! -d 192.168.3.0/24 ! -i lan ! -o wan ! -p udp -j DROP"},
    {"-A FORWARD -p tcp ! --dport 80 ! --sport 1:2 -j DROP",
     "-A FORWARD -p tcp -m tcp ! --sport 1:2 ! --dport 80 -j DROP"},
    {"-A FORWARD -p icmp -m icmp ! --icmp-type 3/4 -j DROP",
     "-A FORWARD -p icmp -m icmp ! --icmp-type 3/4 -j DROP"},
    {"-A FORWARD -p ICMP --icmp-type any -j ACCEPT", "-A FORWARD -p icmp -j ACCEPT"},
    {"-A FORWARD -p 47 -j ACCEPT", "-A FORWARD -p 47 -j ACCEPT"},
    {"-A FORWARD -p all -j RETURN", "-A FORWARD -j RETURN"},
    {"-A OUTPUT -o lan", "-A OUTPUT -o lan"},
    {"-A FORWARD -s 0.0.0.0/0 -d 0.0.0.0/0 -j DROP", "-A FORWARD -j DROP"},
    {"--table nat --append PREROUTING --in-interface wan --protocol udp --destination-port 53 "
     "--jump DNAT --to-destination 192.168.3.10",
     "-A PREROUTING -i wan -p udp -m udp --dport 53 -j DNAT --to-destination 192.168.3.10"},
    {"--append=FORWARD --source=10.0.0.1 --destination 10.0.0.2 --proto tcp --match tcp "
     "--source-port 5 --out-interface wan --jump ACCEPT",
     "-A FORWARD -s 10.0.0.1/32 -d 10.0.0.2/32 -o wan -p tcp -m tcp --sport 5 -j ACCEPT"},
};

/// A line, the column and the word at fault, and a part of what is said about it.
struct Bad {
    const char* line;
    std::size_t column;
    const char* word;
    const char* message;
};

constexpr Bad kBad[] = {
    {"", 0, "", "expected -A, -I, -P or -F"},
    {"-j ACCEPT", 0, "", "expected -A, -I, -P or -F"},
    {"-A FORWARD -j LOG", 14, "LOG", "ACCEPT, DROP, REJECT, RETURN, SNAT, MASQUERADE, DNAT"},
    {"-A FORWARD -j accept", 14, "accept", "found \"accept\""},
    {"-A FORWARD -j", 13, "", "-j: expected a target like ACCEPT, found nothing"},
    {"-N mine", 0, "-N", "chains of one's own"},
    {"-D FORWARD 1", 0, "-D", "leave out the line"},
    {"-L -n -v", 0, "-L", "tapestry nat --rules"},
    {"-A mine -j ACCEPT", 3, "mine", "expected INPUT, FORWARD or OUTPUT"},
    {"-A POSTROUTING -j MASQUERADE", 3, "POSTROUTING", "add -t nat"},
    {"-t nat -A FORWARD -j ACCEPT", 10, "FORWARD", "leave out -t nat"},
    {"-t nat -A OUTPUT -j ACCEPT", 10, "OUTPUT", "PREROUTING and POSTROUTING"},
    {"-t nat -A mine", 10, "mine", "expected PREROUTING or POSTROUTING"},
    {"-t mangle -A FORWARD -j ACCEPT", 3, "mangle", "expected nat or filter"},
    {"-A FORWARD -A INPUT", 11, "-A", "said twice"},
    {"-A FORWARD -P INPUT DROP", 11, "-P", "one command"},
    {"-A FORWARD --dport 80 -j DROP", 11, "--dport", "--dport needs -p tcp or -p udp"},
    {"-A FORWARD ! -p tcp --dport 80 -j DROP", 20, "--dport", "needs -p tcp or -p udp"},
    {"-A FORWARD -p icmp --sport 80", 19, "--sport", "needs -p tcp or -p udp"},
    {"-A FORWARD -m multiport --dports 80", 24, "--dports", "needs -p tcp or -p udp"},
    {"-A FORWARD -p tcp --dports 80", 18, "--dports", "needs -m multiport"},
    {"-A FORWARD -p tcp -m multiport", 21, "multiport", "without --sports or --dports"},
    {"-A FORWARD -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14:15,16", 40,
     "1,2,3,4,5,6,7,8,9,10,11,12,13,14:15,16", "15 at most"},
    {"-A FORWARD -p tcp -m multiport ! --dports 1", 33, "--dports", "leave out the !"},
    {"-A FORWARD -p tcp --dport http", 26, "http", "names are not known"},
    {"-A FORWARD -p tcp --dport 65536", 26, "65536", "expected a port"},
    {"-A FORWARD -p tcp --dport 20:10", 26, "20:10", "runs backwards"},
    {"-A FORWARD -p tcp --dport ! 80", 26, "!", "stands before the option"},
    {"-A FORWARD --syn", 11, "--syn", "needs -p tcp"},
    {"-A FORWARD -p udp --tcp-flags ALL SYN", 18, "--tcp-flags", "needs -p tcp"},
    {"-A FORWARD -p tcp --tcp-flags SYN ACK", 34, "ACK", "no packet can match"},
    {"-A FORWARD -p tcp --tcp-flags SIN ACK", 30, "SIN", "expected flags like"},
    {"-A FORWARD -p tcp --tcp-flags SYN", 33, "", "the flags that must be set"},
    {"-A FORWARD -p tcp --syn --tcp-flags SYN SYN", 18, "--syn", "say one of them"},
    {"-A FORWARD --icmp-type 8", 11, "--icmp-type", "needs -p icmp"},
    {"-A FORWARD -p icmp --icmp-type echo", 31, "echo", "echo-request"},
    {"-A FORWARD -p icmp --icmp-type 3/x", 31, "3/x", "type/code"},
    {"-A FORWARD -p icmp ! --icmp-type any", 33, "any", "leave out"},
    {"-A FORWARD -m tcp", 14, "tcp", "-m tcp needs -p tcp"},
    {"-A FORWARD -p tcp -m udp", 21, "udp", "-m udp needs -p udp"},
    {"-A FORWARD -m geoip", 14, "geoip", "expected tcp, udp, icmp"},
    {"-A FORWARD -m conntrack", 14, "conntrack", "without its option --ctstate"},
    {"-A FORWARD -m state", 14, "state", "without its option --state"},
    {"-A FORWARD --ctstate NEW", 11, "--ctstate", "needs -m conntrack"},
    {"-A FORWARD --state NEW", 11, "--state", "needs -m state"},
    {"-A FORWARD -m conntrack --ctstate NEW,OLD", 34, "NEW,OLD", "expected NEW, ESTABLISHED"},
    {"-A FORWARD --limit 5/min", 11, "--limit", "needs -m limit"},
    {"-A FORWARD -m limit --limit 5/moon", 28, "5/moon", "5/min"},
    {"-A FORWARD -m limit --limit 0/s", 28, "0/s", "5/min"},
    {"-A FORWARD -m limit --limit 5/", 28, "5/", "5/min"},
    {"-A FORWARD -m limit --limit 10001/s", 28, "10001/s", "too high"},
    {"-A FORWARD -m limit --limit-burst 0", 34, "0", "from 1 to 10000"},
    {"-A FORWARD --comment x", 11, "--comment", "needs -m comment"},
    {"-A FORWARD -m comment", 14, "comment", "without its option --comment"},
    {"-A FORWARD -m comment --comment \"x", 32, "x", "has no end"},
    {"-A FORWARD -s 1.2.3.4.5", 14, "1.2.3.4.5", "an address like 192.168.3.0/24"},
    {"-A FORWARD -s 1.2.3.4/33", 14, "1.2.3.4/33", "an address like 192.168.3.0/24"},
    {"-A FORWARD -d 1.2.3.4/255.0.255.0", 14, "1.2.3.4/255.0.255.0", "no netmask"},
    {"-A FORWARD ! -s 0.0.0.0/0", 16, "0.0.0.0/0", "no address is outside"},
    {"-A FORWARD -s example.org", 14, "example.org", "an address like"},
    {"-A FORWARD -s 1.2.3.4,1.2.3.5", 14, "1.2.3.4,1.2.3.5", "a rule for each"},
    {"-A FORWARD -s", 13, "", "found nothing"},
    {"-A FORWARD -s 1.2.3.4 -s 1.2.3.5", 22, "-s", "twice"},
    {"-A FORWARD -p tpc", 14, "tpc", "tcp, udp, icmp, all"},
    {"-A FORWARD -p 256", 14, "256", "tcp, udp, icmp, all"},
    {"-A FORWARD ! -p all", 16, "all", "leave out"},
    {"-A FORWARD -i abcdefghijklmnop", 14, "abcdefghijklmnop", "1 to 15"},
    {"-A INPUT -o wan", 9, "-o", "say -i"},
    {"-t nat -A PREROUTING -o wan -j DNAT --to-destination 1.2.3.4", 21, "-o", "say -i"},
    {"-t nat -A POSTROUTING -i wan -j MASQUERADE", 22, "-i", "say -o"},
    {"-A OUTPUT -i wan", 10, "-i", "say -o"},
    {"-A FORWARD -j SNAT --to-source 1.2.3.4", 14, "SNAT", "-t nat -A POSTROUTING"},
    {"-A FORWARD -j MASQUERADE", 14, "MASQUERADE", "-t nat -A POSTROUTING"},
    {"-t nat -A PREROUTING -j MASQUERADE", 24, "MASQUERADE", "-t nat -A POSTROUTING"},
    {"-t nat -A POSTROUTING -j DNAT --to-destination 1.2.3.4", 25, "DNAT", "PREROUTING"},
    {"-t nat -A PREROUTING -j DROP", 24, "DROP", "does not filter"},
    {"-t nat -A PREROUTING -j REJECT", 24, "REJECT", "does not filter"},
    {"-t nat -A PREROUTING -j REDIRECT", 24, "REDIRECT", "no services"},
    {"-t nat -A POSTROUTING -j SNAT", 25, "SNAT", "needs --to-source"},
    {"-t nat -A PREROUTING -j DNAT", 24, "DNAT", "needs --to-destination"},
    {"-t nat -A POSTROUTING -j SNAT --to-source 1.2.3.4:80", 42, "1.2.3.4:80", "needs -p tcp"},
    {"-t nat -A POSTROUTING -j MASQUERADE --to-ports 80", 47, "80", "needs -p tcp"},
    {"-t nat -A POSTROUTING -j MASQUERADE --random", 36, "--random", "leave --random out"},
    {"-t nat -A POSTROUTING -j SNAT --to-source 1.2.3.4-1.2.3.3", 42, "1.2.3.4-1.2.3.3",
     "runs backwards"},
    {"-t nat -A POSTROUTING -j SNAT --to-source 10.0.0.0-10.1.0.0", 42, "10.0.0.0-10.1.0.0",
     "65536 addresses at most"},
    {"-t nat -A PREROUTING -j DNAT --to-destination :80", 46, ":80", "an address like"},
    {"-t nat -A PREROUTING -p tcp -j DNAT --to-destination 1.2.3.4:80:90", 53, "1.2.3.4:80:90",
     "1024-2000"},
    {"-A FORWARD --to-source 1.2.3.4 -j ACCEPT", 11, "--to-source", "needs -j SNAT"},
    {"-A FORWARD -j DROP --reject-with tcp-reset", 19, "--reject-with", "needs -j REJECT"},
    {"-A FORWARD -j REJECT --reject-with tcp-reset", 21, "--reject-with", "needs -p tcp"},
    {"-A FORWARD -j REJECT --reject-with maybe", 35, "maybe", "icmp-port-unreachable"},
    {"-P FORWARD", 10, "", "ACCEPT or DROP"},
    {"-P FORWARD REJECT", 11, "REJECT", "expected ACCEPT or DROP"},
    {"-t nat -P PREROUTING DROP", 21, "DROP", "does not filter"},
    {"-P FORWARD DROP -j ACCEPT", 16, "-j", "is for rules"},
    {"-F FORWARD -s 1.2.3.4", 11, "-s", "is for rules"},
    {"-I FORWARD 2 -j DROP", 11, "2", "from 1 to 1"},
    {"-I FORWARD 0 -j DROP", 11, "0", "from 1"},
    {"-A FORWARD -f", 11, "-f", "whole packets"},
    {"-A FORWARD --dporr 80", 11, "--dporr", "did you mean --dport?"},
    {"-A FORWARD what", 11, "what", "expected an option"},
    {"-A FORWARD \"\"", 11, "", "expected an option"},
    {"-A FORWARD !", 12, "", "expected an option"},
    {"-A FORWARD ! -j DROP", 13, "-j", "leave out the !"},
    {"[1:x] -A FORWARD", 0, "[1:x]", "[12:3456]"},
};

class Iptables : public ::testing::Test {
protected:
    HomeNetwork net;
    Forwarder& forwarder = net.forwarder();

    void apply(std::string_view line) {
        const auto done = apply_iptables(line, forwarder);
        ASSERT_TRUE(done) << line << ": " << done.error().message;
    }
    /// The rules only, as saved.
    std::vector<std::string> rules() {
        std::vector<std::string> lines;
        for (std::size_t i = 0; i < kChainCount; ++i) {
            const auto chain = static_cast<Chain>(i);
            for (const Rule& rule : forwarder.chain(chain).rules()) {
                lines.push_back(to_string(chain, rule));
            }
        }
        return lines;
    }
};

TEST_F(Iptables, TakesWhatTutorialsSay) {
    for (const Good& good : kGood) {
        forwarder.clear_rules();
        apply(good.line);
        EXPECT_EQ(rules(), std::vector<std::string>{good.saved}) << good.line;
    }
}

TEST_F(Iptables, WhatIsSavedIsTheSameRule) {
    for (const Good& good : kGood) {
        forwarder.clear_rules();
        apply(good.line);
        for (std::size_t i = 0; i < kChainCount; ++i) {
            const auto chain = static_cast<Chain>(i);
            if (forwarder.chain(chain).empty()) continue;
            const Rule rule = forwarder.chain(chain).rules().front();
            forwarder.clear_rules();
            const std::string table = i < 2 ? "-t nat " : "";
            apply(table + to_string(chain, rule));
            const Rule& again = forwarder.chain(chain).rules().front();
            EXPECT_EQ(again.match, rule.match) << good.line;
            EXPECT_EQ(again.target, rule.target) << good.line;
            EXPECT_EQ(again.reject_with, rule.reject_with) << good.line;
            EXPECT_EQ(again.to, rule.to) << good.line;
            EXPECT_EQ(again.to_ports, rule.to_ports) << good.line;
            EXPECT_EQ(again.comment, rule.comment) << good.line;
            break;
        }
    }
}

TEST_F(Iptables, RefusesEverythingElseWithTheWordAtFault) {
    for (const Bad& bad : kBad) {
        const auto done = apply_iptables(bad.line, forwarder);
        ASSERT_FALSE(done) << bad.line;
        EXPECT_EQ(done.error().column, bad.column) << bad.line;
        EXPECT_EQ(done.error().word, bad.word) << bad.line;
        EXPECT_NE(done.error().message.find(bad.message), std::string::npos)
            << bad.line << ": " << done.error().message;
        EXPECT_EQ(done.error().message.find('\n'), std::string::npos) << bad.line;
    }
    EXPECT_TRUE(rules().empty());
}

/// Whatever is typed is carried out or refused in one line, at a place in the line.
TEST_F(Iptables, SurvivesLinesThatAreMixedUp) {
    SeededRng rng(7);
    std::vector<std::string> words;
    for (const Good& good : kGood) {
        std::istringstream line(good.line);
        for (std::string word; line >> word;) words.push_back(word);
    }
    for (int i = 0; i < 20000; ++i) {
        std::string line = i % 2 == 0 ? "-A FORWARD" : "";
        const u32 count = rng.below(12);
        for (u32 k = 0; k < count; ++k) {
            line += ' ' + words[rng.below(static_cast<u32>(words.size()))];
        }
        if (rng.below(4) == 0 && !line.empty()) {
            line[rng.below(static_cast<u32>(line.size()))] = static_cast<char>(rng.below(256));
        }
        const auto done = apply_iptables(line, forwarder);
        if (done) continue;
        EXPECT_FALSE(done.error().message.empty()) << line;
        EXPECT_LE(done.error().column, line.size()) << line;
    }
    EXPECT_FALSE(rules().empty()) << "some of them made sense";
}

TEST_F(Iptables, InsertsFlushesAndSetsPolicies) {
    apply("-A FORWARD -j ACCEPT");
    apply("-I FORWARD -p tcp -j DROP");
    apply("-I FORWARD 3 -p udp -j DROP");
    apply("-I FORWARD 2 -p icmp -j DROP");
    apply("-t nat -A POSTROUTING -o wan -j MASQUERADE");
    EXPECT_EQ(rules(),
              (std::vector<std::string>{"-A POSTROUTING -o wan -j MASQUERADE",
                                        "-A FORWARD -p tcp -j DROP", "-A FORWARD -p icmp -j DROP",
                                        "-A FORWARD -j ACCEPT", "-A FORWARD -p udp -j DROP"}));
    apply("-P FORWARD DROP");
    apply("-A INPUT -j ACCEPT");
    apply("-F FORWARD");
    EXPECT_EQ(rules().size(), 2U);
    apply("-F");
    EXPECT_EQ(rules(), std::vector<std::string>{"-A POSTROUTING -o wan -j MASQUERADE"});
    apply("-t nat -F");
    EXPECT_TRUE(rules().empty());
    EXPECT_EQ(forwarder.chain(Chain::Forward).policy(), Target::Drop);
    apply("--policy FORWARD ACCEPT");
    EXPECT_EQ(forwarder.chain(Chain::Forward).policy(), Target::Accept);
}

TEST_F(Iptables, SavesBothTablesAndReadsCountersBack) {
    apply("-t nat -A POSTROUTING -o wan -j MASQUERADE");
    apply("[3:252] -A FORWARD -i lan -j ACCEPT");
    apply("-P FORWARD DROP");
    EXPECT_EQ(iptables_save(forwarder, true),
              "*nat\n"
              ":PREROUTING ACCEPT [0:0]\n"
              ":POSTROUTING ACCEPT [0:0]\n"
              "[0:0] -A POSTROUTING -o wan -j MASQUERADE\n"
              "COMMIT\n"
              "*filter\n"
              ":INPUT ACCEPT [0:0]\n"
              ":FORWARD DROP [0:0]\n"
              ":OUTPUT ACCEPT [0:0]\n"
              "[3:252] -A FORWARD -i lan -j ACCEPT\n"
              "COMMIT\n");
    EXPECT_NE(iptables_save(forwarder, false).find("\n-A FORWARD -i lan"), std::string::npos);
}

TEST_F(Iptables, ListsInTheColumnsOfIptables) {
    apply("-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
    apply(
        "[100000:2000000000] -A FORWARD -i lan -s 192.168.3.0/24 ! -d 10.0.0.1 -p tcp --dport 80");
    apply("-A FORWARD ! -p icmp -m limit --limit 5/min -j REJECT");
    apply("-A FORWARD -p tcp --syn -m multiport --dports 1,2 -m comment --comment hello -j DROP");
    apply("-A FORWARD -p icmp --icmp-type 3/4 -j DROP");
    EXPECT_EQ(iptables_list(forwarder, "filter"),
              "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n"
              " pkts bytes target     prot opt in     out     source               destination\n"
              "\n"
              "Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)\n"
              " pkts bytes target     prot opt in     out     source               destination\n"
              "    0     0 ACCEPT     all  --  *      *       0.0.0.0/0            0.0.0.0/0       "
              "     ctstate RELATED,ESTABLISHED\n"
              " 100K 2000M            tcp  --  lan    *       192.168.3.0/24      !10.0.0.1        "
              "     tcp dpt:80\n"
              "    0     0 REJECT    !icmp --  *      *       0.0.0.0/0            0.0.0.0/0       "
              "     limit: avg 5/min burst 5 reject-with icmp-port-unreachable\n"
              "    0     0 DROP       tcp  --  *      *       0.0.0.0/0            0.0.0.0/0       "
              "     tcp flags:0x17/0x02 multiport dports 1,2 /* hello */\n"
              "    0     0 DROP       icmp --  *      *       0.0.0.0/0            0.0.0.0/0       "
              "     icmptype 3 code 4\n"
              "\n"
              "Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)\n"
              " pkts bytes target     prot opt in     out     source               destination\n");
    apply(
        "-t nat -A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination "
        "192.168.3.10:80");
    const std::string nat = iptables_list(forwarder, "nat");
    EXPECT_NE(nat.find("    0     0 DNAT       tcp  --  wan    *       0.0.0.0/0            "
                       "0.0.0.0/0            tcp dpt:8080 to:192.168.3.10:80\n"),
              std::string::npos)
        << nat;
}

}  // namespace
}  // namespace tapestry
