#pragma once

#include <utility>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// What a socket is ready for, in poll(2)'s terms.
struct Readiness {
    bool readable =
        false;  ///< POLLIN: data, the end of the stream, an error, or a connection to accept
    bool writable =
        false;            ///< POLLOUT: room in the send buffer, or an error to be learnt by writing
    bool hangup = false;  ///< POLLHUP: both directions are finished
    bool error = false;   ///< POLLERR
    bool priority = false;  ///< POLLPRI: urgent data
    /// POLLRDHUP: nothing more will come: the peer's FIN, shutdown(), or the end
    bool read_hangup = false;
    friend bool operator==(const Readiness&, const Readiness&) = default;
};

/// The sockets whose readiness may have changed since the last take(), by the token that each was
/// watched with: each at most once. Outlives the sockets that it watches.
class ReadySet {
public:
    void add(u64 token) { tokens_.push_back(token); }
    bool empty() const { return tokens_.empty(); }
    /// Grows with every take(): who remembers in which generation it was added is not added twice.
    u64 generation() const { return generation_; }
    /// Gives out what has gathered; `into` is emptied first and its memory used again.
    void take(std::vector<u64>& into) {
        ++generation_;
        into.clear();
        std::swap(into, tokens_);
    }

private:
    std::vector<u64> tokens_;
    u64 generation_ = 1;
};

}  // namespace tapestry
