#include "apps/toml_file.h"

#include <gtest/gtest.h>

#include "apps/duration.h"
#include "apps/failure.h"

namespace tapestry {
namespace {

TomlTable parse(const std::string& text) { return parse_toml(text, "f.toml"); }

/// What is said when `read` is applied to a file of this text.
template <typename Read>
std::string refusal(const std::string& text, Read read) {
    try {
        read(parse(text));
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), kUsage);
        return failure.what();
    }
    return "taken";
}

TEST(TomlFile, ReadsEveryType) {
    const TomlTable root = parse(R"(
text = "hello"
count = 5
rate = 0.5
yes = true
time = "2h4m"
host = "192.168.3.1"
net = "192.168.3.1/24"
station = "02:00:00:00:00:01"
loss = "0.5%"
loss2 = 3
kind = "b"
lines = ["one", "two"]
[table]
inner = 1
[[thing]]
n = 1
[[thing]]
n = 2
)");
    EXPECT_EQ(root.string("text"), "hello");
    EXPECT_EQ(root.integer("count", 0, 5), 5);
    EXPECT_EQ(root.number("rate", 0, 1), 0.5);
    EXPECT_EQ(root.number("count", 0, 9), 5);
    EXPECT_EQ(root.boolean("yes"), true);
    EXPECT_EQ(root.duration("time"), Duration(7440s));
    EXPECT_EQ(root.address("host"), Ipv4Address(192, 168, 3, 1));
    EXPECT_EQ(root.prefix("net"), (Ipv4Prefix{Ipv4Address(192, 168, 3, 1), 24}));
    EXPECT_EQ(root.mac("station"), MacAddress({2, 0, 0, 0, 0, 1}));
    EXPECT_EQ(root.percentage("loss"), 0.5);
    EXPECT_EQ(root.percentage("loss2"), 3);
    EXPECT_EQ(root.choice("kind", {"a", "b"}), 1U);
    ASSERT_EQ(root.strings("lines").size(), 2U);
    EXPECT_EQ(root.strings("lines")[1].text(), "two");
    EXPECT_EQ(root.table("table")->integer("inner", 0, 9), 1);
    ASSERT_EQ(root.tables("thing").size(), 2U);
    EXPECT_EQ(root.tables("thing")[1].integer("n", 0, 9), 2);
    EXPECT_EQ(root.keys().front(), "text");
    root.finish();
}

TEST(TomlFile, WhatIsNotThereIsNothing) {
    const TomlTable root = parse("");
    EXPECT_FALSE(root.string("a") || root.integer("a", 0, 1) || root.boolean("a") ||
                 root.duration("a") || root.address("a") || root.prefix("a") || root.mac("a") ||
                 root.percentage("a") || root.choice("a", {"x"}) || root.table("a") ||
                 root.located("a") || root.number("a", 0, 1));
    EXPECT_TRUE(root.strings("a").empty());
    EXPECT_TRUE(root.tables("a").empty());
    EXPECT_EQ(refusal("", [](const TomlTable& t) { t.need("a", t.string("a"), "a = \"x\""); }),
              "f.toml:1:1: a is missing (a = \"x\")");
}

