#include "apps/child_process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>

#include "drivers/setup_error.h"

namespace tapestry {
namespace {

pid_t spawn(const std::string& command) {
    std::string shell = "/bin/sh";
    std::string option = "-c";
    std::string text = command;
    char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
    pid_t pid = -1;
    const int error = posix_spawn(&pid, shell.c_str(), nullptr, nullptr, arguments, environ);
    if (error != 0) throw SetupError("cannot start " + shell, error);
    return pid;
}

}  // namespace

ChildProcess::ChildProcess(Attachment& net, const std::string& command)
    // In a sandbox this process is in the namespace itself, so that every child is.
    : net_(net), pid_(spawn(command)) {
    handle_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    if (!handle_) throw SetupError("cannot watch a child process (Linux 5.3 can)", errno);
    net_.loop()->watch_fd(handle_.get(), EPOLLIN, [this](u32) { reap(); });
}

ChildProcess::~ChildProcess() {
    if (status_ || pid_ < 0) return;
    net_.loop()->unwatch_fd(handle_.get());
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
}

void ChildProcess::reap() {
    int status = 0;
    if (status_ || waitpid(pid_, &status, WNOHANG) != pid_) return;
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    net_.loop()->unwatch_fd(handle_.get());
}

}  // namespace tapestry
