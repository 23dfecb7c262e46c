#pragma once

#include <optional>
#include <string>

#include "apps/inspect/relative_note.h"
#include "apps/inspect/tcp_digest.h"
#include "stack/trace/notation.h"

namespace tapestry {

/// What the frames of one connection tell somebody who watches them go by: where its numbers begin,
/// how far the handshake and the closing have come, what is sent a second time.
class Conversation {
public:
    explicit Conversation(std::size_t number) : number_(number) {}

    /// From 1, in the order of appearance.
    std::size_t number() const { return number_; }
    /// The segment in the one-line notation. Sequence numbers count from the first one seen of each
    /// direction, timestamps from 1.
    TcpNote note(const TcpDigest& digest);
    /// A few words on the part that the segment plays: "1 of 3", "FIN 2 of 2", "again", "10 x 1448"; ""
    /// for one like many. To be called once for each segment, after note().
    std::string role(const TcpDigest& digest);
    /// The segment carries nothing beyond what has gone this way before, and is no pure ACK.
    bool is_repetition(const TcpDigest& digest) const;

private:
    /// What one direction has shown.
    struct Way {
        NumberBase numbers;
        std::optional<SeqNum> next;  ///< the highest number so far
        std::optional<SeqNum> fin;   ///< behind the FIN
        bool fin_acked = false;
    };
    enum class Handshake : u8 { None, Syn, SynAck, Done };

    Way& way(Direction direction) { return ways_[direction == Direction::Out ? 1 : 0]; }
    const Way& way(Direction direction) const { return ways_[direction == Direction::Out ? 1 : 0]; }
    static Direction other(Direction direction) {
        return direction == Direction::Out ? Direction::In : Direction::Out;
    }
    std::string handshake_role(const TcpDigest& digest, bool again);
    std::string closing_role(const TcpDigest& digest, bool again);

    std::size_t number_;
    std::array<Way, 2> ways_;
    Handshake handshake_ = Handshake::None;
    Direction opener_ = Direction::Out;
};

}  // namespace tapestry
