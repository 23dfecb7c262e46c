#include "apps/bench/spawn.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "drivers/setup_error.h"

namespace tapestry {

pid_t spawn(const std::function<void()>& body) {
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) throw SetupError("cannot start a process", errno);
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    try {
        body();
    } catch (const std::exception& error) {
        const std::string line = std::string(error.what()) + '\n';
        [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, line.data(), line.size());
        _exit(1);
    }
    _exit(0);
}

void end_child(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}

Pipe::Pipe() {
    std::array<int, 2> fds{};
    if (pipe(fds.data()) != 0) throw SetupError("cannot make a pipe", errno);
    read_end = UniqueFd(fds[0]);
    write_end = UniqueFd(fds[1]);
}

void Pipe::send_byte() const {
    if (write(write_end.get(), "", 1) != 1) throw SetupError("cannot write to a pipe", errno);
}

void Pipe::wait_for_byte() const {
    char byte = 0;
    if (read(read_end.get(), &byte, 1) != 1) throw SetupError("the other process has ended");
}

void Pipe::send(double figure) const {
    if (write(write_end.get(), &figure, sizeof figure) != sizeof figure) {
        throw SetupError("cannot write to a pipe", errno);
    }
}

double Pipe::wait_for_figure() const {
    double figure = 0;
    if (read(read_end.get(), &figure, sizeof figure) != sizeof figure) {
        throw SetupError("a figure could not be measured");
    }
    return figure;
}

}  // namespace tapestry
