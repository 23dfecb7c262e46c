// What a Linux 6.18 host did with some 1,600 odd inputs is written down beside the project. The same
// inputs go to our stack here; where it does something else, linux_differences.txt has to say why.

#include <gtest/gtest.h>

#include "tests/oracle/differences.h"
#include "tests/oracle/reaction.h"
#include "tests/oracle/recipes.h"
#include "tests/support/tcp_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

std::vector<OracleDifference> differences() {
    return read_differences(std::filesystem::path(TEST_ROOT) / "oracle" / "linux_differences.txt");
}

/// A stack of its own for every row, so that no limit and no state of one row meets another: TCP
/// listens on port 80, nobody has a UDP port.
std::string our_reaction(const OracleFrames& frames) {
    SeededRng rng(1);
    RecordingPort port;
    Stack stack(TcpHost::quiet(), rng);
    Interface& interface = stack.add_interface(port, {"eth0", kOurMac, {kUs, 24}}, TimePoint{});
    interface.arp().add_static(kPeer, kPeerMac, TimePoint{});
    Listener listener = stack.tcp_listener();
    EXPECT_TRUE(listener.listen({Ipv4Address(), 80}));
    PacketPool pool(PacketPool::kFrameSlot, 4);
    for (const auto& frame : frames) {
        Packet packet = pool.copy(frame);
        stack.receive(interface, std::span(&packet, 1), TimePoint{});
    }
    const auto sent = port.take();
    // Silence has a reason, too, and it is counted.
    const auto& drops = stack.counters().drops;
    const bool counted = std::ranges::any_of(drops, [](u64 count) { return count > 0; });
    return sent.empty() && !counted ? "silent, and not counted" : reaction_of(sent);
}

struct Finding {
    OracleRow row;
    std::string ours;
};

/// Every row whose reaction is not ours; the recipes that are missing, too.
std::vector<Finding> findings(const std::vector<OracleRow>& rows) {
    std::vector<Finding> list;
    for (const OracleRow& row : rows) {
        const auto recipe = recipe_for(row);
        const std::string ours = recipe ? our_reaction(recipe(row)) : "no recipe";
        if (ours != row.reaction) list.push_back({row, ours});
    }
    return list;
}

class LinuxOracle : public testing::Test {
protected:
    void SetUp() override {
        const auto file = shared_checklist("linux-oracle.tsv");
        if (!std::filesystem::exists(file)) {
            GTEST_SKIP() << "there is no ../shared/checklists/linux-oracle.tsv";
        }
        rows_ = read_oracle(file);
        ASSERT_GT(rows_.size(), 1500U);
    }
    std::vector<OracleRow> rows_;
};

TEST_F(LinuxOracle, WhatDiffersFromLinuxIsListedWithItsReason) {
    auto listed = differences();
    for (const Finding& finding : findings(rows_)) {
        const auto entry = std::ranges::find_if(
            listed, [&](const OracleDifference& one) { return one.covers(finding.row); });
        if (entry == listed.end()) {
            ADD_FAILURE() << finding.row.key() << "\n  Linux: " << finding.row.reaction
                          << "\n  we:    " << finding.ours << "\n  and no line says why";
            continue;
        }
        EXPECT_TRUE(fnmatch(entry->ours.c_str(), finding.ours.c_str(), 0) == 0)
            << finding.row.key() << "\n  we:    " << finding.ours << "\n  listed: " << entry->line;
        ++entry->rows;
    }
    for (const OracleDifference& one : listed) {
        EXPECT_GT(one.rows, 0U) << "no row differs like this any more: " << one.line;
    }
    // A pattern that is too wide would excuse what it was not written for.
    for (const OracleDifference& one : listed) {
        const auto covered = static_cast<std::size_t>(
            std::ranges::count_if(rows_, [&](const OracleRow& row) { return one.covers(row); }));
        EXPECT_EQ(one.rows, covered) << "some rows of it do not differ: " << one.line;
    }
}

/// This one needs no rows.
TEST(LinuxDifferences, EachNamesItsKind) {
    const auto listed = differences();
    EXPECT_FALSE(listed.empty());
    for (const OracleDifference& one : listed) {
        const bool kind = one.reason.starts_with("RFC ") || one.reason.starts_with("hardening: ") ||
                          one.reason.starts_with("not offered: ") ||
                          one.reason.starts_with("setting: ");
        EXPECT_TRUE(kind && !one.ours.empty()) << one.line;
    }
}

}  // namespace
}  // namespace tapestry
