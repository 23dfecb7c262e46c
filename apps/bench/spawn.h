#pragma once

#include <sys/types.h>

#include <array>
#include <functional>

#include "drivers/unique_fd.h"

namespace tapestry {

/// A child that runs `body` and ends with its parent; the exit status is 0 unless body throws.
pid_t spawn(const std::function<void()>& body);
/// Kills it and waits for its end.
void end_child(pid_t child);

/// For a byte, or a figure, from one process to another.
struct Pipe {
    Pipe();
    void send_byte() const;
    /// Throws SetupError when the other side has gone.
    void wait_for_byte() const;
    void send(double figure) const;
    double wait_for_figure() const;

    UniqueFd read_end;
    UniqueFd write_end;
};

}  // namespace tapestry
