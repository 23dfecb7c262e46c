// What is said of recordings that are not as one would wish, and that they are worked with all the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "drivers/pcapng_writer.h"
#include "tests/support/replayed.h"
#include "tests/support/temp_dir.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

constexpr Ipv4Address kClient{192, 168, 3, 10};
constexpr Ipv4Address kServer{192, 168, 3, 1};

bool has(const std::vector<std::string>& lines, const std::string& part) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(part) != std::string::npos;
    });
}

struct Case {
    const char* capture;
    Ipv4Address host;
    const char* said;  ///< of the file or of its first conversation
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.capture; }

class Recordings : public testing::TestWithParam<Case> {};

TEST_P(Recordings, AreSaidToBeWhatTheyAreAndPlayed) {
    Replayed replay(capture_path(GetParam().capture), GetParam().host);
    EXPECT_TRUE(has(remarks(replay.recording()), GetParam().said) ||
                has(remarks(replay.script(), replay.played()), GetParam().said))
        << replay.text();
    EXPECT_EQ(replay.diverged(), "");
    EXPECT_GE(replay.played().sent.size(), 5U);
    EXPECT_EQ(replay.played().never_fed, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Odd, Recordings,
    testing::Values(
        Case{"offloaded.server", kServer, "segmentation offload: "},
        Case{"offloaded.server", kServer, "checksum offload: "},
        Case{"no-handshake.client", kClient, "begins in the middle"},
        Case{"no-handshake.server", kServer, "begins in the middle"},
        Case{"recorder-misses.client", kClient, "bytes that the host acknowledged are not"},
        Case{"recorder-misses.server", kServer, "bytes that the host sent are not"},
        Case{"snapped.client", kClient, "frames are cut short"},
        Case{"http-get.server", kClient, "recorded away from the host, by "},
        Case{"request-lost.client", kServer, "lost between the recorder and the host"}));

/// The text of a conversation as of 127.0.0.1 with itself, as `lo` has it.
class OnLoopback : public testing::Test {
protected:
    void SetUp() override {
        auto reader = PcapReader::open(capture_path("http-get.client"));
        auto writer = PcapngWriter::open(file_);
        const u32 interface = writer->add_interface("lo");
        while (const auto record = reader->next()) {
            if (!*record) break;
            std::vector<u8> frame((*record)->bytes.begin(), (*record)->bytes.end());
            for (const std::size_t at : {Ipv4View::kSource, Ipv4View::kDestination}) {
                store_be32(&frame[EthernetView::kHeaderSize + at], 0x7f000001);
            }
            writer->write(frame, {.interface = interface, .time = (*record)->time});
        }
    }
    test::TempDir folder_;  // tests run side by side
    std::string file_ = folder_.file("on_loopback.pcapng");
};

TEST_F(OnLoopback, EitherSideIsPlayed) {
    for (const Side side : {Side::Client, Side::Server}) {
        const Recording recording(file_, Ipv4Address(127, 0, 0, 1), side);
        EXPECT_TRUE(has(remarks(recording), "the host talks to itself, and is two here"));
        // Whoever changed the addresses left the checksums as they were.
        EXPECT_TRUE(has(remarks(recording), "like most: these are not believed"));
        EXPECT_TRUE(has(remarks(recording), "wrong IPv4 header checksum"));
        Stage stage(recording, {});
        stage.run();
        ASSERT_EQ(stage.scripts().size(), 1U);
        EXPECT_EQ(stage.scripts().front().active, side == Side::Client);
        const auto result = compare_all(recording, stage, LeewaySet::all(), std::nullopt);
        EXPECT_FALSE(result.diverged());
        EXPECT_GT(stage.played(0).read.size(), 50U);
    }
}

/// One frame of many that was damaged on its way is thrown away, like the recorded host did.
TEST(Damage, OfFewFramesIsBelieved) {
    const Replayed replay(capture_path("corrupted.client"), kClient);
    EXPECT_TRUE(
        has(remarks(replay.recording()), "1 frames have a wrong checksum; the stack drops"));
    EXPECT_EQ(replay.drops().count("TcpBadChecksum"), 1U);
    EXPECT_EQ(replay.diverged(), "");
}

/// TCP in IP fragments, in both directions of play.
TEST(Fragments, AreOneSegment) {
    const Replayed sender(capture_path("fragmented.server"), kClient);
    EXPECT_EQ(sender.diverged(), "");
    Replayed reader(capture_path("fragmented.server"), Ipv4Address(198, 51, 100, 80));
    EXPECT_EQ(reader.diverged(), "");
    EXPECT_EQ(reader.played().read, stream_text(reader.script().theirs, reader.script().their_isn));
    EXPECT_EQ(reader.played().read_bytes, 20000U);
}

/// Other links than Ethernet give the same conversation.
TEST(Links, AreAllPlayed) {
    for (const auto& [capture, host] :
         {std::pair("cooked.client", kClient), std::pair("raw-ip.client", Ipv4Address(10, 8, 0, 1)),
          std::pair("vlan.trunk", kClient)}) {
        Replayed replay(capture_path(capture), host);
        EXPECT_EQ(replay.diverged(), "") << capture;
        EXPECT_GT(replay.played().sent.size(), 3U) << capture;
    }
}

}  // namespace
