#pragma once

#include "tests/support/script_parser.h"

namespace tapestry::test {

/// Where the sequence numbers of both sides begin. A script passes wherever that is, so each one is
/// run again with numbers that wrap.
struct ScriptNumbers {
    std::optional<u32> iss;  ///< of our first connection; nothing: as the stack chooses it
    u32 peer_iss = 1'000'000;
};

/// How a script went.
struct ScriptResult {
    bool passed = false;
    /// Of a failure: a numbered history of all that happened, the step that failed with its line, what
    /// it wanted and what came, and what our end of the connection knew.
    std::string report;
};

/// Plays a script: one stack in virtual time on one side, the script on the other. Every packet of
/// the stack must be one that the script expects, at its time, until the last step is done.
/// The script's own settings `iss` and `peer-iss` go before `numbers`.
ScriptResult run_script(const Script& script, const ScriptNumbers& numbers = {});

}  // namespace tapestry::test
