#include "apps/replay/live_player.h"

#include <algorithm>

/// Theory of operation. Our turns are sent as they stand in the recording. A turn of the peer has ended
/// when as much of HTTP has come as was recorded (heads and messages), whatever their length; where the
/// recording is no HTTP, or stops amid a message, when as many bytes have come; and in any case when
/// the peer has been silent for longer than it ever was in the recording and the quiet time. All
/// that has come until we speak belongs to the turn: no later turn of the peer's can have begun, for it
/// waits for what we say next (see Dialogue).

namespace tapestry {
namespace {

/// How many of the offsets, which are in order, are in (begin, end].
std::size_t count(const std::vector<u64>& offsets, u64 begin, u64 end) {
    return static_cast<std::size_t>(std::ranges::upper_bound(offsets, end) -
                                    std::ranges::upper_bound(offsets, begin));
}

/// The part of `spots` between two offsets, counted from the first one.
std::vector<LiveSpot> spots_between(const std::vector<LiveSpot>& spots, u64 begin, u64 end) {
    std::vector<LiveSpot> some;
    auto spot = std::ranges::upper_bound(spots, begin, {}, &LiveSpot::end);
    for (; spot != spots.end() && spot->begin < end; ++spot) {
        some.push_back(
            {std::max(spot->begin, begin) - begin, std::min(spot->end, end) - begin, spot->rule});
    }
    return some;
}

}  // namespace

LivePlayer::LivePlayer(const Dialogue& dialogue, const LiveManner& manner,
                       LiveConnection& connection)
    : dialogue_(dialogue), manner_(manner), connection_(connection), peer_(other(manner.ours)) {
    for (const Turn& turn : dialogue.turns) {
        recorded_http_.feed(turn.from, Bytes(dialogue.of(turn.from)).first(turn.end));
        if (turn.ends == TurnEnd::Fin) recorded_http_.end(turn.from);
        // A head with a hole in it cannot be read; the next turn begins with another one.
        unread_.push_back(lost_in(turn));
        if (unread_.back()) recorded_http_.resume(turn.from, turn.end);
    }
}

/// The recording's HTTP has been lost in a hole of this turn.
bool LivePlayer::lost_in(const Turn& turn) const {
    const LiveHttp::Way& way = recorded_http_.way(turn.from);
    if (!way.lost || way.parsed < turn.begin) return false;
    return std::ranges::any_of(dialogue_.pieces_of(turn.from), [&](const TurnPiece& piece) {
        return !piece.known && piece.begin < turn.end && turn.begin < piece.end;
    });
}

std::vector<LiveTurn> LivePlayer::play() {
    std::vector<LiveTurn> results;
    for (std::size_t i = 0; i < dialogue_.turns.size(); ++i) {
        const Turn& turn = dialogue_.turns[i];
        LiveTurn result;
        if (!over_) result = turn.from == manner_.ours ? ours(i) : theirs(i);
        if (result.frame == 0) result.frame = turn.frame;
        results.push_back(std::move(result));
    }
    return results;
}

LiveTurn LivePlayer::ours(std::size_t index) {
    const Turn& turn = dialogue_.turns[index];
    const Bytes text = dialogue_.text(turn);
    LiveTurn result;
    result.verdict = LiveVerdict::Sent;
    TimePoint clock = index == 0 ? dialogue_.opened : dialogue_.turns[index - 1].last;
    for (u64 at = turn.begin; at < turn.end;) {
        u64 end = turn.end;
        if (manner_.recorded_speed) {
            const TurnPiece& piece = *dialogue_.piece_at(turn.from, at);
            end = std::min(piece.end, turn.end);
            if (piece.time > clock) connection_.pause(piece.time - clock);
            clock = std::max(clock, piece.time);
        }
        const Bytes part = text.subspan(at - turn.begin, end - at);
        const std::size_t sent = connection_.send(part);
        result.bytes_live += sent;
        if (sent < part.size()) {
            result.verdict = LiveVerdict::Diverged;
            result.why = connection_.ended() == TurnEnd::None ? "timeout" : "reset";
            result.at = at - turn.begin + sent;
            result.frame = dialogue_.piece_at(turn.from, turn.begin + result.at)->frame;
            over_ = true;
            return result;
        }
        at = end;
    }
    live_http_.feed(manner_.ours, Bytes(dialogue_.of(manner_.ours)).first(turn.end));
    if (manner_.recorded_speed && turn.ends != TurnEnd::None && turn.last > clock) {
        connection_.pause(turn.last - clock);
    }
    if (turn.ends == TurnEnd::Fin) {
        connection_.shutdown();
        live_http_.end(manner_.ours);
    } else if (turn.ends == TurnEnd::Reset) {
        connection_.reset(manner_.quiet_time);
        over_ = true;
    }
    return result;
}

/// The turn ends where HTTP has ended a head or a message.
bool LivePlayer::framed(const Turn& turn) const {
    if (recorded_http_.way(Side::Client).heads.empty() || live_http_.way(peer_).lost) return false;
    const LiveHttp::Way& way = recorded_http_.way(peer_);
    const auto ends_at = [&](const std::vector<u64>& marks) {
        return std::ranges::binary_search(marks, turn.end);
    };
    return turn.size() > 0 && (ends_at(way.heads) || ends_at(way.messages));
}

bool LivePlayer::answered(std::size_t index) {
    const Turn& turn = dialogue_.turns[index];
    const u64 heard = connection_.heard().size();
    live_http_.feed(peer_, connection_.heard());
    if (turn.ends != TurnEnd::None) return false;
    if (framed(turn)) {
        const LiveHttp::Way& then = recorded_http_.way(peer_);
        const LiveHttp::Way& now = live_http_.way(peer_);
        return count(now.heads, begin_, heard) >= count(then.heads, turn.begin, turn.end) &&
               count(now.messages, begin_, heard) >= count(then.messages, turn.begin, turn.end);
    }
    // Nobody will wait for what comes after the last turn: it is now that it would be noticed.
    return index + 1 < dialogue_.turns.size() && heard - begin_ >= turn.size();
}

LiveText LivePlayer::recorded_text(const Turn& turn) const {
    LiveText text{dialogue_.text(turn), {}, {}};
    text.spots = spots_between(recorded_http_.way(peer_).spots, turn.begin, turn.end);
    const auto& pieces = dialogue_.pieces_of(peer_);
    auto piece = std::ranges::upper_bound(pieces, turn.begin, {}, &TurnPiece::end);
    for (; piece != pieces.end() && piece->begin < turn.end; ++piece) {
        if (piece->known) continue;
        text.holes.push_back({std::max(piece->begin, turn.begin) - turn.begin,
                              std::min(piece->end, turn.end) - turn.begin});
    }
    return text;
}

LiveText LivePlayer::live_text() const {
    LiveText text{connection_.heard().subspan(begin_), {}, {}};
    text.spots = spots_between(live_http_.way(peer_).spots, begin_, connection_.heard().size());
    return text;
}

std::string_view LivePlayer::end_of(std::size_t index) const {
    const TurnEnd live = connection_.ended();
    const TurnEnd recorded = dialogue_.turns[index].ends;
    if (live == recorded) return "";
    if (live == TurnEnd::Reset) return "reset";
    if (recorded == TurnEnd::Reset) return "not_reset";
    if (recorded == TurnEnd::Fin) return "not_closed";
    // How a connection ended that was open when the capture stopped nobody knows.
    return index + 1 < dialogue_.turns.size() ? "closed_early" : "";
}

void LivePlayer::note_difference(LiveTurn& result, const Turn& turn,
                                 const LiveComparison& found) const {
    const Bytes recorded = dialogue_.text(turn);
    const Bytes live = connection_.heard().subspan(begin_);
    result.at = found.recorded_at;
    if (found.live_at >= live.size()) {
        result.why = late_ ? "timeout" : "missing";
        if (connection_.ended() == TurnEnd::Fin) result.why = "closed_early";
        if (connection_.ended() == TurnEnd::Reset) result.why = "reset";
    } else {
        result.why = found.recorded_at >= recorded.size() ? "extra" : "bytes";
    }
    result.recorded = live_excerpt(recorded, found.recorded_at);
    result.live = live_excerpt(live, found.live_at);
}

LiveTurn LivePlayer::theirs(std::size_t index) {
    const Turn& turn = dialogue_.turns[index];
    const auto waited =
        connection_.wait([&] { return answered(index); }, turn.longest_pause + manner_.quiet_time,
                         turn.ends == TurnEnd::Reset);
    late_ = waited == LiveConnection::Waited::Late;
    if (connection_.ended() != TurnEnd::None) live_http_.end(peer_);

    LiveTurn result;
    const LiveText recorded = recorded_text(turn);
    LiveText live = live_text();
    // Where the recorded head could not be read to its end no rule is applied to the live one either.
    if (unread_[index]) live.spots.resize(std::min(live.spots.size(), recorded.spots.size()));
    const LiveComparison found = compare_live(recorded, live, manner_.allowed);
    result.verdict = found.verdict;
    result.rules = found.rules;
    result.bytes_live = live.bytes.size();
    for (const LiveRange& hole : recorded.holes) result.bytes_unknown += hole.end - hole.begin;
    const std::string_view end = end_of(index);
    if (found.verdict == LiveVerdict::Diverged) {
        note_difference(result, turn, found);
    } else if (!end.empty()) {
        result.verdict = LiveVerdict::Diverged;
        result.rules = {};
        result.why = late_ ? "timeout" : end;
        result.at = turn.size();
    }
    if (result.verdict == LiveVerdict::Diverged && turn.size() > 0) {
        result.frame =
            dialogue_.piece_at(peer_, turn.begin + std::min(result.at, turn.size() - 1))->frame;
    }
    begin_ = connection_.heard().size();
    over_ = late_ || end == "reset" || end == "closed_early";
    return result;
}

}  // namespace tapestry
