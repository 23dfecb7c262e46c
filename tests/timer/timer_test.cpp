#include "stack/timer/timer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "stack/base/rng.h"

namespace tapestry {
namespace {

TimePoint at(i64 ms) { return TimePoint(Duration(std::chrono::milliseconds(ms))); }

/// Writes its number down when it is due, then does what it was told.
class Recorder final : public Timer {
public:
    Recorder(int id, std::vector<int>& log) : id_(id), log_(log) {}
    void on_timer(TimePoint now) override {
        seen_armed = armed();
        seen_now = now;
        log_.push_back(id_);
        // Moved out: the callback may end this timer's life.
        if (const auto callback = then) callback();
    }

    std::function<void()> then;
    bool seen_armed = false;
    TimePoint seen_now;

private:
    int id_;
    std::vector<int>& log_;
};

class TimerTest : public testing::Test {
protected:
    Recorder& timer(int id) {
        auto& slot = timers_[static_cast<std::size_t>(id)];
        if (!slot) slot = std::make_unique<Recorder>(id, log_);
        return *slot;
    }
    void destroy(int id) { timers_[static_cast<std::size_t>(id)].reset(); }

    TimerQueue queue_;
    std::vector<int> log_;
    std::array<std::unique_ptr<Recorder>, 64> timers_;
};

TEST_F(TimerTest, NothingIsDueBeforeItsTime) {
    EXPECT_EQ(queue_.next_deadline(), std::nullopt);
    queue_.arm(timer(1), at(10));
    EXPECT_TRUE(timer(1).armed());
    EXPECT_EQ(timer(1).deadline(), at(10));
    EXPECT_EQ(queue_.next_deadline(), at(10));
    queue_.advance(at(10) - Duration(1));
    EXPECT_TRUE(log_.empty());
    queue_.advance(at(10));
    EXPECT_EQ(log_, std::vector<int>{1});
    EXPECT_EQ(timer(1).seen_now, at(10));
    EXPECT_FALSE(timer(1).seen_armed) << "disarmed before it is called";
    EXPECT_EQ(queue_.next_deadline(), std::nullopt);
}

TEST_F(TimerTest, FallDueInTheOrderOfTimeAndTiesInTheOrderOfArming) {
    queue_.arm(timer(1), at(20));
    queue_.arm(timer(2), at(10));
    queue_.arm(timer(3), at(20));
    queue_.arm(timer(4), at(10));
    queue_.arm(timer(5), at(20));
    queue_.advance(at(100));
    EXPECT_EQ(log_, (std::vector<int>{2, 4, 1, 3, 5}));
}

TEST_F(TimerTest, ReArmingPutsATieLast) {
    for (int id = 1; id <= 4; ++id) queue_.arm(timer(id), at(10));
    queue_.arm(timer(1), at(10));  // the same again
    queue_.arm(timer(2), at(30));  // there and back
    queue_.arm(timer(2), at(10));
    queue_.advance(at(10));
    EXPECT_EQ(log_, (std::vector<int>{3, 4, 1, 2}));
}

TEST_F(TimerTest, TheEarlierMomentOfAReArmedTimerPassesInSilence) {
    queue_.arm(timer(1), at(10));
    queue_.arm(timer(1), at(50));
    EXPECT_EQ(queue_.next_deadline(), at(50)) << "exact";
    queue_.advance(at(49));
    EXPECT_TRUE(log_.empty());
    queue_.arm(timer(1), at(20));
    EXPECT_EQ(queue_.next_deadline(), at(20));
    queue_.advance(at(50));
    EXPECT_EQ(log_, std::vector<int>{1}) << "once";
}

TEST_F(TimerTest, DisarmedMeansNever) {
    queue_.arm(timer(1), at(10));
    queue_.arm(timer(2), at(10));
    queue_.disarm(timer(1));
    EXPECT_FALSE(timer(1).armed());
    queue_.disarm(timer(1));
    queue_.disarm(timer(3));
    queue_.advance(at(100));
    EXPECT_EQ(log_, std::vector<int>{2});
    queue_.arm(timer(1), at(110));
    queue_.advance(at(110));
    EXPECT_EQ(log_, (std::vector<int>{2, 1}));
}

TEST_F(TimerTest, ArmedAgainAfterDisarmingKeepsTheNewTime) {
    queue_.arm(timer(1), at(10));
    queue_.disarm(timer(1));
    queue_.arm(timer(1), at(40));
    EXPECT_EQ(queue_.next_deadline(), at(40));
    queue_.advance(at(39));
    EXPECT_TRUE(log_.empty());
    queue_.advance(at(40));
    EXPECT_EQ(log_, std::vector<int>{1});
}

TEST_F(TimerTest, ADeadTimerIsNeverCalled) {
    queue_.arm(timer(1), at(10));
    queue_.arm(timer(2), at(10));
    queue_.arm(timer(3), at(10));
    destroy(2);
    queue_.advance(at(10));
    EXPECT_EQ(log_, (std::vector<int>{1, 3}));
}

TEST_F(TimerTest, ATimerMayArmItselfAgain) {
    int rounds = 0;
    timer(1).then = [&] {
        if (++rounds < 3) queue_.arm(timer(1), at(10 + rounds));
    };
    queue_.arm(timer(1), at(10));
    queue_.advance(at(100));
    EXPECT_EQ(log_, (std::vector<int>{1, 1, 1})) << "no later than now: in the same call";
    queue_.arm(timer(1), at(10));
    timer(1).then = [&] { queue_.arm(timer(1), at(101)); };
    queue_.advance(at(100));
    EXPECT_EQ(log_.size(), 4U);
    EXPECT_EQ(queue_.next_deadline(), at(101));
}

TEST_F(TimerTest, ATimerMayDestroyItselfAndOthers) {
    timer(1).then = [&] {
        destroy(2);
        destroy(1);
    };
    timer(3).then = [&] { queue_.disarm(timer(4)); };
    for (int id = 1; id <= 5; ++id) queue_.arm(timer(id), at(10));
    queue_.advance(at(10));
    EXPECT_EQ(log_, (std::vector<int>{1, 3, 5}));
    EXPECT_EQ(queue_.next_deadline(), std::nullopt);
}

TEST_F(TimerTest, ATimerMayArmAnotherForNow) {
    timer(1).then = [&] { queue_.arm(timer(2), at(5)); };
    queue_.arm(timer(1), at(10));
    queue_.arm(timer(3), at(11));
    queue_.advance(at(20));
    EXPECT_EQ(log_, (std::vector<int>{1, 2, 3})) << "the past comes before the rest";
}

TEST_F(TimerTest, TimeMayBeginAnywhere) {
    // Where a clock of 32 bits of milliseconds would wrap, and below zero.
    for (const i64 start : {i64{-100000}, i64{0}, (i64{1} << 31) - 5, (i64{1} << 32) - 5}) {
        log_.clear();
        queue_.arm(timer(1), at(start + 10));
        queue_.arm(timer(2), at(start + 5));
        queue_.advance(at(start + 9));
        EXPECT_EQ(log_, std::vector<int>{2}) << start;
        queue_.advance(at(start + 10));
        EXPECT_EQ(log_, (std::vector<int>{2, 1})) << start;
    }
}

TEST(TimerQueue, MayDieBeforeItsTimers) {
    std::vector<int> log;
    Recorder timer(1, log);
    {
        TimerQueue queue;
        queue.arm(timer, at(10));
    }
    SUCCEED() << "the sanitizers watch the timer's end";
}

/// The queue beside a plain list that is searched from end to end.
class ModelRun {
public:
    explicit ModelRun(u64 seed) : rng_(seed) {
        for (int id = 0; id < kTimers; ++id) make(id);
    }

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) step();
    }

private:
    static constexpr int kTimers = 40;
    struct Armed {
        TimePoint deadline = kNever;
        u64 order = 0;
    };

