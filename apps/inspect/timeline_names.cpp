#include "apps/inspect/timeline_names.h"

#include <array>

namespace tapestry {
namespace {

template <std::size_t N, typename T>
std::string_view word(const std::array<std::string_view, N>& words, T value) {
    return words.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view name(Timeline::Source source) {
    static constexpr std::array<std::string_view, 4> kNames{"lab", "live", "replay", "capture"};
    return word(kNames, source);
}

std::string_view name(Timeline::Step::Kind kind) {
    static constexpr std::array<std::string_view, 12> kNames{
        "sent",     "received", "lost", "timer",   "call",    "result",
        "decision", "drop",     "flow", "rewrite", "network", "note"};
    return word(kNames, kind);
}

std::string_view name(Stimulus stimulus) {
    static constexpr std::array<std::string_view, 4> kNames{"segment", "timer", "user", "flush"};
    return word(kNames, stimulus);
}

std::string_view name(FlowEvent::Kind kind) {
    static constexpr std::array<std::string_view, 3> kNames{"new", "update", "destroy"};
    return word(kNames, kind);
}

std::string_view name(Offload::Checksum checksum) {
    static constexpr std::array<std::string_view, 3> kNames{"in frame", "verified", "partial"};
    return word(kNames, checksum);
}

}  // namespace tapestry
