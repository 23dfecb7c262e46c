#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/inspect/observed.h"

namespace tapestry {

/// What a side does behind the last byte of a turn.
enum class TurnEnd : u8 { None, Fin, Reset };

/// Bytes of one side that it sent with nothing of the other side's between them that it waited for.
struct Turn {
    Side from = Side::Client;
    u64 begin = 0;  ///< in the stream of that side ...
    u64 end = 0;    ///< ... behind the last byte; the same when it only ends its stream
    TurnEnd ends = TurnEnd::None;
    TimePoint time{};          ///< of the first byte, since 1970
    TimePoint last{};          ///< of the last one
    Duration longest_pause{};  ///< before it and in it, without a byte of this side
    u64 frame = 0;             ///< of the first byte

    u64 size() const { return end - begin; }
};

/// Bytes that came in one frame. One that has no frame with all of it is a hole.
struct TurnPiece {
    u64 begin = 0;
    u64 end = 0;
    u64 frame = 0;
    TimePoint time{};
    bool known = true;
};

/// One TCP conversation of a capture as its two programs saw it: who said what, in which order, having
/// heard what.
///
/// The order is that of the acknowledgment numbers, not that of the capture: a side had heard what the
/// first segment with a byte of its own acknowledges. So captures that were made at either end, or
/// between, give the same dialogue.
struct Dialogue {
    std::size_t stream = 0;  ///< tshark's tcp.stream
    Endpoint client;
    Endpoint server;
    bool handshake = true;                         ///< SYN and SYN-ACK were seen
    TimePoint opened{};                            ///< the end of the handshake, since 1970
    std::array<std::vector<u8>, 2> bytes;          ///< by Side; zeros where unknown
    std::array<std::vector<TurnPiece>, 2> pieces;  ///< by Side, in order, without gaps
    std::vector<Turn> turns;

    const std::vector<u8>& of(Side side) const { return bytes[static_cast<std::size_t>(side)]; }
    const std::vector<TurnPiece>& pieces_of(Side side) const {
        return pieces[static_cast<std::size_t>(side)];
    }
    Bytes text(const Turn& turn) const {
        return Bytes(of(turn.from)).subspan(turn.begin, turn.size());
    }
    /// The piece with a byte of that side; behind the last byte the last piece. Null: no piece at all.
    const TurnPiece* piece_at(Side side, u64 offset) const;
    /// The first hole of that side; null when everything is known.
    const TurnPiece* first_hole(Side side) const;
};

/// Reads a stream of a capture file, numbered as tshark does; without a number the first one whose
/// handshake was seen and that has application bytes. Throws Failure(kUsage): a file that cannot be
/// read, no such stream, a stream that says nothing, more missing than can be left open.
Dialogue read_dialogue(const std::string& file, std::optional<std::size_t> stream);

}  // namespace tapestry
