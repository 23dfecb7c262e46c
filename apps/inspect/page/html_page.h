#pragma once

#include <functional>
#include <string>

#include "apps/inspect/timeline.h"

namespace tapestry {

/// A timeline as one page that needs nothing else: no network, no other file. `out` takes it piece by
/// piece.
void write_html_page(const Timeline& timeline, const std::function<void(const std::string&)>& out);

/// JSON as it can stand inside of a <script>: nothing in it ends the element or begins a comment.
std::string script_text(std::string json);

/// To a file. Throws Failure (kUsage) with one line.
void save_html_page(const Timeline& timeline, const std::string& path);

}  // namespace tapestry
