// Holds the names of this folder's tests against README.md's table, and against the list of bugs beside
// the project: a row for each test, a test for each row.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

const fs::path kTests(TEST_ROOT);

/// The names of the tests that belong to a row: "B12_...".
std::multiset<std::string> row_tests() {
    std::multiset<std::string> names;
    const auto* unit = testing::UnitTest::GetInstance();
    for (int i = 0; i < unit->total_test_suite_count(); ++i) {
        const auto* suite = unit->GetTestSuite(i);
        for (int j = 0; j < suite->total_test_count(); ++j) {
            const std::string name = suite->GetTestInfo(j)->name();
            if (name.size() > 4 && name[0] == 'B' && name[3] == '_') names.insert(name);
        }
    }
    return names;
}

/// The first column of the lines of a table, where it is as long as `size` and begins so.
std::multiset<std::string> first_column(const fs::path& file, const std::string& begins) {
    std::multiset<std::string> cells;
    std::ifstream in(file);
    std::string line;
    while (std::getline(in, line)) {
        if (!line.starts_with("| " + begins)) continue;
        const auto end = line.find(" |", 2);
        if (end != std::string::npos) cells.insert(line.substr(2, end - 2));
    }
    return cells;
}

TEST(BugsCoverage, TheTableNamesEveryTest) {
    std::multiset<std::string> rows;
    for (const auto& name : row_tests()) rows.insert(name.substr(0, 3));
    EXPECT_EQ(first_column(kTests / "bugs" / "README.md", "B"), rows);
    std::ifstream in(kTests / "bugs" / "README.md");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (const auto& name : row_tests()) {
        EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
    }
}

TEST(BugsCoverage, EveryRowOfTheListHasOneTest) {
    const auto file =
        kTests.parent_path().parent_path() / "shared" / "checklists" / "subtle-bugs.md";
    if (!fs::exists(file)) GTEST_SKIP() << "there is no ../shared/checklists/subtle-bugs.md";
    std::multiset<std::string> listed;
    for (int digit = 1; digit <= 9; ++digit) {
        for (const auto& cell : first_column(file, std::to_string(digit))) {
            listed.insert(cell.size() == 1 ? "B0" + cell : "B" + cell);
        }
    }
    EXPECT_GE(listed.size(), 65U);
    std::multiset<std::string> rows;
    for (const auto& name : row_tests()) rows.insert(name.substr(0, 3));
    EXPECT_EQ(rows, listed);
}

}  // namespace
