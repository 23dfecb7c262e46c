#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/failure.h"
#include "apps/inspect/story_json.h"
#include "drivers/pcap_reader.h"
#include "tests/support/labs.h"

/// Files of one's own: what is taken, what is refused and with which words, and what comes of it.

namespace tapestry::test {
namespace {

/// A small network, with the lines that a test is about in the place of `timeline`.
std::string two_hosts(const std::string& timeline, const std::string& link = "") {
    return "title = \"t\"\n"              // 1
           "[[machine]]\n"                // 2
           "name = \"a\"\n"               // 3
           "address = \"10.0.0.1/24\"\n"  // 4
           "[[machine]]\n"                // 5
           "name = \"b\"\n"               // 6
           "address = \"10.0.0.2/24\"\n"  // 7
           "[[link]]\n"                   // 8
           "name = \"cable\"\n"           // 9
           "ends = [\"a\", \"b\"]\n" +    // 10
           link +
           "[timeline]\nsteps = [" + timeline + "]\n";  // 11, 12
}

struct Bad {
    std::string text;
    const char* place;
    const char* words;
};

const std::vector<Bad>& bad_files() {
    static const std::vector<Bad> files{
        {"title = \"t\"\n", "my.toml:1:1: ", "a network has at least two [[machine]]s"},
        {"titel = \"t\"\n", "my.toml:1:1: ", "title"},
        {two_hosts("\"a get\""), "my.toml:12:16: ", "expected a URL"},
        {two_hosts("\"c get http://10.0.0.2/\""), "my.toml:12:11: ", "a machine (a, b)"},
        {two_hosts("\"a fetch x\""), "my.toml:12:13: ", "expected one of serve, "},
        {two_hosts("\"a serve 0\""), "my.toml:12:19: ", "a port from 1 to 65535"},
        {two_hosts("\"a serve 80 81\""), "my.toml:12:22: ", "the end of the line"},
        {two_hosts("\"a ping b -x 3\""), "my.toml:12:20: ", "'-c COUNT'"},
        {two_hosts("\"a ping b -c 0\""), "my.toml:12:23: ", "a number from 1 to 1000"},
        {two_hosts("\"a connect b\""), "my.toml:12:21: ", "ADDRESS:PORT"},
        {two_hosts("\"a connect b:5 from\""), "my.toml:12:29: ", "and the line ends"},
        {two_hosts("\"wait 5\""), "my.toml:12:16: ", "a time as 20ms"},
        {two_hosts("\"cut link x\""), "my.toml:12:20: ", "a link's name (cable)"},
        {two_hosts("\"lose 1 fin from a\""), "my.toml:12:18: ", "'syn', 'data', 'ack'"},
        {two_hosts("\"a iptables -F\""), "my.toml:12:13: ", "only a router has 'iptables'"},
        {two_hosts("\"a send 'x'\""), "my.toml:12:18: ", "\"TEXT\" or 'N bytes'"},
        {two_hosts(""), "my.toml:11:1: ", "steps is missing"},
        {two_hosts("\"wait 1s\"", "delay = \"slow\"\n"), "my.toml:11:9: ", "delay"},
        {two_hosts("\"wait 1s\"", "loss = 101\n"), "my.toml:11:8: ", "loss"},
        {two_hosts("\"wait 1s\"", "rate = \"fast\"\n"), "my.toml:11:8: ", "\"10mbit\""},
        {two_hosts("\"wait 1s\"", "colour = 1\n"), "my.toml:11:1: ", "colour"},
        {two_hosts("\"wait 1s\"", "[zh]\ntitel = \"t\"\n"),
         "my.toml:12:1: ", "zh.titel: the key is not known"},
        {two_hosts("\"wait 1s\"", "[zh]\nwatch = 1\n"), "my.toml:12:9: ", "zh.watch"},
        {two_hosts("\"say a\", \"wait 1s\"", "[zh]\nsays = [\"a\", \"b\"]\n"),
         "my.toml:12:8: ", "zh.says: expected 1, one for each 'say' of timeline.steps, found 2"},
        {two_hosts("\"wait 1s\"", "[[link]]\nname = \"l\"\nends = [\"a\", \"b\"]\n"),
         "my.toml:13:10: ", "another link already"},
        {two_hosts("\"wait 1s\"", "[[link]]\nname = \"l\"\nends = [\"z\", \"a\"]\n"),
         "my.toml:13:10: ", "expected an interface (a, b), found \"z\""},
        {two_hosts("\"wait 1s\"", "[[machine]]\nname = \"c\"\naddress = \"10.0.0.3/24\"\n"),
         "my.toml:1:1: ", "c is at the end of no [[link]]"},
        {two_hosts("\"wait 1s\"", "[[machine]]\nname = \"a\"\naddress = \"10.0.0.3/24\"\n"),
         "my.toml:12:8: ", "there is a a already"},
        {two_hosts("\"wait 1s\"", "[[machine]]\nname = \"A B\"\naddress = \"10.0.0.3/24\"\n"),
         "my.toml:12:8: ", "small letters"},
        {two_hosts("\"wait 1s\"", "[[machine]]\nname = \"c\"\naddress = \"10.0.0.3\"\n"),
         "my.toml:13:12: ", "prefix length"},
        {two_hosts("\"wait 1s\"", "[[machine]]\nname = \"c\"\n"), "my.toml:11:1: ", "address"},
        {two_hosts("\"wait 1s\"",
                   "[[machine]]\nname = \"c\"\naddress = \"10.0.0.3/24\"\ngateway = \"1.2.3.4\"\n"),
         "my.toml:14:11: ", "on none of the networks of c"},
        {two_hosts("\"wait 1s\"", "[[machine]]\nname = \"r\"\ninterfaces = [\"in 10.0.0.9/24\"]\n"),
         "my.toml:13:14: ", "a router has at least two"},
        {two_hosts("\"wait 1s\"", "[[machine]]\nname = \"r\"\ninterfaces = [\"10.0.0.9/24\"]\n"),
         "my.toml:13:16: ", "a name and an address"},
    };
    return files;
}

TEST(LabFile, SaysWhereAndWhatIsWrong) {
    for (const Bad& bad : bad_files()) {
        try {
            LabStory::parse(bad.text);
            ADD_FAILURE() << "taken: " << bad.text;
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.status(), kUsage);
            EXPECT_TRUE(std::string(failure.what()).starts_with(bad.place)) << failure.what();
            EXPECT_NE(std::string(failure.what()).find(bad.words), std::string::npos)
                << failure.what();
            EXPECT_EQ(std::string(failure.what()).find('\n'), std::string::npos);
        }
    }
}

/// Between a and b, with a rule.
std::string with_router(const std::string& rule, const std::string& timeline) {
    return "title = \"t\"\n[[machine]]\nname = \"a\"\naddress = \"10.0.0.1/24\"\n"
           "gateway = \"10.0.0.9\"\n[[machine]]\nname = \"r\"\n"
           "interfaces = [\"in 10.0.0.9/24\", \"out 10.0.1.9/24\"]\niptables = [\"" +
           rule +
           "\"]\n[[machine]]\nname = \"b\"\naddress = \"10.0.1.1/24\"\ngateway = \"10.0.1.9\"\n"
           "[[link]]\nname = \"l\"\nends = [\"a\", \"r.in\"]\n[[link]]\nname = \"m\"\n"
           "ends = [\"r.out\", \"b\"]\n[timeline]\nsteps = [" +
           timeline + "]\n";
}

TEST(LabFile, SaysWhereARuleIsWrong) {
    const std::string rule = "-A FORWARD -j NOWHERE";
    const std::vector<std::pair<std::string, const char*>> files{
        {with_router(rule, "\"wait 1s\""), "my.toml:9:28: "},
        {with_router("-P FORWARD ACCEPT", "\"r iptables " + rule + "\""), "my.toml:21:36: "},
    };
    for (const auto& [text, place] : files) {
        const Scenario scenario = LabStory::parse(text);
        try {
            run_lab(scenario, {});
            ADD_FAILURE();
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.status(), kUsage);
            EXPECT_TRUE(std::string(failure.what()).starts_with(place)) << failure.what();
        }
    }
}

