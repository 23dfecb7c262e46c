#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "apps/attachment.h"
#include "drivers/unique_fd.h"

namespace tapestry {

/// A shell command that runs beside a stack: in the sandbox's namespace when there is one. Ended with
/// SIGTERM when this object dies before it.
class ChildProcess {
public:
    /// `net` has a loop and outlives the child. Throws SetupError.
    ChildProcess(Attachment& net, const std::string& command);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Its exit status as a shell tells it, 128 + N after signal N; nothing while it runs.
    std::optional<int> status() const { return status_; }

private:
    void reap();

    Attachment& net_;
    pid_t pid_ = -1;
    UniqueFd handle_;
    std::optional<int> status_;
};

}  // namespace tapestry
