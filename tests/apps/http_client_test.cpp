#include "apps/http/client.h"

#include <gtest/gtest.h>

#include <deque>

#include "apps/failure.h"
#include "tests/support/two_hosts.h"

namespace tapestry {
namespace {

/// What the server does when a request's head has come.
struct Scene {
    std::string says;
    enum class Then : u8 { Stay, Close, Reset } then = Then::Stay;
    std::size_t piece = 1U << 20;  ///< bytes at a time, a millisecond apart
};

/// A server that plays scenes, one for each request, and remembers the requests.
class Stage : public test::TwoHosts {
public:
    Stage() : listener_(server.stack().tcp_listener()) {
        static_cast<void>(listener_.listen({Ipv4Address(), 80}));
        server.add_program([this] { run(); });
    }

    ResponseHead fetch(const HttpRequest& request) {
        HttpListener listener;
        listener.body = [this](Bytes bytes) {
            body.append(bytes.begin(), bytes.end());
            return body.size() <= body_limit;
        };
        return http.fetch(request, listener);
    }
    ResponseHead fetch(bool head = false, u16 port = 80) {
        HttpRequest request;
        request.url = {kServer.to_string(), port, "/"};
        request.head = head;
        request.deadline = world.now() + 30s;
        return fetch(request);
    }
    /// curl's code and what is said.
    std::pair<int, std::string> failure(bool head = false, u16 port = 80) {
        try {
            fetch(head, port);
        } catch (const Failure& failure) {
            return {failure.status(), failure.what()};
        }
        return {0, ""};
    }
    /// The code of the failure that this answer leads to.
    int code(Scene scene) {
        scenes.push_back(std::move(scene));
        return failure().first;
    }

    std::deque<Scene> scenes;
    std::vector<std::string> requests;
    std::string body;
    std::size_t body_limit = 1U << 30;
    HttpClient http{client};

private:
    void run() {
        while (auto socket = listener_.accept()) sockets_.push_back(std::move(*socket));
        for (std::size_t i = 0; i < sockets_.size(); ++i) read(i);
    }

    void read(std::size_t i) {
        std::array<u8, 4096> block;
        const auto n = sockets_[i].read(block);
        if (n && *n == 0) sockets_[i].close();
        if (!n || *n == 0) return;
        heard_.append(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*n));
        if (!heard_.ends_with("\r\n\r\n")) return;
        requests.push_back(std::exchange(heard_, ""));
        if (scenes.empty()) return;
        const Scene scene = std::move(scenes.front());
        scenes.pop_front();
        play(i, scene, 0);
    }

    void play(std::size_t i, const Scene& scene, std::size_t at) {
        if (at < scene.says.size()) {
            const std::string piece = scene.says.substr(at, scene.piece);
            const auto n =
                sockets_[i].write({reinterpret_cast<const u8*>(piece.data()), piece.size()});
            if (!n && n.error() != Errno::Again) return;
            world.at(world.now() + 1ms,
                     [this, i, scene, next = at + n.value_or(0)] { play(i, scene, next); });
            return;
        }
        if (scene.then == Scene::Then::Close) sockets_[i].close();
        if (scene.then == Scene::Then::Reset) sockets_[i].abort();
    }

