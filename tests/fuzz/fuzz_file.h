#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "stack/base/types.h"

namespace tapestry::test {

/// Bytes as a file, for readers that want a path: it lives in memory.
class FuzzFile {
public:
    FuzzFile() : fd_(memfd_create("fuzz", 0)) {
        if (fd_ < 0) std::abort();
    }
    FuzzFile(const FuzzFile&) = delete;
    FuzzFile& operator=(const FuzzFile&) = delete;
    ~FuzzFile() { close(fd_); }

    void set(Bytes bytes) const {
        if (ftruncate(fd_, 0) != 0) std::abort();
        for (std::size_t at = 0; at < bytes.size();) {
            const auto wrote =
                pwrite(fd_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
            if (wrote <= 0) std::abort();
            at += static_cast<std::size_t>(wrote);
        }
    }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
    int fd_;
};

}  // namespace tapestry::test
