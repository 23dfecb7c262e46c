#pragma once

#include <optional>
#include <span>
#include <vector>

#include "stack/base/time.h"
#include "stack/wire/tcp_options.h"

namespace tapestry {

/// Numbers that left at one time and have neither been acknowledged nor SACKed since.
struct Transmission {
    SeqNum begin;
    SeqNum end;  ///< one past the last number
    TimePoint sent_at{};
    u32 order = 0;               ///< counts up with each transmission; it wraps
    bool retransmitted = false;  ///< more than once
    bool lost = false;           ///< not believed to be in the network, to be sent again

    u32 length() const { return static_cast<u32>(end - begin); }
    /// RACK_sent_after() of RFC 8985. What left in one batch has one time, though a retransmission may be
    /// among it; so the order is counted.
    bool sent_after(const Transmission& other) const {
        return order == other.order ? end.after(other.end)
                                    : static_cast<i32>(order - other.order) > 0;
    }
};

/// What an acknowledgment, with its SACK blocks, has taken out of the retransmission queue.
struct Delivered {
    u32 bytes = 0;
    std::optional<Transmission> newest;        ///< of those sent once, the one sent last
    std::optional<Transmission> newest_again;  ///< of those sent again
    SeqNum highest;                            ///< the end of the highest; bytes > 0
    SeqNum lowest_once;                        ///< the lowest end of those sent once; newest is set

    void note(const Transmission& piece);
};

/// The retransmission queue (RFC 9293 section 3.8.1): what is between SND.UNA and SND.NXT and not
/// SACKed, in order of its numbers, with the time at which each part was sent last (RFC 8985 6.1). What
/// left at once is one record, so a super-frame, or a burst, costs one.
class RetransmissionQueue {
public:
    /// [begin, end) has been sent: for the first time, behind all others, or again. Beyond
    /// `max_records` neighbours are put together, at the later of their times.
    void sent(SeqNum begin, SeqNum end, TimePoint now, u32 max_records);
    /// What lies before `una` has arrived.
    void acknowledge(SeqNum una, Delivered& delivered);
    /// What lies in `block` has arrived.
    void deliver(const SackBlock& block, Delivered& delivered);
    /// The peer has dropped what it had reported: it counts as sent now.
    void put_back(const SackBlock& range, TimePoint now);

    /// Everything counts as lost.
    void mark_all_lost();
    void mark_lost(SeqNum begin, SeqNum end);
    /// Nothing counts as lost any more: it had only been late.
    void mark_none_lost();
    /// Marks a record, one of records(), as lost.
    void mark_lost(std::size_t index);

    std::span<const Transmission> records() const { return std::span(records_).subspan(head_); }
    bool empty() const { return head_ == records_.size(); }
    /// Bytes that are believed to be in the network: "pipe" of RFC 6675.
    u32 pipe() const { return pipe_; }
    bool has_lost() const { return lost_ > 0; }
    u32 lost() const { return lost_; }
    /// Bytes that are under way for the second time, or more often.
    u32 sent_again() const;
    /// The lowest numbers that count as lost.
    std::optional<SackBlock> first_lost() const;
    void clear();

private:
    std::size_t find(SeqNum seq) const;
    void split(SeqNum seq);
    void replace(SeqNum begin, SeqNum end, TimePoint now);
    void erase(std::size_t first, std::size_t last);
    void join_with_previous(std::size_t index);
    void account(const Transmission& record, int sign);

    std::vector<Transmission> records_;  ///< from head_ on; what is before is over
    std::size_t head_ = 0;
    u32 order_ = 0;  ///< of the latest transmission
    u32 pipe_ = 0;
    u32 lost_ = 0;
    SeqNum lost_from_;  ///< nothing below counts as lost; has_lost()
};

}  // namespace tapestry
