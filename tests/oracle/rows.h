#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/types.h"

namespace tapestry::test {

/// One observation of Linux: which case, what was sent to it, what it answered.
struct OracleRow {
    std::string id;        ///< of the case
    std::string input;     ///< in words, without the case that some inputs begin with
    std::string reaction;  ///< "silent", or packets in the notation of oracle/reaction.h

    bool has(std::string_view word) const { return input.find(word) != std::string::npos; }
    /// The number behind `word`, decimal or 0x...; with no word the first one.
    u32 number(std::string_view word = "") const {
        std::size_t at = input.find(word);
        if (at == std::string::npos) return 0;
        at = input.find_first_of("0123456789", at + word.size());
        return at == std::string::npos ? 0
                                       : static_cast<u32>(std::stoul(input.substr(at), nullptr, 0));
    }
    std::string key() const { return id + " | " + input; }
};

inline std::filesystem::path shared_checklist(const char* name) {
    return std::filesystem::path(TEST_ROOT).parent_path().parent_path() / "shared" / "checklists" /
           name;
}

inline std::vector<std::string> split(const std::string& line, char at) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find(at, begin), line.size());
        parts.push_back(line.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

/// Every row below the heading line.
inline std::vector<OracleRow> read_oracle(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<OracleRow> rows;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        auto parts = split(line, '\t');
        if (parts.size() != 3) continue;
        if (parts[1].starts_with(parts[0] + " ")) parts[1].erase(0, parts[0].size() + 1);
        rows.push_back({parts[0], parts[1], parts[2]});
    }
    return rows;
}

}  // namespace tapestry::test
