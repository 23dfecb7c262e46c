#include "apps/inspect/http_conversation.h"

#include <gtest/gtest.h>

namespace tapestry::test {
namespace {

/// Text of both sides, in any pieces and any order.
struct Talk {
    HttpConversation conversation;
    std::vector<HttpMessage> messages;
    u64 number = 0;
    std::array<u64, 2> next{1, 1};

    void put(Side from, u64 position, std::string_view text, u64 cut = 0) {
        const auto* bytes = reinterpret_cast<const u8*>(text.data());
        ++number;
        conversation.take(messages, from, position, text.size(), {bytes, text.size() - cut}, number,
                          TimePoint(std::chrono::milliseconds(number)));
    }
    void say(Side from, std::string_view text) {
        u64& position = next[static_cast<std::size_t>(from)];
        put(from, position, text);
        position += text.size();
    }
    std::vector<std::string> lines() const {
        std::vector<std::string> all;
        all.reserve(messages.size());
        for (const HttpMessage& message : messages) all.push_back(message.line);
        return all;
    }
};

using Lines = std::vector<std::string>;
constexpr Side kClient = Side::Client;
constexpr Side kServer = Side::Server;

TEST(HttpConversation, ALineMayBeCutAnywhere) {
    constexpr std::string_view kRequest =
        "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\n\r\n";
    for (std::size_t size = 1; size <= kRequest.size(); ++size) {
        Talk talk;
        for (std::size_t at = 0; at < kRequest.size(); at += size) {
            talk.say(kClient, kRequest.substr(at, size));
        }
        EXPECT_EQ(talk.lines(), (Lines{"GET /a HTTP/1.1", "POST /b HTTP/1.1"})) << size;
        EXPECT_EQ(talk.messages[0].number, 1U);
        EXPECT_EQ(talk.messages[1].method, "POST");
        EXPECT_EQ(talk.messages[1].target, "/b");
    }
}

TEST(HttpConversation, ResponsesAnswerInOrder) {
    Talk talk;
    talk.say(kClient, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    talk.say(kServer,
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGET ");
    talk.say(kServer, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    ASSERT_EQ(talk.messages.size(), 5U);
    EXPECT_EQ(talk.messages[2].status, 100);
    EXPECT_EQ(talk.messages[3].status, 200);
    EXPECT_EQ(talk.messages[3].request, 1U);
    EXPECT_EQ(talk.messages[3].after, 1ms);
    EXPECT_EQ(talk.messages[4].after, 2ms);
}

TEST(HttpConversation, ChunkedBodiesAreSteppedOver) {
    Talk talk;
    talk.say(kClient, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    talk.say(kServer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
    talk.say(kServer,
             "9;x=y\r\nHTTP/1.1 \r\n0\r\nTrailer: z\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(talk.lines().back(), "HTTP/1.1 204 No Content");
    EXPECT_EQ(talk.messages.size(), 4U);
}

TEST(HttpConversation, AnAnswerToHeadHasNoBody) {
    Talk talk;
    talk.say(kClient, "HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    talk.say(kServer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    EXPECT_EQ(talk.messages.size(), 4U);
}

TEST(HttpConversation, WhatComesEarlyWaits) {
    Talk talk;
    talk.put(kClient, 1, "GET /a HT");
    talk.put(kClient, 15, "\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(talk.messages.empty());
    talk.put(kClient, 5, "/a HTTP/1.1");
    EXPECT_EQ(talk.lines(), (Lines{"GET /a HTTP/1.1", "GET /b HTTP/1.1"}));
    talk.put(kClient, 1, "GET /a HT");
    EXPECT_EQ(talk.messages.size(), 2U) << "sent again";
}

TEST(HttpConversation, AHoleInABodyDoesNoHarm) {
    Talk talk;
    talk.put(kServer, 1, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
    const u64 body = 44;
    const std::string block(50000, 'x');
    for (u64 i = 1; i < 4; ++i) talk.put(kServer, body + i * 50000, block);
    talk.put(kServer, body + 200000, "HTTP/1.1 304 Not Modified\r\n\r\n");
    EXPECT_EQ(talk.lines(), (Lines{"HTTP/1.1 200 OK", "HTTP/1.1 304 Not Modified"}));
}

TEST(HttpConversation, OfACutSegmentTheBodyMayBeMissing) {
    Talk talk;
    talk.put(kServer, 1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", 8);
    talk.put(kServer, 50, "HTTP/1.1 304 Not Modified\r\n\r\n");
    EXPECT_EQ(talk.messages.size(), 2U);
}

TEST(HttpConversation, AnotherProtocolIsLeftAlone) {
    Talk talk;
    talk.say(kClient, "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    talk.say(kServer, "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    EXPECT_EQ(talk.messages.size(), 2U);
    Talk other;
    other.say(kClient, "SSH-2.0-x\r\n");
    other.say(kClient, "GET without an end\r\n\r\n");
    EXPECT_TRUE(other.messages.empty());
}

}  // namespace
}  // namespace tapestry::test
