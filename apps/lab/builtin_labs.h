#pragma once

#include <span>
#include <string_view>

namespace tapestry {

/// A scenario file that is part of the program.
struct BuiltinLab {
    std::string_view name;
    std::string_view text;
};

/// apps/labs/*.toml as they were when the program was built, by name. CMake writes the table.
std::span<const BuiltinLab> builtin_labs();

}  // namespace tapestry
