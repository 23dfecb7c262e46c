#pragma once

#include "stack/stack.h"
#include "tests/support/script_wire.h"

namespace tapestry::test {

/// What a check can ask about.
struct CheckedState {
    Stack& stack;
    const TcpSnapshot* snapshot;  ///< of the check's flow; null: it has never had a connection
    const TcpSocket* socket;      ///< its open socket; null: it has none
    const ScriptWire& wire;
    TimePoint now;
};

/// Nothing when the check holds, else what it found. Throws ScriptSyntaxError for a name that is not
/// known: see tests/scripts/README.md.
std::optional<std::string> failed_check(const Check& check, const CheckedState& state);

}  // namespace tapestry::test
