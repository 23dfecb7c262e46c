// Holds the names of this folder's tests against the checklist beside the project: every row about the
// stack has a test, or a line in elsewhere.txt that says where it is or why there is none.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

const fs::path kTests(TEST_ROOT);

/// "IP4_01_TotalLengths..." -> "IP4-01"; "" for other names.
std::string row_of(const std::string& test) {
    const std::size_t first = test.find('_');
    const std::size_t second = first == std::string::npos ? first : test.find('_', first + 1);
    if (second == std::string::npos) return "";
    return test.substr(0, first) + "-" + test.substr(first + 1, second - first - 1);
}

std::set<std::string> tested_rows() {
    std::set<std::string> rows;
    const auto* unit = testing::UnitTest::GetInstance();
    for (int i = 0; i < unit->total_test_suite_count(); ++i) {
        const auto* suite = unit->GetTestSuite(i);
        for (int j = 0; j < suite->total_test_count(); ++j) {
            const auto row = row_of(suite->GetTestInfo(j)->name());
            if (!row.empty()) rows.insert(row);
        }
    }
    return rows;
}

/// Row to the file that tests it, "not yet" or "not here".
std::map<std::string, std::string> elsewhere() {
    std::map<std::string, std::string> rows;
    std::ifstream in(kTests / "hostile" / "elsewhere.txt");
    std::string line;
    while (std::getline(in, line)) {
        if (line.empty() || line[0] == '#' || line[0] == ' ') continue;
        const auto first = line.find(" | ");
        const auto second = line.find(" | ", first + 3);
        EXPECT_NE(second, std::string::npos) << line;
        if (second == std::string::npos) continue;
        EXPECT_GT(line.size(), second + 3) << "no remark: " << line;
        const bool fresh =
            rows.emplace(line.substr(0, first), line.substr(first + 3, second - first - 3)).second;
        EXPECT_TRUE(fresh) << "twice: " << line;
    }
    return rows;
}

/// This one needs no checklist.
TEST(HostileCoverage, ElsewhereNamesFilesThatExistAndRowsThatHaveNoTestHere) {
    const auto tested = tested_rows();
    const auto rows = elsewhere();
    EXPECT_FALSE(rows.empty());
    for (const auto& [row, where] : rows) {
        EXPECT_FALSE(tested.contains(row)) << row << " has a test";
        const bool none = where == "not yet" || where == "not here";
        EXPECT_TRUE(none || fs::exists(kTests.parent_path() / where)) << row << ": " << where;
    }
}

TEST(HostileCoverage, EveryRowHasATestOrALine) {
    const auto file =
        kTests.parent_path().parent_path() / "shared" / "checklists" / "bad-inputs.tsv";
    if (!fs::exists(file)) GTEST_SKIP() << "there is no ../shared/checklists/bad-inputs.tsv";
    const std::set<std::string> ours = {"eth",       "arp",     "ipv4",      "frag",
                                        "icmp",      "udp",     "tcp-parse", "tcp-opt",
                                        "tcp-state", "tcp-dos", "api"};
    auto tested = tested_rows();
    auto listed = elsewhere();
    std::ifstream in(file);
    std::string line;
    std::size_t count = 0;
    while (std::getline(in, line)) {
        const auto first = line.find('\t');
        const auto second = line.find('\t', first + 1);
        if (second == std::string::npos) continue;
        const std::string row = line.substr(0, first);
        if (!ours.contains(line.substr(first + 1, second - first - 1))) continue;
        ++count;
        EXPECT_EQ(tested.erase(row) + listed.erase(row), 1U) << row << " has neither";
    }
    EXPECT_GE(count, 200U);
    for (const auto& row : tested) ADD_FAILURE() << row << " is no row of the checklist";
    for (const auto& [row, where] : listed) ADD_FAILURE() << row << " is no row of the checklist";
}

}  // namespace
