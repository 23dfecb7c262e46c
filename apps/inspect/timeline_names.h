#pragma once

#include <optional>
#include <string_view>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// The words for what a timeline consists of, in files and for filters.
std::string_view name(Timeline::Source source);     ///< "lab"
std::string_view name(Timeline::Step::Kind kind);   ///< "sent"
std::string_view name(Stimulus stimulus);           ///< "segment"
std::string_view name(FlowEvent::Kind kind);        ///< "new"
std::string_view name(Offload::Checksum checksum);  ///< "in frame", "verified", "partial"

/// What has that name; nothing: nothing has.
template <typename T>
std::optional<T> named(std::string_view word, T last) {
    for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) {
        if (name(static_cast<T>(i)) == word) return static_cast<T>(i);
    }
    return std::nullopt;
}

}  // namespace tapestry
