#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "stack/stack.h"

namespace tapestry {

/// What a router answers on its control socket, piece by piece, so that a long list is never in memory
/// as text and goes out at the reader's pace.
///
/// A request is one line: WHAT or "WHAT json". The answer begins with "ok" or "error: WHY", each a
/// line; what follows goes on until the router closes the connection.
///
///    flows      conntrack -L
///    events     conntrack -E, from now on, without an end
///    mappings   the NAT's
///    rules      iptables -L -n -v, of both tables; "rules nat" and "rules filter": of one
///    save       iptables-save -c
///    counters   what has passed and what was refused
struct ControlAnswer {
    /// The next piece; empty: that was all.
    using More = std::function<std::string()>;
    std::string first;    ///< the status line, and what is short
    More more;            ///< null: nothing comes behind it
    bool events = false;  ///< events follow
    bool json = false;    ///< ... as JSON
};
ControlAnswer control_answer(std::string_view request, Stack& stack, TimePoint now);

}  // namespace tapestry
