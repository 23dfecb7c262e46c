#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tapestry {

/// The enumerators of `enum class NAME` as a header spells them, in order, kCount left out: what the
/// tables of names are held against. `path` counts from the root of the repository.
inline std::vector<std::string> enumerators_in(const std::string& path, const std::string& name) {
    std::ifstream file(std::string(TEST_ROOT) + "/../" + path);
    std::vector<std::string> found;
    std::string line;
    bool inside = false;
    while (std::getline(file, line)) {
        if (line.starts_with("enum class " + name + " ")) {
            inside = true;
            continue;
        }
        if (!inside) continue;
        if (line.starts_with("};")) break;
        line = line.substr(0, line.find("//"));
        std::istringstream words(line);
        std::string word;
        if (!(words >> word)) continue;
        word = word.substr(0, word.find_first_of(",="));
        if (word != "kCount") found.push_back(word);
    }
    return found;
}

}  // namespace tapestry
