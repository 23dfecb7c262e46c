#include <charconv>
#include <fstream>
#include <sstream>

#include "apps/failure.h"
#include "apps/inspect/json_place.h"
#include "apps/inspect/state_fields.h"
#include "apps/inspect/timeline_json.h"
#include "apps/inspect/timeline_names.h"

/// A file may come from anybody. Whatever a view may go by without looking is checked here: that every
/// index is one, that each kind of step has what it is about, that time does not run back.

namespace tapestry {
namespace {

using Json = nlohmann::json;
using Step = Timeline::Step;

template <typename T>
T named(const JsonPlace& place, T last, const char* what) {
    const auto value = named(place.string(), last);
    if (!value) place.expected(what);
    return *value;
}

Endpoint endpoint(const JsonPlace& place) {
    const std::string& text = place.string();
    const std::size_t colon = text.rfind(':');
    const auto address = Ipv4Address::parse(std::string_view(text).substr(0, colon));
    u16 port = 0;
    const char* begin = text.data() + (colon == std::string::npos ? text.size() : colon + 1);
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), port);
    if (!address || error != std::errc() || end != text.data() + text.size()) {
        place.expected("an address and port");
    }
    return {*address, port};
}

u32 optional_index(const JsonPlace& of, const char* key, std::size_t size, const char* what) {
    const auto place = of.find(key);
    return place ? place->index(size, what) : Timeline::kNone;
}

Timeline::Place place_of(const Timeline& timeline, const JsonPlace& json) {
    const auto parts = json.list();
    if (parts.size() != 2) json.expected("a host and an interface");
    const u32 host = parts[0].index(timeline.hosts.size(), "hosts");
    return {host, parts[1].index(timeline.hosts[host].interfaces.size(), "interfaces")};
}

Timeline::Host host_of(const Timeline& timeline, const JsonPlace& json) {
    Timeline::Host host{
        json.at("name").string(), json.at("router").flag(), json.at("ours").flag(), {}};
    for (const JsonPlace& one : json.at("interfaces").list()) {
        host.interfaces.push_back({one.at("name").string(), one.at("address").string(),
                                   one.at("lifeline").index(timeline.lifelines.size(), "lifelines"),
                                   optional_index(one, "link", timeline.links.size(), "links")});
    }
    if (host.interfaces.empty()) json.refuse("a host without an interface");
    return host;
}

Offload offload_of(const JsonPlace& json) {
    Offload offload;
    offload.checksum =
        named(json.at("checksum"), Offload::Checksum::Partial, "what is left of a checksum");
    offload.gso = static_cast<Offload::Gso>(json.at("gso").number(2));
    offload.gso_size = static_cast<u16>(json.at("gso_size").number(0xffff));
    offload.header_length = static_cast<u16>(json.at("header_length").number(0xffff));
    offload.csum_start = static_cast<u16>(json.at("csum_start").number(0xffff));
    offload.csum_offset = static_cast<u16>(json.at("csum_offset").number(0xffff));
    return offload;
}

Timeline::Frame frame_of(const Timeline& timeline, const JsonPlace& json) {
    Timeline::Frame frame;
    frame.bytes = json.at("bytes").bytes();
    frame.wire_size = static_cast<u32>(frame.bytes.size());
    if (const auto size = json.find("wire_size")) {
        frame.wire_size = static_cast<u32>(size->number(0xffffff));
        if (frame.wire_size < frame.bytes.size()) size->refuse("less than the bytes that are here");
    }
    if (const auto offload = json.find("offload")) frame.offload = offload_of(*offload);
    if (const auto from = json.find("from")) frame.from = place_of(timeline, *from);
    if (const auto to = json.find("to")) frame.to = place_of(timeline, *to);
    frame.link = optional_index(json, "link", timeline.links.size(), "links");
    if (const auto sent = json.find("sent_ns")) frame.sent = Duration(sent->integer());
    if (const auto arrived = json.find("arrived_ns")) frame.arrived = Duration(arrived->integer());
    if (const auto lost = json.find("lost")) frame.lost = lost->string();
    frame.again = optional_index(json, "again", timeline.frames.size(), "frames before it");
    if (const auto record = json.find("record")) frame.record = record->number();
    return frame;
}

void read_value(const StateField& field, const JsonPlace& json, TcpSnapshot& state) {
    using Kind = StateField::Kind;
    u64 value = 0;
    switch (field.kind) {
        case Kind::State:
            value = static_cast<u64>(named(json, TcpState::TimeWait, "a state of RFC 9293"));
            break;
        case Kind::Error:
            value = static_cast<u64>(named(json, Errno::AccessDenied, "an error's name"));
            break;
        case Kind::Address: {
            const Endpoint ends = endpoint(json);
            value = u64{ends.address.value()} << 32U | ends.port;
            break;
        }
        case Kind::Flag:
            value = json.flag() ? 1 : 0;
            break;
        case Kind::Deadline:
            value =
                static_cast<u64>(json.null() ? kNever.time_since_epoch().count() : json.integer());
            break;
        case Kind::Time:
            value = static_cast<u64>(json.integer());
            break;
        default:
            value = json.number();
    }
    field.set(state, value);
    if (field.get(state) != value) json.expected("a number that the variable can have");
    if (state.sack_count > state.sack_ranges.size()) json.expected("a number up to 4");
}

