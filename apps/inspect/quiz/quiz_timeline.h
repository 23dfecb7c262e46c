#pragma once

#include "apps/inspect/quiz/quiz.h"
#include "apps/inspect/timeline.h"

namespace tapestry {

/// Gives a quiz the frames of a timeline as one who stands beside the client of each conversation
/// captures them (of one whose client is no stack of ours: beside the server). Frames have the numbers
/// that every view gives them, from 1. Returns the conversations.
std::vector<ObservedStream> read_timeline(const Timeline& timeline, Quiz& quiz);

}  // namespace tapestry
