#include "drivers/peer_http.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tapestry {
namespace {

/// A conversation with the peer in virtual time.
class PeerHttpTest : public ::testing::Test {
protected:
    TimePoint now{};
    PeerHttp http;

    std::string say(std::string_view request) {
        http.input(request, now);
        return hear();
    }
    std::string hear() {
        std::string out;
        http.take_output(out, now);
        return out;
    }
    static std::string get(std::string_view path, std::string_view more = "") {
        return "GET " + std::string(path) + " HTTP/1.1\r\nHost: peer\r\n" + std::string(more) +
               "\r\n";
    }
    static std::string status(const std::string& answer) {
        return answer.substr(0, answer.find("\r\n"));
    }
    static std::string body(const std::string& answer) {
        return answer.substr(answer.find("\r\n\r\n") + 4);
    }
};

TEST_F(PeerHttpTest, ServesThePageAndStays) {
    const std::string answer = say(get("/"));
    EXPECT_EQ(status(answer), "HTTP/1.1 200 OK");
    EXPECT_NE(answer.find("Connection: keep-alive"), std::string::npos);
    EXPECT_NE(answer.find("Content-Length: " + std::to_string(body(answer).size()) + "\r\n"),
              std::string::npos);
    EXPECT_NE(body(answer).find("<h1>"), std::string::npos);
    EXPECT_FALSE(http.finished());
    EXPECT_EQ(say(get("/?x=1")), answer);
}

TEST_F(PeerHttpTest, HeadHasTheSameHeadAndNoBody) {
    const std::string whole = say(get("/"));
    const std::string head = say("HEAD / HTTP/1.1\r\nHost: peer\r\n\r\n");
    EXPECT_EQ(head, whole.substr(0, whole.find("\r\n\r\n") + 4));
}

TEST_F(PeerHttpTest, UnknownPathIsNotFound) {
    EXPECT_EQ(status(say(get("/x"))), "HTTP/1.1 404 Not Found");
    EXPECT_FALSE(http.finished());
}

TEST_F(PeerHttpTest, MegabyteIsTheOneThatIsDocumented) {
    const std::string answer = say(get("/1M.bin"));
    EXPECT_EQ(body(answer), peer_megabyte());
    ASSERT_EQ(peer_megabyte().size(), 1048576U);
    const auto path = std::filesystem::temp_directory_path() /
                      ("tapestry-peer-megabyte-" + std::to_string(getpid()));
    std::ofstream(path, std::ios::binary) << peer_megabyte();
    FILE* pipe = popen(("sha256sum < " + path.string()).c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char sum[65] = {};
    const std::size_t got = fread(sum, 1, 64, pipe);
    pclose(pipe);
    std::filesystem::remove(path);
    if (got == 0) GTEST_SKIP() << "no sha256sum";
    EXPECT_STREQ(sum, "8ffdf7e6cfde155ab118e1f70435db9efd0e96745e674854895edd173fc591ca");
}

TEST_F(PeerHttpTest, SlowTakesTwoSecondsAndFivePieces) {
    EXPECT_EQ(say(get("/slow")), "");
    EXPECT_EQ(http.next_output(), now + 2s);
    now += 1999ms;
    EXPECT_EQ(hear(), "");
    now += 1ms;
    std::string answer = hear();
    EXPECT_EQ(status(answer), "HTTP/1.1 200 OK");
    EXPECT_NE(answer.find("Content-Length: 95\r\n"), std::string::npos);
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(body(answer).size(), 19U * static_cast<unsigned>(i + 1));
        EXPECT_EQ(http.next_output(), now + 100ms);
        now += 100ms;
        answer += hear();
    }
    EXPECT_EQ(body(answer).size(), 95U);
    EXPECT_EQ(http.next_output(), std::nullopt);
}

TEST_F(PeerHttpTest, RequestsWaitForTheSlowOneBeforeThem) {
    EXPECT_EQ(say(get("/slow") + get("/x")), "");
    EXPECT_GT(http.waiting(), 0U);
    now += 3s;
    const std::string answers = hear();
    EXPECT_LT(answers.find("This took"), answers.find("404 Not Found"));
    EXPECT_EQ(http.waiting(), 0U);
}

TEST_F(PeerHttpTest, PipelinedRequestsAreAnsweredInOrder) {
    const std::string answers = say(get("/x") + get("/") + "\r\n" + get("/y"));
    std::size_t count = 0;
    for (std::size_t at = 0; (at = answers.find("HTTP/1.1 ", at)) != std::string::npos; ++at)
        ++count;
    EXPECT_EQ(count, 3U);
    EXPECT_LT(answers.find("404"), answers.find("200"));
}

TEST_F(PeerHttpTest, ManyLargeRequestsDoNotPileUp) {
    std::string requests;
    for (int i = 0; i < 50; ++i) requests += get("/1M.bin");
    std::string out = say(requests);
    EXPECT_LT(out.size(), std::size_t{2} << 20);
    std::size_t total = out.size();
    while (http.next_output()) {
        out = hear();
        ASSERT_FALSE(out.empty());
        total += out.size();
    }
    EXPECT_GT(total, std::size_t{50} << 20);
}

TEST_F(PeerHttpTest, RequestMayComeByteByByte) {
    std::string answer;
    for (const char byte : get("/x")) answer += say(std::string_view(&byte, 1));
    EXPECT_EQ(status(answer), "HTTP/1.1 404 Not Found");
}

TEST_F(PeerHttpTest, ClosesWhenAsked) {
    const std::string answer = say(get("/", "Connection: Close\r\n"));
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(http.finished());
    EXPECT_EQ(say(get("/")), "");
}

TEST_F(PeerHttpTest, OldHttpClosesUnlessToldOtherwise) {
    say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_FALSE(http.finished());
    say("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(http.finished());
}

TEST_F(PeerHttpTest, EndOfInputEndsTheConversation) {
    EXPECT_EQ(say("GET / HT"), "");
    EXPECT_FALSE(http.finished());
    http.end_of_input(now);
    EXPECT_TRUE(http.finished());
    EXPECT_EQ(hear(), "");
}

TEST_F(PeerHttpTest, EndOfInputWaitsForTheAnswer) {
    say(get("/slow"));
    http.end_of_input(now);
    EXPECT_FALSE(http.finished());
    now += 3s;
    EXPECT_NE(hear(), "");
    EXPECT_TRUE(http.finished());
}

TEST_F(PeerHttpTest, MalformedRequestsAreRefusedByName) {
    const std::pair<std::string, std::string> cases[] = {
        {"\n\r\n\r\n", "400"},
        {"GET\r\n\r\n", "400"},
        {"GET /\r\n\r\n", "400"},
        {"GET / FTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505"},
        {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\n\r\n", "400"},  // no Host
        {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "413"},
        {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "413"},
        {"POST / HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
        {std::string(9000, 'a'), "431"},
        {"GET / HTTP/1.1\r\nA: " + std::string(9000, 'b') + "\r\n\r\n", "431"},
        {std::string(100, '\0') + "\r\n\r\n", "400"},
    };
    for (const auto& [request, code] : cases) {
        PeerHttp peer;
        peer.input(request, now);
        std::string answer;
        peer.take_output(answer, now);
        EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 " + code) << request.substr(0, 60);
        EXPECT_NE(answer.find("Connection: close"), std::string::npos) << request.substr(0, 60);
        EXPECT_TRUE(peer.finished());
    }
}

}  // namespace
}  // namespace tapestry
