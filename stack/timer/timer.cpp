#include "stack/timer/timer.h"

namespace tapestry {

Timer::~Timer() {
    if (queue_ != nullptr && index_ != kNotQueued) queue_->remove(*this);
}

TimerQueue::~TimerQueue() {
    for (const Entry& entry : heap_) entry.timer->index_ = Timer::kNotQueued;
}

void TimerQueue::arm(Timer& timer, TimePoint deadline) {
    timer.queue_ = this;
    timer.deadline_ = deadline;
    timer.order_ = next_order_++;
    if (timer.index_ == Timer::kNotQueued) {
        if (deadline == kNever) return;
        heap_.push_back({deadline, timer.order_, &timer});
        timer.index_ = static_cast<u32>(heap_.size() - 1);
        sift_up(timer.index_);
    } else if (deadline < heap_[timer.index_].key) {
        heap_[timer.index_].key = deadline;
        heap_[timer.index_].order = timer.order_;
        sift_up(timer.index_);
    }
    // Later than the entry says: the entry stays and settle_top() moves it when it comes up.
}

std::optional<TimePoint> TimerQueue::next_deadline() {
    settle_top();
    if (heap_.empty()) return std::nullopt;
    return heap_.front().key;
}

void TimerQueue::advance(TimePoint now) {
    for (settle_top(); !heap_.empty() && heap_.front().key <= now; settle_top()) {
        Timer& timer = *heap_.front().timer;
        remove(timer);
        timer.deadline_ = kNever;
        timer.on_timer(now);
    }
}

void TimerQueue::place(std::size_t index, const Entry& entry) {
    heap_[index] = entry;
    entry.timer->index_ = static_cast<u32>(index);
}

void TimerQueue::sift_up(std::size_t index) {
    const Entry entry = heap_[index];
    while (index > 0) {
        const std::size_t parent = (index - 1) / 2;
        if (!entry.before(heap_[parent])) break;
        place(index, heap_[parent]);
        index = parent;
    }
    place(index, entry);
}

void TimerQueue::sift_down(std::size_t index) {
    const Entry entry = heap_[index];
    for (;;) {
        std::size_t child = 2 * index + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
        if (!heap_[child].before(entry)) break;
        place(index, heap_[child]);
        index = child;
    }
    place(index, entry);
}

void TimerQueue::remove(Timer& timer) {
    const std::size_t index = timer.index_;
    timer.index_ = Timer::kNotQueued;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (index == heap_.size()) return;
    place(index, last);
    sift_up(index);
    sift_down(last.timer->index_);
}

void TimerQueue::settle_top() {
    while (!heap_.empty()) {
        Entry& top = heap_.front();
        Timer& timer = *top.timer;
        if (timer.deadline_ == kNever) {
            remove(timer);
        } else if (timer.deadline_ > top.key ||
                   (timer.deadline_ == top.key && timer.order_ != top.order)) {
            top.key = timer.deadline_;
            top.order = timer.order_;
            sift_down(0);
        } else {
            return;
        }
    }
}

}  // namespace tapestry
