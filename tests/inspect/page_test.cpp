#include <fstream>

#include "apps/inspect/explain.h"
#include "apps/inspect/page/html_page.h"
#include "apps/inspect/page/ladder_svg.h"
#include "apps/inspect/page/page_data.h"
#include "tests/inspect/timelines.h"

namespace tapestry::test {
namespace {

using Json = nlohmann::ordered_json;

Json data_of(const Timeline& timeline) { return page_data(timeline, ladder_geometry(timeline)); }

template <typename Write>
std::string all_of(const Timeline& timeline, const Write& write) {
    std::string text;
    write(timeline, [&](const std::string& part) { text += part; });
    return text;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        ++n;
    }
    return n;
}

TEST(Page, AHandshakesDataNameEveryStep) {
    const Timeline timeline = lab_timeline("three-way-handshake");
    const Json data = data_of(timeline);
    EXPECT_EQ(data["name"], "three-way-handshake");
    EXPECT_EQ(data["source"], "lab");
    for (const char* key : {"kind", "time", "host", "frame", "cause", "end", "text", "values"}) {
        EXPECT_EQ(data["steps"][key].size(), timeline.steps.size()) << key;
    }
    EXPECT_EQ(data["frames"]["text"].size(), timeline.frames.size());
    EXPECT_EQ(data["states"].size(), timeline.states.size());
    EXPECT_EQ(data["ladder"]["rows"].size(), timeline.steps.size());
    EXPECT_EQ(data["ladder"]["arrows"].size(), 5 * timeline.frames.size());
    EXPECT_EQ(data["frames"]["text"][2], "S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>");
}

/// A reader of the page's states, as its script is one.
std::map<std::size_t, Json> state_of(const Json& data, i64 index) {
    std::map<std::size_t, Json> state;
    if (index < 0) return state;
    const Json& one = data["states"][static_cast<std::size_t>(index)];
    state = state_of(data, one[0].get<i64>());
    for (std::size_t i = 1; i < one.size(); i += 2) state[one[i].get<std::size_t>()] = one[i + 1];
    return state;
}

TEST(Page, StatesCanBeReadBack) {
    const Timeline timeline = lab_timeline("lost-data");
    const Json data = data_of(timeline);
    std::size_t whole = 0;
    for (std::size_t i = 0; i < timeline.states.size(); ++i) {
        const auto state = state_of(data, static_cast<i64>(i));
        if (data["states"][i][0] == -1) ++whole;
        for (std::size_t f = 0; f < data["fields"].size(); ++f) {
            const Json& key = data["fields"][f]["key"];
            const auto at = state.find(f);
            if (key == "snd_nxt") {
                const u32 seen = at == state.end() ? 0 : at->second.get<u32>();
                EXPECT_EQ(seen, timeline.states[i].snd_nxt.value()) << i;
            }
            if (key == "state") {
                ASSERT_NE(at, state.end());
                EXPECT_EQ(data["words"][at->second.get<std::size_t>()],
                          name(timeline.states[i].state));
            }
        }
    }
    EXPECT_LT(whole, 10U) << "most states are kept as what differs";
}

TEST(Page, ExplanationsAreThoseOfExplain) {
    const Timeline timeline = lab_timeline("lost-data");
    const Json data = data_of(timeline);
    int explained = 0;
    for (std::size_t i = 0; i < timeline.steps.size(); ++i) {
        const StepText text = explain(timeline, timeline.steps[i]);
        const i64 row = data["steps"]["text"][i].get<i64>();
        ASSERT_EQ(row < 0, text.empty()) << i;
        if (row < 0) continue;
        ++explained;
        const Json& texts = data["texts"][static_cast<std::size_t>(row)];
        std::string what = texts["en"][0];
        for (std::size_t k = 0; k < texts["values"].size(); ++k) {
            const std::string name = '{' + texts["values"][k].get<std::string>() + '}';
            const std::string value = data["steps"]["values"][i][k];
            for (auto at = what.find(name); at != std::string::npos; at = what.find(name)) {
                what.replace(at, name.size(), value);
            }
        }
        EXPECT_EQ(what, text.what) << i;
        EXPECT_EQ(texts["rule"], text.rule);
        EXPECT_FALSE(texts["zh"][0].get<std::string>().empty());
    }
    EXPECT_GT(explained, 40);
}

TEST(Page, SeriesHaveEverySegmentAndWhetherItCameAgain) {
    const Json series = page_series(lab_timeline("lost-data"));
    ASSERT_EQ(series.size(), 2U);
    // The server's: 20 000 bytes and the head of the answer, SYN and FIN, and one segment twice.
    int again = 0;
    int lost = 0;
    u64 behind = 0;
    for (const Json& segment : series[1]["segments"]) {
        if (segment[3] == 1) ++again;
        if (segment[3] == 2) ++lost;
        behind = std::max(behind, segment[2].get<u64>());
    }
    EXPECT_EQ(again, 1);
    EXPECT_EQ(lost, 1);
    EXPECT_EQ(series[1]["acks"].back()[1], behind) << "in the end all is acknowledged";
}

TEST(Page, SlopesAreDelaysAndALostFrameStopsOnItsWay) {
    const Timeline timeline = lab_timeline("lost-syn");
    const LadderGeometry g = ladder_geometry(timeline);
    for (std::size_t i = 0; i < timeline.frames.size(); ++i) {
        const auto& arrow = g.arrows[i];
        ASSERT_TRUE(arrow.drawn);
        EXPECT_GT(arrow.y2, arrow.y1);
        const bool whole = std::ranges::find(g.columns, arrow.x2) != g.columns.end();
        EXPECT_EQ(arrow.lost, !timeline.frames[i].lost.empty());
        EXPECT_EQ(whole, !arrow.lost);
    }
    EXPECT_FALSE(g.waits.empty()) << "the retransmission's wait is drawn shorter";
    EXPECT_TRUE(std::ranges::is_sorted(g.rows));
}

TEST(Page, NothingInTheDataEndsTheScript) {
    EXPECT_EQ(script_text("[\"</script><!--\"]"), "[\"\\u003c/script>\\u003c!--\"]");
    EXPECT_EQ(script_text("\"a\xe2\x80\xa8z\xe2\x80\xa9\""), "\"a\\u2028z\\u2029\"");
    Timeline timeline = lab_timeline("three-way-handshake");
    timeline.name = "</title><script>alert(1)</script>";
    timeline.title = "</script><script>alert(2)</script>\xe2\x80\xa8";
    const std::string page = all_of(timeline, write_html_page);
    EXPECT_EQ(count(page, "<script>alert"), 0U);
    for (const char* part : {"{{data", "{{title", "{{page", "{{texts", "{{plots", "{{dygraph"}) {
        EXPECT_EQ(count(page, part), 0U) << "every part of the page has been filled in";
    }
}

TEST(Page, APageAsksForNothingElse) {
    const std::string page = all_of(lab_timeline("three-way-handshake"), write_html_page);
    for (const char* outside :
         {"<script src", "<img", "@import", "url(http", "<link rel=\"stylesheet"}) {
        EXPECT_EQ(count(page, outside), 0U) << outside;
    }
    EXPECT_EQ(count(page, "Permission is hereby granted"), 1U) << "dygraphs' licence";
}

TEST(Page, DetailsOfFramesComeInPartsAndBytesHaveALimit) {
    const Timeline timeline = lab_timeline("lost-data");
    std::size_t room = 200;
    const Json part = page_details(timeline, 0, timeline.frames.size(), room);
    EXPECT_EQ(part["frames"].size(), timeline.frames.size());
    EXPECT_LT(part["shapes"].size(), timeline.frames.size() / 2) << "frames share their shapes";
    EXPECT_EQ(room, 0U);
    for (const Json& bytes : part["bytes"]) {
        EXPECT_LE(bytes.get<std::string>().size(), 2 * std::size_t{200});
    }
    EXPECT_EQ(part["bytes"].back().get<std::string>().size(),
              2 * std::min(kPageBytesOfEach, timeline.frames.back().bytes.size()));
}

TEST(LadderSvg, HasAnArrowOfEachFrame) {
    Timeline timeline = lab_timeline("lost-data");
    timeline.title = "a < b & \"c\"";
    const std::string svg = all_of(timeline, write_ladder_svg);
    EXPECT_EQ(count(svg, "class=\"arrow"), timeline.frames.size());
    EXPECT_EQ(count(svg, "class=\"arrow lost\""), 1U);
    EXPECT_EQ(count(svg, "class=\"arrow again\""), 1U);
    EXPECT_EQ(count(svg, "<title>a &lt; b &amp; &quot;c&quot;</title>"), 1U);
    EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
    EXPECT_EQ(count(svg, ">ESTABLISHED<"), 2U);
}

}  // namespace
}  // namespace tapestry::test
