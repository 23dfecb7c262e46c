#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/command_line.h"
#include "apps/net_options.h"
#include "apps/timeline_files.h"

namespace tapestry {

/// `replay FILE --live`.
struct LiveReplay {
    // Those that replaying in memory has, too.
    std::string file;
    std::optional<std::size_t>
        stream;  ///< tshark's tcp.stream; nothing: the first that can be played
    bool json = false;
    bool strict = false;              ///< no rule allows a difference ...
    std::vector<std::string> ignore;  ///< ... but these

    bool live = false;
    std::string to;              ///< HOST:PORT: the recorded client is played to it
    u16 listen = 0;              ///< 0, or a port of ours: the recorded server is played there
    std::string run;             ///< listen: a command that is to call us
    std::string speed = "asap";  ///< or "recorded"
    double quiet_time = 1;       ///< seconds
    double max_time = 0;         ///< seconds; 0: a minute more than the recording took
    NetOptions net;
};

/// Adds --live and what belongs to it alone, the options of the network included.
void add_live_options(CommandLine& command, LiveReplay& options);

/// Plays one side of a recorded conversation to a live peer. Returns kDone when everything that the peer
/// said was as recorded, else kNo. Throws Failure: kUsage for input that cannot be played, and where no
/// connection comes about curl's codes as `get` has them (HttpFailure). What our stack did is kept in
/// `files`, also where it fails.
int replay_live(const LiveReplay& options, const TimelineFiles& files);

}  // namespace tapestry
