#include "apps/inspect/capture_report.h"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

std::string seconds(Duration d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6f", to_seconds(d));
    return text.data();
}

std::string joined(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : ", ") + word;
    return line;
}

/// The notation with the window as it is meant.
std::string notation(const ObservedSegment& segment) {
    TcpNote note = segment.note;
    note.window = segment.window;
    return to_string(note);
}

std::string milliseconds(Duration d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f ms", to_seconds(d) * 1e3);
    return text.data();
}

std::string options_text(const ObservedEnd& end) {
    if (!end.offered) return "not seen";
    const std::string text = to_string(*end.offered);
    return text.empty() ? "none" : text;
}

Json endpoint_json(const Endpoint& endpoint) {
    return {{"ip", endpoint.address.to_string()}, {"port", endpoint.port}};
}

Json options_json(const ObservedEnd& end) {
    if (!end.offered) return nullptr;
    Json options = Json::object();
    if (end.offered->mss) options["mss"] = *end.offered->mss;
    if (end.offered->window_scale) options["window_scale"] = *end.offered->window_scale;
    options["sack_permitted"] = end.offered->sack_permitted;
    options["timestamps"] = end.offered->timestamps.has_value();
    return options;
}

Json frame_number(u64 number) { return number == 0 ? Json(nullptr) : Json(number); }

Json stream_json(const ObservedStream& stream) {
    const ObservedEnd& client = stream.end(Side::Client);
    const ObservedEnd& server = stream.end(Side::Server);
    Json handshake{{"syn", frame_number(stream.syn_frame)},
                   {"syn_ack", frame_number(stream.syn_ack_frame)},
                   {"ack", frame_number(stream.ack_frame)}};
    handshake["rtt_ms"] = stream.syn && stream.ack
                              ? Json(to_seconds(*stream.ack - *stream.syn) * 1e3)
                              : Json(nullptr);
    Json messages = Json::array();
    for (const Side side : {Side::Client, Side::Server}) {
        for (const std::string& line : stream.end(side).http) {
            messages.push_back(
                {{"from", side == Side::Client ? "client" : "server"}, {"line", line}});
        }
    }
    return {{"stream", stream.number},
            {"client", endpoint_json(client.endpoint)},
            {"server", endpoint_json(server.endpoint)},
            {"completeness", stream.completeness},
            {"handshake", handshake},
            {"options", {{"client", options_json(client)}, {"server", options_json(server)}}},
            {"bytes_client", client.bytes},
            {"bytes_server", server.bytes},
            {"end", stream.ending()},
            {"http", messages},
            {"frames", Json::array()}};
}

}  // namespace

void CaptureReport::segment(const ObservedSegment& segment, const ObservedStream& stream) {
    if (!start_) start_ = segment.time;
    const bool right = segment.from == Side::Client;
    if (segment.note.flags.syn() && !segment.note.flags.ack()) {
        out_("");
        out_("stream " + std::to_string(stream.number) + ": " +
             stream.end(Side::Client).endpoint.to_string() + " <-> " +
             stream.end(Side::Server).endpoint.to_string());
    }
    std::string line = padded(std::to_string(segment.number), 6) + " " +
                       seconds(segment.time - *start_) + "  " +
                       padded(std::string(name(segment.client)), 12) + (right ? "--> " : "<-- ");
    line += padded(notation(segment), 60) + (right ? " --> " : " <-- ") +
            padded(std::string(name(segment.server)), 12);
    std::vector<std::string> words = segment.analysis.names();
    for (std::string& word : words) {
        if (word == "duplicate_ack") word += " #" + std::to_string(segment.duplicate_ack);
    }
    if (!words.empty()) line += " " + paint_.yellow(joined(words));
    while (line.ends_with(' ')) line.pop_back();
    out_(line);
}

void CaptureReport::summary(const ObservedStream& stream) {
    const ObservedEnd& client = stream.end(Side::Client);
    const ObservedEnd& server = stream.end(Side::Server);
    out_("");
    out_("stream " + std::to_string(stream.number) + ": " + client.endpoint.to_string() + " <-> " +
         server.endpoint.to_string() + ", " + stream.ending() + ", " +
         seconds(stream.last - stream.first) + " s");
    if (stream.syn && stream.syn_ack && stream.ack) {
        out_("    handshake: SYN to SYN-ACK " + milliseconds(*stream.syn_ack - *stream.syn) +
             ", SYN-ACK to ACK " + milliseconds(*stream.ack - *stream.syn_ack) + " (frames " +
             std::to_string(stream.syn_frame) + ", " + std::to_string(stream.syn_ack_frame) + ", " +
             std::to_string(stream.ack_frame) + ")");
    } else {
        out_("    handshake: not complete in this capture");
    }
    out_("    options: client " + options_text(client) + ", server " + options_text(server));
    out_("    bytes: " + std::to_string(client.bytes) + " from the client, " +
         std::to_string(server.bytes) + " from the server; completeness " +
         std::to_string(stream.completeness));
    std::vector<std::string> counts;
    for (std::size_t i = 0; i < stream.counts.size(); ++i) {
        if (stream.counts[i] == 0) continue;
        counts.push_back(std::to_string(stream.counts[i]) + " " +
                         std::string(name(static_cast<Analysis>(i))));
    }
    if (!counts.empty()) out_("    seen: " + joined(counts));
    for (const std::string& line : client.http) out_("    client: " + line);
    for (const std::string& line : server.http) out_("    server: " + line);
}

std::string capture_json(const std::string& file, u64 frames, u64 skipped,
                         const std::vector<ObservedStream>& streams,
                         const std::vector<ObservedSegment>& segments, TimePoint start) {
    Json list = Json::array();
    std::map<std::size_t, std::size_t> places;
    for (const ObservedStream& stream : streams) {
        places[stream.number] = list.size();
        list.push_back(stream_json(stream));
    }
    for (const ObservedSegment& segment : segments) {
        list[places.at(segment.stream)]["frames"].push_back(
            {{"number", segment.number},
             {"time", to_seconds(segment.time - start)},
             {"from", segment.from == Side::Client ? "client" : "server"},
             {"notation", notation(segment)},
             {"analysis", segment.analysis.names()},
             {"client_state", name(segment.client)},
             {"server_state", name(segment.server)}});
    }
    return Json{{"file", file}, {"frames", frames}, {"skipped", skipped}, {"streams", list}}.dump(
        1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tapestry