TEST(LabFile, SaysWhichLineAsksForTheImpossible) {
    for (const char* line : {"\"a send 3 bytes\"", "\"a close\"", "\"a resume 80\""}) {
        const Scenario scenario = LabStory::parse(two_hosts(line));
        EXPECT_THROW(run_lab(scenario, {}), Failure) << line;
    }
}

TEST(LabFile, LinesDoWhatTheySay) {
    const LabStory lab(
        LabStory::parse(two_hosts("\"b echo 7\", \"a connect b:7\", 'a send \"hello\"', "
                                  "\"cut cable\", \"a ping b -c 1\", \"restore cable\", "
                                  "\"a ping b -c 1\", \"a close\"")),
        {});
    const auto said = lab.results("a");
    EXPECT_TRUE(has(said, "received \"hello\""));
    EXPECT_TRUE(has(said, "ping: 1 sent, 0 answered"));
    EXPECT_EQ(said.back(), "ping: 1 sent, 1 answered");
    EXPECT_TRUE(has(lines_of(lab.story), "the link is cut"));
    EXPECT_TRUE(has(lines_of(lab.story), "link cable is whole again"));
}

TEST(LabFile, LossDependsOnTheSeedAlone) {
    const Scenario scenario = LabStory::parse(
        two_hosts("\"b serve 80\", \"a get http://b/50000\"", "loss = 10\ndelay = \"5ms\"\n"));
    const auto one = lines_of(story_of(run_lab(scenario, {.seed = 1, .pcap_folder = ""})));
    EXPECT_EQ(one, lines_of(story_of(run_lab(scenario, {.seed = 1, .pcap_folder = ""}))));
    EXPECT_NE(one, lines_of(story_of(run_lab(scenario, {.seed = 2, .pcap_folder = ""}))));
    EXPECT_TRUE(has(one, "get: 200 OK, 50000 bytes"));
}

