#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tapestry {

/// The candidate that `word` was probably meant to be: at most a third of it is different. Empty: none.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
/// " (did you mean NAME?)", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace tapestry
