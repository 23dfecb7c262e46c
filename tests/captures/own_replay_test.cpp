// What the stack said in the place of a recorded host, replayed in its turn: it has to say the same again.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/replayed.h"
#include "tests/support/temp_dir.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> captures_of_our_ends() {
    std::vector<fs::path> files;
    for (const auto& entry :
         fs::directory_iterator(fs::path(TEST_ROOT).parent_path() / "captures")) {
        const std::string name = entry.path().filename();
        if (name.ends_with(".client.pcap") || name.ends_with(".server.pcap")) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

class OwnReplay : public testing::Test {
protected:
    TempDir folder_;  // tests run side by side
    std::string again_ = folder_.file("own_replay.pcapng");
};

/// What may differ is what a recording does not tell exactly: when within its millisecond a timestamp
/// clock ticks, when a program's writes ended, when the first probe was due.
TEST_F(OwnReplay, SaysTheSameAgain) {
    LeewaySet small;
    for (const Leeway rule :
         {Leeway::TimestampValue, Leeway::Push, Leeway::ProbeTiming, Leeway::Window}) {
        small.add(rule);
    }
    int replayed = 0;
    int equal = 0;
    for (const fs::path& file : captures_of_our_ends()) {
        const bool client = file.string().ends_with(".client.pcap");
        const Ipv4Address host =
            client ? Ipv4Address(192, 168, 3, 10) : Ipv4Address(192, 168, 3, 1);
        PlayOptions options;
        options.keep_passed = true;
        try {
            const Replayed first(file, host, options);
            write_replay(first.result(), first.stage(), again_);
        } catch (const std::exception&) {
            continue;  // another address there: routers, tunnels
        }
        const Replayed second(again_, host);
        EXPECT_EQ(second.diverged(small), "") << file.filename();
        ++replayed;
        equal += second.rules().empty() ? 1 : 0;
    }
    EXPECT_GE(replayed, 130);
    EXPECT_GE(equal, replayed * 9 / 10) << "of " << replayed;
    std::printf("%d of %d replays were replayed without any difference\n", equal, replayed);
}

/// Comments of packets say what was different.
TEST_F(OwnReplay, DifferencesAreCommentsOfTheirPackets) {
    PlayOptions options;
    options.keep_passed = true;
    Replayed replay(capture_path("http-get.client"), Ipv4Address(192, 168, 3, 10), options);
    write_replay(replay.result(), replay.stage(), again_);
    auto reader = PcapReader::open(again_);
    ASSERT_TRUE(reader);
    std::vector<std::string> comments;
    std::size_t packets = 0;
    while (const auto record = reader->next()) {
        if (!*record) break;
        ++packets;
        if (!(*record)->note.comment.empty()) comments.push_back((*record)->note.comment);
    }
    EXPECT_EQ(packets, replay.played().sent.size() + replay.script().theirs.size());
    ASSERT_FALSE(comments.empty());
    EXPECT_EQ(comments.front().rfind("allowed: window", 0), 0U) << comments.front();
    EXPECT_NE(comments.front().find("recorded as frame 1: S 0:0(0) win 64240"), std::string::npos);
}

}  // namespace
