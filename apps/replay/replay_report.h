#pragma once

#include <functional>
#include <string>

#include "apps/inspect/paint.h"
#include "apps/replay/comparison.h"
#include "apps/replay/stage.h"

namespace tapestry {

/// The comparison of one conversation, or of everything but TCP.
struct ReplayedPart {
    const TcpScript* script = nullptr;  ///< null: everything but TCP
    const PlayedTcp* played = nullptr;
    CompareRows rows;
    CompareSum sum;
};

/// What came of a whole recording.
struct ReplayResult {
    const Recording* recording = nullptr;
    std::vector<ReplayedPart> parts;
    CompareSum sum;
    TimePoint start{};  ///< of the first row: times are shown from there
    LeewaySet allowed;
    std::map<std::string, u32> not_played;  ///< frames that the stack has no means to send
    bool diverged() const { return sum.count(Match::Diverged) > 0; }
};

/// Compares what has been played. With `stream` only that conversation.
ReplayResult compare_all(const Recording& recording, Stage& stage, LeewaySet allowed,
                         std::optional<std::size_t> stream);

/// What the recording is like and what was made up, one line each; about one conversation.
std::vector<std::string> remarks(const TcpScript& script, const PlayedTcp& played);
/// ... about the whole file.
std::vector<std::string> remarks(const Recording& recording);

/// For people: each part's frames (all, or only those that diverge), then the sums.
void print_replay(const ReplayResult& result, bool every_frame, Paint paint,
                  const std::function<void(const std::string&)>& out);
/// The document of `replay --json`; docs/replay.md has its form.
std::string replay_json(const ReplayResult& result);
/// What passed the host's wire, each frame of ours that differs with a comment. The stage has kept it. Throws Failure (kUsage): the file cannot
/// be written.
void write_replay(const ReplayResult& result, const Stage& stage, const std::string& path);

/// One frame in notation, as `side` wrote it.
std::string row_line(const CompareRow& row, bool recorded, const ReplayedPart& part);

}  // namespace tapestry
