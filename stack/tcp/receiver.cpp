#include "stack/tcp/receiver.h"

#include <algorithm>

namespace tapestry {

void Receiver::start(SeqNum irs) {
    const u32 offered = rcv_.wnd();  // by our own SYN, if that was first
    rcv_.irs = irs;
    rcv_.nxt = irs + 1;
    rcv_.edge = rcv_.nxt + offered;
    offered_ = rcv_.edge;
}

Receiver::Outcome Receiver::accept(SeqNum seq, Bytes text, bool fin, u32 max_islands) {
    if (fin_reached_ || (text.empty() && !fin)) return Outcome::Nothing;

    // RFC 9293 3.10.7.4: a segment is trimmed of all that lies outside of the window.
    const SeqNum end = seq + static_cast<u32>(text.size());
    duplicate_ = {};
    if (seq.before(rcv_.nxt)) {
        note_duplicate(seq, static_cast<u32>(text.size()));
        const u32 old =
            std::min<u32>(static_cast<u32>(rcv_.nxt - seq), static_cast<u32>(text.size()));
        text = text.subspan(old);
        seq += old;
    }
    const SeqNum limit = fin_known_ ? earlier(rcv_.edge, fin_) : rcv_.edge;
    if (end.after(limit)) {
        const u32 beyond =
            std::min<u32>(static_cast<u32>(end - limit), static_cast<u32>(text.size()));
        text = text.first(text.size() - beyond);
        // What lies behind the cut is not here, so neither is the FIN; it will come again.
        if (beyond > 0) fin = false;
    }
    if (fin && !fin_known_ && end.after_or_at(rcv_.nxt)) {
        fin_ = end;
        fin_known_ = true;
    }

    Outcome outcome = Outcome::Duplicate;
    if (!text.empty()) {
        outcome = seq == rcv_.nxt
                      ? accept_in_order(text)
                      : accept_early(static_cast<u32>(seq - rcv_.nxt), text, max_islands);
    } else if (fin && end.after(rcv_.nxt)) {
        outcome = Outcome::OutOfOrder;  // a bare FIN behind a hole
    }
    if (fin_known_ && fin_ == rcv_.nxt) {
        rcv_.nxt += 1;
        fin_reached_ = true;
        assembler_.clear();
        rcv_.edge = later(rcv_.edge, rcv_.nxt);
        offered_ = later(offered_, rcv_.nxt);
        if (outcome != Outcome::FilledHole) outcome = Outcome::InOrder;
    }
    return outcome;
}

Receiver::Outcome Receiver::accept_in_order(Bytes text) {
    const u32 n = static_cast<u32>(text.size());
    if (discarding_) {
        rcv_.nxt += n;
        return Outcome::InOrder;
    }
    if (!assembler_.empty()) note_overlap(0, n);
    if (!buffer_.write_ahead(0, text)) return Outcome::NoMemory;
    const u32 joined = assembler_.empty() ? 0 : assembler_.advance(n);
    buffer_.extend(n + joined);
    rcv_.nxt += n + joined;
    return joined > 0 ? Outcome::FilledHole : Outcome::InOrder;
}

Receiver::Outcome Receiver::accept_early(u32 offset, Bytes text, u32 max_islands) {
    if (discarding_) return Outcome::NoMemory;
    const u32 end = offset + static_cast<u32>(text.size());
    note_overlap(offset, end);
    if (!assembler_.add(offset, end, max_islands)) return Outcome::NoMemory;
    if (!buffer_.write_ahead(offset, text)) {
        // The islands must not promise what is not there; all of it will come again.
        assembler_.clear();
        return Outcome::NoMemory;
    }
    return Outcome::OutOfOrder;
}

/// Where the right edge would go.
SeqNum Receiver::offered_edge(u32 limit, u16 mss) const {
    const u32 free = limit > buffer_.size() ? limit - buffer_.size() : 0;
    const SeqNum possible = rcv_.nxt + std::min(free, largest_window());
    // RFC 9293 3.8.6.2.2: the right edge stays until it can move by min(Fr * RCV.BUFF, Eff.snd.MSS).
    const i32 worth = static_cast<i32>(std::min<u32>(std::min(limit, largest_window()) / 2, mss));
    return possible - offered_ >= worth ? possible : offered_;
}

u16 Receiver::window_field(u32 limit, u16 mss, bool syn) const {
    const SeqNum edge = offered_edge(limit, mss);
    const u32 window = edge.after(rcv_.nxt) ? static_cast<u32>(edge - rcv_.nxt) : 0;
    if (syn) return static_cast<u16>(std::min<u32>(window, 65535));
    u32 field = window >> rcv_.wind_shift;
    // RFC 7323 2.4: where the window is no multiple of the unit, it has to be said a little too large or
    // too small. Too large, so that nothing is taken back; but that never becomes an offer of its own,
    // else the edge would creep on with every small segment and the window never close.
    if ((rcv_.nxt + (field << rcv_.wind_shift)).before(offered_)) ++field;
    return static_cast<u16>(std::min<u32>(field, 65535));
}

void Receiver::advertised(u16 field, bool syn) {
    const u8 shift = syn ? u8{0} : rcv_.wind_shift;
    const SeqNum edge = rcv_.nxt + (u32{field} << shift);
    rcv_.edge = later(rcv_.edge, edge);
    if (edge - offered_ >= i32{1} << shift) offered_ = edge;
}

bool Receiver::window_update_due(u32 limit, u16 mss) const {
    if (fin_reached_) return false;
    const SeqNum edge = offered_edge(limit, mss);
    const i32 gain = edge - offered_;
    if (gain <= 0) return false;
    // While the sender has plenty of window left the next data's ACK will say it.
    const u32 left = rcv_.wnd();
    const u32 half = std::min(limit, largest_window()) / 2;
    return left < std::min<u32>(2U * mss, half) || gain >= static_cast<i32>(half);
}

u32 Receiver::read(MutableBytes out) {
    const u32 n = buffer_.copy_out(0, out);
    consume(n);
    return n;
}

void Receiver::consume(u32 n) {
    buffer_.discard(n, !assembler_.empty());
    if (rcv_.urgent && !rcv_.up.after(unread())) rcv_.urgent = false;
}

bool Receiver::take_urgent(SeqNum up) {
    if (discarding_ || !up.after(unread()) || (rcv_.urgent && !up.after(rcv_.up))) return false;
    rcv_.up = up;
    rcv_.urgent = true;
    return true;
}

u32 Receiver::urgent_ahead() const {
    return rcv_.urgent ? static_cast<u32>(rcv_.up - unread()) : 0;
}

void Receiver::discard_all() {
    discarding_ = true;
    assembler_.clear();
    buffer_.clear();
}

}  // namespace tapestry
