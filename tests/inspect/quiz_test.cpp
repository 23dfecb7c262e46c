#include "apps/inspect/quiz/quiz.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/inspect/quiz/quiz_json.h"
#include "apps/inspect/quiz/quiz_session.h"
#include "apps/inspect/quiz/quiz_timeline.h"
#include "tests/inspect/timelines.h"

namespace tapestry::test {
namespace {

namespace fs = std::filesystem;

/// Every IPv4 packet of one of the project's own captures.
void read(const std::string& name,
          const std::function<void(const PcapRecord&, Bytes, std::size_t)>& take) {
    auto reader = PcapReader::open(std::string(TEST_ROOT) + "/../captures/" + name);
    ASSERT_TRUE(reader) << reader.error().what;
    while (true) {
        const auto record = reader->next();
        ASSERT_TRUE(record) << record.error().what;
        if (!*record) return;
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        if (!packet || packet->type != EtherType::Ipv4) continue;
        take(**record, packet->packet, (*record)->original_size - packet->header_size);
    }
}

Questions questions_of(const std::string& name, const std::string& other_side = "") {
    Quiz quiz;
    Observer observer([&](const ObservedSegment& segment) { quiz.segment(segment); });
    read(name, [&](const PcapRecord& record, Bytes ipv4, std::size_t size) {
        quiz.packet(record.number, record.time, ipv4, size);
        observer.packet(record.number, record.time, ipv4, size);
    });
    if (!other_side.empty()) {
        read(other_side, [&](const PcapRecord& record, Bytes ipv4, std::size_t size) {
            quiz.packet(record.number, record.time, ipv4, size, true);
        });
    }
    return quiz.questions(observer.streams());
}

Questions questions_of_lab(const std::string& name) {
    Quiz quiz;
    const Timeline timeline = lab_timeline(name);
    return quiz.questions(read_timeline(timeline, quiz));
}

/// The answer to the first question with that name; "" where it is not asked.
std::string answer(const Questions& questions, const std::string& id) {
    for (const Question& question : questions) {
        if (question.id == id) return shown(question.answer, Language::English);
    }
    return "";
}

std::vector<std::string> all_captures() {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(std::string(TEST_ROOT) + "/../captures")) {
        if (file.path().extension() == ".pcap") names.push_back(file.path().filename());
    }
    return names;
}

TEST(QuizAnswers, TakeWhatMeansTheSame) {
    struct Row {
        Answer answer;
        const char* given;
        bool right;
    };
    const ChoiceAnswer side = which_side(Side::Server, {"neither", "都没有"});
    const ChoiceAnswer several{{{"a", "甲"}, {"b", "乙"}, {"c", "丙"}}, {0, 2}, true};
    const std::vector<Row> rows{
        {NumberAnswer{1460}, "1460", true},
        {NumberAnswer{1460}, "1,460 bytes", true},
        {NumberAnswer{1460}, "0x5B4", true},
        {NumberAnswer{1460}, "1461", false},
        {NumberAnswer{1460}, "", false},
        {NumberAnswer{1460}, "mss", false},
        {NumberAnswer{1460}, "-1460", false},
        {NumberAnswer{1460}, "1460.5", false},
        {NumberAnswer{0}, "0x", false},
        {NumberAnswer{18446744073709551615U}, "99999999999999999999", false},
        {TimeAnswer{40ms}, "40", true},
        {TimeAnswer{40ms}, "41.9 ms", true},
        {TimeAnswer{40ms}, "0.04 s", true},
        {TimeAnswer{40ms}, "40000us", true},
        {TimeAnswer{40ms}, "43", false},
        {TimeAnswer{40ms}, "40 s", false},
        {TimeAnswer{40ms}, "40 frames", false},
        {TimeAnswer{40ms}, "nan", false},
        {RateAnswer{2e6}, "2000", true},
        {RateAnswer{2e6}, "2 Mbit/s", true},
        {RateAnswer{2e6}, "2", false},
        {WordsAnswer{{"10.0.0.1:80", "10.0.0.1 80"}}, " 10.0.0.1   80", true},
        {WordsAnswer{{"10.0.0.1:80"}}, "10.0.0.1:81", false},
        {side, "b", true},
        {side, "The server", true},
        {side, "服务器", true},
        {side, "A", false},
        {side, "ab", false},
        {side, "the client", false},
        {several, "A, C", true},
        {several, "ca", true},
        {several, "a，c", true},
        {several, "a", false},
        {several, "a b c", false},
        {FramesAnswer{{1, 4, 9}}, "9 and 1, 4", true},
        {FramesAnswer{{1, 4, 9}}, "1, 4", false},
        {FramesAnswer{{1, 4, 9}}, "none", false},
        {FramesAnswer{{1, 4, 9}}, "one", false},
        {FramesAnswer{}, "none", true},
        {FramesAnswer{}, "无", true},
        {FramesAnswer{}, "3", false},
        {FramesAnswer{}, "", false},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(accepts(row.answer, row.given), row.right)
            << kind_of(row.answer) << " of \"" << row.given << '"';
    }
}

TEST(Quiz, TakesItsOwnAnswersAndHasEveryTextInBothLanguages) {
    std::size_t asked = 0;
    std::set<std::string> ids;
    for (const std::string& name : all_captures()) {
        for (const Question& question : questions_of(name)) {
            ++asked;
            ids.insert(question.id);
            const std::string where = name + ": " + question.id + ": " + question.text.english;
            for (const Language language : {Language::English, Language::Chinese}) {
                EXPECT_TRUE(accepts(question.answer, shown(question.answer, language))) << where;
                for (const Bilingual& text : {question.text, question.why, question.hint}) {
                    EXPECT_FALSE(text.in(language).empty()) << where;
                    EXPECT_EQ(text.in(language).find('{'), std::string::npos) << where;
                }
            }
            if (const auto* choice = std::get_if<ChoiceAnswer>(&question.answer)) {
                ASSERT_FALSE(choice->right.empty()) << where;
                EXPECT_LT(choice->right.back(), choice->choices.size()) << where;
                EXPECT_TRUE(choice->several || choice->right.size() == 1) << where;
            }
        }
    }
    EXPECT_GT(asked, 2000U);
    // Every kind of question is asked of some capture; those on a NAT want both of its sides.
    EXPECT_EQ(ids.size(), 39U);
}

TEST(Quiz, AsksHowLongTheClientWaitedForALostSyn) {
    const Questions questions = questions_of("syn-lost.client.pcap");
    const auto wait = std::ranges::find(questions, "syn_wait", &Question::id);
    ASSERT_NE(wait, questions.end());
    EXPECT_TRUE(accepts(wait->answer, "1 s"));
    EXPECT_EQ(answer(questions, "syn_rtt"), "") << "Karn: nobody knows which SYN was answered";
    EXPECT_EQ(answer(questions, "retransmissions"), "2");
}

TEST(Quiz, AsksForTheCauseOfARetransmissionThatTheCaptureShows) {
    const Questions fast = questions_of("fast-retransmit.server.pcap");
    const auto cause = std::ranges::find(fast, "retransmission_cause", &Question::id);
    ASSERT_NE(cause, fast.end());
    EXPECT_TRUE(accepts(cause->answer, "three or more duplicate ACKs asked for it"));
    EXPECT_EQ(answer(fast, "retransmission_wait"), "");

    const Questions timeout = questions_of("request-lost.client.pcap");
    const auto timer = std::ranges::find(timeout, "retransmission_cause", &Question::id);
    ASSERT_NE(timer, timeout.end());
    EXPECT_TRUE(accepts(timer->answer, "its timer went off: nothing came back"));
    EXPECT_NE(answer(timeout, "retransmission_wait"), "");
}

TEST(Quiz, ALossBeforeTheRecorderIsAHoleAndNoRetransmission) {
    const Questions questions = questions_of("fast-retransmit.client.pcap");
    EXPECT_EQ(answer(questions, "retransmissions"), "none");
    EXPECT_EQ(answer(questions, "hole"), "42");
    EXPECT_EQ(answer(questions, "hole_filled"), "86");
    EXPECT_EQ(answer(questions, "retransmission_cause"), "");
}

TEST(Quiz, KnowsARefusalAndAReset) {
    const Questions refused = questions_of("refused.client.pcap");
    EXPECT_EQ(answer(refused, "refused"), "2");
    EXPECT_EQ(answer(refused, "closes_first"), "");
    const Questions reset = questions_of("reset-in-transfer.client.pcap");
    EXPECT_NE(answer(reset, "reset_by"), "");
}

TEST(Quiz, KnowsWhoClosesAndWhoWaits) {
    EXPECT_EQ(answer(questions_of("server-closes-first.client.pcap"), "closes_first"), "B");
    EXPECT_EQ(answer(questions_of("server-closes-first.client.pcap"), "time_wait"), "B");
    EXPECT_EQ(answer(questions_of("simultaneous-close.client.pcap"), "time_wait"), "C");
}

TEST(Quiz, FindsTheNatWithTheCaptureOfTheOtherSide) {
    EXPECT_EQ(answer(questions_of("nat.client.pcap"), "nat_pair"), "");
    const Questions questions = questions_of("nat.client.pcap", "nat.server.pcap");
    EXPECT_EQ(answer(questions, "nat_pair"), "1");
    EXPECT_EQ(answer(questions, "nat_changes"), "A, C, D, H");
    EXPECT_TRUE(answer(questions, "nat_address").starts_with("198.51.100.1:"));
    // The way back is rewritten, too, and there the other capture has the packet first.
    const auto back =
        std::ranges::find_if(questions | std::views::reverse,
                             [](const Question& question) { return question.id == "nat_changes"; });
    EXPECT_EQ(shown(back->answer, Language::English), "B, C, D, H");
    EXPECT_TRUE(back->text.english.contains("frame 2 of the other side's capture and frame 2"));
    // A port that is forwarded has its destination changed on the way in.
    EXPECT_TRUE(answer(questions_of("nat-port-forward.client.pcap", "nat-port-forward.server.pcap"),
                       "nat_changes")
                    .starts_with("B, C, D"));
}

TEST(Quiz, OfALabIsWhatACaptureBesideItsClientShows) {
    const Questions lab = questions_of_lab("home-nat");
    EXPECT_EQ(answer(lab, "handshake_frames"), "3, 8, 9");
    EXPECT_EQ(answer(lab, "handshake_time"), "82.000 ms");
    EXPECT_EQ(answer(lab, "http_status"), "200");
    EXPECT_EQ(answer(lab, "nat_pair"), "6");
    EXPECT_TRUE(answer(lab, "nat_address").starts_with("203.0.113.5:"));
    const auto conversations = std::ranges::count(lab, "client_port", &Question::id);
    EXPECT_EQ(conversations, 1) << "behind the router it is the same one once more";

    // The timer began with connect(); the SYN then waited 20 ms for ARP.
    EXPECT_EQ(answer(questions_of_lab("lost-syn"), "syn_wait"), "980.000 ms");
    EXPECT_NE(answer(questions_of_lab("zero-window"), "zero_window_time"), "");
    // Nothing is hidden in a run: the frame is known for a retransmission, though the first one never came.
    EXPECT_EQ(answer(questions_of_lab("lost-data"), "retransmissions"), "29");
    EXPECT_EQ(answer(questions_of_lab("lost-data"), "hole"), "");
    EXPECT_EQ(answer(questions_of_lab("ping-through-nat"), "client_port"), "");
}

/// A dialog with the lines of somebody, and what is printed.
struct Talk {
    std::vector<std::string> lines;
    std::vector<std::string> printed{};
    int listed = 0;

