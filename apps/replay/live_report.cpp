#include "apps/replay/live_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace tapestry {
namespace {

std::string_view name(Side side) { return side == Side::Client ? "client" : "server"; }

/// "75 bytes", "FIN", "3000 bytes and FIN, 12 live".
std::string size_of(const Turn& turn, const LiveTurn& played) {
    std::string text;
    if (turn.size() > 0 || turn.ends == TurnEnd::None) {
        text = std::to_string(turn.size()) + " bytes";
    }
    if (turn.ends != TurnEnd::None) {
        text += text.empty() ? "" : " and ";
        text += turn.ends == TurnEnd::Fin ? "FIN" : "RST";
    }
    if (played.verdict != LiveVerdict::NotPlayed && played.bytes_live != turn.size()) {
        text +=
            ", " + std::to_string(played.bytes_live) + (turn.size() > 0 ? " live" : " bytes live");
    }
    return text;
}

/// What is meant by LiveTurn::why.
std::string_view words(std::string_view why) {
    if (why == "bytes") return "other bytes";
    if (why == "missing") return "nothing more came";
    if (why == "extra") return "more than was recorded";
    if (why == "timeout") return "the time was over";
    if (why == "reset") return "the peer has reset the connection";
    if (why == "closed_early") return "the peer has closed early";
    if (why == "not_closed") return "the peer has not closed";
    if (why == "not_reset") return "the peer has not reset the connection";
    return why;
}

std::string verdict_of(const LiveTurn& played, const Paint& paint) {
    std::string rest;
    if (played.bytes_unknown > 0) {
        rest = "; " + std::to_string(played.bytes_unknown) +
               " bytes are not in the capture, not compared";
    }
    switch (played.verdict) {
        case LiveVerdict::Sent:
            return "sent";
        case LiveVerdict::NotPlayed:
            return paint.dim("not played");
        case LiveVerdict::Equal:
            return paint.green("equal") + rest;
        case LiveVerdict::Allowed: {
            std::string rules;
            for (const std::string& rule : played.rules.names()) {
                rules += (rules.empty() ? "" : ", ") + rule;
            }
            return paint.green("allowed") + " (" + rules + ")" + rest;
        }
        case LiveVerdict::Diverged:
            return paint.red("diverged") + " at byte " + std::to_string(played.at) + ", frame " +
                   std::to_string(played.frame) + ": " + std::string(words(played.why)) + rest;
    }
    return "";
}

std::string sum_of(const LiveResult& result) {
    std::string sum = std::to_string(result.turns.size()) + " turns";
    const auto add = [&](LiveVerdict verdict, const char* word, bool always) {
        const std::size_t n = result.count(verdict);
        if (n == 0 && !always) return;
        sum += (sum.find(':') == std::string::npos ? ": " : ", ") + std::to_string(n) + ' ' + word;
    };
    add(LiveVerdict::Sent, "sent", true);
    add(LiveVerdict::Equal, "equal", true);
    add(LiveVerdict::Allowed, "allowed", false);
    add(LiveVerdict::Diverged, "diverged", true);
    add(LiveVerdict::NotPlayed, "not played", false);
    return sum + '\n';
}

}  // namespace

std::size_t LiveResult::count(LiveVerdict verdict) const {
    return static_cast<std::size_t>(std::ranges::count(turns, verdict, &LiveTurn::verdict));
}

std::string live_report(const LiveResult& result, const Paint& paint) {
    const Dialogue& dialogue = result.dialogue;
    std::string text = "stream " + std::to_string(dialogue.stream) + " of " + result.file + ", " +
                       dialogue.client.to_string() + " -> " + dialogue.server.to_string() +
                       "; we are the " + std::string(name(result.ours)) + "\n";
    for (std::size_t i = 0; i < result.turns.size(); ++i) {
        const Turn& turn = dialogue.turns[i];
        const LiveTurn& played = result.turns[i];
        char line[80];
        std::snprintf(line, sizeof line, "%4zu %s %-32s ", i + 1,
                      turn.from == result.ours ? "-->" : "<--", size_of(turn, played).c_str());
        text += line + verdict_of(played, paint) + '\n';
        if (!played.recorded.empty()) text += "         recorded  " + played.recorded + '\n';
        if (!played.live.empty()) text += "         live      " + played.live + '\n';
    }
    return text + sum_of(result);
}

std::string live_json(const LiveResult& result) {
    nlohmann::ordered_json document{{"file", result.file},
                                    {"stream", result.dialogue.stream},
                                    {"role", name(result.ours)},
                                    {"turns", nlohmann::ordered_json::array()}};
    for (std::size_t i = 0; i < result.turns.size(); ++i) {
        const Turn& turn = result.dialogue.turns[i];
        const LiveTurn& played = result.turns[i];
        nlohmann::ordered_json entry{{"turn", i + 1},
                                     {"from", name(turn.from)},
                                     {"bytes_recorded", turn.size()},
                                     {"bytes_live", played.bytes_live},
                                     {"bytes_unknown", played.bytes_unknown},
                                     {"ends", nullptr},
                                     {"verdict", name(played.verdict)},
                                     {"rules", played.rules.names()},
                                     {"why", nullptr},
                                     {"at", nullptr},
                                     {"recorded", played.recorded},
                                     {"live", played.live},
                                     {"frame", played.frame}};
        if (turn.ends != TurnEnd::None) entry["ends"] = turn.ends == TurnEnd::Fin ? "fin" : "reset";
        if (played.verdict == LiveVerdict::Diverged) {
            entry["why"] = played.why;
            entry["at"] = played.at;
        }
        document["turns"].push_back(std::move(entry));
    }
    document["diverged"] = result.count(LiveVerdict::Diverged);
    return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tapestry
