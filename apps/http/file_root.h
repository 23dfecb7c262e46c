#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/unique_fd.h"
#include "stack/base/types.h"

namespace tapestry {

/// A directory whose files may be given to strangers. Nothing outside of it is ever opened, whatever a
/// name says: not by "..", not by an absolute path, not through a symbolic link; and nothing but
/// regular files and directories.
class FileRoot {
public:
    struct Entry {
        UniqueFd fd;
        bool directory = false;
        u64 size = 0;
        i64 modified = 0;  ///< seconds since 1970
    };

    /// Throws SetupError.
    explicit FileRoot(const std::string& path);

    /// `path` is relative to the root, its parts divided by '/'; "" is the root itself. The error is an
    /// HTTP status: 404, or 403 for what is there but not to be given.
    std::expected<Entry, int> open(const std::string& path) const;
    /// The names in a directory, sorted, directories with a '/' at their end; hidden ones are left out.
    std::vector<std::string> list(const Entry& directory) const;

private:
    UniqueFd open_beneath(const std::string& path) const;

    UniqueFd root_;
};

/// What a request's target names below a root: the query cut off, percent-encoding undone once, empty
/// parts left out. "/a//b%20c?x" gives "a/b c". The error is an HTTP status: 400 for a target that is
/// malformed, 404 for one with a "." or ".." in it, which no honest client sends (RFC 3986 6.2.2.3).
std::expected<std::string, int> path_of_target(std::string_view target);

}  // namespace tapestry
