#include "apps/inspect/qlog.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "apps/inspect/frame_reader.h"
#include "apps/inspect/state_fields.h"
#include "apps/inspect/timeline_events.h"
#include "apps/inspect/timeline_json.h"
#include "apps/inspect/timeline_names.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;
using Step = Timeline::Step;
using Out = std::function<void(const std::string&)>;

double milliseconds(Duration d) { return to_seconds(d) * 1000; }

/// Which end of a connection each step belongs to, by its index; kNone: to none, as on a router.
std::vector<u32> ends_of_steps(const Timeline& timeline) {
    std::map<std::tuple<u32, Endpoint, Endpoint>, u32> latest;
    for (u32 i = static_cast<u32>(timeline.ends.size()); i-- > 0;) {
        const Timeline::End& end = timeline.ends[i];
        latest[{end.host, end.local, end.remote}] = i;
    }
    std::vector<u32> ends;
    ends.reserve(timeline.steps.size());
    for (const Step& step : timeline.steps) {
        ends.push_back(step.end);
        if (step.end != Timeline::kNone) {
            const Timeline::End& end = timeline.ends[step.end];
            latest[{step.host, end.local, end.remote}] = step.end;
            continue;
        }
        const auto packet = packet_of(timeline, step);
        if (!packet) continue;
        const bool in = step.kind == Step::Kind::Received;
        const Segment& seg = packet->segment;
        const auto found = latest.find(
            {step.host, in ? seg.destination : seg.source, in ? seg.source : seg.destination});
        if (found != latest.end()) ends.back() = found->second;
    }
    return ends;
}

/// Of each end: "client" of whoever opens, "server" of whoever listens; "unknown" where neither was seen.
std::vector<std::string> roles_of(const Timeline& timeline) {
    std::vector<std::string> roles(timeline.ends.size());
    for (const Step& step : timeline.steps) {
        if (step.end == Timeline::kNone || !roles[step.end].empty()) continue;
        roles[step.end] = step.verdict == Verdict::UserOpen   ? "client"
                          : comes_out_of_listen(step.verdict) ? "server"
                                                              : "unknown";
    }
    return roles;
}

/// Who looks at a run with one stack of ours: the client or the server that it is; else somebody between
/// the hosts.
Json vantage_point(const Timeline& timeline) {
    std::set<u32> ours;
    for (const Timeline::End& end : timeline.ends) {
        if (timeline.hosts[end.host].ours) ours.insert(end.host);
    }
    const bool live =
        timeline.source == Timeline::Source::Live || timeline.source == Timeline::Source::Replay;
    // Of a network in memory the other end is ours, too.
    if (!live || ours.size() > 1)
        return {{"name", timeline.name}, {"type", "network"}, {"flow", "unknown"}};
    const auto each = roles_of(timeline);
    const std::set<std::string> roles(each.begin(), each.end());
    return {{"name", timeline.hosts.at(0).name},
            {"type", roles.size() == 1 ? *roles.begin() : "unknown"}};
}

constexpr const char* kSchema = "urn:x-tapestry:qlog:events:tapestry-tcp-1";

/// Times of captures count from 1970, all others from a moment that means nothing.
Json common_fields(const Timeline& timeline) {
    const bool captured = timeline.source == Timeline::Source::Capture;
    Json reference{{"clock_type", captured ? "system" : "monotonic"},
                   {"epoch", captured ? "1970-01-01T00:00:00.000Z" : "unknown"}};
    return {{"time_format", "relative_to_epoch"}, {"reference_time", std::move(reference)}};
}

Json header(const Timeline& timeline) {
    return {{"file_schema", "urn:ietf:params:qlog:file:sequential"},
            {"serialization_format", "application/qlog+json-seq"},
            {"title", timeline.name},
            {"description", timeline.title},
            {"trace",
             {{"title", timeline.name},
              {"common_fields", common_fields(timeline)},
              {"vantage_point", vantage_point(timeline)},
              {"event_schemas", {kSchema}}}}};
}

/// The name of an event; "": the step is not TCP's.
std::string event_name(const Step& step, bool segment) {
    switch (step.kind) {
        case Step::Kind::Sent:
            return segment ? "segment_sent" : "";
        case Step::Kind::Received:
            if (!segment) return "";
            return step.drop ? "segment_dropped" : "segment_received";
        case Step::Kind::Lost:
            return segment ? "segment_lost" : "";
        case Step::Kind::Timer:
            return "timer_expired";
        case Step::Kind::Call:
            return step.end == Timeline::kNone ? "" : "user_call";
        case Step::Kind::Decision:
            return "variables_updated";
        default:
            return "";
    }
}

Json segment_json(const ObservedPacket& packet, const FrameFacts& facts) {
    const Segment& seg = packet.segment;
    Json json{{"source", seg.source.to_string()},
              {"destination", seg.destination.to_string()},
              {"seq", seg.seq.value()},
              {"flags", seg.flags.bits},
              {"window", seg.wnd},
              {"length", packet.length},
              {"text", facts.notation}};
    if (seg.flags.ack()) json["ack"] = seg.ack.value();
    return json;
}

