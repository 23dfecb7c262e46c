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

const char* side_name(Side side) { return side == Side::Client ? "client" : "server"; }

/// What a stranger wrote, without what a terminal would obey.
std::string printable(const std::string& text) {
    std::string line;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            line += c;
            continue;
        }
        std::array<char, 8> escaped{};
        std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
        line += escaped.data();
    }
    return line;
}

/// "frame 4     0.012000 --> GET / HTTP/1.1"; of a response also how long it took.
std::string http_text(const HttpMessage& message, const ObservedStream& stream) {
    std::string line = "frame " + padded(std::to_string(message.number), 5) + " " +
                       seconds(message.time - stream.first) + " " +
                       (message.from == Side::Client ? "--> " : "<-- ") + printable(message.line);
    if (message.request) {
        line += "  (" + milliseconds(message.after) + " after the request in frame " +
                std::to_string(*message.request) + ")";
    }
    return line;
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

Json http_json(const HttpMessage& message, TimePoint start) {
    Json json{{"from", side_name(message.from)},
              {"frame", message.number},
              {"time", to_seconds(message.time - start)},
              {"line", message.line}};
    if (message.status == 0) {
        json["method"] = message.method;
        json["target"] = message.target;
        return json;
    }
    json["status"] = message.status;
    if (message.request) {
        json["request"] = *message.request;
        json["after_ms"] = to_seconds(message.after) * 1e3;
    }
    return json;
}

Json capture_signs_json(const CaptureSigns& signs) {
    return {{"text", signs.text()},
            {"mid_stream", signs.mid_stream},
            {"missing_client", signs.missing[static_cast<std::size_t>(Side::Client)]},
            {"missing_server", signs.missing[static_cast<std::size_t>(Side::Server)]},
            {"cut_segments", signs.cut},
            {"super_frames", signs.super_frames},
            {"partial_checksums", signs.partial_checksums},
            {"wrong_checksums", signs.wrong_checksums},
            {"wrong_ip_checksums", signs.wrong_ip_checksums},
            {"from_fragments", signs.from_fragments}};
}

Json stream_json(const ObservedStream& stream, TimePoint start) {
    const ObservedEnd& client = stream.end(Side::Client);
    const ObservedEnd& server = stream.end(Side::Server);
    Json handshake{{"syn", frame_number(stream.syn_frame)},
                   {"syn_ack", frame_number(stream.syn_ack_frame)},
                   {"ack", frame_number(stream.ack_frame)}};
    handshake["rtt_ms"] = stream.syn && stream.ack
                              ? Json(to_seconds(*stream.ack - *stream.syn) * 1e3)
                              : Json(nullptr);
    Json messages = Json::array();
    for (const HttpMessage& message : stream.http) messages.push_back(http_json(message, start));
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
            {"capture", capture_signs_json(stream.capture)},
            {"frames", Json::array()}};
}

Json segment_json(const ObservedSegment& segment, TimePoint start) {
    Json json{{"number", segment.number},
              {"time", to_seconds(segment.time - start)},
              {"from", side_name(segment.from)},
              {"notation", notation(segment)},
              {"analysis", segment.analysis.names()},
              {"client_state", name(segment.client)},
              {"server_state", name(segment.server)},
              {"checksum", name(segment.checksum)},
              {"ip_checksum", segment.ip_checksum_wrong ? "wrong" : "good"}};
    if (segment.duplicate_ack > 0) json["duplicate_ack"] = segment.duplicate_ack;
    return json;
}

}  // namespace

void CaptureReport::segment(const ObservedSegment& segment, const ObservedStream& stream) {
    if (!start_) start_ = segment.time;
    const bool right = segment.from == Side::Client;
    if (stream.end(Side::Client).segments + stream.end(Side::Server).segments == 1) {
        out_("");
        out_("stream " + std::to_string(stream.number) + ": " +
             stream.end(Side::Client).endpoint.to_string() + " <-> " +
             stream.end(Side::Server).endpoint.to_string());
    }
    std::string line = padded(std::to_string(segment.number), 6) + " " +
                       seconds(segment.time - *start_) + "  " +
                       padded(std::string(name(segment.client)), 13) + (right ? "--> " : "<-- ");
    line += padded(notation(segment), 60) + (right ? " --> " : " <-- ") +
            padded(std::string(name(segment.server)), 13);
    std::vector<std::string> words = segment.analysis.names();
    for (std::string& word : words) {
        if (word == "duplicate_ack") word += " #" + std::to_string(segment.duplicate_ack);
    }
    if (segment.checksum == ChecksumSeen::Wrong) words.emplace_back("wrong TCP checksum");
    if (segment.ip_checksum_wrong) words.emplace_back("wrong IP checksum");
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
    if (const std::string signs = stream.capture.text(); !signs.empty()) {
        out_("    capture: " + signs);
    }
    for (const HttpMessage& message : stream.http) out_("    http: " + http_text(message, stream));
}

std::string capture_json(const std::string& file, u64 frames, u64 skipped,
                         const std::vector<ObservedStream>& streams,
                         const std::vector<ObservedSegment>& segments, TimePoint start) {
    Json list = Json::array();
    std::map<std::size_t, std::size_t> places;
    for (const ObservedStream& stream : streams) {
        places[stream.number] = list.size();
        list.push_back(stream_json(stream, start));
    }
    for (const ObservedSegment& segment : segments) {
        list[places.at(segment.stream)]["frames"].push_back(segment_json(segment, start));
    }
    return Json{{"file", file}, {"frames", frames}, {"skipped", skipped}, {"streams", list}}.dump(
        1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tapestry
