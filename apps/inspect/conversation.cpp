#include "apps/inspect/conversation.h"

namespace tapestry {

TcpNote Conversation::note(const TcpDigest& digest) {
    Way& ours = way(digest.direction);
    Way& theirs = way(other(digest.direction));
    if (digest.flags.syn() && ours.numbers.base && *ours.numbers.base != digest.seq) {
        // A new connection between the same ports.
        ours = theirs = Way();
        handshake_ = Handshake::None;
    }
    TcpNote note;
    note.flags = digest.flags;
    note.seq = digest.seq.value();
    note.length = digest.length;
    if (digest.flags.ack()) note.ack = digest.ack.value();
    note.window = digest.window;
    note.options = digest.options;
    return relative_note(note, ours.numbers, theirs.numbers, 0);
}

bool Conversation::is_repetition(const TcpDigest& digest) const {
    const Way& ours = way(digest.direction);
    return digest.end() != digest.seq && ours.next && digest.end().before_or_at(*ours.next);
}

std::string Conversation::role(const TcpDigest& digest) {
    Way& ours = way(digest.direction);
    const bool again = is_repetition(digest);
    if (!ours.next || digest.end().after(*ours.next)) ours.next = digest.end();
    if (digest.flags.rst()) return "reset";
    std::string role = handshake_role(digest, again);
    if (role.empty()) role = closing_role(digest, again);
    if (role.empty() && again) role = "again";
    if (role.empty() && digest.segments > 1) {
        role = std::to_string(digest.segments) + " x " +
               std::to_string((digest.length + digest.segments - 1) / digest.segments);
    }
    return role;
}

/// RFC 9293 3.5: the three steps.
std::string Conversation::handshake_role(const TcpDigest& digest, bool again) {
    const std::string suffix = again ? " again" : "";
    if (digest.flags.syn() && !digest.flags.ack()) {
        handshake_ = Handshake::Syn;
        opener_ = digest.direction;
        return "1 of 3" + suffix;
    }
    if (digest.flags.syn()) {
        if (handshake_ != Handshake::Done) handshake_ = Handshake::SynAck;
        opener_ = other(digest.direction);
        return "2 of 3" + suffix;
    }
    if (handshake_ == Handshake::SynAck && digest.direction == opener_ && digest.flags.ack()) {
        handshake_ = Handshake::Done;
        return "3 of 3";
    }
    return "";
}

/// RFC 9293 3.6: each direction is closed by itself.
std::string Conversation::closing_role(const TcpDigest& digest, bool again) {
    Way& ours = way(digest.direction);
    Way& theirs = way(other(digest.direction));
    const bool acks_fin = digest.flags.ack() && theirs.fin && !theirs.fin_acked &&
                          digest.ack.after_or_at(*theirs.fin);
    if (acks_fin) theirs.fin_acked = true;
    if (digest.flags.fin()) {
        if (again && ours.fin) return "FIN again";
        ours.fin = digest.end();
        return theirs.fin ? "FIN 2 of 2" : "FIN 1 of 2";
    }
    return acks_fin ? "ACK of FIN" : "";
}

}  // namespace tapestry
