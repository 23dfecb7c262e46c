#include "apps/failure.h"
#include "apps/inspect/qlog.h"
#include "apps/inspect/state_fields.h"
#include "tests/inspect/timelines.h"

#include <nlohmann/json.hpp>

namespace tapestry::test {
namespace {

Timeline read_back(const Timeline& timeline) {
    auto read = read_timeline(saved(timeline));
    if (!read) throw std::runtime_error(read.error());
    return std::move(*read);
}

void expect_same(const Timeline& a, const Timeline& b) {
    EXPECT_EQ(a.source, b.source);
    EXPECT_EQ(a.start, b.start);
    EXPECT_EQ(a.hosts, b.hosts);
    EXPECT_EQ(a.lifelines, b.lifelines);
    EXPECT_EQ(a.links, b.links);
    EXPECT_EQ(a.frames, b.frames);
    EXPECT_EQ(a.ends, b.ends);
    EXPECT_EQ(a.states, b.states);
    EXPECT_EQ(a.flows, b.flows);
    EXPECT_EQ(a.rewrites, b.rewrites);
    EXPECT_EQ(a.strangers, b.strangers);
    ASSERT_EQ(a.steps.size(), b.steps.size());
    EXPECT_EQ(saved(a), saved(b));
}

TEST(TimelineJson, EveryLabIsReadBackAsItWas) {
    for (const BuiltinLab& lab : builtin_labs()) {
        const Timeline timeline = lab_timeline(std::string(lab.name));
        const Timeline read = read_back(timeline);
        expect_same(timeline, read);
        EXPECT_EQ(lines_of(story_of(timeline)), lines_of(story_of(read))) << lab.name;
        EXPECT_EQ(lines_of(story_of(timeline, Language::Chinese)),
                  lines_of(story_of(read, Language::Chinese)))
            << lab.name;
    }
}

TEST(TimelineJson, ACaptureIsReadBackAsItWas) {
    const Timeline timeline = capture_timeline("fast-retransmit.client.pcap");
    expect_same(timeline, read_back(timeline));
}

/// A field that is missing in the list would not come back.
TEST(TimelineJson, EveryVariableOfAConnectionIsKept) {
    Timeline timeline = lab_timeline("three-way-handshake");
    TcpSnapshot& state = timeline.states.back();
    u64 value = 1;
    for (const StateField& field : state_fields()) {
        using Kind = StateField::Kind;
        const bool small = field.kind == Kind::State || field.kind == Kind::Error ||
                           field.kind == Kind::Flag || field.key == "sack_count";
        field.set(state, small ? 1 : ++value);
        EXPECT_EQ(field.get(state), small ? 1 : value) << field.key;
    }
    // Nothing is as in a new one: each member has a field.
    const TcpSnapshot fresh;
    EXPECT_NE(state.snd_up, fresh.snd_up);
    EXPECT_NE(state.reordering_seen, fresh.reordering_seen);
    for (const SackBlock& range : state.sack_ranges) {
        EXPECT_NE(range.left, fresh.sack_ranges[0].left);
        EXPECT_NE(range.right, fresh.sack_ranges[0].right);
    }
    for (const TimePoint deadline : state.deadlines) EXPECT_NE(deadline, kNever);
    EXPECT_EQ(read_back(timeline).states.back(), state);
}

/// What is wrong is said in one line, with its place.
TEST(TimelineJson, WhatIsNoTimelineIsRefusedByName) {
    const std::string good = saved(lab_timeline("three-way-handshake"));
    const auto broken = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
        const auto read = read_timeline(text);
        return read ? "it was taken" : read.error();
    };
    EXPECT_EQ(read_timeline("{}").error(), "this is JSON, but no timeline of tapestry's");
    EXPECT_EQ(read_timeline("[1, 2]").error(), "expected an object, not [1,2]");
    EXPECT_EQ(read_timeline("{\"a\": ").error(), "no JSON: byte 7 is not what could stand there");
    EXPECT_EQ(broken("\"tapestry_timeline\":1", "\"tapestry_timeline\":2"),
              "tapestry_timeline: version 2 is too new; this program reads 1");
    EXPECT_EQ(broken("\"source\":\"lab\"", "\"source\":\"book\""),
              "source: expected a source, not \"book\"");
    EXPECT_EQ(broken("\"host\":1,\"text\"", "\"host\":7,\"text\""),
              "steps[0].host: there are 2 hosts, so none has the number 7");
    EXPECT_EQ(broken("\"verdict\":\"UserOpen\"", "\"verdict\":\"UserSleeps\""),
              "steps[2].verdict: expected a verdict, not \"UserSleeps\"");
    EXPECT_EQ(broken("\"time_ns\":10000000,", "\"time_ns\":990000000,"),
              "steps[6]: earlier than the step before it");
    EXPECT_EQ(broken("\"frame\":0,\"cause\":2}", "\"frame\":2,\"cause\":9}"),
              "steps[3].cause: there are 3 steps before it, so none has the number 9");
    EXPECT_EQ(broken("\"bytes\":\"ff", "\"bytes\":\"xf"),
              "frames[0].bytes: expected pairs of hexadecimal digits, not "
              "\"xfffffffffff020000000101080600010800060...");
    EXPECT_EQ(broken("\"snd_nxt\":", "\"snd_nxt\":99999999999,\"x\":"),
              "states[1].snd_nxt: expected a number that the variable can have, not 99999999999");
    EXPECT_EQ(broken("\"kind\":\"sent\",\"time_ns\":0,\"host\":0",
                     "\"kind\":\"sent\",\"time_ns\":0,\"host\":1"),
              "steps[3]: the frame is another host's");
    EXPECT_EQ(broken("\"steps\"", "\"stops\""), "there is no \"steps\"");
}

TEST(TimelineJson, AFileThatIsNotThereIsSaid) {
    EXPECT_FALSE(may_be_timeline("/nowhere/at.all"));
    EXPECT_THROW(load_timeline("/nowhere/at.all"), Failure);
    EXPECT_THROW(save_timeline({}, "/nowhere/at.all"), Failure);
}

/// RFC 7464: a record separator, a JSON text, a line feed.
TEST(Qlog, IsASequenceOfRecordsWithTheHeaderFirst) {
    for (const Timeline& timeline :
         {lab_timeline("lost-data"), capture_timeline("fast-retransmit.client.pcap")}) {
        std::string text;
        write_qlog(timeline, [&](const std::string& part) { text += part; });
        std::vector<nlohmann::json> records;
        std::size_t at = 0;
        while (at < text.size()) {
            ASSERT_EQ(text[at], '\x1e');
            const std::size_t end = text.find('\x1e', at + 1);
            const std::string record =
                text.substr(at + 1, end == std::string::npos ? end : end - at - 1);
            ASSERT_EQ(record.back(), '\n');
            records.push_back(nlohmann::json::parse(record));
            at = end == std::string::npos ? text.size() : end;
        }
        ASSERT_GT(records.size(), 20U);
        EXPECT_EQ(records[0]["file_schema"], "urn:ietf:params:qlog:file:sequential");
        EXPECT_EQ(records[0]["serialization_format"], "application/qlog+json-seq");
        EXPECT_TRUE(records[0]["trace"].contains("vantage_point"));
        EXPECT_EQ(records[0]["trace"]["event_schemas"].size(), 1U);
        double before = 0;
        for (std::size_t i = 1; i < records.size(); ++i) {
            EXPECT_TRUE(records[i]["name"].get<std::string>().starts_with("tapestry-tcp:"));
            EXPECT_TRUE(records[i]["data"].is_object());
            EXPECT_GE(records[i]["time"].get<double>(), before);
            before = records[i]["time"].get<double>();
        }
    }
}

std::string qlog_text(const Timeline& timeline,
                      void (*write)(const Timeline&,
                                    const std::function<void(const std::string&)>&)) {
    std::string text;
    write(timeline, [&](const std::string& part) { text += part; });
    return text;
}

TEST(Qlog, ATraceForEachEndSaysWhoLooks) {
    const auto json = nlohmann::json::parse(qlog_text(lab_timeline("home-nat"), write_qlog_traces));
    EXPECT_EQ(json["file_schema"], "urn:ietf:params:qlog:file:contained");
    EXPECT_EQ(json["serialization_format"], "application/qlog+json");
    ASSERT_EQ(json["traces"].size(), 3U);
    std::map<std::string, std::string> types;
    for (const auto& trace : json["traces"]) {
        const std::string name = trace["vantage_point"]["name"];
        types[name] = trace["vantage_point"]["type"];
        EXPECT_EQ(trace["common_fields"].contains("group_id"), name != "router");
        EXPECT_EQ(trace["event_schemas"].size(), 1U);
        ASSERT_GT(trace["events"].size(), 10U);
        for (const auto& event : trace["events"]) EXPECT_EQ(event["host"], name);
    }
    EXPECT_EQ(types, (std::map<std::string, std::string>{
                         {"laptop", "client"}, {"router", "network"}, {"server", "server"}}));
}

TEST(Qlog, TheSequenceTellsTheEndsApart) {
    const std::string lab = qlog_text(lab_timeline("home-nat"), write_qlog);
    EXPECT_TRUE(lab.contains("\"group_id\":\"0 laptop\""));
    EXPECT_TRUE(lab.contains("\"group_id\":\"0 server\""));
    EXPECT_TRUE(lab.contains("\"type\":\"network\""));
    // One stack of ours is what it is, and no client because it is live.
    Timeline live = lab_timeline("three-way-handshake");
    live.source = Timeline::Source::Live;
    std::erase_if(live.steps, [](const Timeline::Step& step) { return step.host != 1; });
    std::erase_if(live.ends, [](const Timeline::End& end) { return end.host != 1; });
    for (Timeline::Step& step : live.steps) {
        if (step.end != Timeline::kNone) step.end = 0;
    }
    EXPECT_TRUE(qlog_text(live, write_qlog).contains("\"type\":\"server\""));
}

}  // namespace
}  // namespace tapestry::test
