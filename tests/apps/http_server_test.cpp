#include <gtest/gtest.h>

#include "tests/apps/web_hosts.h"

namespace tapestry {
namespace {

using test::EchoSite;
using test::WebHosts;
using testing::Test;

std::string status_of(const std::string& response) {
    return response.starts_with("HTTP/1.1 ") ? response.substr(9, 3) : "no response: " + response;
}

std::size_t count(const std::string& text, std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++n;
    return n;
}

class HttpServerTest : public Test {
protected:
    EchoSite site;
    WebHosts web{site};
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
    TcpSocket socket = web.call();
    WebHosts::say(socket, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(web.hear(socket),
              "HTTP/1.1 200 OK\r\nServer: tapestry\r\nContent-Length: 7\r\n\r\nGET /a\n");
    WebHosts::say(socket, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(web.hear(socket).ends_with("\r\n\r\nGET /b\n"));
    EXPECT_EQ(web.http.answers(), 2U);
    EXPECT_EQ(web.http.connections(), 1U);
}

TEST_F(HttpServerTest, ClosesWhenTheClientWantsIt) {
    const std::string http11 = web.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_NE(http11.find("Connection: close\r\n"), std::string::npos) << http11;
    EXPECT_TRUE(http11.ends_with("GET /\n <end>")) << http11;
    EXPECT_TRUE(web.ask("GET / HTTP/1.0\r\n\r\n").ends_with("GET /\n <end>"));
    const std::string kept = web.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(kept.find("Connection: keep-alive\r\n"), std::string::npos) << kept;
    EXPECT_TRUE(kept.ends_with("GET /\n")) << kept;
}

TEST_F(HttpServerTest, HeadIsGetWithoutABody) {
    const std::string response = web.ask("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(response, "HTTP/1.1 200 OK\r\nServer: tapestry\r\nContent-Length: 8\r\n\r\n");
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
    std::string requests;
    for (int i = 0; i < 200; ++i) {
        requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    }
    const std::string response = web.ask(requests);
    std::size_t at = 0;
    for (int i = 0; i < 200; ++i) {
        at = response.find("\r\n\r\nGET /" + std::to_string(i) + '\n', at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_EQ(site.asked, 200);
}

TEST_F(HttpServerTest, NothingIsServedAfterAMistake) {
    const std::string response = web.ask(
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost h\r\n\r\nGET /3 "
        "HTTP/1.1\r\nHost: "
        "h\r\n\r\n");
    EXPECT_EQ(count(response, "HTTP/1.1 "), 2U) << response;
    EXPECT_EQ(count(response, "400 Bad Request"), 2U) << response;
    EXPECT_TRUE(response.ends_with(" <end>")) << response;
    EXPECT_EQ(site.asked, 1);
}

TEST_F(HttpServerTest, ARequestMayComeByteByByte) {
    TcpSocket socket = web.call();
    const std::string request = "\r\nGET /slowly HTTP/1.1\r\nHost: h\r\nX-Y: z\r\n\r\n";
    for (const char c : request) {
        WebHosts::say(socket, {&c, 1});
        web.world.run_for(2ms);
    }
    EXPECT_TRUE(web.hear(socket).ends_with("GET /slowly\n"));
}

struct Refusal {
    const char* why;
    std::string request;
    const char* status;
    bool asks_site = false;
};

class RefusalTest : public HttpServerTest, public testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, HasItsStatus) {
    const std::string response = web.ask(GetParam().request);
    EXPECT_EQ(status_of(response), GetParam().status) << GetParam().why << ": " << response;
    EXPECT_EQ(site.asked, GetParam().asks_site ? 1 : 0) << GetParam().why;
    EXPECT_EQ(count(response, "HTTP/1.1 "), 1U) << GetParam().why << ": " << response;
}

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
const std::string kEvil = "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    All, RefusalTest,
    testing::Values(
        Refusal{"no Host", get(""), "400"},
        Refusal{"two Hosts", get("Host: a\r\nHost: b\r\n"), "400"},
        Refusal{"a Host that is none", get("Host: a b\r\n"), "400"},
        Refusal{"a Host with a user", get("Host: a@b\r\n"), "400"},
        Refusal{"blank before the colon", get("Host : h\r\n"), "400"},
        Refusal{"no colon", get("Host h\r\n"), "400"},
        Refusal{"an empty name", get("Host: h\r\n: v\r\n"), "400"},
        Refusal{"a NUL", get(std::string("Host: h\r\nX: a\0b\r\n", 17)), "400"},
        Refusal{"a bare CR", get("Host: h\r\nX: a\rb\r\n"), "400"},
        Refusal{"a blank in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
        Refusal{"no version", "GET /\r\nHost: h\r\n\r\n", "400"},
        Refusal{"HTTP/2", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
        Refusal{"POST", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "405"},
        Refusal{"an unknown method", "FOO / HTTP/1.1\r\nHost: h\r\n\r\n", "501"},
        Refusal{"a target too long", "GET /" + std::string(20000, 'x') + " HTTP/1.1\r\n\r\n",
                "414"},
        Refusal{"a field too long", get("Host: h\r\nX: " + std::string(20000, 'x') + "\r\n"),
                "431"},
        Refusal{"fields too many",
                get("Host: h\r\n" +
                    [] {
                        std::string all;
                        for (int i = 0; i < 2000; ++i) all += "X: yyyyyyyy\r\n";
                        return all;
                    }()),
                "431"},
        Refusal{"two lengths", get("Host: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n"), "400"},
        Refusal{
            "a length and chunks",
            get("Host: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\nG",
            "400"},
        Refusal{"a length with a sign", get("Host: h\r\nContent-Length: +5\r\n"), "400"},
        Refusal{"a length beyond 64 bits",
                get("Host: h\r\nContent-Length: 99999999999999999999\r\n"), "400"},
        Refusal{"a body is never a second request",
                get("Host: h\r\nContent-Length: " + std::to_string(kEvil.size()) + "\r\n") + kEvil,
                "200", true},
        Refusal{"chunks are never a second request",
                get("Host: h\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" + kEvil, "200",
                true}));

TEST_F(HttpServerTest, ATargetOfEightThousandBytesIsFine) {
    const std::string response =
        web.ask("GET /" + std::string(7999, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(status_of(response), "200");
}

TEST_F(HttpServerTest, LargeAnswersToManyAtOnce) {
    std::vector<TcpSocket> sockets;
    for (int i = 0; i < 50; ++i) sockets.push_back(web.call());
    for (TcpSocket& socket : sockets) {
        WebHosts::say(socket, "GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    }
    for (TcpSocket& socket : sockets) {
        const std::string response = web.hear(socket, 60s);
        ASSERT_EQ(response.size(), response.find("\r\n\r\n") + 4 + EchoSite::kLarge + 6);
        ASSERT_TRUE(response.ends_with("xxx <end>"));
    }
    sockets.clear();
    web.world.run_for(1s);
    EXPECT_EQ(web.http.connections(), 0U);
}

TEST_F(HttpServerTest, AClientMayFinishBeforeItIsAnswered) {
    TcpSocket socket = web.call();
    WebHosts::say(socket, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(socket.shutdown(Shutdown::Send));
    const std::string response = web.hear(socket, 60s);
    EXPECT_TRUE(response.ends_with("xxx <end>"));
    EXPECT_GT(response.size(), EchoSite::kLarge);
}

TEST_F(HttpServerTest, AHalfRequestAndAnEndAreNothing) {
    TcpSocket socket = web.call();
    WebHosts::say(socket, "GET / HTT");
    ASSERT_TRUE(socket.shutdown(Shutdown::Send));
    EXPECT_EQ(web.hear(socket), " <end>");
    EXPECT_EQ(site.asked, 0);
}

TEST_F(HttpServerTest, AClientThatGoesIsForgotten) {
    TcpSocket socket = web.call();
    WebHosts::say(socket, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    web.world.run_for(10ms);
    socket.abort();
    web.world.run_for(1s);
    EXPECT_EQ(web.http.connections(), 0U);
    EXPECT_EQ(status_of(web.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")), "200");
}

TEST_F(HttpServerTest, AHeadThatTakesTooLongIsRefused) {
    TcpSocket socket = web.call();
    WebHosts::say(socket, "GET / HTTP/1.1\r\nHo");
    web.world.run_for(9s);
    EXPECT_EQ(web.hear(socket, 100ms), "");
    EXPECT_EQ(status_of(web.hear(socket, 2s)), "408");
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedPolitely) {
    TcpSocket socket = web.call();
    EXPECT_EQ(web.hear(socket, 59s), "");
    EXPECT_EQ(web.hear(socket, 2s), " <end>");
}

TEST_F(HttpServerTest, AClientThatTakesNothingIsGivenUp) {
    TcpSocket socket = web.call();
    WebHosts::say(socket, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    web.world.run_for(59s);
    EXPECT_EQ(web.http.connections(), 1U);
    web.world.run_for(10s);
    EXPECT_EQ(web.http.connections(), 0U);
}

TEST_F(HttpServerTest, FinishingAnswersToTheEndAndTakesNothingNew) {
    TcpSocket busy = web.call();
    TcpSocket idle = web.call();
    WebHosts::say(busy, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    web.world.run_until([&] { return web.http.connections() == 2 && site.asked == 1; });
    web.http.finish(web.world.now());
    EXPECT_EQ(web.hear(idle), " <end>");
    EXPECT_EQ(web.http.connections(), 2U);
    const std::string heard = web.hear(busy, 4s);
    EXPECT_GT(heard.size(), EchoSite::kLarge);
    EXPECT_TRUE(heard.ends_with("x <end>"));
    busy.close();
    idle.close();
    web.world.run_for(1s);
    EXPECT_EQ(web.http.connections(), 0U);
    TcpSocket late = web.client.stack().tcp_socket();
    EXPECT_TRUE(late.connect({WebHosts::kServer, 80}));
    web.world.run_for(1s);
    EXPECT_EQ(late.take_error(), Errno::ConnectionRefused);
}

TEST_F(HttpServerTest, ASlowClientIsWaitedForWhenItsAnswerWasTheLast) {
    TcpSocket socket = web.call();
    WebHosts::say(socket, "GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    web.world.run_for(1s);
    std::size_t heard = 0;
    std::vector<u8> block(100'000);
    while (web.http.connections() > 0) {
        web.world.run_for(2s);
        heard += socket.read(block).value_or(0);
    }
    EXPECT_GT(heard + socket.readable_bytes(), EchoSite::kLarge);
}

TEST(HttpServerLimit, TheIdleOneGoesWhenThereAreTooMany) {
    EchoSite site;
    HttpServerConfig config;
    config.max_connections = 3;
    WebHosts web(site, config);
    std::vector<TcpSocket> sockets;
    for (int i = 0; i < 4; ++i) {
        sockets.push_back(web.call());
        web.world.run_for(10ms);
    }
    EXPECT_EQ(web.http.connections(), 3U);
    EXPECT_EQ(web.hear(sockets[0]), " <end>");
    WebHosts::say(sockets[3], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(status_of(web.hear(sockets[3])), "200");
}

TEST(HttpServerPort, IsNotTakenTwice) {
    EchoSite site;
    WebHosts web(site);
    HttpServer second(web.server.stack(), site);
    EXPECT_EQ(second.listen({Ipv4Address(), 80}).error(), Errno::AddressInUse);
}

}  // namespace
}  // namespace tapestry
