#include "apps/pump.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

namespace tapestry {
namespace {

constexpr std::size_t kBlock = std::size_t{128} << 10;

/// Files and closed pipes are always ready: whoever reads or writes then is told.
void wait_for(int fd, short events) {
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    poll(&entry, 1, -1);
}

}  // namespace

StandardOutput::StandardOutput(int fd) : given_(fd) {
    struct stat status {};
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) {
        const std::string again = "/proc/self/fd/" + std::to_string(fd);
        own_ = UniqueFd(open(again.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    }
}

ssize_t StandardOutput::write(Bytes bytes) {
    while (true) {
        const ssize_t n = ::write(fd(), bytes.data(), bytes.size());
        if (n >= 0) return n;
        if (errno == EAGAIN) return 0;
        if (errno != EINTR) return -1;
    }
}

void StandardOutput::wait_for_room() { wait_for(fd(), POLLOUT); }

Pump::~Pump() {
    watch_input(false);
    if (watching_output_) net_.loop()->unwatch_fd(output_.fd());
}

std::expected<void, Errno> Pump::run(Duration idle) {
    last_activity_ = net_.now();
    while (!finished()) {
        if (net_.world() != nullptr && !input_ended_ && socket_.readiness().writable) {
            wait_for(input_, POLLIN);
            read_input();
        }
        const TimePoint limit = idle == Duration{} ? kNever : last_activity_ + idle;
        if (net_.world() != nullptr) {
            if (run_in_memory(limit)) continue;
            return std::unexpected(Errno::TimedOut);
        }
        if (net_.run_until([&] { return finished(); }, limit)) break;
        if (!net_.interruption().empty()) break;
        if (idle != Duration{} && net_.now() >= last_activity_ + idle) {
            return std::unexpected(Errno::TimedOut);
        }
    }
    if (error_) return std::unexpected(*error_);
    if (send_error_) return std::unexpected(*send_error_);
    return {};
}

/// Does what can be done now; true when there is nothing left to do.
bool Pump::finished() {
    while (!stream_ended_ && !error_ && write_output()) {
    }
    if (error_) return true;
    if (net_.loop() != nullptr) watch_input(!input_ended_ && socket_.readiness().writable);
    const TcpState state = socket_.state();
    // A peer that has closed its direction still takes ours: a full buffer is not the end.
    const bool ours_done = input_ended_ || state == TcpState::Closed;
    // Our FIN is acknowledged when the state has gone past those that wait for that.
    return stream_ended_ && ours_done && state != TcpState::LastAck && state != TcpState::Closing &&
           state != TcpState::FinWait1;
}

/// One block from the connection to stdout; false when there is none, or no room.
bool Pump::write_output() {
    const auto pieces = socket_.peek(kBlock);
    if (!pieces) {
        if (pieces.error() != Errno::Again) error_ = pieces.error();
        return false;
    }
    if ((*pieces)[0].empty()) {
        stream_ended_ = true;
        return false;
    }
    last_activity_ = net_.now();
    const ssize_t n = output_.write((*pieces)[0]);
    if (n < 0) error_ = Errno::BrokenPipe;
    if (n > 0) socket_.consume(static_cast<std::size_t>(n));
    if (net_.loop() == nullptr) {
        // No event of the world would tell that there is room again.
        if (n == 0) output_.wait_for_room();
        return n >= 0;
    }
    const bool full = n == 0;
    if (full != watching_output_) {
        watching_output_ = full;
        if (full) {
            net_.loop()->watch_fd(output_.fd(), EPOLLOUT, [](u32) {});
        } else {
            net_.loop()->unwatch_fd(output_.fd());
        }
    }
    return n > 0;
}

void Pump::watch_input(bool on) {
    if (on == watching_input_) return;
    watching_input_ = on;
    if (on) {
        net_.loop()->watch_fd(input_, EPOLLIN, [this](u32) { read_input(); });
    } else {
        net_.loop()->unwatch_fd(input_);
    }
}

/// One block from stdin to the connection, no more than that takes.
void Pump::read_input() {
    const std::size_t room = std::min(kBlock, socket_.writable_bytes());
    if (room == 0 || input_ended_) return;
    std::vector<u8> block(room);
    const ssize_t n = read(input_, block.data(), room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    last_activity_ = net_.now();
    if (n <= 0) {
        input_ended_ = true;
        static_cast<void>(socket_.shutdown(Shutdown::Send));
        return;
    }
    const auto sent = socket_.write(Bytes(block).first(static_cast<std::size_t>(n)));
    if (sent) return;
    // The peer may have said something before it stopped listening: that is still to be written.
    input_ended_ = true;
    send_error_ = sent.error();
}

/// Until the end, or until stdin is to be read again. False: the limit has come, or nothing is left that
/// could happen.
bool Pump::run_in_memory(TimePoint limit) {
    const auto done = [&] { return finished(); };
    if (input_ended_) return net_.run_until(done, limit);
    const TimePoint pause = std::min(limit, net_.now() + 1s);
    return net_.run_until(done, pause) || pause < limit;
}

}  // namespace tapestry
