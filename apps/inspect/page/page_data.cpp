#include "apps/inspect/page/page_data.h"

#include <array>
#include <cmath>
#include <map>
#include <unordered_map>

#include "apps/inspect/chinese_words.h"
#include "apps/inspect/explain.h"
#include "apps/inspect/frame_reader.h"
#include "apps/inspect/packet_changes.h"
#include "apps/inspect/state_words.h"
#include "apps/inspect/timeline_names.h"
#include "apps/inspect/verdict_words.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

/// A state that can be read without going back further: every so many of an end.
constexpr unsigned kWholeEvery = 64;

i64 index(u32 i) { return i == Timeline::kNone ? -1 : i64{i}; }

/// Texts, each once: in English, or as a pair where the Chinese one is another.
class Words {
public:
    i64 add(const std::string& text, const std::string& chinese = "") {
        if (text.empty()) return -1;
        const bool same = chinese.empty() || chinese == text;
        const std::string& key = same ? text : text + '\0' + chinese;
        const auto [at, is_new] = known_.try_emplace(key, static_cast<i64>(all_.size()));
        if (is_new) all_.push_back(same ? Json(text) : Json::array({text, chinese}));
        return at->second;
    }
    Json take() { return std::move(all_); }

private:
    std::unordered_map<std::string, i64> known_;
    Json all_ = Json::array();
};

Json head(const Timeline& timeline) {
    Json json{{"source", name(timeline.source)},
              {"name", timeline.name},
              {"title", timeline.title},
              {"watch", timeline.watch},
              {"scene", timeline.scene},
              {"summary", timeline.summary},
              {"zh",
               {{"title", timeline.title_in(Language::Chinese)},
                {"watch", timeline.watch_in(Language::Chinese)},
                {"summary", timeline.summary_in(Language::Chinese)}}},
              {"seed", timeline.seed}};
    json["hosts"] = Json::array();
    for (const Timeline::Host& host : timeline.hosts) {
        std::vector<u32> lines;
        for (const auto& interface : host.interfaces) lines.push_back(interface.lifeline);
        json["hosts"].push_back({{"name", host.name}, {"ours", host.ours}, {"lifelines", lines}});
    }
    json["ends"] = Json::array();
    for (const Timeline::End& end : timeline.ends) {
        json["ends"].push_back({{"host", index(end.host)},
                                {"local", end.local.to_string()},
                                {"remote", end.remote.to_string()},
                                {"peer", index(end.peer)},
                                {"stream", index(end.stream)}});
    }
    json["fields"] = Json::array();
    for (const StateField& field : state_fields()) {
        json["fields"].push_back({{"key", field.key},
                                  {"name", field.name},
                                  {"zh", name_in(field, Language::Chinese)},
                                  {"kind", static_cast<int>(field.kind)},
                                  {"group", static_cast<int>(field.group)}});
    }
    return json;
}

Json geometry_json(const Timeline& timeline, const LadderGeometry& g) {
    const auto rounded = [](double v) { return static_cast<i64>(std::lround(v)); };
    Json json{{"width", rounded(g.width)}, {"height", rounded(g.height)}};
    json["lifelines"] = Json::array();
    for (std::size_t i = 0; i < g.columns.size(); ++i) {
        json["lifelines"].push_back({{"x", rounded(g.columns[i])},
                                     {"label", timeline.lifelines[i].label()},
                                     {"address", timeline.lifelines[i].address}});
    }
    json["rows"] = Json::array();
    for (const double y : g.rows) json["rows"].push_back(rounded(y));
    json["arrows"] = Json::array();  // five numbers of each frame
    for (const auto& a : g.arrows) {
        const int how = !a.drawn ? 0 : a.lost ? 2 : a.known ? 1 : 3;
        for (const double v : {a.x1, a.y1, a.x2, a.y2}) json["arrows"].push_back(rounded(v));
        json["arrows"].push_back(how);
    }
    json["waits"] = Json::array();
    for (const auto& wait : g.waits) {
        json["waits"].push_back({rounded(wait.y1), rounded(wait.y2), duration_text(wait.time)});
    }
    return json;
}

