#pragma once

#include "stack/buf/byte_ring.h"
#include "stack/tcp/assembler.h"
#include "stack/tcp/vars.h"
#include "stack/wire/tcp_options.h"

namespace tapestry {

/// The receiving half of a connection: takes the text and the FIN of acceptable segments, keeps what
/// came early behind its hole, and says how large a window to offer.
class Receiver {
public:
    /// What became of a segment's text.
    enum class Outcome : u8 {
        Nothing,     ///< no text, no FIN
        InOrder,     ///< RCV.NXT moved
        FilledHole,  ///< ... and data that had come early joined it
        OutOfOrder,  ///< kept behind a hole
        Duplicate,   ///< nothing new in it
        NoMemory,    ///< refused: the sender will come again
    };

    explicit Receiver(BlockPool& pool) : buffer_(pool) {}

    /// The peer's SYN.
    void start(SeqNum irs);
    /// Takes what of the text lies within the window, and the FIN if it does.
    Outcome accept(SeqNum seq, Bytes text, bool fin, u32 max_islands);
    /// accept() of `text` at RCV.NXT would take all of it, and nothing else would follow.
    bool fits(Bytes text) const {
        return text.size() <= rcv_.wnd() && assembler_.empty() && !fin_known_ && !discarding_;
    }
    /// accept() of text that fits(). False: NoMemory.
    [[nodiscard]] bool accept_next(Bytes text) {
        duplicate_ = {};
        if (!buffer_.write_ahead(0, text)) return false;
        const u32 n = static_cast<u32>(text.size());
        buffer_.extend(n);
        rcv_.nxt += n;
        return true;
    }
    /// RCV.NXT is past the peer's FIN.
    bool finished() const { return fin_reached_; }

    /// The window field to advertise when the application allows `limit` bytes to wait and the peer
    /// sends segments of `mss`; avoids the silly window (RFC 9293 3.8.6.2.2) and never takes back what
    /// was offered. Not scaled in a SYN.
    u16 window_field(u32 limit, u16 mss, bool syn) const;
    /// A segment with this window field has left.
    void advertised(u16 field, bool syn);
    /// An update now would move the right edge far enough to be worth a segment of its own.
    bool window_update_due(u32 limit, u16 mss) const;

    const ReceiveVars& rcv() const { return rcv_; }
    void set_wind_shift(u8 shift) { rcv_.wind_shift = shift; }
    u32 readable() const { return buffer_.size(); }
    std::array<Bytes, 2> peek(u32 n) const { return buffer_.peek(0, n); }
    u32 read(MutableBytes out);
    void consume(u32 n);
    /// SEG.SEQ + SEG.UP of an acceptable segment: urgent data reach up to here. True: further than was
    /// known, so the user is to be told. The mark never moves back.
    bool take_urgent(SeqNum up);
    /// Bytes that the application has to read to be past the urgent data; 0: there are none.
    u32 urgent_ahead() const;
    /// The application wants no more data: what waits is thrown away, what comes is acknowledged.
    void discard_all();

    /// A segment came that is not acceptable: what of its text is below RCV.NXT came twice.
    void note_duplicate(SeqNum seq, u32 length);
    /// The latest segment brought something that was here already (RFC 2883).
    bool has_duplicate() const { return duplicate_.left != duplicate_.right; }
    /// There is something to report beside the acknowledgment number.
    bool has_sack_blocks() const { return !assembler_.empty() || has_duplicate(); }
    /// Writes the SACK blocks of an acknowledgment, the most important first.
    void sack_blocks(TcpOptions& options) const;
    /// An acknowledgment has left: a duplicate is reported once.
    void duplicate_reported() { duplicate_ = {}; }
    const Assembler& assembler() const { return assembler_; }

private:
    /// The number of the first byte that has not been read.
    SeqNum unread() const { return rcv_.nxt - (fin_reached_ ? 1U : 0U) - buffer_.size(); }
    SeqNum offered_edge(u32 limit, u16 mss) const;
    /// What 16 bits can say.
    u32 largest_window() const { return u32{65535} << rcv_.wind_shift; }
    Outcome accept_in_order(Bytes text);
    void note_overlap(u32 begin, u32 end);
    Outcome accept_early(u32 offset, Bytes text, u32 max_islands);

    ReceiveVars rcv_;
    SeqNum
        offered_;  ///< the right edge that we meant; rcv_.edge is what the peer may have made of it
    SackBlock duplicate_;  ///< of the latest segment; empty: none
    SeqNum fin_;           ///< the number of the peer's FIN; valid when fin_known_
    ByteRing buffer_;
    Assembler assembler_;
    bool fin_known_ = false;
    bool fin_reached_ = false;
    bool discarding_ = false;
};

}  // namespace tapestry
