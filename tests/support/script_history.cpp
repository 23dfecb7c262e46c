#include "tests/support/script_history.h"

#include <cstdio>

namespace tapestry::test {

std::string script_time(Duration time) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.6f", to_seconds(time));
    return text.data();
}

std::string to_string(const SeenSegment& segment) {
    TcpNote note = segment.note;
    note.options = TcpOptions();
    const std::string options = to_string(segment.options);
    const std::string flow = segment.flow == 1 ? "" : std::to_string(segment.flow);
    return ">" + flow + ' ' + tapestry::to_string(note) + (options.empty() ? "" : ' ' + options);
}

std::string to_string(const TcpSnapshot& s, const ScriptWire& wire, u32 flow) {
    const auto ours = [&](SeqNum n) { return std::to_string(wire.our_number(flow, n)); };
    const auto peers = [&](SeqNum n) { return std::to_string(wire.peer_number(n)); };
    std::string text = std::string(name(s.state));
    text += "  snd.una " + ours(s.snd_una) + " snd.nxt " + ours(s.snd_nxt) + " snd.wnd " +
            std::to_string(s.snd_wnd) + "  rcv.nxt " + peers(s.rcv_nxt) + " rcv.wnd " +
            std::to_string(s.rcv_wnd);
    text += "\n    queued " + std::to_string(s.send_queued) + ", to read " +
            std::to_string(s.receive_queued) + ", out of order " +
            std::to_string(s.receive_out_of_order) + "  mss " + std::to_string(s.mss) + "  cwnd " +
            std::to_string(s.cwnd) + " ssthresh " + std::to_string(s.ssthresh) +
            (s.in_recovery ? " (recovery)" : "") + " duplicates " +
            std::to_string(s.duplicate_acks);
    text += "\n    srtt " + script_time(s.srtt) + " rttvar " + script_time(s.rttvar) + " rto " +
            script_time(s.rto) + " backoff " + std::to_string(s.backoff) + "  error " +
            std::string(name(s.error)) + "  timers:";
    for (std::size_t i = 0; i < kTcpTimerCount; ++i) {
        if (s.deadlines.at(i) == kNever) continue;
        text += ' ' + std::string(name(static_cast<TcpTimer>(i)));
    }
    return text;
}

void ScriptHistory::add(TimePoint now, const std::string& text) {
    lines_.push_back(script_time(now - origin_) + "  " + text);
}

std::string ScriptHistory::text() const {
    std::string all;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        std::string number = std::to_string(i + 1);
        number.insert(0, number.size() < 4 ? 4 - number.size() : 0, ' ');
        all += number + "  " + lines_[i] + '\n';
    }
    return all;
}

const TcpSnapshot* ScriptHistory::snapshot(const PortPair& ports) const {
    const auto found = snapshots_.find(ports);
    return found == snapshots_.end() ? nullptr : &found->second;
}

void ScriptHistory::on_drop(const DropEvent& event) {
    add(event.now, "    refused: " + std::string(name(event.drop)));
}

void ScriptHistory::on_tcp(const TcpEvent& event) {
    const TcpSnapshot& after = event.after;
    // A socket that has no peer yet is nobody's flow.
    if (after.remote.port == 0) return;
    snapshots_[{after.local.port, after.remote.port}] = after;
    std::string line = "    " + std::string(name(event.verdict));
    if (event.before.state != after.state) {
        line +=
            ": " + std::string(name(event.before.state)) + " -> " + std::string(name(after.state));
    } else if (event.stimulus == Stimulus::Flush || event.stimulus == Stimulus::User) {
        return;
    }
    if (event.drop) line += ", refused";
    add(event.now, line);
}

}  // namespace tapestry::test
