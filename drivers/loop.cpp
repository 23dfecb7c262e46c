#include "drivers/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "drivers/monotonic.h"
#include "drivers/setup_error.h"

/// System calls are what a loop costs. After a batch of several frames more have come meanwhile, as a
/// rule: the device is asked again at once, and epoll only every few turns, for the others' sake. After
/// a single frame nothing more is to be expected, and the loop goes to wait.

namespace tapestry {
namespace {

constexpr u32 kTurnsWithoutPoll = 16;
/// A device without a descriptor that keeps silent about its deadlines is asked this often.
constexpr Duration kMemoryDevicePeriod = 1ms;
constexpr u32 kFailuresUntilLost = 3;

}  // namespace

Loop::Loop(Stack& stack)
    : stack_(stack),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_ || !stop_fd_) throw SetupError("cannot make an event loop", errno);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = stop_fd_.get();
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_fd_.get(), &event) != 0) {
        throw SetupError("cannot watch an event", errno);
    }
}

Loop::~Loop() = default;

TimePoint Loop::now() const { return monotonic_now(); }

void Loop::add(Device& device, Interface& interface) {
    if (device.fd() >= 0) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = device.fd();
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, device.fd(), &event) != 0) {
            throw SetupError("cannot watch the device of " + interface.name(), errno);
        }
    }
    attachments_.push_back({&device, &interface, std::vector<Packet>(kSlots)});
}

void Loop::watch_fd(int fd, u32 events, FdCallback callback) {
    unwatch_fd(fd);
    auto watch = std::make_shared<Watch>();
    watch->callback = std::move(callback);
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        // Regular files cannot be waited for: they never block.
        if (errno != EPERM)
            throw SetupError("cannot watch file descriptor " + std::to_string(fd), errno);
        watch->always_ready = true;
        always_ready_.push_back(fd);
    }
    watches_[fd] = std::move(watch);
}

void Loop::unwatch_fd(int fd) {
    const auto found = watches_.find(fd);
    if (found == watches_.end()) return;
    if (found->second->always_ready) {
        std::erase(always_ready_, fd);
    } else {
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    }
    watches_.erase(found);
}

bool Loop::run_until(const std::function<bool()>& done, TimePoint deadline) {
    while (!done()) {
        const TimePoint time = now();
        if (stopped_ || lost_ != nullptr || time >= deadline) return false;
        stack_.advance(time);
        // A timer may have brought it about, and then nothing may ever wake us again.
        if (done()) break;
        turn(deadline);
    }
    // What the caller did last leaves now: nobody knows when the loop will run again.
    stack_.advance(now());
    return true;
}

void Loop::run_once(Duration max_wait) {
    const TimePoint time = now();
    stack_.advance(time);
    turn(time + max_wait);
}

void Loop::stop() noexcept {
    const int saved = errno;
    stopped_ = true;
    const u64 one = 1;
    // Full means that the loop will wake up anyway.
    [[maybe_unused]] const ssize_t written = write(stop_fd_.get(), &one, sizeof one);
    errno = saved;
}

void Loop::turn(TimePoint limit) {
    const bool busy = std::ranges::any_of(attachments_, &Attachment::ready);
    if (!busy) {
        turns_without_poll_ = 0;
        poll(next_wake(limit));
    } else if (++turns_without_poll_ >= kTurnsWithoutPoll) {
        turns_without_poll_ = 0;
        poll(TimePoint::min());
    }
    for (Attachment& attachment : attachments_) {
        const auto due = attachment.device->next_deadline();
        const bool asked = attachment.device->fd() < 0 || (due && *due <= now());
        if (attachment.ready || asked) drain(attachment);
    }
}

/// When the next thing happens that no descriptor tells.
TimePoint Loop::next_wake(TimePoint limit) {
    if (const auto deadline = stack_.next_deadline()) limit = std::min(limit, *deadline);
    for (const Attachment& attachment : attachments_) {
        const auto due = attachment.device->next_deadline();
        if (due) limit = std::min(limit, *due);
        if (!due && attachment.device->fd() < 0)
            limit = std::min(limit, now() + kMemoryDevicePeriod);
    }
    return limit;
}

void Loop::poll(TimePoint until) {
    // Callbacks may change the list: those that it has now are called.
    if (!always_ready_.empty()) until = TimePoint::min();
    const std::vector<int> files = always_ready_;

    std::array<epoll_event, 32> events;
    int count = 0;
    const auto room = static_cast<int>(events.size());
    if (until == kNever) {
        count = epoll_wait(epoll_.get(), events.data(), room, -1);
    } else {
        const Duration wait =
            until == TimePoint::min() ? Duration{} : std::max(until - now(), Duration{});
        if (fine_timeouts_) {
            timespec timeout{};
            timeout.tv_sec = wait / 1s;
            timeout.tv_nsec = (wait % 1s).count();
            count = epoll_pwait2(epoll_.get(), events.data(), room, &timeout, nullptr);
            if (count < 0 && errno == ENOSYS) fine_timeouts_ = false;
        } else {
            const i64 milliseconds = (wait + 999999ns) / 1ms;  // rounded up: never early
            count = epoll_wait(epoll_.get(), events.data(), room,
                               static_cast<int>(std::min<i64>(milliseconds, 1000000)));
        }
    }
    // Interrupted by a signal: nothing has happened as far as the loop is concerned.
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        on_event(event.data.fd, event.events);
    }
    // Only an error that stays is a loss: an interface that went down tells it once.
    for (Attachment& attachment : attachments_) {
        if (!attachment.faulty) attachment.failures = 0;
    }
    for (const int fd : files) call(fd, EPOLLIN | EPOLLOUT);
}

void Loop::on_event(int fd, u32 events) {
    if (fd == stop_fd_.get()) {
        u64 count = 0;
        [[maybe_unused]] const ssize_t got = read(fd, &count, sizeof count);
        return;
    }
    for (Attachment& attachment : attachments_) {
        if (attachment.device->fd() != fd) continue;
        attachment.ready = true;
        attachment.faulty = (events & (EPOLLERR | EPOLLHUP)) != 0;
        return;
    }
    call(fd, events);
}

void Loop::call(int fd, u32 events) {
    const auto found = watches_.find(fd);
    if (found == watches_.end()) return;  // unwatched by a callback of this turn
    const std::shared_ptr<Watch> watch = found->second;
    watch->callback(events);
}

void Loop::drain(Attachment& attachment) {
    // A few slots at a time, so that a batch of super-frames finds its memory in the cache; the stack
    // answers when all is in.
    std::size_t total = 0;
    std::size_t count = 0;
    do {
        count = attachment.device->receive(attachment.batch);
        if (count == 0) break;
        stack_.receive_part(*attachment.interface, std::span(attachment.batch).first(count), now());
        total += count;
    } while (count == attachment.batch.size() && total < kBatch);
    if (total > 0) {
        attachment.failures = 0;
        stack_.advance(now());
    } else if (attachment.faulty && ++attachment.failures >= kFailuresUntilLost) {
        lose(attachment);
    }
    attachment.faulty = false;
    attachment.ready = total > 1;
}

/// An interface that went down and came back has its error read by then; one that reports an error
/// again and again is gone, and waiting for it would not wait.
void Loop::lose(Attachment& attachment) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, attachment.device->fd(), nullptr);
    lost_ = attachment.device;
}

}  // namespace tapestry
