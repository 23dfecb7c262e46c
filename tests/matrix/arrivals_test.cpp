#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "tests/matrix/arrivals_page.h"
#include "tests/support/script.h"

// Every row of the tables in docs/tcp-arrivals.md is a test: RFC 9293 section 3.10.7, state by state and
// segment by segment. The page explains itself.

namespace tapestry::test {
namespace {

constexpr auto kPage = TEST_ROOT "/../docs/tcp-arrivals.md";

ScriptResult play(const Arrival& arrival, const ScriptNumbers& numbers) {
    const auto script = parse_script(name(arrival), script_of(arrival));
    if (!script) return {false, script.error()};
    return run_script(*script, numbers);
}

class Arrivals : public testing::TestWithParam<Arrival> {};

TEST_P(Arrivals, AsThePageSays) {
    const ScriptNumbers near_end{.iss = 0xfffffff0, .peer_iss = 0xfffffff0};
    const ScriptNumbers near_middle{.iss = 0x7ffffff0, .peer_iss = 0x7ffffff0};
    for (const ScriptNumbers& numbers : {ScriptNumbers{}, near_end, near_middle}) {
        const ScriptResult result = play(GetParam(), numbers);
        ASSERT_TRUE(result.passed) << "docs/tcp-arrivals.md:" << GetParam().line << " is not what "
                                   << "the stack does, as this script shows:\n\n"
                                   << script_of(GetParam()) << '\n'
                                   << result.report;
    }
}

INSTANTIATE_TEST_SUITE_P(Page, Arrivals, testing::ValuesIn(read_arrivals(kPage)),
                         [](const auto& row) { return name(row.param); });

TEST(ArrivalsPage, HasEveryStateWithEveryKindOfSegment) {
    constexpr std::array kStates = {
        "CLOSED",      "LISTEN",     "SYN-SENT",   "SYN-RECEIVED", "SYN-RECEIVED, opened actively",
        "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",   "CLOSING",
        "LAST-ACK",    "TIME-WAIT"};
    constexpr std::array kKinds = {"SYN",
                                   "SYN outside the window",
                                   "SYN-ACK",
                                   "ACK",
                                   "ACK, old",
                                   "ACK, too new",
                                   "data",
                                   "data left of the window",
                                   "data right of the window",
                                   "data over the left edge",
                                   "FIN",
                                   "RST, exact",
                                   "RST in the window",
                                   "RST outside the window",
                                   "no flags",
                                   "URG"};
    std::map<std::string, std::set<std::string>> kinds;
    for (const Arrival& row : read_arrivals(kPage)) {
        EXPECT_TRUE(kinds[row.state].insert(row.kind).second) << name(row) << " is there twice";
    }
    EXPECT_EQ(kinds.size(), kStates.size());
    for (const char* state : kStates) {
        for (const char* kind : kKinds) EXPECT_TRUE(kinds[state].contains(kind)) << state << kind;
    }
}

/// Whether the row passes; a row that makes no sense does not.
bool passes(const Arrival& arrival) {
    try {
        return play(arrival, {}).passed;
    } catch (const std::runtime_error&) {
        return false;
    }
}

/// Each cell is looked at: with another value in it the row fails.
TEST(ArrivalsPage, AWrongCellFails) {
    for (const Arrival& row : read_arrivals(kPage)) {
        ASSERT_TRUE(passes(row)) << name(row);
        Arrival wrong = row;
        wrong.next_state = row.next_state == "FIN-WAIT-1" ? "FIN-WAIT-2" : "FIN-WAIT-1";
        EXPECT_FALSE(passes(wrong)) << "next state of " << name(row);
        wrong = row;
        wrong.reply = row.reply.empty() ? ". 1:1(0) ack 1" : row.reply + '1';
        EXPECT_FALSE(passes(wrong)) << "reply of " << name(row);
        wrong.reply.clear();
        EXPECT_TRUE(row.reply.empty() || !passes(wrong)) << "reply of " << name(row);
        wrong = row;
        wrong.delivered = row.delivered == "end" ? "nothing" : "end";
        EXPECT_FALSE(passes(wrong)) << "delivered of " << name(row);
    }
}

}  // namespace
}  // namespace tapestry::test
