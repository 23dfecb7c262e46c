#pragma once

#include <expected>
#include <optional>

#include "apps/attachment.h"
#include "drivers/unique_fd.h"

namespace tapestry {

/// stdout for a program that must not wait: a reader that is slow makes a pipe full, which is told and
/// not waited for. (Files take everything; a terminal is waited for.)
class StandardOutput {
public:
    StandardOutput();
    /// How much was taken, 0: full for now. An error is told as -1: the reader has gone.
    ssize_t write(Bytes bytes);
    int fd() const { return own_ ? own_.get() : 1; }
    bool can_be_full() const { return static_cast<bool>(own_); }

private:
    /// A pipe opened anew: non-blocking for us alone, not for whoever shares our stdout.
    UniqueFd own_;
};

/// Carries bytes between a TCP connection and stdin and stdout until both directions have ended: stdin's
/// end becomes our FIN, the peer's FIN the end of the output. Neither side is read faster than the other
/// one takes it.
class Pump {
public:
    Pump(Attachment& net, TcpSocket& socket) : net_(net), socket_(socket) {}
    ~Pump();
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;

    /// Runs to the end; `idle` (0: forever): so long neither side may be silent. The error that ended
    /// it before: TimedOut for silence, BrokenPipe when nobody reads our output.
    std::expected<void, Errno> run(Duration idle);

private:
    void watch_input(bool on);
    void read_input();
    bool write_output();
    bool finished();
    bool run_in_memory();

    Attachment& net_;
    TcpSocket& socket_;
    StandardOutput output_;
    bool watching_input_ = false;
    bool watching_output_ = false;
    bool input_ended_ = false;
    bool stream_ended_ = false;
    std::optional<Errno> error_;
    TimePoint last_activity_{};
};

}  // namespace tapestry
