// The same as tcp_replay_test.cpp over a collection beside the project: transfers of Linux's over bad
// wires, recorded at both ends. Linux recovers with SACK, RACK and tail loss probes in them, so times and
// retransmissions differ; streams, acknowledgments and endings must not.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/capture_file.h"
#include "tests/support/replayed.h"

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
    const auto& ends = syn->segment;
    PlayOptions options;
    options.afterwards = 5s;
    Replayed replay(file.string(), (c.first ? ends.source : ends.destination).address, options);

    EXPECT_EQ(replay.diverged(), "");
    EXPECT_EQ(replay.ending(), replay.recorded_ending());
    EXPECT_EQ(replay.played().never_fed, 0U);
    EXPECT_EQ(replay.played().read, stream_text(replay.script().theirs, replay.script().their_isn));
    EXPECT_TRUE(replay.played().refused_calls.empty());
    if (HasFailure()) std::printf("%s", replay.text().c_str());
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
