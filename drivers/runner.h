#pragma once

#include <functional>

#include "stack/stack.h"

namespace tapestry {

/// Who gives a stack its frames and its time: the loop with the real clock, or the world with a virtual
/// one. Blocking calls are made of this.
class Runner {
public:
    virtual ~Runner() = default;
    virtual TimePoint now() const = 0;
    virtual Stack& stack() = 0;
    /// Lets time pass, and frames, until `done()` holds or the deadline (kNever: none) has come.
    /// `done` is asked first, and again after everything that happened. Returns whether it holds.
    virtual bool run_until(const std::function<bool()>& done, TimePoint deadline = kNever) = 0;
};

}  // namespace tapestry
