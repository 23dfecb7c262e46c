#include "apps/inspect/paint.h"

#include <unistd.h>

#include <cstdlib>

namespace tapestry {
namespace {

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

Paint Paint::for_descriptor(int fd) {
    return Paint(isatty(fd) == 1 && environment("NO_COLOR").empty() &&
                 environment("TERM") != "dumb");
}

}  // namespace tapestry
