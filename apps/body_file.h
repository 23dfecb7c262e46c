#pragma once

#include <string>

#include "stack/base/types.h"

namespace tapestry {

/// Where a body goes: stdout, or a file that appears under its name only when it is whole. Until then it
/// grows beside it under another name, which a failure removes.
class BodyFile {
public:
    /// "" or "-": stdout. Throws Failure with curl's code 23.
    explicit BodyFile(const std::string& path);
    ~BodyFile();
    BodyFile(const BodyFile&) = delete;
    BodyFile& operator=(const BodyFile&) = delete;

    /// False: it cannot be written (a full disk, a reader that has gone).
    bool write(Bytes bytes);
    /// The body is whole. Throws Failure when the file cannot get its name.
    void commit();

private:
    int fd_ = 1;
    std::string path_;
    std::string temporary_;  ///< empty: written in place (a device, a pipe, stdout)
};

}  // namespace tapestry