TcpSnapshot state_of(const Timeline& timeline, const JsonPlace& json) {
    const u32 like = optional_index(json, "like", timeline.states.size(), "states before it");
    TcpSnapshot state = like == Timeline::kNone ? TcpSnapshot() : timeline.states[like];
    for (const StateField& field : state_fields()) {
        const auto value = json.find(std::string(field.key).c_str());
        if (value) read_value(field, *value, state);
    }
    return state;
}

FlowTuple way_of(const JsonPlace& json, IpProtocol protocol) {
    FlowTuple way{endpoint(json.at("source")), endpoint(json.at("destination")), protocol, 0};
    if (const auto type = json.find("icmp_type"))
        way.icmp_type = static_cast<u8>(type->number(255));
    return way;
}

std::array<u64, 2> pair_of(const JsonPlace& json) {
    const auto parts = json.list();
    if (parts.size() != 2) json.expected("two numbers");
    return {parts[0].number(), parts[1].number()};
}

FlowEvent flow_of(const JsonPlace& json) {
    FlowEvent event;
    event.kind = named(json.at("event"), FlowEvent::Kind::Destroy, "new, update or destroy");
    event.now = TimePoint(Duration(json.at("now_ns").integer()));
    FlowSnapshot& flow = event.flow;
    flow.id = json.at("id").number();
    const auto protocol = static_cast<IpProtocol>(json.at("protocol").number(255));
    flow.original = way_of(json.at("original"), protocol);
    flow.reply = way_of(json.at("reply"), protocol);
    flow.state = named(json.at("state"), FlowState::Close, "a state of conntrack's");
    flow.replied = json.at("replied").flag();
    flow.assured = json.at("assured").flag();
    flow.remaining = Duration(json.at("remaining_ns").integer());
    flow.packets = pair_of(json.at("packets"));
    flow.bytes = pair_of(json.at("bytes"));
    return event;
}

Timeline::End end_of(const Timeline& timeline, const JsonPlace& json, std::size_t count) {
    Timeline::End end;
    end.host = json.at("host").index(timeline.hosts.size(), "hosts");
    end.local = endpoint(json.at("local"));
    end.remote = endpoint(json.at("remote"));
    end.peer = optional_index(json, "peer", count, "ends");
    if (const auto stream = json.find("stream")) {
        end.stream = static_cast<u32>(stream->number(Timeline::kNone - 1));
    }
    return end;
}

void read_decision(const Timeline& timeline, const JsonPlace& json, Step& step) {
    step.end = json.at("end").index(timeline.ends.size(), "ends");
    if (timeline.ends[step.end].host != step.host) json.refuse("the end is another host's");
    step.before = json.at("before").index(timeline.states.size(), "states");
    step.after = json.at("after").index(timeline.states.size(), "states");
    step.stimulus = named(json.at("stimulus"), Stimulus::Flush, "a stimulus");
    const auto last = static_cast<Verdict>(static_cast<unsigned>(Verdict::kCount) - 1);
    step.verdict = named(json.at("verdict"), last, "a verdict");
}

/// What a kind of step is about must be there.
void check_kind(const JsonPlace& json, const Timeline& timeline, const Step& step) {
    using enum Step::Kind;
    const bool wire = step.kind == Sent || step.kind == Received || step.kind == Lost;
    if (wire && step.frame == Timeline::kNone) json.refuse("there is no \"frame\"");
    if (wire) {
        const Timeline::Frame& frame = timeline.frames[step.frame];
        if (frame.from.host == Timeline::kNone || frame.to.host == Timeline::kNone) {
            json.refuse("its frame has no \"from\" or no \"to\"");
        }
        if (step.kind != Received && frame.from.host != step.host)
            json.refuse("the frame is another host's");
    }
    if (step.kind == Flow && step.flow == Timeline::kNone) json.refuse("there is no \"flow\"");
    if (step.kind == Rewrite && step.rewrite == Timeline::kNone) {
        json.refuse("there is no \"rewrite\"");
    }
    if ((step.kind == Decision || step.kind == Timer) && step.end == Timeline::kNone) {
        json.refuse("there is no \"end\"");
    }
    if (step.kind == Drop && !step.drop) json.refuse("there is no \"drop\"");
    if (!timeline.steps.empty() && step.time < timeline.steps.back().time) {
        json.refuse("earlier than the step before it");
    }
}

