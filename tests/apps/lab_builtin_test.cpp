#include <chrono>

#include "apps/inspect/wide_text.h"
#include "tests/support/labs.h"

/// What the text of each built-in lab promises is what happens in it.

namespace tapestry::test {
namespace {

using Texts = std::vector<std::string>;

class EveryLab : public testing::TestWithParam<std::string> {};

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const BuiltinLab& lab : builtin_labs()) all.emplace_back(lab.name);
    return all;
}

TEST_P(EveryLab, IsInstantAndTheSameEachTime) {
    const auto start = std::chrono::steady_clock::now();
    const auto first = lines_of(LabStory(GetParam()).story);
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start);
    EXPECT_LT(seconds.count(), 1);
    EXPECT_EQ(first, lines_of(LabStory(GetParam()).story));
    EXPECT_GT(first.size(), 20U);
}

TEST_P(EveryLab, FitsIntoAHundredAndTwentyColumns) {
    for (const std::string& line : lines_of(LabStory(GetParam()).story)) {
        EXPECT_LE(line.size(), 120U) << line;
    }
}

TEST_P(EveryLab, SaysInAFewLinesWhatToWatch) {
    const Story story = LabStory(GetParam()).story;
    EXPECT_GE(story.watch.size(), 2U);
    EXPECT_LE(story.watch.size(), 6U);
    EXPECT_FALSE(story.summary.empty());
    EXPECT_LE(story.title.size(), 85U);
}

bool is_chinese(const std::string& text) {
    return std::ranges::any_of(characters(text), [](char32_t c) { return cells_of(c) == 2; });
}

TEST_P(EveryLab, SpeaksChineseToo) {
    const Scenario scenario = LabStory::read(GetParam());
    const Timeline timeline = run_lab(scenario, {});
    EXPECT_TRUE(is_chinese(timeline.chinese.title));
    EXPECT_LE(cells_of(timeline.chinese.title), 85);
    EXPECT_GE(timeline.chinese.watch.size(), 2U);
    EXPECT_LE(timeline.chinese.watch.size(), 6U);
    EXPECT_FALSE(timeline.chinese.summary.empty());
    for (const auto* lines : {&timeline.chinese.watch, &timeline.chinese.summary}) {
        for (const std::string& line : *lines) {
            EXPECT_TRUE(is_chinese(line)) << line;
            EXPECT_LE(cells_of(line), 100) << line;
        }
    }
    for (const Timeline::Step& step : timeline.steps) {
        using enum Timeline::Step::Kind;
        if (step.kind != Note && step.kind != Network && step.kind != Result) continue;
        // Rules, rows of a table and traceroute's lines have no words in them.
        const bool words = !step.text.starts_with("iptables") &&
                           !step.text.starts_with("traceroute") && !step.text.starts_with("tcp ");
        if (words) {
            EXPECT_TRUE(is_chinese(step.chinese)) << step.text;
        }
    }
}

TEST_P(EveryLab, FitsIntoAHundredAndTwentyColumnsInChinese) {
    const Timeline timeline = run_lab(LabStory::read(GetParam()), {});
    const Story story = story_of(timeline, Language::Chinese);
    for (const std::string& line : lines_of(story)) EXPECT_LE(cells_of(line), 120) << line;
}

INSTANTIATE_TEST_SUITE_P(Labs, EveryLab, testing::ValuesIn(names()), [](const auto& lab) {
    std::string name = lab.param;
    std::erase(name, '-');
    return name;
});

TEST(Lab, LifelinesAreStraightBesideChinese) {
    const Timeline timeline = run_lab(LabStory::read("three-way-handshake"), {});
    int found = 0;
    for (const std::string& line : lines_of(story_of(timeline, Language::Chinese))) {
        if (line.find("接受了来自") == std::string::npos &&
            line.find("收到 \"") == std::string::npos) {
            continue;
        }
        ++found;
        EXPECT_EQ(cells_of(line.substr(0, line.find('|'))), 10) << line;
        const std::string before = line.substr(0, line.rfind('|'));
        EXPECT_EQ(cells_of(before), 82) << line;
        const bool server = line.find("server: ") != std::string::npos;
        EXPECT_EQ(before.ends_with(' ') && !before.ends_with("  "), server)
            << "the text stands beside its line: " << line;
    }
    EXPECT_EQ(found, 3);
}

