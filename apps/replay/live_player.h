#pragma once

#include "apps/replay/live_compare.h"
#include "apps/replay/live_connection.h"

namespace tapestry {

/// What came of one turn of a dialogue.
struct LiveTurn {
    LiveVerdict verdict = LiveVerdict::NotPlayed;
    LiveRules rules;         ///< Allowed: by these
    u64 bytes_live = 0;      ///< sent or received
    u64 bytes_unknown = 0;   ///< not in the capture, so not compared
    std::string_view why{};  ///< Diverged: "bytes", "missing", "extra", "closed_early", ...
    u64 at = 0;              ///< Diverged: the first difference, in the recorded turn ...
    u64 frame = 0;           ///< ... and the frame of the recording that has it
    std::string recorded;    ///< around there
    std::string live;
};

/// How the dialogue is to be played.
struct LiveManner {
    Side ours = Side::Client;
    LiveRules allowed;
    bool recorded_speed = false;  ///< we wait before we speak as long as was waited then
    Duration quiet_time = 1s;     ///< an answer of unknown length ends so long after its last byte
};

/// Plays one side of a dialogue to whoever plays the other, and compares what that one says.
class LivePlayer {
public:
    /// Everything outlives the player.
    LivePlayer(const Dialogue& dialogue, const LiveManner& manner, LiveConnection& connection);

    /// One result for each turn.
    std::vector<LiveTurn> play();

private:
    LiveTurn ours(std::size_t index);
    LiveTurn theirs(std::size_t index);
    bool answered(std::size_t index);
    bool lost_in(const Turn& turn) const;
    bool framed(const Turn& turn) const;
    /// What happened behind the bytes of a turn, if they were right: "" for what was recorded.
    std::string_view end_of(std::size_t index) const;
    LiveText recorded_text(const Turn& turn) const;
    LiveText live_text() const;
    void note_difference(LiveTurn& result, const Turn& turn, const LiveComparison& found) const;

    const Dialogue& dialogue_;
    const LiveManner& manner_;
    LiveConnection& connection_;
    Side peer_;
    LiveHttp recorded_http_;
    LiveHttp live_http_;
    std::vector<bool> unread_;  ///< turns with heads of HTTP that have holes
    u64 begin_ = 0;             ///< of the peer's turn, in what was heard
    bool over_ = false;         ///< nothing more can be played
    bool late_ = false;         ///< --max-time is over
};

}  // namespace tapestry
