#include "apps/inspect/qlog.h"

#include <nlohmann/json.hpp>

#include "apps/inspect/frame_reader.h"
#include "apps/inspect/state_fields.h"
#include "apps/inspect/timeline_events.h"
#include "apps/inspect/timeline_json.h"
#include "apps/inspect/timeline_names.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;
using Step = Timeline::Step;

std::string record(const Json& json) {
    return '\x1e' + json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

double milliseconds(Duration d) { return to_seconds(d) * 1000; }

/// Who looks: of a live run the client that we are, else somebody between the hosts.
Json vantage_point(const Timeline& timeline) {
    const bool both = timeline.hosts.size() > 1 && timeline.hosts[1].ours;
    const bool live = timeline.source == Timeline::Source::Live && !both;
    Json json{{"name", timeline.hosts.empty() ? timeline.name : timeline.hosts[0].name},
              {"type", live ? "client" : "network"}};
    if (!live) {
        json["name"] = timeline.name;
        json["flow"] = "unknown";
    }
    return json;
}

Json header(const Timeline& timeline) {
    const bool captured = timeline.source == Timeline::Source::Capture;
    // Times of captures count from 1970, all others from a moment that means nothing.
    Json reference{{"clock_type", captured ? "system" : "monotonic"},
                   {"epoch", captured ? "1970-01-01T00:00:00.000Z" : "unknown"}};
    return {{"file_schema", "urn:ietf:params:qlog:file:sequential"},
            {"serialization_format", "application/qlog+json-seq"},
            {"title", timeline.name},
            {"description", timeline.title},
            {"trace",
             {{"title", timeline.name},
              {"common_fields",
               {{"time_format", "relative_to_epoch"}, {"reference_time", std::move(reference)}}},
              {"vantage_point", vantage_point(timeline)},
              {"event_schemas", {"urn:x-tapestry:qlog:events:tapestry-tcp-1"}}}}};
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

}  // namespace

void write_qlog(const Timeline& timeline, const std::function<void(const std::string&)>& out) {
    out(record(header(timeline)));
    const auto facts = frame_facts(timeline);
    const bool captured = timeline.source == Timeline::Source::Capture;
    const Duration origin = captured ? timeline.start.time_since_epoch() : Duration{};
    for (const Timeline::Step& step : timeline.steps) {
        const auto packet = packet_of(timeline, step);
        const std::string name = event_name(step, packet.has_value());
        if (name.empty()) continue;
        Json data = Json::object();
        if (packet) data["segment"] = segment_json(*packet, facts[step.frame]);
        if (step.end != Timeline::kNone) {
            data["trigger"] = tapestry::name(step.verdict);
            data["variables"] = changes(timeline, step);
        }
        if (step.drop) data["drop"] = tapestry::name(*step.drop);
        if (step.kind == Timeline::Step::Kind::Lost) data["why"] = timeline.frames[step.frame].lost;
        Json event{{"time", milliseconds(origin + step.time)},
                   {"name", "tapestry-tcp:" + name},
                   {"data", std::move(data)},
                   {"host", timeline.hosts[step.host].name}};
        if (step.end != Timeline::kNone) {
            event["group_id"] = std::to_string(timeline.ends[step.end].stream);
        }
        out(record(event));
    }
}

void save_qlog(const Timeline& timeline, const std::string& path) {
    write_file(path, "--qlog", [&](const auto& out) { write_qlog(timeline, out); });
}

}  // namespace tapestry
