#include "apps/inspect/traffic_run.h"

#include <cstdio>

namespace tapestry {

void TrafficRun::add(Direction direction, u32 segments, u32 bytes, Kind kind) {
    Way& way = way_[direction == Direction::Out ? 1 : 0];
    if (bytes == 0) {
        ++way.acks;
        return;
    }
    way.segments += segments;
    way.bytes += bytes;
    way.out_of_order += kind == Kind::OutOfOrder ? segments : 0;
    way.again += kind == Kind::Again ? segments : 0;
}

std::string TrafficRun::text() const {
    std::string text;
    const auto add_part = [&text](u64 count, const char* what, const char* where) {
        if (count == 0) return;
        if (!text.empty()) text += "; ";
        text += std::to_string(count) + ' ' + what + (count == 1 ? "" : "s") + ' ' + where;
    };
    for (const std::size_t i : {0U, 1U}) {
        const Way& way = way_[i];
        if (way.segments == 0) continue;
        add_part(way.segments, "more segment", i == 0 ? "in" : "out");
        std::string remarks;
        if (way.out_of_order > 0) remarks = std::to_string(way.out_of_order) + " out of order";
        if (way.again > 0) {
            remarks += (remarks.empty() ? "" : ", ") + std::to_string(way.again) + " again";
        }
        if (!remarks.empty()) text += " (" + remarks + ')';
        text += ", " + human_size(way.bytes);
    }
    for (const std::size_t i : {0U, 1U}) add_part(way_[i].acks, "ACK", i == 0 ? "in" : "out");
    return text;
}

std::string human_size(u64 bytes) {
    if (bytes < 1000) return std::to_string(bytes) + " B";
    constexpr std::array<const char*, 4> kUnits{"kB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1000;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.*f %s",
                  value < 9.995   ? 2
                  : value < 99.95 ? 1
                                  : 0,
                  value, kUnits[unit]);
    return text;
}

}  // namespace tapestry
