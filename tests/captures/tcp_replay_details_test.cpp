// What single captures are about, looked at closely.

#include <gtest/gtest.h>

#include "tests/support/capture_compare.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

std::string path_of(const std::string& file) {
    return std::string(TEST_ROOT) + "/../captures/" + file + ".pcap";
}

ReplayOptions server() {
    ReplayOptions options;
    options.host = Ipv4Address(192, 168, 3, 1);
    return options;
}

bool in_this_order(const std::vector<TcpState>& states, const std::vector<TcpState>& wanted) {
    return std::search(states.begin(), states.end(), wanted.begin(), wanted.end()) != states.end();
}

using enum TcpState;

TEST(TcpReplayDetails, TheIsnIsTheRecordedOne) {
    for (const ReplayOptions& options : {ReplayOptions{}, server()}) {
        CaptureReplay replay(path_of("chat.client"), options);
        replay.run();
        ASSERT_FALSE(replay.sent().empty());
        EXPECT_EQ(replay.sent().front().segment.seq, replay.our_isn());
        EXPECT_EQ(replay.recorded().front().segment.seq, replay.our_isn());
    }
}

TEST(TcpReplayDetails, FinsThatCrossLeadThroughClosing) {
    for (const bool client : {true, false}) {
        CaptureReplay replay(
            path_of(client ? "simultaneous-close.client" : "simultaneous-close.server"),
            client ? ReplayOptions{} : server());
        replay.run();
        EXPECT_TRUE(in_this_order(replay.states(), {Established, FinWait1, Closing, TimeWait}));
    }
}

TEST(TcpReplayDetails, SynsThatCrossLeadThroughSynReceived) {
    for (const bool client : {true, false}) {
        CaptureReplay replay(
            path_of(client ? "simultaneous-open.client" : "simultaneous-open.server"),
            client ? ReplayOptions{} : server());
        replay.run();
        EXPECT_TRUE(in_this_order(replay.states(), {SynSent, SynReceived, Established}));
    }
}

TEST(TcpReplayDetails, TimeWaitLastsTwiceTheMsl) {
    CaptureReplay early(path_of("http-get.server"), server());
    early.run(59s);
    EXPECT_EQ(name(early.state()), name(TimeWait));
    CaptureReplay late(path_of("http-get.server"), server());
    late.run(61s);
    EXPECT_EQ(name(late.state()), name(Closed));
}

/// RFC 9293 3.10.7.4: "If the connection is in TIME-WAIT [...] the only thing that can arrive in this
/// state is a retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
TEST(TcpReplayDetails, TimeWaitAnswersTheFinThatComesAgain) {
    CaptureReplay replay(path_of("last-ack-lost.client"), ReplayOptions{});
    replay.run(59900ms);
    EXPECT_EQ(name(replay.state()), name(TimeWait)) << "the FIN came again more than 200 ms later";
    const SeqNum past_fin = replay.theirs().back().segment.end();
    const auto answers =
        std::count_if(replay.sent().begin(), replay.sent().end(), [&](const TimedSegment& s) {
            return s.segment.flags.bits == TcpFlags::kAck && s.segment.ack == past_fin;
        });
    EXPECT_EQ(answers, 2);
}

TEST(TcpReplayDetails, LostRequestIsSentAgainWithBackOff) {
    CaptureReplay replay(path_of("request-lost.client"), ReplayOptions{});
    replay.run();
    std::vector<TimePoint> times;
    for (const TimedSegment& s : replay.sent()) {
        if (!s.segment.payload.empty()) times.push_back(s.time);
    }
    ASSERT_EQ(times.size(), 3U);
    const double ratio = to_seconds(times[2] - times[1]) / to_seconds(times[1] - times[0]);
    EXPECT_NEAR(ratio, 2.0, 0.01) << "RFC 6298 5.5: RTO <- RTO * 2";
}

/// RFC 5681 3.2: after the third duplicate ACK the missing segment leaves at once.
TEST(TcpReplayDetails, ThirdDuplicateAckSendsTheMissingSegment) {
    CaptureReplay replay(path_of("fast-retransmit.server"), server());
    replay.run();
    std::optional<SeqNum> last;
    int duplicates = 0;
    std::optional<TimedSegment> third;
    for (const TimedSegment& t : replay.theirs()) {
        duplicates = last == t.segment.ack && t.segment.len() == 0 ? duplicates + 1 : 0;
        last = t.segment.ack;
        if (duplicates == 3 && !third) third = t;
    }
    ASSERT_TRUE(third);
    const auto again =
        std::find_if(replay.sent().begin(), replay.sent().end(), [&](const TimedSegment& s) {
            return s.time >= third->time && s.segment.seq == third->segment.ack;
        });
    ASSERT_NE(again, replay.sent().end());
    EXPECT_EQ(again->time, third->time);
}

