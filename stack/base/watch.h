#pragma once

#include "stack/base/ready.h"

namespace tapestry {

/// A socket's side of a ReadySet: who is to be told, and by which token. Tells each set once
/// between two take()s, however often the socket's readiness changes.
class Watch {
public:
    /// Null: nobody. The set outlives the socket, or is taken away by set(nullptr, 0).
    void set(ReadySet* set, u64 token) {
        set_ = set;
        token_ = token;
        told_ = 0;
    }
    void notify() {
        if (set_ == nullptr || told_ == set_->generation()) return;
        told_ = set_->generation();
        set_->add(token_);
    }

private:
    ReadySet* set_ = nullptr;
    u64 token_ = 0;
    u64 told_ = 0;  ///< the generation in which the set was told last
};

}  // namespace tapestry