    std::string text(const Questions& questions, Language language = Language::English) {
        std::size_t next = 0;
        QuizSession session(questions, language,
                            {[&](const std::string& line) { printed.push_back(line); },
                             [&]() -> std::optional<std::string> {
                                 if (next == lines.size()) return std::nullopt;
                                 return lines[next++];
                             },
                             [&] { ++listed; }});
        session.run();
        std::string all;
        for (const std::string& line : printed) all += line + '\n';
        return all;
    }
};

Questions three() {
    const Questions all = questions_of("http-get.client.pcap");
    return {all.begin(), all.begin() + 3};
}

TEST(QuizSession, GivesTwoTriesAndCounts) {
    Talk talk{{"1", "80", "80", "?", "l", "1 2 3"}};
    const std::string text = talk.text(three());
    EXPECT_TRUE(text.contains("1. Which port has the client chosen for itself?"));
    EXPECT_TRUE(text.contains("   No. Once more?\n   The answer: "));
    EXPECT_TRUE(text.contains("   Right: 80\n"));
    EXPECT_TRUE(text.contains("[tcp.stream == 0]")) << "the hint";
    EXPECT_EQ(talk.listed, 1);
    EXPECT_TRUE(text.ends_with("2 right, 0 at the second try, 1 not.\n")) << text;
}

TEST(QuizSession, SpeaksChinese) {
    Talk talk{{"", "", "9", "1,2,3"}};
    const std::string text = talk.text(three(), Language::Chinese);
    EXPECT_TRUE(text.contains("1. 客户端为自己选择了哪个端口？"));
    EXPECT_TRUE(text.ends_with("答对 0 个，第二次答对 1 个，未答对 2 个。\n")) << text;
}

TEST(QuizSession, WithoutInputIsASheetWithoutAnswers) {
    const std::string text = Talk{{}}.text(three());
    EXPECT_TRUE(text.contains("3. Which three frames"));
    EXPECT_FALSE(text.contains("answer:"));
    EXPECT_FALSE(text.contains("right,"));
}

TEST(QuizSession, EndsWhereItIsLeft) {
    const std::string text = Talk{{"", "q"}}.text(three());
    EXPECT_FALSE(text.contains("3. "));
    EXPECT_TRUE(text.ends_with("0 right, 0 at the second try, 1 not.\n"));
}

TEST(QuizJson, HasQuestionsAndAnswers) {
    const auto json = nlohmann::json::parse(quiz_json("f.pcap", questions_of("nat.client.pcap")));
    EXPECT_EQ(json["file"], "f.pcap");
    const auto& port = json["questions"][1];
    EXPECT_EQ(port["id"], "server_port");
    EXPECT_EQ(port["answer"]["value"], 80);
    EXPECT_EQ(port["question"]["zh"], "客户端连接到哪个端口？");
    EXPECT_EQ(port["stream"], 0);
}

}  // namespace
}  // namespace tapestry::test
