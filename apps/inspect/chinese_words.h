#pragma once

#include <string>

#include "apps/inspect/language.h"

namespace tapestry {

/// FrameFacts::role as a reader of that language is told it: "2 of 3 again", "握手 2/3，重传".
std::string role_in(const std::string& role, Language language);
/// Step::routine: one of many alike.
std::string routine_in(const std::string& routine, Language language);
/// What an ICMP error says: unreachable_text() and the like.
std::string icmp_in(const std::string& error, Language language);
/// Timeline::Frame::lost in that language: why a frame does not arrive.
std::string loss_in(const std::string& lost, Language language);

}  // namespace tapestry
