#include <gtest/gtest.h>

#include "apps/failure.h"
#include "apps/replay/live_compare.h"
#include "apps/replay/live_http.h"

/// Where messages of HTTP end, and what may differ in them.

namespace tapestry::test {
namespace {

Bytes bytes(std::string_view text) {
    return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

/// Feeds a direction in pieces of `step` bytes, from memory that moves.
void feed(LiveHttp& http, Side side, const std::string& text, std::size_t step) {
    for (std::size_t end = step; end < text.size(); end += step) {
        const std::string some = text.substr(0, end);
        http.feed(side, bytes(some));
    }
    http.feed(side, bytes(text));
}

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPage = "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 4\r\n\r\nbody";
const std::string kChunks =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n";

TEST(LiveHttp, MessagesAndHeadsInPiecesOfAnySize) {
    for (const std::size_t step : {1U, 2U, 7U, 1000U}) {
        LiveHttp http;
        feed(http, Side::Client, kGet + kGet, step);
        feed(http, Side::Server, kPage + kChunks, step);
        EXPECT_EQ(http.way(Side::Client).heads, (std::vector<u64>{27, 54}));
        EXPECT_EQ(http.way(Side::Client).messages, (std::vector<u64>{27, 54}));
        EXPECT_EQ(http.way(Side::Server).heads,
                  (std::vector<u64>{kPage.size() - 4, kPage.size() + 47}));
        EXPECT_EQ(http.way(Side::Server).messages,
                  (std::vector<u64>{kPage.size(), kPage.size() + kChunks.size()}));
        const auto& spots = http.way(Side::Server).spots;
        ASSERT_GE(spots.size(), 4U);
        EXPECT_EQ(spots[0].rule, LiveRule::HttpDate);
        EXPECT_EQ(kPage.substr(spots[0].begin, spots[0].end - spots[0].begin), "Date: now\r\n");
        EXPECT_EQ(spots[1].rule, LiveRule::HttpChunks);
        EXPECT_EQ(spots[1].begin, kPage.size() + 47);
    }
}

TEST(LiveHttp, AnInterimResponseIsAHeadOnly) {
    LiveHttp http;
    http.feed(Side::Client, bytes(kGet));
    http.feed(Side::Server, bytes("HTTP/1.1 100 Continue\r\n\r\n" + kPage));
    EXPECT_EQ(http.way(Side::Server).heads.size(), 2U);
    EXPECT_EQ(http.way(Side::Server).messages.size(), 1U);
}

TEST(LiveHttp, TheAnswerToHeadHasNoBody) {
    LiveHttp http;
    http.feed(Side::Client, bytes("HEAD / HTTP/1.1\r\n\r\n" + kGet));
    const std::string head = kPage.substr(0, kPage.size() - 4);
    http.feed(Side::Server, bytes(head + kPage));
    EXPECT_EQ(http.way(Side::Server).messages,
              (std::vector<u64>{head.size(), head.size() + kPage.size()}));
}

TEST(LiveHttp, ABodyWithoutLengthEndsWithTheStream) {
    LiveHttp http;
    http.feed(Side::Client, bytes(kGet));
    http.feed(Side::Server, bytes("HTTP/1.0 200 OK\r\n\r\nbody"));
    EXPECT_TRUE(http.way(Side::Server).messages.empty());
    http.end(Side::Server);
    EXPECT_EQ(http.way(Side::Server).messages, (std::vector<u64>{23}));
}

TEST(LiveHttp, OtherProtocolsAndUpgradesAreNotHttp) {
    LiveHttp chat;
    chat.feed(Side::Client, bytes("hello\n"));
    EXPECT_TRUE(chat.way(Side::Client).lost);
    LiveHttp upgrade;
    upgrade.feed(Side::Client, bytes(kGet));
    upgrade.feed(Side::Server, bytes("HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"));
    EXPECT_TRUE(upgrade.way(Side::Server).lost);
    EXPECT_TRUE(upgrade.way(Side::Client).lost);
    EXPECT_EQ(upgrade.way(Side::Server).heads.size(), 1U);
}

TEST(LiveHttp, AHeadWithAHoleIsReadUpToIt) {
    LiveHttp http;
    const std::string head("HTTP/1.1 200 OK\r\nDate: now\r\nETag: \0\0\0\0\0", 40);
    http.feed(Side::Client, bytes(kGet));
    http.feed(Side::Server, bytes(head));
    ASSERT_TRUE(http.way(Side::Server).lost);
    ASSERT_EQ(http.way(Side::Server).spots.size(), 1U);
    EXPECT_EQ(http.way(Side::Server).spots[0].end, 28U);
    http.resume(Side::Server, head.size());
    http.feed(Side::Server, bytes(head + kPage));
    EXPECT_EQ(http.way(Side::Server).messages, std::vector<u64>{head.size() + kPage.size()});
}

LiveText response(const std::string& text, LiveHttp& http) {
    http.feed(Side::Client, bytes(kGet));
    http.feed(Side::Server, bytes(text));
    return {bytes(text), http.way(Side::Server).spots, {}};
}

LiveComparison compared(const std::string& recorded, const std::string& live,
                        LiveRules allowed = LiveRules::chosen(false, {})) {
    LiveHttp a;
    LiveHttp b;
    return compare_live(response(recorded, a), response(live, b), allowed);
}

TEST(LiveCompare, EqualAllowedDiverged) {
    const std::string other = "HTTP/1.1 200 OK\r\nDate: tomorrow\r\nContent-Length: 4\r\n\r\nbody";
    EXPECT_EQ(compared(kPage, kPage).verdict, LiveVerdict::Equal);
    const auto allowed = compared(kPage, other);
    EXPECT_EQ(allowed.verdict, LiveVerdict::Allowed);
    EXPECT_EQ(allowed.rules.names(), std::vector<std::string>{"http_date"});
    const auto strict = compared(kPage, other, LiveRules::chosen(true, {}));
    EXPECT_EQ(strict.verdict, LiveVerdict::Diverged);
    EXPECT_EQ(strict.recorded_at, 23U);
    EXPECT_EQ(compared(kPage, other, LiveRules::chosen(true, {"http_date"})).verdict,
              LiveVerdict::Allowed);
}

TEST(LiveCompare, ADifferenceBehindAnAllowedOneIsFound) {
    const std::string other = "HTTP/1.1 200 OK\r\nDate: tomorrow\r\nContent-Length: 4\r\n\r\nboDy";
    const auto found = compared(kPage, other);
    EXPECT_EQ(found.verdict, LiveVerdict::Diverged);
    EXPECT_EQ(found.recorded_at, kPage.size() - 2);
    EXPECT_EQ(found.live_at, other.size() - 2);
}

TEST(LiveCompare, ADateThatIsNoFieldIsNotAllowed) {
    const std::string a = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nDate: now\r\n";
    const std::string b = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nDate: new\r\n";
    EXPECT_EQ(compared(a, b).verdict, LiveVerdict::Diverged);
}

TEST(LiveCompare, ChunksMayBeCutElsewhere) {
    const std::string other =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    EXPECT_EQ(compared(kChunks, other).rules.names(), std::vector<std::string>{"http_chunks"});
    std::string longer = other;
    longer.replace(longer.find("4\r\nbody"), 7, "5\r\nbodys");
    EXPECT_EQ(compared(kChunks, longer).verdict, LiveVerdict::Diverged);
}

TEST(LiveCompare, MoreAndLess) {
    const LiveText recorded{bytes("abc"), {}, {}};
    const auto less = compare_live(recorded, {bytes("ab"), {}, {}}, {});
    EXPECT_EQ(less.verdict, LiveVerdict::Diverged);
    EXPECT_EQ(less.recorded_at, 2U);
    const auto more = compare_live(recorded, {bytes("abcd"), {}, {}}, {});
    EXPECT_EQ(more.verdict, LiveVerdict::Diverged);
    EXPECT_EQ(more.recorded_at, 3U);
    EXPECT_EQ(more.live_at, 3U);
}

TEST(LiveCompare, HolesAreNotCompared) {
    const std::string known("ab\0\0ef", 6);
    const LiveText holes{bytes(known), {}, {{2, 4}}};
    EXPECT_EQ(compare_live(holes, {bytes("abcdef"), {}, {}}, {}).verdict, LiveVerdict::Equal);
    const auto found = compare_live(holes, {bytes("abcdeX"), {}, {}}, {});
    EXPECT_EQ(found.verdict, LiveVerdict::Diverged);
    EXPECT_EQ(found.recorded_at, 5U);
    EXPECT_EQ(compare_live(holes, {bytes("abc"), {}, {}}, {}).verdict, LiveVerdict::Diverged);
}

TEST(LiveCompare, ExcerptsAreLinesForATerminal) {
    const std::string text = "first\r\nsecond\x1b\r\nthird";
    EXPECT_EQ(live_excerpt(bytes(text), 9), "second\\x1b\\r\\n");
    EXPECT_EQ(live_excerpt(bytes(text), text.size()), "");
    EXPECT_EQ(live_excerpt(bytes(std::string(500, 'x')), 250), std::string(80, 'x'));
}

TEST(LiveRules, NamesAndFields) {
    EXPECT_EQ(rule_of_field("LAST-modified"), LiveRule::HttpDate);
    EXPECT_EQ(rule_of_field("Date2"), std::nullopt);
    EXPECT_FALSE(LiveRules::chosen(false, {}).has(LiveRule::HttpConnection));
    EXPECT_TRUE(LiveRules::chosen(false, {"http_connection"}).has(LiveRule::HttpConnection));
    EXPECT_TRUE(LiveRules::chosen(true, {}).empty());
    EXPECT_THROW(LiveRules::chosen(false, {"date"}), Failure);
}

}  // namespace
}  // namespace tapestry::test
