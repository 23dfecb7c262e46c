#pragma once

#include <memory>
#include <vector>

#include "apps/inspect/observed.h"
#include "apps/replay/live_rules.h"

namespace tapestry {

/// A part of a stream that a rule is about: a field of HTTP, or what stands between chunks.
struct LiveSpot {
    u64 begin = 0;
    u64 end = 0;
    LiveRule rule{};
};

/// Where the messages of HTTP/1 begin and end in the two directions of a connection, as far as it is
/// HTTP. Boost.Beast reads them.
class LiveHttp {
public:
    /// What has been found in one direction.
    struct Way {
        u64 parsed = 0;               ///< up to there
        bool lost = false;            ///< no HTTP from there on
        std::vector<u64> heads;       ///< behind each head
        std::vector<u64> messages;    ///< behind each message that is not an interim response
        std::vector<LiveSpot> spots;  ///< in order; what is not complete is not there yet
    };

    LiveHttp();
    ~LiveHttp();
    LiveHttp(const LiveHttp&) = delete;
    LiveHttp& operator=(const LiveHttp&) = delete;

    /// `all` is everything that the side has sent, what it sent before included. A request has to be
    /// told of before its answer.
    void feed(Side side, Bytes all);
    /// The side has ended its stream: so does a body without a length.
    void end(Side side);
    /// Where it was lost a message begins again at `at`; everything asked so far has been answered.
    void resume(Side side, u64 at);
    const Way& way(Side side) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tapestry