TEST(TomlFile, SaysWhereAndWhatIsWrong) {
    const auto root = [](auto read) { return read; };
    EXPECT_EQ(refusal("\n a = 5", root([](const TomlTable& t) { t.string("a"); })),
              "f.toml:2:6: a: expected a text in quotes, found 5");
    EXPECT_EQ(refusal("a = 5", root([](const TomlTable& t) { t.integer("a", 6, 9); })),
              "f.toml:1:5: a: expected a whole number from 6 to 9, found 5");
    EXPECT_EQ(refusal("a = 1.5", root([](const TomlTable& t) { t.integer("a", 0, 9); })),
              "f.toml:1:5: a: expected a whole number from 0 to 9, found 1.5");
    EXPECT_EQ(refusal("a = \"x\"", root([](const TomlTable& t) { t.number("a", 0, 0.5); })),
              "f.toml:1:5: a: expected a number from 0 to 0.5, found \"x\"");
    EXPECT_EQ(refusal("a = nan", root([](const TomlTable& t) { t.percentage("a"); })),
              "f.toml:1:5: a: expected a part of a hundred, like 5 or \"0.5%\", found nan");
    EXPECT_EQ(refusal("a = \"5\"", root([](const TomlTable& t) { t.percentage("a"); })),
              "f.toml:1:5: a: expected a part of a hundred, like 5 or \"0.5%\", found \"5\"");
    EXPECT_EQ(refusal("a = 1", root([](const TomlTable& t) { t.boolean("a"); })),
              "f.toml:1:5: a: expected true or false, found 1");
    EXPECT_EQ(refusal("a = \"5\"", root([](const TomlTable& t) { t.duration("a"); })),
              "f.toml:1:5: a: expected a time like \"30s\", \"2h4m\" or \"250ms\", found \"5\"");
    EXPECT_EQ(refusal("a = \"5ms\"", root([](const TomlTable& t) { t.duration("a", 2s); })),
              "f.toml:1:5: a: expected a time like \"30s\", \"2h4m\" or \"250ms\", at least 2 s, "
              "found \"5ms\"");
    EXPECT_EQ(refusal("a = true", root([](const TomlTable& t) { t.address("a"); })),
              "f.toml:1:5: a: expected an address like \"192.168.3.1\", found true");
    EXPECT_EQ(refusal("[t]\na = \"1.2.3.4\"",
                      root([](const TomlTable& t) { t.table("t")->prefix("a"); })),
              "f.toml:2:5: t.a: expected an address with its prefix length, like "
              "\"192.168.3.1/24\", found \"1.2.3.4\"");
    EXPECT_EQ(refusal("a = \"01:00:00:00:00:00\"", root([](const TomlTable& t) { t.mac("a"); })),
              "f.toml:1:5: a: expected an Ethernet address of one station, like "
              "\"02:00:00:00:00:01\", found \"01:00:00:00:00:00\"");
    EXPECT_EQ(refusal("a = \"z\"", root([](const TomlTable& t) {
                          t.choice("a", {"x", "y", "w"});
                      })),
              "f.toml:1:5: a: expected \"x\", \"y\" or \"w\", found \"z\"");
    EXPECT_EQ(refusal("a = [\"x\", 1]", root([](const TomlTable& t) { t.strings("a"); })),
              "f.toml:1:11: a: expected a list of texts, like [\"one\", \"two\"], found 1");
    EXPECT_EQ(refusal("a = 1", root([](const TomlTable& t) { t.table("a"); })),
              "f.toml:1:5: a: expected a table, [a], found 1");
    EXPECT_EQ(refusal("[a]", root([](const TomlTable& t) { t.tables("a"); })),
              "f.toml:1:1: a: expected tables, each under [[a]], found a table");
    EXPECT_EQ(refusal("a = 1", root([](const TomlTable& t) { t.refuse("a", "no"); })),
              "f.toml:1:5: a: no");
}

TEST(TomlFile, RefusesUnknownKeysAndNamesTheNearest) {
    const auto read = [](const TomlTable& t) {
        t.integer("max_flows", 0, 9);
        t.finish();
    };
    EXPECT_EQ(refusal("max_flow = 1", read),
              "f.toml:1:1: max_flow: the key is not known (did you mean max_flows?)");
    EXPECT_EQ(refusal("max_flows = 1\nx = 1", read), "f.toml:2:1: x: the key is not known");
}

TEST(TomlFile, WhatIsNotTomlIsRefusedInOneLine) {
    for (const char* text : {"a = ", "a = 1\na = 2", "= 5", "a = \"x", "[a\n", "a = \"\xff\""}) {
        const std::string line = refusal(text, [](const TomlTable&) {});
        EXPECT_TRUE(line.starts_with("f.toml:")) << line;
        EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    }
    EXPECT_THROW(read_toml("/nowhere/f.toml"), Failure);
    EXPECT_THROW(read_toml("/"), Failure);
}

TEST(TomlFile, FindsAByteOfAStringInTheFile) {
    const auto place = [](const std::string& text, std::size_t offset) {
        return parse(text).located("a")->place(offset);
    };
    EXPECT_EQ(place("a = \"one two\"", 0), "f.toml:1:6");
    EXPECT_EQ(place("a = \"one two\"", 4), "f.toml:1:10");
    EXPECT_EQ(place("a = 'one two'", 4), "f.toml:1:10");
    EXPECT_EQ(place("a = \"\\\"x\\\" two\"", 4), "f.toml:1:12");
    EXPECT_EQ(place("a = \"\\u00e9 two\"", 3), "f.toml:1:13");
    EXPECT_EQ(place("a = \"\xc3\xa9 two\"", 3), "f.toml:1:8");
    EXPECT_EQ(place("a = \"\"\"\none\n two\"\"\"", 5), "f.toml:3:2");
    EXPECT_EQ(place("a = \"\"\"one \\\n  two\"\"\"", 4), "f.toml:2:3");
    EXPECT_EQ(place("a = \"x\"", 99), "f.toml:1:8");
}

TEST(Durations, NeedUnits) {
    EXPECT_EQ(parse_duration("250ms"), Duration(250ms));
    EXPECT_EQ(parse_duration("1.5s"), Duration(1500ms));
    EXPECT_EQ(parse_duration("1d2h3m4s5ms6us"), Duration(93784005006us));
    EXPECT_EQ(parse_duration("0s"), Duration{});
    for (const char* text : {"", "5", "s", "-5s", "5 s", "5parsecs", "1e3s", "99999999d", "5s5"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

}  // namespace
}  // namespace tapestry
