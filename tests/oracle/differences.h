#pragma once

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/oracle/rows.h"

namespace tapestry::test {

/// Rows in which we do not react as Linux does, and why. One line of linux_differences.txt:
/// case | input, with * and ? | our reaction | reason
struct OracleDifference {
    std::string id;
    std::string input;
    std::string ours;
    std::string reason;
    std::string line;
    std::size_t rows = 0;  ///< that differ, as it says

    bool covers(const OracleRow& row) const {
        return fnmatch(id.c_str(), row.id.c_str(), 0) == 0 &&
               fnmatch(input.c_str(), row.input.c_str(), 0) == 0;
    }
};

inline std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos) return "";
    return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// A reason may go on in lines that begin with a blank.
inline std::vector<OracleDifference> read_differences(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<OracleDifference> list;
    std::string line;
    while (std::getline(in, line)) {
        if (line.empty() || line[0] == '#') continue;
        if (line[0] == ' ' && !list.empty()) {
            list.back().reason += " " + trimmed(line);
            continue;
        }
        const auto parts = split(line, '|');
        OracleDifference one;
        one.line = line;
        if (parts.size() == 4) {
            one.id = trimmed(parts[0]);
            one.input = trimmed(parts[1]);
            one.ours = trimmed(parts[2]);
            one.reason = trimmed(parts[3]);
        }
        list.push_back(one);
    }
    return list;
}

}  // namespace tapestry::test
