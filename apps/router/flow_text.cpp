#include "apps/router/flow_text.h"

#include <nlohmann/json.hpp>

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

std::string_view event_name(FlowEvent::Kind kind) {
    switch (kind) {
        case FlowEvent::Kind::New:
            return "NEW";
        case FlowEvent::Kind::Update:
            return "UPDATE";
        case FlowEvent::Kind::Destroy:
            return "DESTROY";
    }
    return "?";
}

Json tuple_json(const FlowTuple& tuple, u64 packets, u64 bytes) {
    Json json{{"source", tuple.source.address.to_string()},
              {"destination", tuple.destination.address.to_string()}};
    if (tuple.protocol == IpProtocol::Icmp) {
        json["type"] = tuple.icmp_type;
        json["id"] = tuple.source.port;
    } else {
        json["source_port"] = tuple.source.port;
        json["destination_port"] = tuple.destination.port;
    }
    json["packets"] = packets;
    json["bytes"] = bytes;
    return json;
}

Json to_json(const FlowSnapshot& flow) {
    return {{"id", flow.id},
            {"protocol", flow_protocol_name(flow.original.protocol)},
            {"protocol_number", static_cast<unsigned>(flow.original.protocol)},
            {"state", std::string(name(flow.state))},
            {"remaining_seconds", flow.remaining / 1s},
            {"replied", flow.replied},
            {"assured", flow.assured},
            {"source_translated", flow.source_translated()},
            {"destination_translated", flow.destination_translated()},
            {"original", tuple_json(flow.original, flow.packets[0], flow.bytes[0])},
            {"reply", tuple_json(flow.reply, flow.packets[1], flow.bytes[1])}};
}

/// Zero stands for what does not count.
std::string remote_of(const NatMapping& mapping) {
    if (mapping.remote == Endpoint{}) return "anybody";
    return mapping.remote.port == 0 ? mapping.remote.address.to_string()
                                    : mapping.remote.to_string();
}

}  // namespace

std::string event_line(const FlowEvent& event) {
    constexpr std::size_t kColumns = 9;
    std::string line = '[' + std::string(event_name(event.kind)) + ']';
    line.insert(0, kColumns - line.size(), ' ');
    const std::string flow = to_string(event.flow);
    // conntrack counts the users of an entry in lists only.
    return line + ' ' + flow.substr(0, flow.find(" mark="));
}

std::string event_json(const FlowEvent& event) {
    std::string kind(event_name(event.kind));
    for (char& c : kind) c = static_cast<char>(c - 'A' + 'a');
    return Json{{"event", kind}, {"flow", to_json(event.flow)}}.dump();
}

std::string flow_json(const FlowSnapshot& flow) { return to_json(flow).dump(); }

std::string mapping_line(const NatMapping& mapping) {
    std::string line = flow_protocol_name(mapping.protocol);
    line.resize(std::max<std::size_t>(line.size(), 8), ' ');
    return line + ' ' + mapping.internal.to_string() + " -> " + mapping.external.to_string() +
           ", with " + remote_of(mapping) + ", " + std::to_string(mapping.flows) +
           (mapping.flows == 1 ? " flow" : " flows");
}

std::string mapping_json(const NatMapping& mapping) {
    return Json{{"protocol", flow_protocol_name(mapping.protocol)},
                {"internal", mapping.internal.to_string()},
                {"external", mapping.external.to_string()},
                {"remote", remote_of(mapping)},
                {"flows", mapping.flows}}
        .dump();
}

std::string counters_text(Stack& stack) {
    const Counters& counters = stack.counters();
    std::string text = std::to_string(counters.frames_in) + " frames in, " +
                       std::to_string(counters.frames_out) + " out, " +
                       std::to_string(counters.ip_forwarded) + " packets sent on, " +
                       std::to_string(stack.forwarder().flows().size()) + " flows\n";
    for (std::size_t i = 0; i < kDropCount; ++i) {
        if (counters.drops[i] == 0) continue;
        const auto drop = static_cast<Drop>(i);
        std::string line = std::to_string(counters.drops[i]);
        line.insert(0, line.size() < 10 ? 10 - line.size() : 0, ' ');
        line += ' ' + std::string(name(drop));
        line.resize(std::max<std::size_t>(line.size(), 34), ' ');
        text += line + ' ' + std::string(tapestry::text(drop)) + '\n';
    }
    return text;
}

std::string counters_json(Stack& stack) {
    const Counters& counters = stack.counters();
    Json drops = Json::object();
    for (std::size_t i = 0; i < kDropCount; ++i) {
        if (counters.drops[i] == 0) continue;
        drops[std::string(name(static_cast<Drop>(i)))] = counters.drops[i];
    }
    return Json{{"frames_in", counters.frames_in},
                {"frames_out", counters.frames_out},
                {"packets_forwarded", counters.ip_forwarded},
                {"flows", stack.forwarder().flows().size()},
                {"drops", drops}}
        .dump();
}

}  // namespace tapestry
