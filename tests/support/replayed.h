#pragma once

#include "apps/replay/replay_report.h"

namespace tapestry::test {

/// A capture that has been replayed: the stack was `host` in it.
class Replayed {
public:
    Replayed(const std::string& path, Ipv4Address host, const PlayOptions& options = {});

    const Recording& recording() const { return recording_; }
    /// The only conversation, or the one with this index.
    const TcpScript& script(std::size_t i = 0) const { return stage_.scripts().at(i); }
    const PlayedTcp& played(std::size_t i = 0) { return stage_.played(i); }
    const PlayedDatagrams& datagrams() const { return stage_.datagrams(); }
    const std::map<std::string, int>& drops() const { return stage_.drops(); }
    const Stage& stage() const { return stage_; }
    const ReplayResult& result() const { return result_; }
    /// Rows that diverge with these rules allowed, one a line; "" if none.
    std::string diverged(LeewaySet allowed = LeewaySet::all()) const;
    /// Every rule that some row needed.
    LeewaySet rules() const;
    /// The comparison as it is printed, for when something is wrong.
    std::string text() const;

    /// FINs and resets of both sides, repeated FINs once, in the order in which they passed the host;
    /// "us" is what the recorded host sent, or what the stack did.
    std::string recorded_ending(std::size_t i = 0) { return ending(i, true); }
    std::string ending(std::size_t i = 0) { return ending(i, false); }

private:
    std::string ending(std::size_t i, bool recorded);

    Recording recording_;
    Stage stage_;
    ReplayResult result_;
};

/// captures/NAME.pcap, in a test program, which knows where it is.
#ifdef TEST_ROOT
inline std::string capture_path(const std::string& name) {
    return std::string(TEST_ROOT) + "/../captures/" + name + ".pcap";
}
#endif

}  // namespace tapestry::test