/// The variables that have changed, with their new values.
Json changes(const Timeline& timeline, const Step& step) {
    const TcpSnapshot& before = timeline.states[step.before];
    const TcpSnapshot& after = timeline.states[step.after];
    Json json = Json::object();
    for (const StateField& field : state_fields()) {
        if (!changed(field, before, after)) continue;
        const std::string key(field.key);
        using Kind = StateField::Kind;
        const u64 value = field.get(after);
        if (field.kind == Kind::State || field.kind == Kind::Address || field.kind == Kind::Error) {
            json[key] = field_text(field, after, {});
        } else if (field.kind == Kind::Flag) {
            json[key] = value != 0;
        } else if (field.kind == Kind::Time) {
            json[key] = milliseconds(Duration(static_cast<i64>(value)));
        } else if (field.kind == Kind::Deadline) {
            const TimePoint deadline{Duration(static_cast<i64>(value))};
            json[key] = nullptr;
            if (deadline != kNever) {
                json[key] = milliseconds(deadline - timeline.start - step.time);
            }
        } else {
            json[key] = value;
        }
    }
    return json;
}

/// The steps of TCP's as events.
class Events {
public:
    explicit Events(const Timeline& timeline)
        : timeline_(timeline), facts_(frame_facts(timeline)), ends_(ends_of_steps(timeline)) {
        if (timeline.source == Timeline::Source::Capture) {
            origin_ = timeline.start.time_since_epoch();
        }
    }
    u32 end(std::size_t step) const { return ends_[step]; }

    /// Whether the step is TCP's.
    bool has(std::size_t index) const {
        const Step& step = timeline_.steps[index];
        return !event_name(step, packet_of(timeline_, step).has_value()).empty();
    }
    /// Of a step that is TCP's.
    Json event(std::size_t index) const {
        const Step& step = timeline_.steps[index];
        const auto packet = packet_of(timeline_, step);
        const std::string name = event_name(step, packet.has_value());
        Json data = Json::object();
        if (packet) data["segment"] = segment_json(*packet, facts_[step.frame]);
        if (step.end != Timeline::kNone) {
            data["trigger"] = tapestry::name(step.verdict);
            data["variables"] = changes(timeline_, step);
        }
        if (step.drop) data["drop"] = tapestry::name(*step.drop);
        if (step.kind == Step::Kind::Lost) data["why"] = timeline_.frames[step.frame].lost;
        return {{"time", milliseconds(origin_ + step.time)},
                {"name", "tapestry-tcp:" + name},
                {"data", std::move(data)},
                {"host", timeline_.hosts[step.host].name}};
    }

private:
    const Timeline& timeline_;
    std::vector<FrameFacts> facts_;
    std::vector<u32> ends_;
    Duration origin_{};
};

std::string text_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// One end of a connection, or (end kNone) a router that only sees segments pass.
Json trace_header(const Timeline& timeline, u32 end, u32 host, const std::string& role) {
    const std::string& name = timeline.hosts[host].name;
    Json fields = common_fields(timeline);
    if (end == Timeline::kNone) {
        return {{"title", name},
                {"common_fields", std::move(fields)},
                {"vantage_point", {{"name", name}, {"type", "network"}, {"flow", "unknown"}}},
                {"event_schemas", {kSchema}}};
    }
    const Timeline::End& one = timeline.ends[end];
    fields["group_id"] = std::to_string(one.stream);
    return {{"title", name + ", " + one.local.to_string() + " to " + one.remote.to_string()},
            {"common_fields", std::move(fields)},
            {"vantage_point", {{"name", name}, {"type", role}}},
            {"event_schemas", {kSchema}}};
}

}  // namespace

void write_qlog(const Timeline& timeline, const Out& out) {
    out('\x1e' + text_of(header(timeline)) + '\n');
    const Events events(timeline);
    for (std::size_t i = 0; i < timeline.steps.size(); ++i) {
        if (!events.has(i)) continue;
        Json event = events.event(i);
        if (const u32 end = events.end(i); end != Timeline::kNone) {
            const Timeline::End& one = timeline.ends[end];
            event["group_id"] = std::to_string(one.stream) + ' ' + timeline.hosts[one.host].name;
        }
        out('\x1e' + text_of(event) + '\n');
    }
}

void write_qlog_traces(const Timeline& timeline, const Out& out) {
    Json head{{"file_schema", "urn:ietf:params:qlog:file:contained"},
              {"serialization_format", "application/qlog+json"},
              {"title", timeline.name},
              {"description", timeline.title}};
    // The steps of each trace, in the order in which the traces begin.
    const Events events(timeline);
    const std::vector<std::string> roles = roles_of(timeline);
    std::vector<std::pair<std::pair<u32, u32>, std::vector<std::size_t>>> traces;
    std::map<std::pair<u32, u32>, std::size_t> known;
    for (std::size_t i = 0; i < timeline.steps.size(); ++i) {
        if (!events.has(i)) continue;
        const std::pair key{events.end(i), timeline.steps[i].host};
        const auto [at, is_new] = known.try_emplace(key, traces.size());
        if (is_new) traces.push_back({key, {}});
        traces[at->second].second.push_back(i);
    }
    std::string text = text_of(head);
    text.pop_back();
    out(text + ",\"traces\":[");
    for (const auto& [key, steps] : traces) {
        const bool router = key.first == Timeline::kNone;
        text =
            text_of(trace_header(timeline, key.first, key.second, router ? "" : roles[key.first]));
        text.pop_back();
        out((&key == &traces.front().first ? "\n" : ",\n") + text + ",\"events\":[");
        for (const std::size_t step : steps) {
            out((step == steps.front() ? "\n" : ",\n") + text_of(events.event(step)));
        }
        out("]}");
    }
    out("]}\n");
}

void save_qlog(const Timeline& timeline, const std::string& path) {
    const bool traces = path.ends_with(".qlog");
    write_file(path, "--qlog", [&](const Out& out) {
        traces ? write_qlog_traces(timeline, out) : write_qlog(timeline, out);
    });
}

}  // namespace tapestry
