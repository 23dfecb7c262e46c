#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "apps/packetdrill/settings.h"
#include "stack/stack.h"

namespace tapestry::packetdrill {

/// Ends the process: what has happened cannot be told by a return value. The tool would retry for ever.
[[noreturn]] void give_up(const std::string& why);

/// The stack's device: whole IPv4 packets, as the wire would carry them, with the time of each.
class PacketPort final : public Port {
public:
    struct Sent {
        TimePoint time;
        std::vector<u8> packet;
    };
    PacketPort(u32 mtu, const TimePoint& now) : mtu_(mtu), now_(now) {}
    PortCapabilities capabilities() const override { return {.mtu = mtu_, .max_super_frame = 0}; }
    bool transmit(const Frame& frame) override;
    std::deque<Sent> sent;

private:
    u32 mtu_;
    const TimePoint& now_;
};

/// One stack in virtual time, between the tool's two threads: the main one, which alone lets time pass,
/// and the one in which a call blocks. Everything happens under one lock.
///
/// A call that has to wait leaves its attempt here and sleeps. Whatever lets something happen (a packet,
/// a timer) tries the attempts again and notes when one came true; then no more time passes before the
/// sleeper has come back, which it shows by asking for the time. It is told the moment at which its call
/// was done.
class Machine {
public:
    explicit Machine(std::string flags) : flags_(std::move(flags)) {}

    std::mutex& mutex() { return mutex_; }
    /// Reads the settings and makes the stack, when that has not been done.
    void start();
    /// The stack is made anew with another address of ours. Before anything has been sent or opened.
    void restart(Ipv4Address local);
    bool started() const { return stack_ != nullptr; }
    Stack& stack() { return *stack_; }
    const Settings& settings() const { return settings_; }
    TimePoint now() const { return now_; }
    /// Sends what user calls have left to be sent, and wakes whom that concerns.
    void settle();

    using Lock = std::unique_lock<std::mutex>;
    using Attempt = std::function<bool()>;
    /// Sleeps until `attempt` holds, or the time has come. Whether it holds.
    bool wait(Lock& lock, const Attempt& attempt, TimePoint deadline);

    /// A time on the scale of time_of_day().
    static i64 microseconds(TimePoint time);
    /// Microseconds since 1970, in a year of our own.
    i64 time_of_day(Lock& lock);
    void sleep(Lock& lock, Duration span);
    void inject(Lock& lock, Bytes packet);
    /// The next packet of ours, however long it takes.
    PacketPort::Sent next_packet(Lock& lock);
    /// The script is over: what nobody took is a failure.
    void finish();

private:
    struct Waiter {
        const Attempt* attempt;
        TimePoint deadline;
        bool done = false;
        bool holds = false;
        TimePoint at{};
    };
    void make_stack();
    void serve();
    void await_woken(Lock& lock);
    bool step(TimePoint until);
    void pass(Lock& lock, TimePoint until);

    std::string flags_;
    Settings settings_;
    std::mutex mutex_;
    std::condition_variable changed_;
    TimePoint now_{};
    SeededRng rng_{1};
    PacketPool pool_{PacketPool::kSuperFrameSlot, 4};
    std::unique_ptr<PacketPort> port_;
    std::unique_ptr<Stack> stack_;
    Interface* interface_ = nullptr;
    std::vector<Waiter*> waiters_;
    u32 woken_ = 0;  ///< calls that are done and have not come back
};

}  // namespace tapestry::packetdrill
