#pragma once

#include "apps/inspect/frame_reader.h"
#include "apps/inspect/observer.h"
#include "apps/inspect/timeline_capture.h"
#include "apps/inspect/timeline_json.h"
#include "apps/inspect/timeline_names.h"
#include "drivers/link_layer.h"
#include "tests/support/labs.h"

namespace tapestry::test {

/// The timeline of a built-in lab.
inline Timeline lab_timeline(const std::string& name) { return run_lab(LabStory::read(name), {}); }

/// One of the project's own captures.
inline std::string capture_path(const std::string& name) {
    return std::string(TEST_ROOT) + "/../captures/" + name;
}

/// The timeline of a capture file.
inline Timeline file_timeline(const std::string& path) {
    auto reader = PcapReader::open(path);
    if (!reader) throw std::runtime_error(reader.error().what);
    TimelineCapture timeline(path);
    const std::vector<ObservedStream>* streams = nullptr;
    Observer observer([&](const ObservedSegment& segment) {
        timeline.segment(segment, (*streams)[segment.stream]);
    });
    streams = &observer.streams();
    while (true) {
        const auto record = reader->next();
        if (!record || !*record) break;
        timeline.record(**record);
        const auto packet = network_packet((*record)->link, (*record)->bytes);
        if (!packet || packet->type != EtherType::Ipv4) continue;
        observer.packet((*record)->number, (*record)->time, packet->packet,
                        (*record)->original_size - packet->header_size);
    }
    return timeline.finish();
}

inline Timeline capture_timeline(const std::string& name) {
    return file_timeline(capture_path(name));
}

inline std::string saved(const Timeline& timeline) {
    std::string text;
    write_timeline(timeline, [&](const std::string& part) { text += part; });
    return text;
}

/// "laptop sent: S 0:0(0) ... | UserOpen CLOSED -> SYN-SENT", of each step.
inline std::vector<std::string> told(const Timeline& timeline) {
    const auto facts = frame_facts(timeline);
    std::vector<std::string> lines;
    for (const Timeline::Step& step : timeline.steps) {
        std::string line = timeline.hosts[step.host].name + ' ' + std::string(name(step.kind));
        if (step.frame != Timeline::kNone) line += ": " + facts[step.frame].notation;
        if (!step.text.empty()) line += ": " + step.text;
        if (step.end != Timeline::kNone) {
            line += " | " + std::string(name(step.verdict));
            const TcpState before = timeline.states[step.before].state;
            const TcpState after = timeline.states[step.after].state;
            if (before != after) {
                line += ' ' + std::string(name(before)) + " -> " + std::string(name(after));
            }
        }
        if (step.drop) line += " ! " + std::string(name(*step.drop));
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace tapestry::test