    Listener listener_;
    std::vector<TcpSocket> sockets_;
    std::string heard_;
};

class HttpClientTest : public testing::Test {
protected:
    Stage stage;
};

constexpr auto kClose = Scene::Then::Close;
constexpr auto kReset = Scene::Then::Reset;

TEST_F(HttpClientTest, AsksAsItShould) {
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    const ResponseHead head = stage.fetch();
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(stage.body, "hello");
    EXPECT_EQ(stage.requests.at(0),
              "GET / HTTP/1.1\r\nHost: 10.0.0.2\r\nUser-Agent: tapestry\r\nAccept: */*\r\n\r\n");
}

TEST_F(HttpClientTest, FieldsMayBeAddedAndReplaced) {
    stage.scenes.push_back({"HTTP/1.1 204 No Content\r\n\r\n"});
    HttpRequest request;
    request.url = {"10.0.0.2", 80, "/x?y"};
    request.fields = {{"Accept", "text/plain"}, {"X-Y", "z"}};
    EXPECT_EQ(stage.fetch(request).status, 204);
    EXPECT_EQ(stage.requests.at(0),
              "GET /x?y HTTP/1.1\r\nHost: 10.0.0.2\r\nUser-Agent: tapestry\r\n"
              "Accept: text/plain\r\nX-Y: z\r\n\r\n");
}

TEST_F(HttpClientTest, OneConnectionForSeveralRequests) {
    for (int i = 0; i < 3; ++i) {
        stage.scenes.push_back(
            {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(i)});
        EXPECT_EQ(stage.fetch().status, 200);
    }
    EXPECT_EQ(stage.body, "012");
    EXPECT_EQ(stage.http.connections(), 1U);
}

TEST_F(HttpClientTest, AConnectionThatTheServerClosesIsNotUsedAgain) {
    stage.scenes.push_back(
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1", kClose});
    stage.scenes.push_back({"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n2", kClose});
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3"});
    for (int i = 0; i < 3; ++i) stage.fetch();
    EXPECT_EQ(stage.body, "123");
    EXPECT_EQ(stage.http.connections(), 3U);
}

TEST_F(HttpClientTest, AnIdleConnectionThatDiesUnderTheRequestIsReplaced) {
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"});
    stage.scenes.push_back({"", kReset});
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"});
    stage.fetch();
    stage.fetch();
    EXPECT_EQ(stage.body, "12");
    EXPECT_EQ(stage.http.connections(), 2U);
}

TEST_F(HttpClientTest, TheLengthOfABodyInItsThreeForms) {
    stage.scenes.push_back(
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5;x=y\r\nhello\r\n1\r\n \r\n0\r\nTrailer: t\r\n\r\n"});
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmy d"});
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\n\r\near", kClose});
    for (int i = 0; i < 3; ++i) stage.fetch();
    EXPECT_EQ(stage.body, "hello my dear");
}

TEST_F(HttpClientTest, ChunksMayComeByteByByte) {
    stage.scenes.push_back(
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
         Scene::Then::Stay, 1});
    stage.fetch();
    EXPECT_EQ(stage.body, "hello0123456789abcdef");
    EXPECT_TRUE(stage.http.can_be_used_again());
}

TEST_F(HttpClientTest, TheAnswerToHeadHasNoBody) {
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"});
    EXPECT_EQ(stage.fetch(true).fields.size(), 1U);
    EXPECT_TRUE(stage.requests.at(0).starts_with("HEAD / "));
    EXPECT_TRUE(stage.http.can_be_used_again());
}

TEST_F(HttpClientTest, InterimResponsesAreSkipped) {
    stage.scenes.push_back(
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"});
    EXPECT_EQ(stage.fetch().status, 200);
    EXPECT_EQ(stage.body, "!");
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
    EXPECT_EQ(stage.code({many}), 8);
    EXPECT_EQ(stage.code({"HTTP/1.1 101 Switching Protocols\r\n\r\n"}), 8);
}

TEST_F(HttpClientTest, WhatIsTooMuchIsNotTheNextAnswer) {
    stage.scenes.push_back(
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\n\r\nevil"});
    stage.fetch();
    EXPECT_EQ(stage.body, "1");
    EXPECT_FALSE(stage.http.can_be_used_again());
}

TEST_F(HttpClientTest, RefusedAtOnce) {
    const TimePoint start = stage.world.now();
    const auto [code, text] = stage.failure(false, 81);
    EXPECT_EQ(code, 7);
    EXPECT_EQ(text, "(7) connection to 10.0.0.2 port 81: connection refused");
    EXPECT_LT(stage.world.now() - start, 100ms);
}

TEST_F(HttpClientTest, NobodyAtThatAddress) {
    HttpRequest request;
    request.url = {"10.0.0.77", 80, "/"};
    try {
        stage.fetch(request);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), 7);
        EXPECT_NE(std::string(failure.what()).find("no route to host"), std::string::npos);
    }
}

TEST_F(HttpClientTest, ANameIsSaidToBeOne) {
    HttpRequest request;
    request.url = {"example.org", 80, "/"};
    try {
        stage.fetch(request);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), 6);
        EXPECT_NE(std::string(failure.what()).find("example.org"), std::string::npos);
    }
}

TEST_F(HttpClientTest, ServersThatFailHaveCurlsCodes) {
    EXPECT_EQ(stage.code({"", kClose}), 52);
    EXPECT_EQ(stage.code({"", kReset}), 56);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", kClose}), 18);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", kReset}), 56);
    EXPECT_EQ(
        stage.code({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", kClose}),
        18);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}), 56);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "10000000000000000\r\n"}),
              56);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nContent-", kClose}), 8);
    EXPECT_EQ(stage.code({"HTTP/1.1 abc\r\n\r\n"}), 8);
    EXPECT_EQ(stage.code({"HTTP/1.1 2000 OK\r\n\r\n"}), 8);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"}), 8);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"}), 8);
    EXPECT_EQ(stage.code({"220 smtp.example.org\r\n"}), 1);
    EXPECT_EQ(stage.code({"HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x')}), 8);
}

TEST_F(HttpClientTest, SilenceEndsAtTheDeadline) {
    const TimePoint start = stage.world.now();
    const auto [code, text] = stage.failure();
    EXPECT_EQ(code, 28);
    EXPECT_EQ(text, "(28) timed out");
    EXPECT_EQ(stage.world.now() - start, 30s);
}

TEST_F(HttpClientTest, ASlowBodyEndsAtTheDeadline) {
    EXPECT_EQ(
        stage.code({"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'),
                    Scene::Then::Stay, 1}),
        28);
    EXPECT_GT(stage.body.size(), 1000U);
}

TEST_F(HttpClientTest, ABodyThatCannotBeWrittenEndsTheTransfer) {
    stage.body_limit = 10;
    EXPECT_EQ(
        stage.code({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x')}), 23);
}

TEST_F(HttpClientTest, SaysGoodbye) {
    stage.scenes.push_back({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
    stage.fetch();
    const TimePoint start = stage.world.now();
    stage.http.close();
    EXPECT_LT(stage.world.now() - start, 100ms);
    EXPECT_FALSE(stage.http.can_be_used_again());
}

}  // namespace
}  // namespace tapestry
