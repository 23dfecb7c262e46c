#include <algorithm>
#include <array>
#include <cstdio>

#include "stack/trace/notation.h"
#include "tests/support/capture_compare.h"

namespace tapestry::test {
namespace {

/// One line with its time.
struct Row {
    TimePoint time;
    std::string text;
    std::size_t order = 0;
};

/// By time; what was gathered first stays first.
void sort(std::vector<Row>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].order = i;
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        return std::pair(a.time, a.order) < std::pair(b.time, b.order);
    });
}

void gather_ends(const std::vector<TimedSegment>& segments, const std::string& who,
                 std::vector<Row>& rows) {
    std::set<u32> fins;
    for (const TimedSegment& s : segments) {
        const bool reset = s.segment.flags.rst();
        const bool first_fin = s.segment.flags.fin() && fins.insert(s.segment.end().value()).second;
        if (reset || first_fin) rows.push_back({s.time, who + (reset ? " RST" : " FIN"), 0});
    }
}

void gather(const std::vector<TimedSegment>& segments, const std::string& who, SeqNum seq,
            SeqNum ack, std::vector<Row>& rows) {
    for (const TimedSegment& s : segments) {
        rows.push_back({s.time, who + to_string(note_of(s.segment, seq, ack)), 0});
    }
}

}  // namespace

std::vector<std::string> ending_of(const CaptureReplay& replay,
                                   const std::vector<TimedSegment>& ours) {
    std::vector<Row> rows;
    gather_ends(replay.theirs(), "them", rows);
    gather_ends(ours, "us", rows);
    sort(rows);
    std::vector<std::string> names;
    names.reserve(rows.size());
    for (const Row& row : rows) names.push_back(row.text);
    return names;
}

std::string history_of(const CaptureReplay& replay) {
    std::vector<Row> rows;
    gather(replay.theirs(), "them    ", replay.their_isn(), replay.our_isn(), rows);
    gather(replay.recorded(), "  linux ", replay.our_isn(), replay.their_isn(), rows);
    gather(replay.sent(), "  us    ", replay.our_isn(), replay.their_isn(), rows);
    sort(rows);
    std::string text;
    for (const Row& row : rows) {
        std::array<char, 32> stamp{};
        std::snprintf(stamp.data(), stamp.size(), "%9.6f ",
                      to_seconds(row.time - rows.front().time));
        text += stamp.data() + row.text + "\n";
    }
    return text;
}

std::string_view name(Leeway rule) {
    switch (rule) {
        case Leeway::None:
            return "None";
        case Leeway::SackNotOffered:
            return "SackNotOffered";
        case Leeway::Push:
            return "Push";
        case Leeway::Segmentation:
            return "Segmentation";
        case Leeway::AckCoalesced:
            return "AckCoalesced";
        case Leeway::AckOnText:
            return "AckOnText";
        case Leeway::WindowUpdate:
            return "WindowUpdate";
        case Leeway::RepeatedAck:
            return "RepeatedAck";
        case Leeway::Recovery:
            return "Recovery";
        case Leeway::SentLater:
            return "SentLater";
        case Leeway::SentEarlier:
            return "SentEarlier";
        case Leeway::ProbeForm:
            return "ProbeForm";
        case Leeway::ProbeTiming:
            return "ProbeTiming";
        case Leeway::ResetForm:
            return "ResetForm";
        case Leeway::ResetAtDeath:
            return "ResetAtDeath";
    }
    return "?";
}

}  // namespace tapestry::test