TEST(Lab, ThereAreSeventeen) { EXPECT_EQ(builtin_labs().size(), 17U); }

TEST(Lab, ThreeWayHandshakeHasThreeStepsAndTwoFins) {
    const LabStory lab("three-way-handshake");
    const auto frames = lab.frames();
    ASSERT_GE(frames.size(), 3U);
    EXPECT_EQ(frames[0].frame->role, "1 of 3");
    EXPECT_EQ(frames[1].frame->role, "2 of 3");
    EXPECT_EQ(frames[2].frame->role, "3 of 3");
    EXPECT_EQ(lab.with_role("FIN 1 of 2").size(), 1U);
    EXPECT_EQ(lab.with_role("FIN 2 of 2").size(), 1U);
    EXPECT_EQ(lab.steps(Step::Kind::State, "-> TIME-WAIT").size(), 1U);
    EXPECT_EQ(lab.steps(Step::Kind::State, "LAST-ACK -> CLOSED").size(), 1U);
    EXPECT_TRUE(has(lab.results("laptop"), "received \"welcome\""));
}

TEST(Lab, HomeNatHidesTheLaptopFromTheServer) {
    const LabStory lab("home-nat");
    EXPECT_TRUE(lab.seen("192.168.3.10:", "lan"));
    EXPECT_FALSE(lab.seen("192.168.", "wan"));
    EXPECT_TRUE(lab.seen("203.0.113.5:", "wan"));
    ASSERT_EQ(lab.results("server").size(), 1U);
    EXPECT_TRUE(has({lab.results("server")[0]}, "GET / from 203.0.113.5:"));
    EXPECT_EQ(lab.results("laptop"), (Texts{"get: 200 OK, 132 bytes"}));
    // Both directions are marked where the router changes them.
    for (const Step& step : lab.steps(Step::Kind::Rewrite)) {
        ASSERT_EQ(step.rewrites.size(), 2U);
        const bool out = lab.story.lifelines[step.from].side == "inside";
        EXPECT_EQ(step.rewrites[0].field, out ? "src" : "dst");
        const Rewrite& address = step.rewrites[0];
        EXPECT_TRUE((out ? address.before : address.after).starts_with("192.168.3.10:"));
        EXPECT_EQ(step.rewrites[1], (Rewrite{"ttl", "64", "63"}));
    }
    const auto drawn = lines_of(lab.story);
    EXPECT_TRUE(has(drawn, "NAT + tcp 192.168.3.10:"));
    EXPECT_TRUE(has(drawn, "[src 192.168.3.10:"));
}

TEST(Lab, TwoLaptopsGetTwoOutsidePorts) {
    const LabStory lab("two-laptops-one-address");
    const auto rows = lab.steps(Step::Kind::Flow, "NAT +");
    ASSERT_EQ(rows.size(), 2U);
    const Endpoint first = rows[0].flow->flow.reply.destination;
    const Endpoint second = rows[1].flow->flow.reply.destination;
    EXPECT_EQ(first.to_string(), "203.0.113.5:40000");
    EXPECT_EQ(second.address, first.address);
    EXPECT_NE(second.port, first.port);
    EXPECT_TRUE(has(lab.results("server"), "received \"from the laptop\""));
    EXPECT_TRUE(has(lab.results("server"), "received \"from the tablet\""));
}

TEST(Lab, StaticNatChangesAddressesAndNoPorts) {
    const LabStory lab("static-nat");
    EXPECT_TRUE(has({lab.results("web")[0]}, "GET / from 198.51.100.7:"));
    EXPECT_TRUE(has(lab.results("stranger"), "GET / from 203.0.113.10:"));
    for (const Step& step : lab.steps(Step::Kind::Rewrite)) {
        const Rewrite& change = step.rewrites.front();
        EXPECT_EQ(change.before.substr(change.before.find(':')),
                  change.after.substr(change.after.find(':')));
    }
}

