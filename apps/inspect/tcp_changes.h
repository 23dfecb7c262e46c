#pragma once

#include <string>
#include <vector>

#include "stack/trace/trace.h"

namespace tapestry {

/// What one event did to a connection's variables, as short texts in the RFC's names: "snd.nxt 0->1",
/// "rto armed 1.000". Sequence numbers are relative to ISS and IRS. The state is not among them. With
/// `all` also what changes with nearly every segment: the windows.
std::vector<std::string> tcp_changes(const TcpEvent& event, bool all);

}  // namespace tapestry
