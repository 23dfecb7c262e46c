#pragma once

#include <stdexcept>
#include <string>

namespace tapestry {

/// Exit statuses of every command; `get` has curl's besides (see apps/get.h).
inline constexpr int kDone = 0;   ///< done
inline constexpr int kNo = 1;     ///< the network, or a comparison, said no
inline constexpr int kUsage = 2;  ///< wrong usage, unusable input, or a system that forbids it

/// A command cannot go on. what() is the one line for the user, status() the exit status.
class Failure : public std::runtime_error {
public:
    Failure(int status, const std::string& line) : std::runtime_error(line), status_(status) {}
    int status() const { return status_; }

private:
    int status_;
};

}  // namespace tapestry
