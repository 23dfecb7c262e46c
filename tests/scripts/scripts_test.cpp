#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/script.h"

// Each file *.pkt of this folder is a test of its own, named after the file; README.md says how they
// are written. Every one is run three times: with initial sequence numbers as they come, with both
// sides close to 2^32 and with both close to 2^31, where the sign of a difference changes.

namespace tapestry::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> script_files() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(fs::path(TEST_ROOT) / "scripts")) {
        if (entry.path().extension() == ".pkt") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

class Scripts : public testing::TestWithParam<fs::path> {};

TEST_P(Scripts, Pass) {
    std::ifstream file(GetParam());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto script = parse_script(GetParam().filename().string(), text);
    ASSERT_TRUE(script) << script.error();
    const ScriptNumbers near_end{.iss = 0xfffffff0, .peer_iss = 0xfffffff0};
    const ScriptNumbers near_middle{.iss = 0x7ffffff0, .peer_iss = 0x7ffffff0};
    for (const ScriptNumbers& numbers : {ScriptNumbers{}, near_end, near_middle}) {
        const ScriptResult result = run_script(*script, numbers);
        ASSERT_TRUE(result.passed)
            << "with iss " << (numbers.iss ? std::to_string(*numbers.iss) : "any") << ", peer's "
            << numbers.peer_iss << "\n"
            << result.report;
    }
}

INSTANTIATE_TEST_SUITE_P(Files, Scripts, testing::ValuesIn(script_files()),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace tapestry::test
