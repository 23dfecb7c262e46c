// What is to be known of a recording before its comparison is believed.

#include <array>
#include <cstdio>

#include "apps/replay/replay_report.h"

namespace tapestry {
namespace {

template <typename Frames, typename Predicate>
u64 count(const Frames& frames, Predicate predicate) {
    u64 n = 0;
    for (const auto& frame : frames) n += predicate(*frame) ? 1U : 0U;
    return n;
}

std::string milliseconds(Duration d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f ms", to_seconds(d) * 1e3);
    return text.data();
}

}  // namespace

std::vector<std::string> remarks(const Recording& recording) {
    std::vector<std::string> lines;
    const auto& frames = recording.frames();
    const u64 partial =
        count(frames, [](const RecordedFrame& f) { return f.sum == RecordedFrame::Sum::Partial; });
    const u64 wrong =
        count(frames, [](const RecordedFrame& f) { return f.sum == RecordedFrame::Sum::Wrong; });
    const u64 oversized = count(frames, [](const RecordedFrame& f) { return f.oversized; });
    const u64 cut = count(frames, [](const RecordedFrame& f) { return f.cut > 0; });
    if (recording.loopback()) {
        lines.push_back("the host talks to itself, and is two here: we are " +
                        Recording::kLoopbackHost.to_string() + ", the other is " +
                        Recording::kLoopbackPeer.to_string());
    }
    if (partial > 0) {
        lines.push_back("checksum offload: " + std::to_string(partial) +
                        " frames were captured before a device finished their checksums; these are "
                        "not checked");
    }
    const u64 headers =
        count(frames, [](const RecordedFrame& f) { return f.wrong_header_sum.has_value(); });
    if (headers > 0) {
        lines.push_back(std::to_string(headers) + " frames have a wrong IPv4 header checksum");
    }
    if (oversized > 0) {
        lines.push_back("segmentation offload: " + std::to_string(oversized) +
                        " frames are larger than a wire carries; ours are compared by their bytes");
    }
    if (wrong > 0) {
        lines.push_back(std::to_string(wrong) +
                        " frames have a wrong checksum; the stack drops those that it gets");
    }
    const u64 disbelieved = count(
        frames, [](const RecordedFrame& f) { return f.sum == RecordedFrame::Sum::Disbelieved; });
    if (disbelieved > 0) {
        lines.push_back(std::to_string(disbelieved) +
                        " frames have a wrong checksum, like most: these are not believed");
    }
    if (cut > 0) {
        lines.push_back(std::to_string(cut) +
                        " frames are cut short in the file; what is missing is played as zeros");
    }
    if (!recording.broken().empty()) {
        lines.push_back("used as far as it goes: " + recording.broken());
    }
    return lines;
}

std::vector<std::string> remarks(const TcpScript& script, const PlayedTcp& played) {
    std::vector<std::string> lines;
    if (script.silent) {
        lines.emplace_back("the host never answered: not played");
        return lines;
    }
    if (script.refuses) lines.emplace_back("nobody listened there: the host only reset");
    if (script.away > 0ms) {
        lines.push_back("recorded away from the host, by " + milliseconds(script.away) +
                        " each way: times are corrected by that");
    }
    if (!script.lost.empty()) {
        lines.push_back(
            std::to_string(script.lost.size()) +
            " frames of the peer were lost between the recorder and the host: not played");
    }
    if (script.answers_unseen_syn()) {
        lines.emplace_back("the SYN that the host answers is not in the file: it was made up");
    }
    if (script.mid_stream) {
        lines.push_back("begins in the middle: a handshake was made up, with window scale " +
                        std::to_string(script.their_shift) + " for the peer");
    }
    if (played.made_up_ours > 0) {
        lines.push_back(std::to_string(played.made_up_ours) +
                        " bytes that the host sent are not in the file: zeros were sent");
    }
    if (played.made_up_theirs > 0) {
        lines.push_back(std::to_string(played.made_up_theirs) +
                        " bytes that the host acknowledged are not in the file: zeros came in");
    }
    if (played.held_back > 0) {
        lines.push_back(
            std::to_string(played.held_back) +
            " frames of the peer waited until the stack had sent what they acknowledge");
    }
    if (played.never_fed > 0) {
        lines.push_back(std::to_string(played.never_fed) +
                        " frames of the peer acknowledge what the stack never sent: not played");
    }
    for (const std::string& call : played.refused_calls) lines.push_back("refused: " + call);
    return lines;
}

}  // namespace tapestry
