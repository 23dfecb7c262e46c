#include "apps/http/url.h"

#include <gtest/gtest.h>

namespace tapestry {
namespace {

TEST(Url, HasItsPartsAndDefaults) {
    EXPECT_EQ(*parse_url("http://192.168.3.1/"), (Url{"192.168.3.1", 80, "/"}));
    EXPECT_EQ(*parse_url("http://192.168.3.1"), (Url{"192.168.3.1", 80, "/"}));
    EXPECT_EQ(*parse_url("192.168.3.1:8080/a/b?c=d"), (Url{"192.168.3.1", 8080, "/a/b?c=d"}));
    EXPECT_EQ(*parse_url("HTTP://example.org:1/x#part"), (Url{"example.org", 1, "/x"}));
    EXPECT_EQ(*parse_url("http://h?q"), (Url{"h", 80, "/?q"}));
    EXPECT_EQ(*parse_url("http://h:65535/"), (Url{"h", 65535, "/"}));
}

TEST(Url, WritesAHostFieldWithoutTheDefaultPort) {
    EXPECT_EQ((Url{"h", 80, "/"}).authority(), "h");
    EXPECT_EQ((Url{"h", 81, "/"}).authority(), "h:81");
}

TEST(Url, RefusesOtherProtocolsByName) {
    for (const char* text : {"https://h/", "ftp://h/", "ws://h/", "://h/"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().kind, UrlError::Kind::Protocol) << text;
    }
    EXPECT_NE(parse_url("https://h/").error().text.find("https"), std::string::npos);
}

TEST(Url, RefusesWhatCouldSmuggleOrIsNoHost) {
    for (const char* text : {"", "http://", "http:///x", "http://h:/", "http://h:0/",
                             "http://h:65536/", "http://h:8x/", "http://h:-1/", "http://u@h/",
                             "http://u:p@h/", "http://[::1]/", "http://h/a b", "http://h/\r\nX: y",
                             "http://h/\x80", "http://h/\x7f", "http://h\\x/", "http://a,b/"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().kind, UrlError::Kind::Malformed) << text;
        EXPECT_FALSE(url.error().text.empty()) << text;
    }
}

}  // namespace
}  // namespace tapestry
