#include "apps/inspect/explain.h"
#include "apps/inspect/timeline_index.h"
#include "tests/inspect/timelines.h"

namespace tapestry::test {
namespace {

using Kind = Timeline::Step::Kind;

TEST(TimelineCapture, EachSegmentIsAStepOfBothEnds) {
    const auto lines = told(capture_timeline("http-get.client.pcap"));
    ASSERT_GE(lines.size(), 6U);
    const auto holds = [&](std::size_t i, const std::string& begin, const std::string& end) {
        EXPECT_TRUE(lines[i].starts_with(begin) && lines[i].ends_with(end)) << i << ' ' << lines[i];
    };
    holds(0, "192.168.3.10 sent: S 0:0(0)", "| UserOpen CLOSED -> SYN-SENT");
    holds(1, "192.168.3.1 received: S 0:0(0)", "| ListenSyn LISTEN -> SYN-RECEIVED");
    holds(2, "192.168.3.1 sent: S. 0:0(0) ack 1", "| FlushSent");
    holds(3, "192.168.3.10 received: S. 0:0(0) ack 1",
          "| SynSentEstablished SYN-SENT -> ESTABLISHED");
    holds(4, "192.168.3.10 sent: . 1:1(0) ack 1", "| FlushSent");
    holds(5, "192.168.3.1 received: . 1:1(0) ack 1",
          "| AckEstablishes SYN-RECEIVED -> ESTABLISHED");
}

TEST(TimelineCapture, TheVariablesAreThoseThatTheFramesShow) {
    const Timeline timeline = capture_timeline("http-get.client.pcap");
    ASSERT_EQ(timeline.ends.size(), 2U);
    EXPECT_EQ(timeline.ends[0].peer, 1U);
    const TimelineIndex index(timeline);
    const TcpSnapshot& client = *index.state(0, 5);
    const TcpSnapshot& server = *index.state(1, 5);
    EXPECT_EQ(client.snd_nxt, client.iss + 1);
    EXPECT_EQ(client.snd_una, client.iss + 1);
    EXPECT_EQ(client.irs, server.iss);
    EXPECT_EQ(client.rcv_nxt, server.snd_nxt);
    EXPECT_EQ(server.rcv_nxt, client.snd_nxt);
    EXPECT_EQ(server.snd_una, server.iss + 1);
    EXPECT_GT(client.snd_wnd, 0U);
    EXPECT_EQ(client.rcv_wnd, server.snd_wnd);
    const TcpSnapshot& last = *index.state(0, timeline.steps.size() - 1);
    EXPECT_EQ(last.snd_una, last.snd_nxt);
}

TEST(TimelineCapture, ALossIsKnownAndSpokenOfWithCare) {
    const Timeline timeline = capture_timeline("fast-retransmit.server.pcap");
    std::size_t again = 0;
    bool fast = false;
    bool duplicate = false;
    for (const Timeline::Step& step : timeline.steps) {
        if (step.kind == Kind::Sent && step.analysis.has(Analysis::Retransmission)) {
            ++again;
            EXPECT_NE(timeline.frames[step.frame].again, Timeline::kNone);
        }
        fast = fast || step.verdict == Verdict::FastRetransmit;
        duplicate =
            duplicate || step.verdict == Verdict::AckSack || step.verdict == Verdict::AckDuplicate;
        const StepText text = explain(timeline, step);
        EXPECT_TRUE(text.empty() || text.what.starts_with("It seems: ")) << text.what;
    }
    EXPECT_GT(again, 0U);
    EXPECT_TRUE(fast);
    EXPECT_TRUE(duplicate);
}

}  // namespace
}  // namespace tapestry::test
