#include "apps/inspect/timeline_index.h"
#include "apps/inspect/timeline_recorder.h"
#include "tests/inspect/timelines.h"

namespace tapestry::test {
namespace {

using Kind = Timeline::Step::Kind;

TEST(TimelineLab, AHandshakeIsTheseSteps) {
    const auto lines = told(lab_timeline("three-way-handshake"));
    const std::vector<std::string> expected{
        "server call: listen 5000",
        "laptop call: connect 192.168.3.20:5000",
        "laptop call | UserOpen CLOSED -> SYN-SENT",
        "laptop sent: ARP who has 192.168.3.20?",
        "laptop decision | FlushSent",
        "server received: ARP who has 192.168.3.20?",
        "server sent: ARP 192.168.3.20 is at 02:00:00:00:02:01",
        "laptop received: ARP 192.168.3.20 is at 02:00:00:00:02:01",
        "laptop sent: S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>",
        "server received: S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>"
        " | ListenSyn LISTEN -> SYN-RECEIVED",
        "server sent: S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK> | FlushSent",
        "laptop received: S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>"
        " | SynSentEstablished SYN-SENT -> ESTABLISHED",
        "laptop sent: . 1:1(0) ack 1 win 65535",
        "laptop result: connect: connected, from 192.168.3.10:56021",
        "server received: . 1:1(0) ack 1 win 65535 | AckEstablishes SYN-RECEIVED -> ESTABLISHED",
        "server result: accepted a connection from 192.168.3.10:56021",
    };
    ASSERT_GE(lines.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(lines[i], expected[i]) << i;
}

TEST(TimelineLab, AFrameIsOneFrameFromItsSenderToItsReceiver) {
    const Timeline timeline = lab_timeline("three-way-handshake");
    for (const Timeline::Frame& frame : timeline.frames) {
        ASSERT_TRUE(frame.sent);
        ASSERT_TRUE(frame.arrived);
        EXPECT_EQ(*frame.arrived - *frame.sent, 10ms);
        EXPECT_EQ(frame.link, 0U);
        EXPECT_NE(frame.from.host, frame.to.host);
    }
    const TimelineIndex index(timeline);
    for (u32 i = 0; i < timeline.frames.size(); ++i) EXPECT_EQ(index.steps_of(i).size(), 2U);
}

TEST(TimelineLab, EveryFrameOfEveryLabArrivesOrIsLost) {
    for (const BuiltinLab& lab : builtin_labs()) {
        const Timeline timeline = lab_timeline(std::string(lab.name));
        std::vector<bool> seen(timeline.frames.size());
        for (const Timeline::Step& step : timeline.steps) {
            if (step.kind == Kind::Sent) seen[step.frame] = true;
            EXPECT_TRUE(step.kind != Kind::Received || seen[step.frame]) << lab.name;
        }
        for (const Timeline::Frame& frame : timeline.frames) {
            if (!frame.sent) continue;
            EXPECT_NE(frame.arrived.has_value(), !frame.lost.empty()) << lab.name;
        }
    }
}

TEST(TimelineLab, ALostSynComesAgain) {
    const Timeline timeline = lab_timeline("lost-syn");
    u32 lost = Timeline::kNone;
    bool again = false;
    for (const Timeline::Step& step : timeline.steps) {
        if (step.kind == Kind::Lost) lost = step.frame;
        if (step.kind == Kind::Sent && timeline.frames[step.frame].again == lost) again = true;
    }
    ASSERT_NE(lost, Timeline::kNone);
    EXPECT_FALSE(timeline.frames[lost].lost.empty());
    EXPECT_TRUE(again);
}

TEST(TimelineLab, BothEndsOfAConnectionKnowEachOtherAcrossANat) {
    const Timeline timeline = lab_timeline("home-nat");
    ASSERT_EQ(timeline.ends.size(), 2U);
    EXPECT_EQ(timeline.ends[0].peer, 1U);
    EXPECT_EQ(timeline.ends[1].peer, 0U);
    EXPECT_EQ(timeline.ends[0].stream, timeline.ends[1].stream);
    EXPECT_NE(timeline.ends[0].local, timeline.ends[1].remote);
    EXPECT_FALSE(timeline.flows.empty());
    EXPECT_FALSE(timeline.rewrites.empty());
}

TEST(TimelineLab, StatesAreSharedAndFollowEachOther) {
    const Timeline timeline = lab_timeline("lost-data");
    std::vector<u32> last(timeline.ends.size(), Timeline::kNone);
    for (const Timeline::Step& step : timeline.steps) {
        if (step.end == Timeline::kNone) continue;
        EXPECT_TRUE(last[step.end] == Timeline::kNone || step.before == last[step.end]);
        last[step.end] = step.after;
        if (step.cause != Timeline::kNone) {
            EXPECT_EQ(timeline.steps[step.cause].time, step.time);
            EXPECT_EQ(timeline.steps[step.cause].host, step.host);
        }
    }
    EXPECT_LT(timeline.states.size(), timeline.steps.size() + 2);
}

TEST(TimelineLab, TheIndexGoesForwardsAndBackwards) {
    const Timeline timeline = lab_timeline("three-way-handshake");
    const TimelineIndex index(timeline);
    EXPECT_EQ(index.state(0, 1), nullptr);
    ASSERT_NE(index.state(0, 2), nullptr);
    EXPECT_EQ(index.state(0, 2)->state, TcpState::SynSent);
    EXPECT_EQ(index.state(1, 9)->state, TcpState::SynReceived);
    EXPECT_EQ(index.next_turn(2), 9U);
    EXPECT_EQ(index.previous_turn(9), 2U);
    EXPECT_EQ(index.previous_turn(2), Timeline::kNone);
    EXPECT_EQ(index.next_turn(timeline.steps.size()), Timeline::kNone);
}

TEST(TimelineLab, AHundredThousandFramesAreNotKeptWhole) {
    Timeline timeline;
    timeline.hosts = {{"us", false, true, {{"eth0", "", 0, Timeline::kNone}}},
                      {"peer", false, false, {{"eth0", "", 1, Timeline::kNone}}}};
    TimelineRecorder recorder(timeline, TimelineRecorder::Frames::AtBorders);
    const std::vector<u8> bytes(1514);
    for (int i = 0; i < 100'000; ++i) {
        FrameEvent event;
        event.now = TimePoint(Duration(i));
        event.headers = bytes;
        recorder.ear(0).on_frame(event);
    }
    std::size_t kept = 0;
    for (const Timeline::Frame& frame : timeline.frames) kept += frame.bytes.size();
    EXPECT_EQ(timeline.frames.size(), 100'000U);
    EXPECT_EQ(timeline.frames.back().wire_size, 1514U);
    EXPECT_LT(kept, TimelineRecorder::kKeptWhole + 100'000 * TimelineRecorder::kKeptOfEach);
}

}  // namespace
}  // namespace tapestry::test