TEST(LabFile, LongTransfersAreSummedUp) {
    const LabStory lab(LabStory::parse(two_hosts("\"b serve 80\", \"a get http://b/1000000\"")),
                       {});
    const auto lines = lines_of(lab.story);
    EXPECT_LT(lines.size(), 150U);
    EXPECT_GT(lab.story.steps.size(), 1000U);
    EXPECT_TRUE(has(lines, "segments to a, "));
}

TEST(LabFile, EachLinkHasACaptureThatCanBeRead) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("tapestry-lab-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    const LabStory lab("home-nat", {.seed = 1, .pcap_folder = folder.string()});
    for (const char* link : {"lan", "wan"}) {
        auto reader = PcapReader::open((folder / (std::string(link) + ".pcapng")).string());
        ASSERT_TRUE(reader) << reader.error().what;
        std::size_t frames = 0;
        while (true) {
            const auto record = reader->next();
            ASSERT_TRUE(record);
            if (!*record) break;
            ++frames;
        }
        const auto all = std::ranges::count_if(lab.story.steps, [&](const Step& step) {
            return step.frame && step.frame->link == link;
        });
        EXPECT_EQ(frames, static_cast<std::size_t>(all));
    }
    std::filesystem::remove_all(folder);
}

TEST(LabFile, JsonHasEveryStep) {
    const LabStory lab("home-nat");
    const auto json = nlohmann::json::parse(story_json(lab.story));
    EXPECT_EQ(json["lab"], "home-nat");
    EXPECT_EQ(json["steps"].size(), lab.story.steps.size());
    EXPECT_EQ(json["lifelines"].size(), 4U);
    EXPECT_EQ(json["lifelines"][1]["name"], "router inside");
    bool row = false;
    bool rewritten = false;
    for (const auto& step : json["steps"]) {
        EXPECT_TRUE(step.contains("time") && step.contains("kind") && step.contains("from"));
        row = row || (step["kind"] == "flow" && step["flow"]["event"] == "new");
        rewritten = rewritten || (step["kind"] == "rewrite" &&
                                  step["rewrites"][0]["after"] != step["rewrites"][0]["before"]);
    }
    EXPECT_TRUE(row && rewritten);
}

}  // namespace
}  // namespace tapestry::test
