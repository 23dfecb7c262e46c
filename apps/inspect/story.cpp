#include "apps/inspect/story.h"

#include <array>
#include <cstdio>

namespace tapestry {
namespace {

/// ICMP queries have an identifier where others have ports.
std::string endpoint_text(const Endpoint& endpoint, IpProtocol protocol) {
    if (protocol == IpProtocol::Icmp) {
        return endpoint.address.to_string() + " id " + std::to_string(endpoint.port);
    }
    if (protocol != IpProtocol::Tcp && protocol != IpProtocol::Udp) {
        return endpoint.address.to_string();
    }
    return endpoint.to_string();
}

}  // namespace

std::string_view name(Step::Kind kind) {
    static constexpr std::array<std::string_view, 10> kNames{
        "frame", "rewrite", "flow", "drop", "call", "result", "state", "timer", "network", "note"};
    return kNames.at(static_cast<std::size_t>(kind));
}

std::string flow_row(const FlowSnapshot& flow) {
    const IpProtocol protocol = flow.original.protocol;
    const auto text = [protocol](const Endpoint& e) { return endpoint_text(e, protocol); };
    std::string row = flow_protocol_name(protocol) + ' ' + text(flow.original.source);
    if (flow.source_translated()) row += " <-> " + text(flow.reply.destination);
    const bool icmp = protocol == IpProtocol::Icmp;
    const auto far = [&](const Endpoint& e) { return icmp ? e.address.to_string() : text(e); };
    row += " -> " + far(flow.original.destination);
    if (flow.destination_translated() &&
        (!icmp || flow.reply.source.address != flow.original.destination.address)) {
        row += " <-> " + far(flow.reply.source);
    }
    return row;
}

namespace {

/// Of a row that has been told of: the two that stand for each other.
std::string brief_row(const FlowSnapshot& flow) {
    if (!flow.source_translated()) return flow_row(flow);
    FlowSnapshot shown = flow;
    if (flow.destination_translated()) shown.reply = flow.original.reversed();
    const std::string row = flow_row(shown);
    return flow.destination_translated() ? row : row.substr(0, row.find(" -> "));
}

}  // namespace

std::string flow_text(const FlowEvent& event, Language language) {
    const bool english = language == Language::English;
    const FlowSnapshot& flow = event.flow;
    const bool nat = flow.source_translated() || flow.destination_translated();
    std::string text = nat ? "NAT " : "FLOW ";
    switch (event.kind) {
        case FlowEvent::Kind::New:
            return text + "+ " + flow_row(flow);
        case FlowEvent::Kind::Destroy:
            return text + "- " + flow_row(flow) + (english ? "  forgotten" : "  已删除");
        case FlowEvent::Kind::Update:
            break;
    }
    text += "= " + brief_row(flow) + "  ";
    if (flow.state != FlowState::None) {
        text += std::string(name(flow.state));
    } else {
        text += flow.replied ? (english ? "answered" : "已有应答") : english ? "asked" : "已请求";
    }
    return text + (english ? ", kept " : "，保留 ") + duration_text(flow.remaining);
}

std::string rewrite_text(const std::vector<Rewrite>& rewrites) {
    std::string text;
    for (const Rewrite& r : rewrites) {
        const bool number = r.field == "ttl";
        text += (text.empty() ? "" : "   ") + r.field + ' ' + r.before + (number ? "->" : " -> ") +
                r.after;
    }
    return text;
}

std::string duration_text(Duration duration) {
    const double seconds = to_seconds(duration);
    char text[48];
    if (seconds < 0.9995) {
        std::snprintf(text, sizeof text, "%g ms", seconds * 1000);
    } else if (seconds < 120) {
        std::snprintf(text, sizeof text, "%g s", seconds);
    } else {
        const auto minutes = static_cast<long>(seconds / 60);
        const long hours = minutes / 60;
        if (hours == 0) {
            std::snprintf(text, sizeof text, "%ld min", minutes);
        } else if (minutes % 60 == 0) {
            std::snprintf(text, sizeof text, "%ld h", hours);
        } else {
            std::snprintf(text, sizeof text, "%ld h %ld min", hours, minutes % 60);
        }
    }
    return text;
}

}  // namespace tapestry
