#pragma once

#include "apps/inspect/explain.h"
#include "apps/inspect/records.h"

namespace tapestry {

/// What `inspect --quiz` is to ask about.
struct QuizRequest {
    std::string file;        ///< its name
    std::string other_side;  ///< a capture of the router's other side; "": there is none
    std::optional<std::size_t> stream;
    bool json = false;  ///< questions with answers, in place of a dialog
    Language language = Language::English;
};

/// Asks about a capture, on standard input and output. `list` shows a conversation's segments. Throws
/// Failure (kUsage): the file, or --other-side, cannot be read to its end; no such stream.
void quiz_capture(const QuizRequest& request, const Records& next,
                  const std::function<void(std::size_t stream)>& list);
/// The same of a run that --save has kept.
void quiz_timeline(const QuizRequest& request, const Timeline& timeline,
                   const std::function<void()>& list);

}  // namespace tapestry
