#pragma once

#include <string>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// A value of a TOML file with its place: what toml++ has read, so that one file only needs its
/// headers.
struct TomlNode {
    enum class Kind : u8 { String, Integer, Float, Boolean, Date, List, Table };
    Kind kind = Kind::Table;
    std::string key;  ///< in its table
    std::string string;
    i64 integer = 0;
    double number = 0;  ///< of an integer, too
    bool boolean = false;
    std::vector<TomlNode> children;  ///< of a list or a table, in the order of the file
    u32 line = 1;                    ///< of the value, from 1
    u32 column = 1;                  ///< in characters, from 1
    u32 key_line = 1;
    u32 key_column = 1;
};

/// A file: its name, its text, and what that says.
struct TomlDocument {
    std::string name;
    std::string text;
    TomlNode root;

    /// "home.toml:3:11".
    std::string place(u32 line, u32 column) const;
};

/// Fills in `root` from `text`. Throws Failure.
void parse_document(TomlDocument& document);

}  // namespace tapestry
