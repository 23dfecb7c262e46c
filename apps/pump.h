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
    explicit StandardOutput(int fd = 1);
    /// How much was taken, 0: full for now. An error is told as -1: the reader has gone.
    ssize_t write(Bytes bytes);
    /// Waits until there is room. For a program in virtual time, which nothing else wakes.
    void wait_for_room();
    int fd() const { return own_ ? own_.get() : given_; }

private:
    int given_;
    /// A pipe opened anew: non-blocking for us alone, not for whoever shares our stdout.
    UniqueFd own_;
};

/// Carries bytes between a TCP connection and stdin and stdout until both directions have ended: stdin's
/// end becomes our FIN, the peer's FIN the end of the output. Neither side is read faster than the other
/// one takes it. In virtual time stdin and stdout are simply waited for: nothing else happens meanwhile.
class Pump {
public:
    Pump(Attachment& net, TcpSocket& socket, int in = 0, int out = 1)
        : net_(net), socket_(socket), input_(in), output_(out) {}
    ~Pump();
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;

    /// Runs to the end; `idle` (0: forever): so long neither side may be silent. The error that ended
    /// it before: TimedOut for silence (or when nothing is left in a world that could break it),
    /// BrokenPipe when nobody reads our output.
    std::expected<void, Errno> run(Duration idle);

private:
    void watch_input(bool on);
    void read_input();
    bool write_output();
    bool finished();
    bool run_in_memory(TimePoint limit);

    Attachment& net_;
    TcpSocket& socket_;
    int input_;
    StandardOutput output_;
    bool watching_input_ = false;
    bool watching_output_ = false;
    bool input_ended_ = false;
    bool stream_ended_ = false;
    std::optional<Errno> error_;
    std::optional<Errno> send_error_;  ///< told when what had arrived before it is written
    TimePoint last_activity_{};
};

}  // namespace tapestry
