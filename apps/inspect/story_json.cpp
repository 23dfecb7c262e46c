#include "apps/inspect/story_json.h"

#include <nlohmann/json.hpp>

#include "apps/inspect/timeline_names.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

Json frame_json(const FrameFacts& facts) {
    Json json{{"link", facts.link}, {"notation", facts.notation}};
    if (!facts.source.empty()) json["source"] = facts.source;
    if (!facts.destination.empty()) json["destination"] = facts.destination;
    if (!facts.role.empty()) json["role"] = facts.role;
    if (!facts.quote.empty()) json["quote"] = facts.quote;
    json["length"] = facts.length;
    if (facts.ttl != 0) json["ttl"] = facts.ttl;
    json["lost"] = !facts.lost.empty();
    if (!facts.lost.empty()) json["why"] = facts.lost;
    return json;
}

Json flow_json(const FlowEvent& event) {
    const FlowSnapshot& flow = event.flow;
    return {{"event", name(event.kind)}, {"id", flow.id},
            {"row", flow_row(flow)},     {"conntrack", to_string(flow)},
            {"state", name(flow.state)}, {"remaining", to_seconds(flow.remaining)}};
}

Json step_json(const Story& story, const Step& step, std::size_t number) {
    Json json{{"step", number},
              {"time", to_seconds(step.time.time_since_epoch())},
              {"kind", name(step.kind)},
              {"from", story.lifelines[step.from].label()}};
    if (step.kind == Step::Kind::Frame || step.kind == Step::Kind::Rewrite) {
        json["to"] = story.lifelines[step.to].label();
    }
    if (!step.text.empty()) json["text"] = step.text;
    if (step.frame) json["frame"] = frame_json(*step.frame);
    if (!step.rewrites.empty()) {
        json["rewrites"] = Json::array();
        for (const Rewrite& r : step.rewrites) {
            json["rewrites"].push_back(
                {{"field", r.field}, {"before", r.before}, {"after", r.after}});
        }
    }
    if (step.flow) json["flow"] = flow_json(*step.flow);
    if (step.drop) json["drop"] = name(*step.drop);
    if (!step.rule.empty()) json["rule"] = step.rule;
    return json;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
    return text;
}

}  // namespace

std::string story_json(const Story& story) {
    Json json{{"lab", story.name},
              {"title", story.title},
              {"seed", story.seed},
              {"watch", joined(story.watch)},
              {"scene", joined(story.scene)},
              {"summary", joined(story.summary)}};
    json["lifelines"] = Json::array();
    for (const Lifeline& line : story.lifelines) {
        json["lifelines"].push_back({{"name", line.label()},
                                     {"machine", line.machine},
                                     {"side", line.side},
                                     {"address", line.address}});
    }
    json["steps"] = Json::array();
    for (std::size_t i = 0; i < story.steps.size(); ++i) {
        json["steps"].push_back(step_json(story, story.steps[i], i + 1));
    }
    return json.dump(2);
}

}  // namespace tapestry
