// The same as tcp_replay_test.cpp over a collection beside the project: transfers of Linux's over bad
// wires, recorded at both ends. Linux recovers with SACK, RACK and tail loss probes in them, so times and
// retransmissions differ; streams, acknowledgments and endings must not.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/capture_compare.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

struct Case {
    const char* name;
    bool first;  ///< play the side that connects (file -a), else the other (-b)
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.name << (c.first ? "-a" : "-b");
}

class SharedReplay : public testing::TestWithParam<Case> {};

TEST_P(SharedReplay, StreamsAndEndingsAreLinuxs) {
    const Case& c = GetParam();
    const auto file = std::filesystem::path(TEST_ROOT).parent_path().parent_path() / "shared" /
                      "captures" / "recorded" /
                      ("own-" + std::string(c.name) + (c.first ? "-a" : "-b") + ".pcap");
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "there is no ../shared/captures/recorded";
    const auto frames = read_capture(file.string());
    const auto segments = segments_of(frames);
    const auto syn = std::find_if(segments.begin(), segments.end(),
                                  [](const TimedSegment& s) { return s.segment.flags.syn(); });
    ASSERT_NE(syn, segments.end());
    ReplayOptions options;
    options.host = (c.first ? syn->segment.source : syn->segment.destination).address;
    CaptureReplay replay(file.string(), options);
    replay.run();

    const Comparison result = compare(replay);
    EXPECT_EQ(result.unexplained({Leeway::SackNotOffered, Leeway::Push, Leeway::Segmentation,
                                  Leeway::AckCoalesced, Leeway::WindowUpdate, Leeway::RepeatedAck,
                                  Leeway::Recovery, Leeway::SentLater, Leeway::ProbeTiming}),
              "");
    EXPECT_EQ(result.ending, result.recorded_ending);
    EXPECT_EQ(replay.never_fed(), 0U);
    EXPECT_EQ(replay.read(), stream_of(replay.theirs(), replay.their_isn()));
    EXPECT_TRUE(replay.refused_calls().empty()) << replay.refused_calls().front();
    if (HasFailure()) std::printf("%s", result.history.c_str());
}

std::vector<Case> cases() {
    std::vector<Case> list;
    for (const char* name :
         {"ackloss-200k", "blackhole-rto-60k", "corrupt-payload-60k", "dup-100k", "half-close",
          "keepalive", "linger0-rst-with-unread", "loss-sack-300k", "refused-rst", "reorder-200k",
          "syn-lost-twice", "synack-lost-once", "zero-window-probe"}) {
        list.push_back({name, true});
        list.push_back({name, false});
    }
    return list;
}

INSTANTIATE_TEST_SUITE_P(Recorded, SharedReplay, testing::ValuesIn(cases()), [](const auto& test) {
    std::string name = std::string(test.param.name) + (test.param.first ? "_a" : "_b");
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