Json value_json(const StateField& field, const TcpSnapshot& state, TimePoint start, Words& words) {
    const u64 value = field.get(state);
    switch (field.kind) {
        case StateField::Kind::State:
        case StateField::Kind::Error:
        case StateField::Kind::Address:
            return words.add(field_text(field, state, {}));
        case StateField::Kind::Deadline:
            if (value == static_cast<u64>(kNever.time_since_epoch().count())) return nullptr;
            return static_cast<i64>(value) - start.time_since_epoch().count();
        case StateField::Kind::Time:
            return static_cast<i64>(value);
        default:
            return value;
    }
}

/// Each state: the one it is like (-1: one that has done nothing), then field and value of what differs.
Json states_json(const Timeline& timeline, Words& words) {
    std::vector<u32> like(timeline.states.size(), Timeline::kNone);
    std::vector<unsigned> depth(timeline.states.size());
    for (const Timeline::Step& step : timeline.steps) {
        if (step.end == Timeline::kNone || step.before >= step.after) continue;
        if (like[step.after] != Timeline::kNone || depth[step.before] + 1 >= kWholeEvery) continue;
        like[step.after] = step.before;
        depth[step.after] = depth[step.before] + 1;
    }
    const auto fields = state_fields();
    const TcpSnapshot nothing;
    Json states = Json::array();
    for (std::size_t i = 0; i < timeline.states.size(); ++i) {
        Json one = Json::array({index(like[i])});
        const bool whole = like[i] == Timeline::kNone;
        const TcpSnapshot& base = whole ? nothing : timeline.states[like[i]];
        for (std::size_t f = 0; f < fields.size(); ++f) {
            const bool word = fields[f].kind == StateField::Kind::State;
            if (!(whole && word) && !changed(fields[f], base, timeline.states[i])) continue;
            one.push_back(f);
            one.push_back(value_json(fields[f], timeline.states[i], timeline.start, words));
        }
        states.push_back(std::move(one));
    }
    return states;
}

Json frames_json(const Timeline& timeline, Words& words) {
    const auto facts = frame_facts(timeline);
    Json json;
    for (std::size_t i = 0; i < timeline.frames.size(); ++i) {
        const Timeline::Frame& frame = timeline.frames[i];
        json["text"].push_back(facts[i].notation);
        json["brief"].push_back(
            words.add(facts[i].brief == facts[i].notation ? "" : facts[i].brief));
        json["role"].push_back(words.add(facts[i].role, role_in(facts[i].role, Language::Chinese)));
        json["quote"].push_back(words.add(facts[i].quote));
        json["sent"].push_back(frame.sent ? frame.sent->count() : -1);
        json["arrived"].push_back(frame.arrived ? frame.arrived->count() : -1);
        json["lost"].push_back(words.add(frame.lost, loss_in(frame.lost, Language::Chinese)));
        json["again"].push_back(index(frame.again));
        json["size"].push_back(frame.wire_size);
        json["kind"].push_back(static_cast<int>(facts[i].kind));
        json["record"].push_back(frame.record);
    }
    return json;
}

/// The rows of the table of explanations that occur, in the wordings that occur.
class Texts {
public:
    explicit Texts(const Timeline& timeline) : timeline_(timeline) {}

    i64 add(const Timeline::Step& step) {
        const Explanation* english = explanation_of(timeline_, step, Language::English);
        if (english == nullptr) return -1;
        Words words = words_of(step, *english);
        const auto [at, is_new] =
            known_.try_emplace({english, words}, static_cast<i64>(all_.size()));
        if (!is_new) return at->second;
        const bool decided = step.end != Timeline::kNone && step.verdict != Verdict::None;
        const Words chinese = words_of(step, *explanation_of(timeline_, step, Language::Chinese));
        names_.push_back(placeholders(at->first.second));
        all_.push_back({{"name", decided ? name(step.verdict) : name(*step.drop)},
                        {"brief", decided ? text_in(step.verdict, Language::Chinese) : ""},
                        {"rule", rule_of(timeline_, step)},
                        {"values", names_.back()},
                        {"en", words},
                        {"zh", chinese}});
        return at->second;
    }
    const std::vector<std::string_view>& names(i64 text) const {
        return names_.at(static_cast<std::size_t>(text));
    }
    Json take() { return std::move(all_); }

private:
    using Words = std::array<std::string, 3>;  ///< what, why, mistake