TEST(Lab, TheThirdHostWaitsForAnAddressOfThePool) {
    const LabStory lab("dynamic-nat-pool-exhausted");
    EXPECT_EQ(lab.drops(Drop::NatPoolExhausted, "router"), 1U);
    EXPECT_TRUE(has(lab.results("laptop"), "ping: 1 sent, 1 answered"));
    EXPECT_TRUE(has(lab.results("tablet"), "ping: 1 sent, 1 answered"));
    const auto phone = lab.results("phone");
    EXPECT_TRUE(has(phone, "ping: 1 sent, 0 answered"));
    EXPECT_EQ(phone.back(), "ping: 1 sent, 1 answered");
    EXPECT_GE(lab.steps(Step::Kind::Flow, "forgotten").size(), 2U);
}

TEST(Lab, PortForwardingNeedsItsRule) {
    const LabStory lab("port-forwarding");
    EXPECT_EQ(lab.drops(Drop::NatUnsolicited, "router"), 3U);
    EXPECT_EQ(lab.results("stranger"),
              (Texts{"get: no answer within 5 s, given up", "get: 200 OK, 132 bytes"}));
    ASSERT_EQ(lab.results("web").size(), 1U);
    EXPECT_TRUE(has(lab.results("web"), "GET / from 198.51.100.7:"));
}

TEST(Lab, HairpinTranslatesBothEndsAndStaysInside) {
    const LabStory lab("hairpin");
    EXPECT_TRUE(lab.frames("wan").empty());
    ASSERT_EQ(lab.results("web").size(), 1U);
    EXPECT_TRUE(has(lab.results("web"), "GET / from 203.0.113.5:"));
    EXPECT_EQ(lab.results("laptop"), (Texts{"get: 200 OK, 132 bytes"}));
    for (const Step& step : lab.steps(Step::Kind::Rewrite)) {
        EXPECT_EQ(step.rewrites[0].field, "src");
        EXPECT_EQ(step.rewrites[1].field, "dst");
    }
}

TEST(Lab, DropIsSilenceAndRejectIsAnAnswer) {
    const LabStory lab("firewall-blocks");
    EXPECT_EQ(lab.results("laptop"), (Texts{"get: no answer within 4 s, given up",
                                            "get: connection refused", "get: 200 OK, 132 bytes"}));
    EXPECT_EQ(lab.drops(Drop::FilterDropped, "router"), 3U);
    EXPECT_EQ(lab.drops(Drop::FilterRejected, "router"), 1U);
    const auto call = lab.steps(Step::Kind::Call, ":8081/");
    const auto refused = lab.steps(Step::Kind::Result, "connection refused");
    EXPECT_LT(refused.at(0).time - call.at(0).time, 10ms);
}

TEST(Lab, NatForgetsUnlessProbesKeepTheRow) {
    const LabStory lab("nat-forgets");
    EXPECT_GE(lab.drops(Drop::FlowInvalid, "router"), 1U);
    const auto said = lab.results("laptop");
    EXPECT_TRUE(has(said, "send: no acknowledgment within 5 s, given up"));
    EXPECT_EQ(said.back(), "send: everything has been acknowledged");
    EXPECT_EQ(lab.steps(Step::Kind::Flow, "forgotten").size(), 1U) << "only the first one";
    const auto heard = lab.results("server");
    EXPECT_EQ(std::ranges::count(heard, "received \"still there?\""), 1) << "the second time";
    EXPECT_EQ(lab.drops(Drop::TcpOutOfWindow, "server"), 0U) << "a probe is no mishap";
}

TEST(Lab, KeepAliveSavesHandshakes) {
    const LabStory lab("http-keep-alive");
    const auto note = lab.steps(Step::Kind::Note);
    ASSERT_EQ(note.size(), 1U);
    const auto syns = lab.with_role("1 of 3");
    ASSERT_EQ(syns.size(), 4U);
    EXPECT_LT(syns[0].time, note[0].time);
    EXPECT_GE(syns[1].time, note[0].time);
    EXPECT_EQ(lab.steps(Step::Kind::Result, "get: 200 OK").size(), 6U);
}

