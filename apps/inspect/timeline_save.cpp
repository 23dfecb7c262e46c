#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/failure.h"
#include "apps/inspect/frame_reader.h"
#include "apps/inspect/hex_text.h"
#include "apps/inspect/state_fields.h"
#include "apps/inspect/timeline_json.h"
#include "apps/inspect/timeline_names.h"

/// Each frame, state and step is a line of its own, so that a file can be read, compared and searched
/// with what is made for lines. What is as it mostly is, is left out.

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;
using Out = std::function<void(const std::string&)>;

void put(Json& json, const char* key, u32 index) {
    if (index != Timeline::kNone) json[key] = index;
}
void put(Json& json, const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
}

Json place_json(const Timeline::Place& place) { return {place.host, place.interface}; }

Json host_json(const Timeline::Host& host) {
    Json json{{"name", host.name}, {"router", host.router}, {"ours", host.ours}};
    json["interfaces"] = Json::array();
    for (const Timeline::Interface& interface : host.interfaces) {
        Json one{{"name", interface.name},
                 {"address", interface.address},
                 {"lifeline", interface.lifeline}};
        put(one, "link", interface.link);
        json["interfaces"].push_back(std::move(one));
    }
    return json;
}

Json offload_json(const Offload& offload) {
    return {{"checksum", name(offload.checksum)}, {"gso", static_cast<int>(offload.gso)},
            {"gso_size", offload.gso_size},       {"header_length", offload.header_length},
            {"csum_start", offload.csum_start},   {"csum_offset", offload.csum_offset}};
}

/// `text` is for readers of the file only.
Json frame_json(const Timeline::Frame& frame, const FrameFacts& facts) {
    Json json;
    put(json, "text", facts.notation);
    put(json, "role", facts.role);
    if (frame.from.host != Timeline::kNone) json["from"] = place_json(frame.from);
    if (frame.to.host != Timeline::kNone) json["to"] = place_json(frame.to);
    put(json, "link", frame.link);
    if (frame.sent) json["sent_ns"] = frame.sent->count();
    if (frame.arrived) json["arrived_ns"] = frame.arrived->count();
    put(json, "lost", frame.lost);
    put(json, "again", frame.again);
    if (frame.record != 0) json["record"] = frame.record;
    if (frame.offload != Offload{}) json["offload"] = offload_json(frame.offload);
    if (frame.wire_size != frame.bytes.size()) json["wire_size"] = frame.wire_size;
    json["bytes"] = hex_text(frame.bytes);
    return json;
}

Json end_json(const Timeline::End& end) {
    Json json{
        {"host", end.host}, {"local", end.local.to_string()}, {"remote", end.remote.to_string()}};
    put(json, "peer", end.peer);
    put(json, "stream", end.stream);
    return json;
}

Json value_json(const StateField& field, const TcpSnapshot& state) {
    const u64 value = field.get(state);
    switch (field.kind) {
        case StateField::Kind::State:
            return name(state.state);
        case StateField::Kind::Error:
            return name(state.error);
        case StateField::Kind::Address:
            return field_text(field, state, {});
        case StateField::Kind::Flag:
            return value != 0;
        case StateField::Kind::Deadline:
            if (value == static_cast<u64>(kNever.time_since_epoch().count())) return nullptr;
            return static_cast<i64>(value);
        case StateField::Kind::Time:
            return static_cast<i64>(value);
        default:
            return value;
    }
}

/// What differs from a state that stands further up, or from the state of a connection that has done
/// nothing yet.
Json state_json(const Timeline& timeline, std::size_t index, u32 like) {
    const TcpSnapshot& state = timeline.states[index];
    Json json = Json::object();
    put(json, "like", like);
    const TcpSnapshot base = like == Timeline::kNone ? TcpSnapshot() : timeline.states[like];
    for (const StateField& field : state_fields()) {
        if (changed(field, base, state)) json[std::string(field.key)] = value_json(field, state);
    }
    return json;
}

Json way_json(const FlowTuple& way) {
    Json json{{"source", way.source.to_string()}, {"destination", way.destination.to_string()}};
    if (way.icmp_type != 0) json["icmp_type"] = way.icmp_type;
    return json;
}

Json flow_json(const FlowEvent& event) {
    const FlowSnapshot& flow = event.flow;
    return {{"event", name(event.kind)},
            {"now_ns", event.now.time_since_epoch().count()},
            {"id", flow.id},
            {"protocol", static_cast<unsigned>(flow.original.protocol)},
            {"original", way_json(flow.original)},
            {"reply", way_json(flow.reply)},
            {"state", name(flow.state)},
            {"replied", flow.replied},
            {"assured", flow.assured},
            {"remaining_ns", flow.remaining.count()},
            {"packets", flow.packets},
            {"bytes", flow.bytes}};
}

Json rewrite_json(const Timeline::Rewrite& rewrite) {
    return {{"in", rewrite.in},
            {"out", rewrite.out},
            {"before", hex_text(rewrite.before)},
            {"after", hex_text(rewrite.after)},
            {"flow", rewrite.flow}};
}

