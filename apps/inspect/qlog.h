#pragma once

#include <functional>
#include <string>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// A timeline as qlog (draft-ietf-quic-qlog-main-schema), with events of our own, which docs/timeline.md
/// lists. Serialized as a JSON text sequence (RFC 7464): a header with the one trace that this form has,
/// then a record for each step of TCP's.
void write_qlog(const Timeline& timeline, const std::function<void(const std::string&)>& out);
/// As one JSON document, with a trace for each end of each connection: what viewers know best.
void write_qlog_traces(const Timeline& timeline,
                       const std::function<void(const std::string&)>& out);

/// To a file: NAME.qlog has traces, any other is a sequence. Throws Failure (kUsage).
void save_qlog(const Timeline& timeline, const std::string& path);

}  // namespace tapestry
