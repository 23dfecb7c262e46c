#pragma once

#include <memory>

#include "apps/net_options.h"
#include "stack/trace/trace.h"

namespace tapestry {

/// What --show asks for, printed on a file descriptor; null for none. Lines are written whole and at
/// once. Where: on stdout when the command has nothing else to say there, else on stderr, so that
/// `get URL > file` and `nc` stay what they are.
std::unique_ptr<TraceSink> make_show(Show show, int fd);

}  // namespace tapestry
