#pragma once

#include <functional>
#include <string>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// A timeline as qlog (draft-ietf-quic-qlog-main-schema), serialized as a JSON text sequence (RFC 7464):
/// a header, then a record for each step of TCP's, with events of our own; docs/timeline.md lists them.
void write_qlog(const Timeline& timeline, const std::function<void(const std::string&)>& out);

/// To a file. Throws Failure (kUsage).
void save_qlog(const Timeline& timeline, const std::string& path);

}  // namespace tapestry
