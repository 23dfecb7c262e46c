#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apps/inspect/terminal/stops.h"

namespace tapestry {

/// A word that holds for a stop or does not: "retransmission".
struct StopWord {
    std::string_view name;
    bool (*holds)(const Walk&, std::size_t stop);
};
/// A name that has a value at a stop: "seq". Nothing: it has none there.
struct StopValue {
    std::string_view name;
    std::optional<std::string> (*get)(const Walk&, std::size_t stop);
};

std::span<const StopWord> stop_words();
std::span<const StopValue> stop_values();

}  // namespace tapestry
