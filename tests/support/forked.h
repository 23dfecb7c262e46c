#pragma once

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>

#include <grp.h>

#include "drivers/setup_error.h"

namespace tapestry::test {

/// How a test body in a child process ended.
struct ForkedResult {
    bool passed = false;
    std::string problem;  ///< why the system did not let it run: the one line of a SetupError
};

/// The user that tests of an ordinary user's view become. Whoever is one already stays what he is.
inline constexpr unsigned kNobody = 65534;
inline void become_nobody() {
    if (geteuid() != 0) return;
    if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(3);
    // A process that changes its user is locked out of its own files below /proc, unlike one that was
    // started by that user.
    prctl(PR_SET_DUMPABLE, 1);
}

/// Runs `body` in a child process, which may change its namespaces and its user: the test's own
/// process stays as it is. A child that hangs is killed after a while, and has failed.
inline ForkedResult run_forked(const std::function<void()>& body) {
    std::fflush(nullptr);
    int report[2] = {-1, -1};
    if (pipe(report) != 0) return {};
    const pid_t child = fork();
    if (child == 0) {
        close(report[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(60);
        try {
            body();
        } catch (const SetupError& error) {
            const std::string line = error.what();
            if (write(report[1], line.data(), line.size()) < 0) _exit(2);
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
        std::fflush(nullptr);
        _exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    close(report[1]);
    ForkedResult result;
    char buffer[512];
    ssize_t got = 0;
    while ((got = read(report[0], buffer, sizeof buffer)) > 0) {
        result.problem.append(buffer, static_cast<std::size_t>(got));
    }
    close(report[0]);
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.passed = WIFEXITED(status) && WEXITSTATUS(status) == 0 && result.problem.empty();
    return result;
}

/// For a test whose whole body needs rights that a machine may withhold: fails when the body does,
/// skips with the reason when the system says no.
inline void expect_passes_forked(const std::function<void()>& body) {
    const ForkedResult result = run_forked(body);
    if (!result.problem.empty()) GTEST_SKIP() << result.problem;
    EXPECT_TRUE(result.passed) << "in the child process: see above";
}

}  // namespace tapestry::test
