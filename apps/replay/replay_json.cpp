#include <nlohmann/json.hpp>

#include "apps/replay/replay_report.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

Json names(LeewaySet rules) {
    Json list = Json::array();
    for (std::size_t i = 0; i < static_cast<std::size_t>(Leeway::kCount); ++i) {
        if (rules.has(static_cast<Leeway>(i))) list.push_back(name(static_cast<Leeway>(i)));
    }
    return list;
}

Json sum_json(const CompareSum& sum) {
    Json json = {{"recorded", sum.recorded}, {"sent", sum.sent}};
    for (std::size_t i = 0; i < sum.matches.size(); ++i) {
        json[std::string(name(static_cast<Match>(i)))] = sum.matches[i];
    }
    Json rules = Json::object();
    for (std::size_t i = 0; i < sum.rules.size(); ++i) {
        if (sum.rules[i] > 0) rules[std::string(name(static_cast<Leeway>(i)))] = sum.rules[i];
    }
    json["rules"] = rules;
    return json;
}

Json row_json(const CompareRow& row, const ReplayedPart& part, const ReplayResult& result) {
    const Match match = row.match(result.allowed);
    Json json = {{"time", to_seconds(row.time - result.start)},
                 {"verdict", name(match)},
                 {"rules", names(row.rules)}};
    json["number"] = row.recorded != nullptr ? Json(row.recorded->number) : Json();
    json["recorded"] = row.recorded != nullptr ? Json(row_line(row, true, part)) : Json();
    json["sent"] = row.sent != nullptr ? Json(row_line(row, false, part)) : Json();
    if (match != Match::Diverged) return json;
    json["offset"] = row.recorded != nullptr ? Json(row.recorded->offset) : Json();
    json["why"] = row.wrong ? row.what : "the rules are not allowed";
    if (row.wrong) json["rfc"] = row.rfc;
    if (part.script != nullptr) {
        json["state"] = row.state.text(part.script->our_isn, part.script->their_isn);
    }
    return json;
}

Json part_json(const ReplayedPart& part, const ReplayResult& result) {
    Json json = Json::object();
    if (part.script != nullptr) {
        const TcpScript& script = *part.script;
        const auto end = [](const Endpoint& e) {
            return Json{{"ip", e.address.to_string()}, {"port", e.port}};
        };
        json["stream"] = script.stream;
        json["local"] = end(script.local);
        json["remote"] = end(script.remote);
        json["opened_by_host"] = script.active;
        json["remarks"] = remarks(script, *part.played);
    } else {
        json["stream"] = nullptr;
    }
    json["sum"] = sum_json(part.sum);
    Json frames = Json::array();
    for (const CompareRow& row : part.rows) frames.push_back(row_json(row, part, result));
    json["frames"] = frames;
    return json;
}

}  // namespace

std::string replay_json(const ReplayResult& result) {
    Json json = {{"file", result.recording->path()},
                 {"as", result.recording->host().to_string()},
                 {"frames", result.recording->records()},
                 {"skipped", result.recording->skipped()},
                 {"remarks", remarks(*result.recording)},
                 {"allowed_rules", names(result.allowed)},
                 {"sum", sum_json(result.sum)}};
    json["not_played"] = result.not_played;
    Json parts = Json::array();
    for (const ReplayedPart& part : result.parts) parts.push_back(part_json(part, result));
    json["conversations"] = parts;
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tapestry
