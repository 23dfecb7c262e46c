#include "stack/tcp/retransmission_queue.h"

#include <algorithm>
#include <utility>

namespace tapestry {

void Delivered::note(const Transmission& piece) {
    highest = bytes == 0 ? piece.end : later(highest, piece.end);
    bytes += piece.length();
    std::optional<Transmission>& slot = piece.retransmitted ? newest_again : newest;
    if (!piece.retransmitted) lowest_once = newest ? earlier(lowest_once, piece.end) : piece.end;
    if (!slot || piece.sent_after(*slot)) slot = piece;
}

void RetransmissionQueue::account(const Transmission& record, int sign) {
    u32& sum = record.lost ? lost_ : pipe_;
    sum += static_cast<u32>(sign) * record.length();
}

/// The first record that ends behind `seq`.
std::size_t RetransmissionQueue::find(SeqNum seq) const {
    const auto at =
        std::partition_point(records_.begin() + static_cast<std::ptrdiff_t>(head_), records_.end(),
                             [&](const Transmission& r) { return r.end.before_or_at(seq); });
    return static_cast<std::size_t>(at - records_.begin());
}

void RetransmissionQueue::sent(SeqNum begin, SeqNum end, TimePoint now, u32 max_records) {
    if (!empty() && begin.before(records_.back().end)) {
        replace(begin, end, now);
        return;
    }
    pipe_ += static_cast<u32>(end - begin);
    if (!empty() && records_.back().end == begin && !records_.back().lost) {
        Transmission& last = records_.back();
        if (last.sent_at == now && last.order == order_ && !last.retransmitted) {
            last.end = end;
            return;
        }
        if (records_.size() - head_ >= max_records) {
            // Too late is better than too early; and nothing is timed by it.
            last = {last.begin, end, now, ++order_, true, false};
            return;
        }
    }
    records_.push_back({begin, end, now, ++order_, false, false});
}

/// [begin, end) has been sent again; it may have grown beyond what had been sent.
void RetransmissionQueue::replace(SeqNum begin, SeqNum end, TimePoint now) {
    split(begin);
    split(end);
    const std::size_t first = find(begin);
    std::size_t last = first;
    while (last < records_.size() && records_[last].begin.before(end))
        account(records_[last++], -1);
    records_[first] = {begin, end, now, order_ + 1, true, false};
    pipe_ += static_cast<u32>(end - begin);
    erase(first + 1, last);
    if (lost_from_.after_or_at(begin)) lost_from_ = later(lost_from_, end);
    join_with_previous(first);
    order_ = records_[find(begin)].order;
}

/// What was sent again bit by bit at one time is one record.
void RetransmissionQueue::join_with_previous(std::size_t index) {
    if (index == head_) return;
    Transmission& previous = records_[index - 1];
    const Transmission& record = records_[index];
    if (previous.end != record.begin || previous.sent_at != record.sent_at ||
        previous.order != order_ || !previous.retransmitted || previous.lost) {
        return;
    }
    previous.end = record.end;
    erase(index, index + 1);
}

/// A record that `seq` lies within becomes two.
void RetransmissionQueue::split(SeqNum seq) {
    const std::size_t index = find(seq);
    if (index == records_.size() || !records_[index].begin.before(seq)) return;
    Transmission rest = records_[index];
    rest.begin = records_[index].end = seq;
    records_.insert(records_.begin() + static_cast<std::ptrdiff_t>(index) + 1, rest);
}

void RetransmissionQueue::erase(std::size_t first, std::size_t last) {
    records_.erase(records_.begin() + static_cast<std::ptrdiff_t>(first),
                   records_.begin() + static_cast<std::ptrdiff_t>(last));
}

void RetransmissionQueue::acknowledge(SeqNum una, Delivered& delivered) {
    while (!empty() && records_[head_].begin.before(una)) {
        Transmission& front = records_[head_];
        Transmission piece = front;
        piece.end = earlier(front.end, una);
        account(piece, -1);
        delivered.note(piece);
        front.begin = piece.end;
        if (front.begin == front.end) ++head_;
    }
    // What is over is given up now and then, so that each record is moved once, on average.
    if (empty()) {
        records_.clear();
        head_ = 0;
    } else if (head_ > 16 && 2 * head_ > records_.size()) {
        erase(0, std::exchange(head_, 0));
    }
}

void RetransmissionQueue::deliver(const SackBlock& block, Delivered& delivered) {
    std::size_t first = find(block.left);
    if (first == records_.size() || !records_[first].begin.before(block.right)) return;
    split(block.left);
    split(block.right);
    first = find(block.left);
    std::size_t last = first;
    for (; last < records_.size() && records_[last].begin.before(block.right); ++last) {
        account(records_[last], -1);
        delivered.note(records_[last]);
    }
    erase(first, last);
}

void RetransmissionQueue::put_back(const SackBlock& range, TimePoint now) {
    const auto at = records_.begin() + static_cast<std::ptrdiff_t>(find(range.left));
    records_.insert(at, {range.left, range.right, now, ++order_, true, false});
    pipe_ += static_cast<u32>(range.right - range.left);
}

void RetransmissionQueue::mark_lost(std::size_t index) {
    Transmission& record = records_[head_ + index];
    if (record.lost) return;
    account(record, -1);
    lost_from_ = has_lost() ? earlier(lost_from_, record.begin) : record.begin;
    record.lost = true;
    account(record, +1);
}

void RetransmissionQueue::mark_lost(SeqNum begin, SeqNum end) {
    split(begin);
    split(end);
    for (std::size_t i = find(begin); i < records_.size() && records_[i].begin.before(end); ++i) {
        mark_lost(i - head_);
    }
}

void RetransmissionQueue::mark_all_lost() {
    for (std::size_t i = 0; i < records().size(); ++i) mark_lost(i);
}

void RetransmissionQueue::mark_none_lost() {
    for (std::size_t i = head_; i < records_.size(); ++i) records_[i].lost = false;
    pipe_ += std::exchange(lost_, 0);
}

std::optional<SackBlock> RetransmissionQueue::first_lost() const {
    if (!has_lost()) return std::nullopt;
    std::size_t i = find(lost_from_);
    while (!records_[i].lost) ++i;
    SackBlock range{records_[i].begin, records_[i].end};
    while (++i < records_.size() && records_[i].lost && records_[i].begin == range.right) {
        range.right = records_[i].end;
    }
    return range;
}

u32 RetransmissionQueue::sent_again() const {
    u32 bytes = 0;
    for (const Transmission& r : records()) bytes += r.retransmitted && !r.lost ? r.length() : 0;
    return bytes;
}

void RetransmissionQueue::clear() { *this = {}; }

}  // namespace tapestry
