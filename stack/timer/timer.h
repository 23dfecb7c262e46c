#pragma once

#include <optional>
#include <vector>

#include "stack/base/time.h"

namespace tapestry {

class TimerQueue;

/// One deadline of somebody's. Re-arming it for later costs two stores: the queue finds out when the
/// earlier moment comes. Disarms itself when it dies.
class Timer {
public:
    Timer() = default;
    virtual ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    TimePoint deadline() const { return deadline_; }
    bool armed() const { return deadline_ != kNever; }

    /// The deadline has come; the timer is disarmed already. May arm or destroy any timer, this one
    /// included.
    virtual void on_timer(TimePoint now) = 0;

private:
    friend class TimerQueue;
    TimePoint deadline_ = kNever;
    u64 order_ = 0;           ///< of the last arming, for ties
    u32 index_ = kNotQueued;  ///< place in the heap
    TimerQueue* queue_ = nullptr;
    static constexpr u32 kNotQueued = ~u32{0};
};

/// The deadlines of one stack: a binary heap. Deadlines fall due in the order of time, and equal ones
/// in the order in which they were armed. Outlives its timers.
class TimerQueue {
public:
    TimerQueue() = default;
    ~TimerQueue();
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    /// kNever disarms.
    void arm(Timer& timer, TimePoint deadline);
    void disarm(Timer& timer) { arm(timer, kNever); }
    /// The earliest deadline of all; exact.
    std::optional<TimePoint> next_deadline();
    /// Calls on_timer() of everything that is due at `now`, things armed meanwhile for no later than
    /// `now` included.
    void advance(TimePoint now);

private:
    friend class Timer;
    struct Entry {
        TimePoint key;  ///< not after the timer's deadline
        u64 order;
        Timer* timer;
        bool before(const Entry& other) const {
            return key != other.key ? key < other.key : order < other.order;
        }
    };

    void place(std::size_t index, const Entry& entry);
    void sift_up(std::size_t index);
    void sift_down(std::size_t index);
    void remove(Timer& timer);
    /// Puts right the entries at the top whose timers were re-armed for later or disarmed.
    void settle_top();

    std::vector<Entry> heap_;
    u64 next_order_ = 0;
};

}  // namespace tapestry