    Words words_of(const Timeline::Step& step, const Explanation& row) const {
        return {wording(timeline_, step, row.what), wording(timeline_, step, row.why),
                wording(timeline_, step, row.mistake)};
    }
    /// They point into the words.
    static std::vector<std::string_view> placeholders(const Words& words) {
        std::vector<std::string_view> names;
        for (const std::string& text : words) {
            for (const std::string_view one : placeholders_of(text)) names.push_back(one);
        }
        return names;
    }
    const Timeline& timeline_;
    std::map<std::pair<const Explanation*, Words>, i64> known_;
    std::vector<std::vector<std::string_view>> names_;
    Json all_ = Json::array();
};

std::string happening(const Timeline& timeline, const Timeline::Step& step, Language language) {
    if (step.rewrite != Timeline::kNone) {
        const Timeline::Rewrite& rewrite = timeline.rewrites[step.rewrite];
        return rewrite_text(packet_changes(rewrite.before, rewrite.after));
    }
    if (step.flow != Timeline::kNone) return flow_text(timeline.flows[step.flow], language);
    return Timeline::text_in(step, language);
}

Json steps_json(const Timeline& timeline, Words& words, Texts& texts) {
    Json json;
    for (const Timeline::Step& step : timeline.steps) {
        const i64 text = texts.add(step);
        json["kind"].push_back(static_cast<int>(step.kind));
        json["time"].push_back(step.time.count());
        json["host"].push_back(index(step.host));
        json["frame"].push_back(index(step.frame));
        json["cause"].push_back(index(step.cause));
        json["words"].push_back(words.add(happening(timeline, step, Language::English),
                                          happening(timeline, step, Language::Chinese)));
        json["end"].push_back(index(step.end));
        json["before"].push_back(index(step.before));
        json["after"].push_back(index(step.after));
        json["drop"].push_back(step.drop ? words.add(std::string(name(*step.drop))) : -1);
        json["text"].push_back(text);
        json["values"].push_back(
            text < 0 ? Json(0) : Json(placeholder_values(timeline, step, texts.names(text))));
        json["analysis"].push_back(step.analysis.empty() ? Json(0) : Json(step.analysis.names()));
    }
    return json;
}

/// The rows of routers' tables, as each step left them.
Json flows_json(const Timeline& timeline) {
    Json json = Json::array();
    for (std::size_t i = 0; i < timeline.steps.size(); ++i) {
        const Timeline::Step& step = timeline.steps[i];
        if (step.flow == Timeline::kNone) continue;
        const FlowEvent& event = timeline.flows[step.flow];
        json.push_back({{"step", i},
                        {"event", name(event.kind)},
                        {"id", event.flow.id},
                        {"host", step.host},
                        {"row", flow_row(event.flow)},
                        {"state", name(event.flow.state)},
                        {"remaining", duration_text(event.flow.remaining)}});
    }
    return json;
}

}  // namespace

Json page_data(const Timeline& timeline, const LadderGeometry& geometry) {
    Words words;
    Texts texts(timeline);
    Json json = head(timeline);
    json["kinds"] = Json::array();
    for (int kind = 0; kind <= static_cast<int>(Timeline::Step::Kind::Note); ++kind) {
        json["kinds"].push_back(name(static_cast<Timeline::Step::Kind>(kind)));
    }
    json["ladder"] = geometry_json(timeline, geometry);
    json["steps"] = steps_json(timeline, words, texts);
    json["texts"] = texts.take();
    json["frames"] = frames_json(timeline, words);
    json["states"] = states_json(timeline, words);
    json["flows"] = flows_json(timeline);
    json["series"] = page_series(timeline);
    json["perPart"] = kPageFrames;
    json["words"] = words.take();
    return json;
}

}  // namespace tapestry
