#include "apps/pump.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace tapestry {
namespace {

constexpr std::size_t kBlock = std::size_t{128} << 10;

}  // namespace

StandardOutput::StandardOutput() {
    struct stat status {};
    if (fstat(1, &status) == 0 && S_ISFIFO(status.st_mode)) {
        own_ = UniqueFd(open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
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

Pump::~Pump() {
    watch_input(false);
    if (watching_output_) net_.loop()->unwatch_fd(output_.fd());
}

std::expected<void, Errno> Pump::run(Duration idle) {
    last_activity_ = net_.now();
    while (!finished()) {
        const TimePoint limit = idle == Duration{} ? kNever : last_activity_ + idle;
        if (net_.world() != nullptr) {
            if (!run_in_memory()) break;
            continue;
        }
        if (net_.run_until([&] { return finished(); }, limit)) break;
        if (!net_.interruption().empty()) break;
        if (idle != Duration{} && net_.now() >= last_activity_ + idle) {
            return std::unexpected(Errno::TimedOut);
        }
    }
    if (error_) return std::unexpected(*error_);
    return {};
}

/// Does what can be done now; true when there is nothing left to do.
bool Pump::finished() {
    while (!stream_ended_ && !error_ && write_output()) {
    }
    if (error_) return true;
    if (net_.loop() != nullptr) watch_input(!input_ended_ && socket_.readiness().writable);
    const TcpState state = socket_.state();
    const bool ours_done = input_ended_ || state == TcpState::Closed;
    // Our FIN is acknowledged when the state has gone past those that wait for that.
    return stream_ended_ && (ours_done || !socket_.readiness().writable) &&
           state != TcpState::LastAck && state != TcpState::Closing && state != TcpState::FinWait1;
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
    const bool full = n == 0 && net_.loop() != nullptr;
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
        net_.loop()->watch_fd(0, EPOLLIN, [this](u32) { read_input(); });
    } else {
        net_.loop()->unwatch_fd(0);
    }
}

/// One block from stdin to the connection, no more than that takes.
void Pump::read_input() {
    const std::size_t room = std::min(kBlock, socket_.writable_bytes());
    if (room == 0 || input_ended_) return;
    std::vector<u8> block(room);
    const ssize_t n = read(0, block.data(), room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    last_activity_ = net_.now();
    if (n <= 0) {
        input_ended_ = true;
        static_cast<void>(socket_.shutdown(Shutdown::Send));
        return;
    }
    const auto sent = socket_.write(Bytes(block).first(static_cast<std::size_t>(n)));
    if (!sent && sent.error() != Errno::Again) error_ = sent.error();
}

/// In virtual time nothing happens while we wait for stdin, so it is simply waited for. False: nothing
/// is left that could happen.
bool Pump::run_in_memory() {
    if (!input_ended_ && socket_.readiness().writable) read_input();
    if (!input_ended_) {
        net_.run_until([&] { return finished(); }, net_.now() + 1s);
        return true;
    }
    return net_.run_until([&] { return finished(); });
}

}  // namespace tapestry