Json step_json(const Timeline::Step& step) {
    Json json{{"kind", name(step.kind)}, {"time_ns", step.time.count()}};
    put(json, "host", step.host);
    put(json, "frame", step.frame);
    put(json, "cause", step.cause);
    put(json, "text", step.text);
    put(json, "text_zh", step.chinese);
    put(json, "flow", step.flow);
    put(json, "rewrite", step.rewrite);
    if (step.end != Timeline::kNone) {
        json["end"] = step.end;
        json["stimulus"] = name(step.stimulus);
        json["verdict"] = name(step.verdict);
        json["before"] = step.before;
        json["after"] = step.after;
    }
    if (step.drop) json["drop"] = name(*step.drop);
    if (!step.analysis.empty()) json["analysis"] = step.analysis.names();
    return json;
}

std::string text_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A list, one line for each; `line` makes the line of an index.
template <typename Line>
void write_list(const Out& out, const char* key, std::size_t size, const Line& line) {
    out(std::string(",\n\"") + key + "\": [");
    for (std::size_t i = 0; i < size; ++i) out((i == 0 ? "\n" : ",\n") + text_of(line(i)));
    out("]");
}

/// Which state each is told apart from: the one before it in its step.
std::vector<u32> models(const Timeline& timeline) {
    std::vector<u32> like(timeline.states.size(), Timeline::kNone);
    for (const Timeline::Step& step : timeline.steps) {
        if (step.end != Timeline::kNone && step.before < step.after) like[step.after] = step.before;
    }
    return like;
}

Json head_json(const Timeline& timeline) {
    Json json{{"tapestry_timeline", Timeline::kVersion},
              {"source", name(timeline.source)},
              {"name", timeline.name},
              {"title", timeline.title},
              {"watch", timeline.watch},
              {"scene", timeline.scene},
              {"summary", timeline.summary},
              {"seed", timeline.seed},
              {"start_ns", timeline.start.time_since_epoch().count()}};
    if (timeline.chinese != Timeline::Translation()) {
        json["zh"] = {{"title", timeline.chinese.title},
                      {"watch", timeline.chinese.watch},
                      {"summary", timeline.chinese.summary}};
    }
    if (timeline.strangers) json["strangers"] = timeline.strangers->to_string();
    json["links"] = timeline.links;
    return json;
}

}  // namespace

void write_timeline(const Timeline& timeline, const Out& out) {
    std::string head = text_of(head_json(timeline));
    head.pop_back();
    out(head);
    write_list(out, "lifelines", timeline.lifelines.size(), [&](std::size_t i) {
        const Lifeline& line = timeline.lifelines[i];
        return Json{{"machine", line.machine}, {"side", line.side}, {"address", line.address}};
    });
    write_list(out, "hosts", timeline.hosts.size(),
               [&](std::size_t i) { return host_json(timeline.hosts[i]); });
    const auto facts = frame_facts(timeline);
    write_list(out, "frames", timeline.frames.size(),
               [&](std::size_t i) { return frame_json(timeline.frames[i], facts[i]); });
    write_list(out, "ends", timeline.ends.size(),
               [&](std::size_t i) { return end_json(timeline.ends[i]); });
    const auto like = models(timeline);
    write_list(out, "states", timeline.states.size(),
               [&](std::size_t i) { return state_json(timeline, i, like[i]); });
    write_list(out, "flows", timeline.flows.size(),
               [&](std::size_t i) { return flow_json(timeline.flows[i]); });
    write_list(out, "rewrites", timeline.rewrites.size(),
               [&](std::size_t i) { return rewrite_json(timeline.rewrites[i]); });
    write_list(out, "steps", timeline.steps.size(),
               [&](std::size_t i) { return step_json(timeline.steps[i]); });
    out("}\n");
}

namespace {

/// A file that is there as a whole or not at all: under another name until keep(). A device is what it
/// is.
class WholeFile {
public:
    WholeFile(const std::string& path, const std::string& option) : path_(path), option_(option) {
        std::error_code ignored;
        device_ = std::filesystem::exists(path, ignored) &&
                  !std::filesystem::is_regular_file(path, ignored);
        part_ = device_ ? path : path + ".part";
        file_ = std::fopen(part_.c_str(), "wb");
        if (file_ == nullptr) fail(errno);
    }
    ~WholeFile() {
        if (file_ == nullptr) return;
        std::fclose(file_);
        remove();
    }
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;

    void write(const std::string& text) {
        if (error_ != 0 || std::fwrite(text.data(), 1, text.size(), file_) == text.size()) return;
        error_ = errno;
    }
    void keep() {
        if (std::fclose(std::exchange(file_, nullptr)) != 0 && error_ == 0) error_ = errno;
        if (error_ == 0 && !device_ && std::rename(part_.c_str(), path_.c_str()) != 0) {
            error_ = errno;
        }
        if (error_ == 0) return;
        remove();
        fail(error_);
    }

private:
    void remove() const {
        std::error_code ignored;
        if (!device_) std::filesystem::remove(part_, ignored);
    }
    [[noreturn]] void fail(int error) const {
        throw Failure(kUsage, option_ + ": cannot write " + path_ + ": " + std::strerror(error));
    }

    std::string path_;
    std::string option_;
    std::string part_;
    bool device_ = false;
    std::FILE* file_ = nullptr;
    int error_ = 0;
};

}  // namespace

void write_file(const std::string& path, const std::string& option,
                const std::function<void(const Out&)>& write) {
    WholeFile file(path, option);
    write([&](const std::string& text) { file.write(text); });
    file.keep();
}

void save_timeline(const Timeline& timeline, const std::string& path) {
    write_file(path, "--save", [&](const Out& out) { write_timeline(timeline, out); });
}

}  // namespace tapestry