    void make(int id) {
        auto& slot = timers_[static_cast<std::size_t>(id)];
        slot = std::make_unique<Recorder>(id, log_);
        slot->then = [this, id] { fired(id); };
        model_[static_cast<std::size_t>(id)] = {};
    }

    void arm(int id, TimePoint deadline) {
        queue_.arm(*timers_[static_cast<std::size_t>(id)], deadline);
        model_[static_cast<std::size_t>(id)] = {deadline, order_++};
    }

    /// The timer that must fall due next, or -1.
    int next() const {
        int best = -1;
        for (int id = 0; id < kTimers; ++id) {
            const Armed& a = model_[static_cast<std::size_t>(id)];
            if (a.deadline == kNever) continue;
            if (best < 0) best = id;
            const Armed& b = model_[static_cast<std::size_t>(best)];
            if (std::pair(a.deadline, a.order) < std::pair(b.deadline, b.order)) best = id;
        }
        return best;
    }

    void fired(int id) {
        EXPECT_EQ(id, next());
        const TimePoint deadline = model_[static_cast<std::size_t>(id)].deadline;
        EXPECT_LE(deadline, now_);
        model_[static_cast<std::size_t>(id)] = {};
        meddle(id);
    }

    /// What a callback may do to any timer.
    void meddle(int self) {
        const int other = static_cast<int>(rng_.below(kTimers));
        switch (rng_.below(5)) {
            case 0:
                arm(self, now_ + random_delay());
                break;
            case 1:
                arm(other, now_ + random_delay());
                break;
            case 2:
                arm(other, kNever);
                break;
            case 3:
                if (other != self) make(other);
                break;
            default:
                break;
        }
    }

    Duration random_delay() { return std::chrono::milliseconds(1 + rng_.below(30)); }

    void step() {
        const int id = static_cast<int>(rng_.below(kTimers));
        switch (rng_.below(8)) {
            case 0:
            case 1:
            case 2:
            case 3:
                // Many ties, and sometimes the past.
                arm(id, now_ + random_delay() - Duration(5ms));
                break;
            case 4:
                arm(id, kNever);
                break;
            case 5:
                make(id);
                break;
            default:
                now_ += std::chrono::milliseconds(rng_.below(10));
                queue_.advance(now_);
                const int due = next();
                ASSERT_TRUE(due < 0 || model_[static_cast<std::size_t>(due)].deadline > now_);
        }
        const int due = next();
        const auto deadline = queue_.next_deadline();
        ASSERT_EQ(deadline.has_value(), due >= 0);
        if (deadline) {
            ASSERT_EQ(*deadline, model_[static_cast<std::size_t>(due)].deadline);
        }
    }

    SeededRng rng_;
    TimerQueue queue_;
    std::vector<int> log_;
    std::array<std::unique_ptr<Recorder>, kTimers> timers_;
    std::array<Armed, kTimers> model_{};
    u64 order_ = 0;
    TimePoint now_;
};

TEST(TimerQueue, BehavesLikeAListThatIsSearchedFromEndToEnd) {
    for (u64 seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        ModelRun(seed).run(3000);
    }
}

}  // namespace
}  // namespace tapestry
