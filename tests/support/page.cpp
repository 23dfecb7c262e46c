#include "tests/support/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace tapestry::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// The lines that are in one only, in the order in which they are there.
std::string difference(const std::string& before, const std::string& after) {
    const std::vector<std::string> old_lines = lines_of(before);
    const std::vector<std::string> new_lines = lines_of(after);
    const auto missing = [](const auto& from, const auto& in, const std::string& mark) {
        std::string text;
        for (const std::string& line : from) {
            if (std::find(in.begin(), in.end(), line) == in.end()) text += mark + line + '\n';
        }
        return text;
    };
    return missing(old_lines, new_lines, "- ") + missing(new_lines, old_lines, "+ ");
}

}  // namespace

void expect_section(const std::filesystem::path& page, const std::string& heading,
                    const std::string& text) {
    std::ifstream in(page);
    std::string whole((std::istreambuf_iterator<char>(in)), {});
    in.close();
    const std::string wanted = "\n" + heading + "\n\n" + text;
    const std::size_t begin = whole.find("\n" + heading + "\n");
    const std::size_t end =
        begin == std::string::npos ? begin : whole.find("\n\n## ", begin + heading.size());
    const std::string written =
        begin == std::string::npos
            ? ""
            : whole.substr(begin, end == std::string::npos ? end : end + 1 - begin);
    if (written == wanted) return;
    if (std::getenv("TAPESTRY_WRITE_PAGES") != nullptr) {
        if (begin == std::string::npos) {
            whole += wanted;
        } else {
            whole.replace(begin, written.size(), wanted);
        }
        std::ofstream(page) << whole;
        return;
    }
    std::string name = page.stem().string() + '.' + heading.substr(heading.find(' ') + 1) + ".md";
    std::erase(name, ',');
    std::replace(name.begin(), name.end(), ' ', '-');
    const std::filesystem::path beside = std::filesystem::current_path() / name;
    std::ofstream(beside) << heading << "\n\n" << text;
    ADD_FAILURE() << page << " is not what this test gives, below \"" << heading << "\":\n"
                  << difference(written, wanted) << "The new section is in " << beside
                  << "; the page itself says how to make it anew, if the change is meant";
}

}  // namespace tapestry::test
