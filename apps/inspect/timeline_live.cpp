#include "apps/inspect/timeline_live.h"

namespace tapestry {

TimelineLive::TimelineLive(Timeline::Source source, const std::string& name,
                           const std::string& address, const std::string& peer) {
    timeline_.source = source;
    timeline_.name = name;
    const std::string host = source == Timeline::Source::Replay ? "replayed host" : "us";
    timeline_.hosts.push_back({host, false, true, {{"eth0", address, 0, Timeline::kNone}}});
    timeline_.hosts.push_back({"peer", false, false, {{"eth0", peer, 1, Timeline::kNone}}});
    timeline_.lifelines.push_back({host, "", address.substr(0, address.find('/'))});
    timeline_.lifelines.push_back({"peer", "", peer});
}

}  // namespace tapestry
