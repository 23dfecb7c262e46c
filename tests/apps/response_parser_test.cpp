#include "apps/http/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace tapestry {
namespace {

/// What a response says, told as it is found out.
std::string told(const std::string& response, std::size_t piece, bool head_only = false) {
    std::string told;
    ResponseParser parser(head_only);
    parser.on_head = [&](const ResponseHead& head) {
        told += '[' + head.status_line() + ' ' + std::to_string(head.fields.size()) + ']';
    };
    parser.on_body = [&](Bytes bytes) {
        told.append(bytes.begin(), bytes.end());
        return true;
    };
    std::string pending;
    for (std::size_t at = 0; at < response.size(); at += piece) {
        pending += response.substr(at, piece);
        ResponseParser::Error error;
        const std::size_t n =
            parser.take({reinterpret_cast<const u8*>(pending.data()), pending.size()}, error);
        pending.erase(0, n);
        if (error) return told + '<' + error.message() + '>';
    }
    return parser.is_done() ? told + '.' : told;
}

TEST(ResponseParser, TellsTheHeadBeforeTheBody) {
    const std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{1}, std::size_t{7}}) {
        EXPECT_EQ(told(response, piece), "[HTTP/1.1 200 OK 1]hello.") << piece;
    }
}

TEST(ResponseParser, TakesChunksApart) {
    EXPECT_EQ(told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
                   1000),
              "[HTTP/1.1 200 OK 1]abcdefg.");
}

TEST(ResponseParser, ABodyWithoutALengthEndsWithTheStream) {
    EXPECT_EQ(told("HTTP/1.0 200 OK\r\n\r\nall of it", 1000), "[HTTP/1.0 200 OK 0]all of it");
}

TEST(ResponseParser, TheAnswerToHeadHasNoBody) {
    EXPECT_EQ(told("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1000, true),
              "[HTTP/1.1 200 OK 1].");
}

TEST(ResponseParser, RefusesWhatIsNoResponse) {
    EXPECT_NE(told("SSH-2.0-OpenSSH_9.2\r\n\r\n", 1000).find('<'), std::string::npos);
}

}  // namespace
}  // namespace tapestry
