#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

#include "drivers/device.h"
#include "drivers/runner.h"
#include "drivers/unique_fd.h"

namespace tapestry {

/// One stack in the real world: its devices, other file descriptors that the program waits for, and
/// the monotonic clock. One thread.
///
/// A turn of the loop waits for the first of a frame, a descriptor and the stack's next deadline, takes
/// up to kBatch frames from each device that has some, and hands each batch to the stack at once, so
/// that a connection acknowledges it once.
class Loop final : public Runner {
public:
    /// Frames of one device before the others get their turn.
    static constexpr std::size_t kBatch = 64;
    /// Slots that they are read through.
    static constexpr std::size_t kSlots = 8;
    /// Called with epoll's event bits.
    using FdCallback = std::function<void(u32 events)>;

    /// The stack outlives the loop. Throws SetupError.
    explicit Loop(Stack& stack);
    ~Loop() override;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// `interface` was made with `device` as its port. The device outlives the loop.
    void add(Device& device, Interface& interface);

    /// Calls back as long as one of `events` (EPOLLIN, EPOLLOUT) holds; a regular file is always ready.
    /// A descriptor is watched once; watching it again replaces events and callback. Callbacks may
    /// watch and unwatch, and must not run the loop. Throws SetupError.
    void watch_fd(int fd, u32 events, FdCallback callback);
    /// To be called before the descriptor is closed.
    void unwatch_fd(int fd);

    TimePoint now() const override;
    Stack& stack() override { return stack_; }
    /// Also returns when stop() was called or a device is lost.
    bool run_until(const std::function<bool()>& done, TimePoint deadline = kNever) override;
    /// One turn, which waits no longer than that.
    void run_once(Duration max_wait);

    /// Makes run_until() return, now and in future, until resume(). May be called from a signal
    /// handler and from another thread.
    void stop() noexcept;
    void resume() { stopped_ = false; }
    bool stopped() const { return stopped_; }
    /// A device whose interface has gone (it was deleted, say): no frame will ever come from it again.
    /// Null: all is well.
    const Device* lost_device() const { return lost_; }

private:
    struct Attachment {
        Device* device;
        Interface* interface;
        std::vector<Packet> batch;
        bool ready = true;    ///< there may be frames
        bool faulty = false;  ///< epoll reports an error
        u32 failures = 0;     ///< how often in a row that was so, and there was no frame
    };
    struct Watch {
        FdCallback callback;
        bool always_ready = false;
    };

    void turn(TimePoint limit);
    TimePoint next_wake(TimePoint limit);
    void poll(TimePoint until);
    void on_event(int fd, u32 events);
    void call(int fd, u32 events);
    void drain(Attachment& attachment);
    void lose(Attachment& attachment);

    Stack& stack_;
    UniqueFd epoll_;
    UniqueFd stop_fd_;
    std::vector<Attachment> attachments_;
    std::unordered_map<int, std::shared_ptr<Watch>> watches_;
    std::vector<int> always_ready_;
    std::atomic<bool> stopped_ = false;
    const Device* lost_ = nullptr;
    u32 turns_without_poll_ = 0;
    bool fine_timeouts_ = true;  ///< the kernel has epoll_pwait2()
};

}  // namespace tapestry
