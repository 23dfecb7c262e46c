#include "tests/support/replayed.h"

#include <algorithm>
#include <map>
#include <set>

namespace tapestry::test {

Replayed::Replayed(const std::string& path, Ipv4Address host, const PlayOptions& options)
    : recording_(path, host), stage_(recording_, options) {
    stage_.run();
    result_ = compare_all(recording_, stage_, LeewaySet::all(), std::nullopt);
}

std::string Replayed::diverged(LeewaySet allowed) const {
    std::string text;
    for (const ReplayedPart& part : result_.parts) {
        for (const CompareRow& row : part.rows) {
            if (row.match(allowed) != Match::Diverged) continue;
            text += row.what + ": recorded " +
                    (row.recorded != nullptr ? row_line(row, true, part) : "nothing") + ", sent " +
                    (row.sent != nullptr ? row_line(row, false, part) : "nothing") + "\n";
        }
    }
    return text;
}

LeewaySet Replayed::rules() const {
    LeewaySet set;
    for (std::size_t i = 0; i < result_.sum.rules.size(); ++i) {
        if (result_.sum.rules[i] > 0) set.add(static_cast<Leeway>(i));
    }
    return set;
}

std::string Replayed::text() const {
    std::string text;
    print_replay(result_, true, Paint(false),
                 [&](const std::string& line) { text += line + "\n"; });
    return text;
}

std::string Replayed::ending(std::size_t i, bool recorded) {
    std::multimap<TimePoint, std::string> ends;  // of one time: in the order of gathering
    std::set<std::pair<bool, u32>> fins;
    const auto gather = [&](const Segment& seg, TimePoint time, bool ours) {
        const bool first_fin = seg.flags.fin() && fins.emplace(ours, seg.end().value()).second;
        if (!seg.flags.rst() && !first_fin) return;
        ends.emplace(time, std::string(ours ? "us" : "them") + (seg.flags.rst() ? " RST" : " FIN"));
    };
    const TcpScript& script = stage_.scripts().at(i);
    for (const auto* frame : script.theirs)
        gather(*frame->segment, script.host_time(*frame), false);
    if (recorded) {
        for (const auto* frame : script.ours)
            gather(*frame->segment, script.host_time(*frame), true);
    } else {
        for (const SentFrame& frame : stage_.played(i).sent)
            gather(*frame.segment, frame.time, true);
    }
    std::string text;
    for (const auto& [time, what] : ends) text += (text.empty() ? "" : ", ") + what;
    return text;
}

}  // namespace tapestry::test
