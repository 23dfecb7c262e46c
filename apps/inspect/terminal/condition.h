#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "apps/inspect/terminal/stops.h"

namespace tapestry {

/// Why a condition is none, and where.
struct ConditionError {
    std::string what;
    std::size_t column = 0;  ///< from 0
};

/// What a reader looks for, as a filter or to stop at:
///
///     state==ESTABLISHED          the step's end is in that state when the step is over
///     server.cwnd<=14600          a variable of an end of that machine
///     retransmission, lost, syn   words for what the step is about
///     seq>=1000 && !fin           joined with && || ! and parentheses
///
/// docs/step.md lists all names.
class Condition {
public:
    struct Node;

    /// `language`: of what is said when it is none.
    static std::expected<Condition, ConditionError> parse(std::string_view text,
                                                          Language language = Language::English);
    /// Whether it holds for a stop.
    bool holds(const Walk& walk, std::size_t stop) const;
    const std::string& text() const { return text_; }

private:
    std::string text_;
    std::shared_ptr<const Node> root_;
};

}  // namespace tapestry
