#pragma once

#include <map>

#include "drivers/clock.h"
#include "drivers/host.h"
#include "drivers/memory_link.h"

namespace tapestry {

/// What a World is made with.
struct WorldConfig {
    u64 seed = 1;  ///< of everything in it that chooses by chance
    std::size_t batch =
        1;  ///< frames that a host takes in one event; more is faster, as in a real loop
};

/// A network in one process: hosts, links, and one virtual clock, which jumps from one event to the
/// next. An event is a frame (or a batch) that reaches a host, a timer of a stack, or an action that
/// somebody scheduled. Events have a total order: time; at one time, actions in the order in which
/// they were scheduled, then hosts in the order in which they were added, and of each its interfaces
/// before its timers. So the same calls with the same seed give the same bytes at the same times, and
/// to see the event before this one again, a new world is run to one event earlier.
class World {
public:
    enum class EventKind : u8 { None, Scheduled, Frames, Timer };
    /// What step() has done.
    struct Event {
        u64 number = 0;  ///< from 1
        TimePoint time{};
        EventKind kind = EventKind::None;
        const Host* host = nullptr;  ///< of Frames and Timer
        std::size_t frames = 0;      ///< taken by the host; 0: all of them were lost on the way
    };

    explicit World(const WorldConfig& config = {});
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    TimePoint now() const { return now_; }
    /// The virtual clock, for devices. Good as long as the world.
    Clock clock() const {
        return [this] { return now_; };
    }

    Host& add_host(std::string name, const StackConfig& config = {});
    Host& host(std::size_t index) { return *hosts_.at(index); }
    std::size_t host_count() const { return hosts_.size(); }
    /// A cable that lives as long as the world, with nothing at its ends yet.
    MemoryLink& add_link(const LinkConfig& config = {});
    /// A cable between two hosts.
    MemoryLink& connect(Host& a, InterfaceConfig config_a, Host& b, InterfaceConfig config_b,
                        const LinkConfig& config = {});
    /// Calls `action` at `time`, or now if that has passed.
    void at(TimePoint time, std::function<void()> action);

    /// Lets the next event happen; false when there is none.
    bool step();
    /// Lets everything up to `time`, inclusive, happen; then it is `time`.
    void run_until(TimePoint time);
    void run_for(Duration duration) { run_until(now_ + duration); }
    /// Lets events happen until `done` holds, which is asked first and after each. False when the
    /// deadline has come (it is that time then) or when nothing is left that could happen.
    bool run_until(const std::function<bool()>& done, TimePoint deadline = kNever);
    /// Until nothing is left to happen; false when that takes longer than till `limit`.
    bool run_until_idle(TimePoint limit);
    /// Until event `number` has happened; false when there are not so many.
    bool run_to_event(u64 number);

    /// How many events have happened.
    u64 events() const { return last_.number; }
    const Event& last_event() const { return last_; }

private:
    struct Next {
        TimePoint time = kNever;
        EventKind kind = EventKind::None;
        Host* host = nullptr;
        std::size_t attachment = 0;
    };
    Next find_next();
    void consider(Next& best, std::optional<TimePoint> time, EventKind kind, Host* host,
                  std::size_t attachment) const;
    void happen(const Next& next);
    void run_action();
    std::size_t run_frames(Host& host, std::size_t attachment);
    void tell_time();

    TimePoint now_{};
    SeededRng seeds_;
    Event last_;
    u64 scheduled_ = 0;
    std::vector<std::unique_ptr<MemoryLink>> links_;
    std::vector<std::unique_ptr<Host>> hosts_;
    /// After the hosts, so that sockets and packets in them go before the stacks and the pools.
    std::map<std::pair<TimePoint, u64>, std::function<void()>> actions_;
    std::vector<Packet> batch_;
};

}  // namespace tapestry