/// We are the reader: the window closes, opens again when the application reads, and nothing is lost.
TEST(TcpReplayDetails, SlowReaderClosesAndReopensItsWindow) {
    ReplayOptions options;
    options.reads = ReplayOptions::Reads::WithTheWindow;
    // As much as the recorded host took before its application read.
    const CaptureReplay recording(path_of("slow-reader.client"), options);
    u32 closed_at = 0;
    for (const TimedSegment& s : recording.recorded()) {
        if (s.segment.wnd != 0 || closed_at != 0) continue;
        closed_at = static_cast<u32>(s.segment.ack - (recording.their_isn() + 1U));
    }
    ASSERT_GT(closed_at, 0U);
    options.receive_buffer = closed_at;
    CaptureReplay replay(path_of("slow-reader.client"), options);
    replay.run();
    const Comparison result = compare(replay);
    EXPECT_EQ(result.unexplained({Leeway::SackNotOffered, Leeway::AckCoalesced,
                                  Leeway::WindowUpdate, Leeway::RepeatedAck}),
              "");
    EXPECT_EQ(replay.read(), stream_of(replay.theirs(), replay.their_isn()));
    const auto closed = std::find_if(
        replay.sent().begin(), replay.sent().end(),
        [](const TimedSegment& s) { return s.segment.flags.ack() && s.segment.wnd == 0; });
    ASSERT_NE(closed, replay.sent().end()) << result.history;
    const auto opened = std::find_if(closed, replay.sent().end(), [&](const TimedSegment& s) {
        return s.segment.ack == closed->segment.ack && s.segment.wnd > 0;
    });
    ASSERT_NE(opened, replay.sent().end()) << result.history;
    EXPECT_GE(opened->segment.wnd, 1448) << "no silly window (RFC 9293 3.8.6.2.2)";
    for (const auto& [drop, count] : replay.drops()) EXPECT_EQ(drop, "TcpOutOfWindow") << count;
}

/// We are the writer: nothing leaves beyond the window but probes, and they find it open again.
TEST(TcpReplayDetails, SlowReadersWindowIsProbedAndNeverOverrun) {
    ReplayOptions options = server();
    options.writes = ReplayOptions::Writes::Ahead;
    CaptureReplay replay(path_of("slow-reader.server"), options);
    replay.run();
    const Comparison result = compare(replay);
    // Linux fills the window to the last byte; we wait for room for a full segment (3.8.6.2.1), and so
    // have cut the stream at other places when the window closes.
    EXPECT_EQ(result.unexplained({Leeway::SackNotOffered, Leeway::Push, Leeway::Segmentation,
                                  Leeway::SentLater, Leeway::SentEarlier, Leeway::Recovery,
                                  Leeway::ProbeForm, Leeway::ProbeTiming}),
              "");
    EXPECT_EQ(name(replay.state()), name(TimeWait));
    EXPECT_EQ(replay.never_fed(), 0U);
    SeqNum edge = replay.our_isn() + 1U;
    std::size_t next = 0;
    int probes = 0;
    for (const TimedSegment& s : replay.sent()) {
        for (; next < replay.theirs().size() && replay.theirs()[next].time <= s.time; ++next) {
            const Segment& t = replay.theirs()[next].segment;
            if (t.flags.ack()) edge = later(edge, t.ack + u32{t.wnd});  // its shift is 0
        }
        if (s.segment.payload.empty()) continue;
        const SeqNum end = s.segment.seq + static_cast<u32>(s.segment.payload.size());
        if (end.before_or_at(edge)) continue;
        EXPECT_EQ(s.segment.payload.size(), 1U) << "RFC 9293 3.8.6.1: a probe has one octet";
        ++probes;
    }
    EXPECT_GE(probes, 1) << result.history;
}

TEST(TcpReplayDetails, CaptureWithoutThatHostIsRefused) {
    ReplayOptions options;
    options.host = Ipv4Address(10, 9, 8, 7);
    EXPECT_THROW(CaptureReplay(path_of("chat.client"), options), std::runtime_error);
    EXPECT_THROW(CaptureReplay(path_of("no-such-file"), {}), std::runtime_error);
}

/// The comparison itself must notice: one host's recording against the other's stack.
TEST(TcpReplayDetails, ComparisonSeesMissingAndOtherSegments) {
    ReplayOptions options;
    options.reads = ReplayOptions::Reads::Never;  // the reset instead of the FIN
    options.resets = ReplayOptions::Resets::Stack;
    CaptureReplay without_reset(path_of("linger-reset.client"), options);
    without_reset.run();
    EXPECT_TRUE(compare(without_reset).rules().contains(Leeway::None));

    ReplayOptions small;
    small.socket.max_segment = 500;
    CaptureReplay other_mss(path_of("half-close-client.client"), small);
    other_mss.run();
    const auto rules = compare(other_mss).rules();
    EXPECT_TRUE(rules.contains(Leeway::None)) << "another MSS in the SYN";
    EXPECT_TRUE(rules.contains(Leeway::Segmentation));
}

}  // namespace
