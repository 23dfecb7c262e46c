#pragma once

#include <string>

#include "stack/ip/nat.h"
#include "stack/stack.h"

/// What a router knows, in words and in JSON: one line for each thing, without its end.

namespace tapestry {

/// As `conntrack -E` prints it: "    [NEW] tcp      6 240 SYN_SENT src=...".
std::string event_line(const FlowEvent& event);
/// {"event": "new", "flow": {...}}
std::string event_json(const FlowEvent& event);
/// {"id": 1, "protocol": "tcp", "state": "ESTABLISHED", "original": {"source": ...}, ...}
std::string flow_json(const FlowSnapshot& flow);

/// "tcp      192.168.3.10:40000 -> 203.0.113.5:40000, with anybody, 2 flows".
std::string mapping_line(const NatMapping& mapping);
std::string mapping_json(const NatMapping& mapping);

/// How much has passed, then a line for each reason of refusal that has occurred.
std::string counters_text(Stack& stack);
std::string counters_json(Stack& stack);

}  // namespace tapestry
