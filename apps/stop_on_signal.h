#pragma once

#include <csignal>

#include "drivers/loop.h"

namespace tapestry {

/// As long as it lives, SIGINT and SIGTERM stop the loop instead of the program. One at a time.
class StopOnSignal {
public:
    /// The loop outlives it.
    explicit StopOnSignal(Loop& loop) {
        loop_ = &loop;
        std::signal(SIGINT, stop);
        std::signal(SIGTERM, stop);
    }
    ~StopOnSignal() {
        std::signal(SIGINT, SIG_DFL);
        std::signal(SIGTERM, SIG_DFL);
        loop_ = nullptr;
    }
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;

private:
    static void stop(int /*signal*/) {
        if (loop_ != nullptr) loop_->stop();
    }
    static inline Loop* loop_ = nullptr;
};

}  // namespace tapestry
