#pragma once

#include <cstring>
#include <stdexcept>
#include <string>

namespace tapestry {

/// Something that a program needs from the system cannot be had. what() is one line for a person: what
/// was wanted, why the system says no, and the remedy. Thrown by constructors of drivers only; a
/// program that meets it has not started to work yet.
class SetupError : public std::runtime_error {
public:
    explicit SetupError(const std::string& line) : std::runtime_error(line) {}
    /// "WHAT: Permission denied; REMEDY"
    SetupError(const std::string& what, int error, const std::string& remedy = {})
        : std::runtime_error(what + ": " + std::strerror(error) +
                             (remedy.empty() ? std::string() : "; " + remedy)),
          error_(error) {}
    /// The errno behind it, or 0.
    int error() const { return error_; }

private:
    int error_ = 0;
};

}  // namespace tapestry
