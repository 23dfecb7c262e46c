#include "apps/http/byte_range.h"

#include <gtest/gtest.h>

#include <string>

namespace tapestry {
namespace {

std::string told(std::string_view field, u64 size) {
    const ByteRange range = parse_range(field, size);
    if (range.kind == ByteRange::Kind::Unsatisfiable) return "416";
    const std::string part = std::to_string(range.first) + '+' + std::to_string(range.length);
    return range.kind == ByteRange::Kind::Part ? part : "whole " + part;
}

TEST(ByteRange, TakesOneRange) {
    EXPECT_EQ(told("bytes=0-0", 100), "0+1");
    EXPECT_EQ(told("bytes=10-19", 100), "10+10");
    EXPECT_EQ(told("bytes=90-", 100), "90+10");
    EXPECT_EQ(told("bytes=90-1000", 100), "90+10");
    EXPECT_EQ(told("bytes=-10", 100), "90+10");
    EXPECT_EQ(told("bytes=-1000", 100), "0+100");
    EXPECT_EQ(told("bytes=0-18446744073709551615", 100), "0+100");
    EXPECT_EQ(told("bytes=0-99999999999999999999999", 100), "0+100");
}

TEST(ByteRange, SaysWhatCannotBeHad) {
    EXPECT_EQ(told("bytes=100-", 100), "416");
    EXPECT_EQ(told("bytes=99999999999999999999999-", 100), "416");
    EXPECT_EQ(told("bytes=-0", 100), "416");
    EXPECT_EQ(told("bytes=0-", 0), "416");
    EXPECT_EQ(told("bytes=-5", 0), "416");
}

TEST(ByteRange, IgnoresTheRest) {
    for (const char* field :
         {"", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1-b", "bytes=+1-2",
          "bytes= 1-2", "items=0-1", "bytes=0-0,1-1", "bytes=--1"}) {
        EXPECT_EQ(told(field, 100), "whole 0+100") << field;
    }
}

}  // namespace
}  // namespace tapestry