Step step_of(const Timeline& timeline, const JsonPlace& json) {
    Step step;
    step.kind = named(json.at("kind"), Step::Kind::Note, "a kind of step");
    step.time = Duration(json.at("time_ns").integer());
    step.host = json.at("host").index(timeline.hosts.size(), "hosts");
    step.frame = optional_index(json, "frame", timeline.frames.size(), "frames");
    step.cause = optional_index(json, "cause", timeline.steps.size(), "steps before it");
    step.flow = optional_index(json, "flow", timeline.flows.size(), "flows");
    step.rewrite = optional_index(json, "rewrite", timeline.rewrites.size(), "rewrites");
    if (const auto text = json.find("text")) step.text = text->string();
    if (const auto text = json.find("text_zh")) step.chinese = text->string();
    if (json.find("end")) read_decision(timeline, json, step);
    if (const auto drop = json.find("drop")) {
        const auto last = static_cast<tapestry::Drop>(kDropCount - 1);
        step.drop = named(*drop, last, "the name of a refusal");
    }
    if (const auto analysis = json.find("analysis")) {
        const auto last = static_cast<Analysis>(static_cast<unsigned>(Analysis::kCount) - 1);
        for (const JsonPlace& one : analysis->list()) {
            step.analysis.add(named(one, last, "a word of the analysis"));
        }
    }
    check_kind(json, timeline, step);
    return step;
}

void read_rewrites(const JsonPlace& json, Timeline& timeline) {
    for (const JsonPlace& one : json.list()) {
        timeline.rewrites.push_back({static_cast<u32>(one.at("in").number(255)),
                                     static_cast<u32>(one.at("out").number(255)),
                                     one.at("before").bytes(), one.at("after").bytes(),
                                     one.at("flow").number()});
    }
}

void read_head(const JsonPlace& json, Timeline& timeline) {
    const auto version = json.find("tapestry_timeline");
    if (!version) json.refuse("this is JSON, but no timeline of tapestry's");
    const u64 number = version->number();
    if (number == 0 || number > Timeline::kVersion) {
        version->refuse("version " + std::to_string(number) + " is too new; this program reads " +
                        std::to_string(Timeline::kVersion));
    }
    timeline.source = named(json.at("source"), Timeline::Source::Capture, "a source");
    timeline.name = json.at("name").string();
    timeline.title = json.at("title").string();
    timeline.watch = json.at("watch").strings();
    timeline.scene = json.at("scene").strings();
    timeline.summary = json.at("summary").strings();
    if (const auto chinese = json.find("zh")) {
        timeline.chinese.title = chinese->at("title").string();
        timeline.chinese.watch = chinese->at("watch").strings();
        timeline.chinese.summary = chinese->at("summary").strings();
    }
    timeline.seed = json.at("seed").number();
    timeline.start = TimePoint(Duration(json.at("start_ns").integer()));
    if (const auto strangers = json.find("strangers")) {
        timeline.strangers = Ipv4Prefix::parse(strangers->string());
        if (!timeline.strangers) strangers->expected("a prefix");
    }
    timeline.links = json.at("links").strings();
}

Timeline read_all(const JsonPlace& json) {
    Timeline timeline;
    read_head(json, timeline);
    for (const JsonPlace& one : json.at("lifelines").list()) {
        timeline.lifelines.push_back(
            {one.at("machine").string(), one.at("side").string(), one.at("address").string()});
    }
    for (const JsonPlace& one : json.at("hosts").list()) {
        timeline.hosts.push_back(host_of(timeline, one));
    }
    for (const JsonPlace& one : json.at("frames").list()) {
        timeline.frames.push_back(frame_of(timeline, one));
    }
    const auto ends = json.at("ends").list();
    for (const JsonPlace& one : ends) timeline.ends.push_back(end_of(timeline, one, ends.size()));
    for (const JsonPlace& one : json.at("states").list()) {
        timeline.states.push_back(state_of(timeline, one));
    }
    for (const JsonPlace& one : json.at("flows").list()) timeline.flows.push_back(flow_of(one));
    read_rewrites(json.at("rewrites"), timeline);
    for (const JsonPlace& one : json.at("steps").list()) {
        timeline.steps.push_back(step_of(timeline, one));
        const Step& step = timeline.steps.back();
        if (step.rewrite == Timeline::kNone) continue;
        const Timeline::Rewrite& rewrite = timeline.rewrites[step.rewrite];
        const std::size_t interfaces = timeline.hosts[step.host].interfaces.size();
        if (rewrite.in >= interfaces || rewrite.out >= interfaces) {
            one.refuse("the rewrite is between interfaces that the host has not");
        }
    }
    return timeline;
}

}  // namespace

std::expected<Timeline, std::string> read_timeline(std::string_view text) {
    try {
        const Json json = Json::parse(text);
        return read_all(JsonPlace(json, ""));
    } catch (const JsonPlace::Wrong& wrong) {
        return std::unexpected(wrong.what());
    } catch (const Json::parse_error& error) {
        return std::unexpected("no JSON: byte " + std::to_string(error.byte) +
                               " is not what could stand there");
    }
}

Timeline load_timeline(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw Failure(kUsage, path + ": cannot be read");
    auto timeline = read_timeline(text.view());
    if (!timeline) throw Failure(kUsage, path + ": " + timeline.error());
    return std::move(*timeline);
}

bool may_be_timeline(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    char first = 0;
    return file >> first && first == '{';
}

}  // namespace tapestry