TEST(Lab, PingIsTranslatedByItsIdentifier) {
    const LabStory lab("ping-through-nat");
    EXPECT_EQ(lab.results("laptop").back(), "ping: 2 sent, 2 answered");
    EXPECT_EQ(lab.results("tablet").back(), "ping: 1 sent, 1 answered");
    EXPECT_FALSE(lab.seen("192.168.", "wan"));
    EXPECT_EQ(lab.steps(Step::Kind::Flow, "NAT + icmp 192.168.3.10 id ").size(), 1U);
}

TEST(Lab, TracerouteNamesTheRoutersInTheirOrder) {
    const LabStory lab("traceroute");
    const auto said = lab.results("laptop");
    ASSERT_EQ(said.size(), 3U);
    EXPECT_TRUE(has({said[0]}, "1  192.168.3.1  "));
    EXPECT_TRUE(has({said[1]}, "2  203.0.113.1  "));
    EXPECT_TRUE(has({said[2]}, "3  93.184.216.34  "));
}

TEST(Lab, ALostSynIsSentAgainAfterOneSecondAndThenTwo) {
    const LabStory lab("lost-syn");
    const auto first = lab.with_role("1 of 3");
    const auto again = lab.with_role("1 of 3 again");
    ASSERT_EQ(first.size(), 1U);
    ASSERT_EQ(again.size(), 2U);
    EXPECT_EQ(first[0].frame->lost, "lost");
    EXPECT_EQ(again[0].frame->lost, "lost");
    EXPECT_EQ(again[1].frame->lost, "");
    EXPECT_EQ(again[1].time - again[0].time, 2s);
    EXPECT_EQ(lab.results("laptop").back(), "get: 200 OK, 132 bytes");
    EXPECT_TRUE(has(lines_of(lab.story), "--x "));
}

TEST(Lab, LostDataComeBackByFastRetransmit) {
    const LabStory lab("lost-data");
    const auto all = lab.frames();
    EXPECT_EQ(std::ranges::count_if(all, [](const Step& s) { return !s.frame->lost.empty(); }), 1);
    EXPECT_EQ(lab.with_role("again").size(), 1U);
    EXPECT_GE(lab.with_role("duplicate ACK").size(), 3U);
    EXPECT_EQ(lab.steps(Step::Kind::Timer, "fast retransmit").size(), 1U);
    EXPECT_TRUE(lab.steps(Step::Kind::Timer, "timeout").empty());
    EXPECT_EQ(lab.results("laptop"), (Texts{"get: 200 OK, 20000 bytes"}));
}

TEST(Lab, AZeroWindowStopsTheSenderUntilTheReaderReads) {
    const LabStory lab("zero-window");
    EXPECT_TRUE(has(lines_of(lab.story), " win 0 "));
    EXPECT_FALSE(lab.steps(Step::Kind::Timer, "zero-window probe").empty());
    EXPECT_TRUE(has(lab.results("server"), "received 10000 bytes"));
    EXPECT_EQ(lab.results("laptop").back(), "send: everything has been acknowledged");
}

TEST(Lab, ASynFloodKeepsARealClientWaiting) {
    const LabStory lab("syn-flood");
    EXPECT_GE(lab.drops(Drop::TcpBacklogFull, "server"), 3U);
    EXPECT_FALSE(lab.with_role("1 of 3 again").empty());
    EXPECT_EQ(lab.results("laptop"), (Texts{"get: 200 OK, 132 bytes"}));
    const auto done = lab.steps(Step::Kind::Result, "get: 200 OK");
    EXPECT_GT(done.at(0).time.time_since_epoch(), 3s);
}

TEST(Lab, SynCookiesLetTheRealClientIn) {
    const LabStory lab("syn-cookies");
    EXPECT_EQ(lab.drops(Drop::TcpBacklogFull, "server"), 0U);
    EXPECT_TRUE(lab.with_role("1 of 3 again").empty());
    EXPECT_EQ(lab.results("laptop"), (Texts{"get: 200 OK, 132 bytes"}));
    EXPECT_LT(lab.steps(Step::Kind::Result, "get: 200 OK").at(0).time.time_since_epoch(), 1s);
}

}  // namespace
}  // namespace tapestry::test
