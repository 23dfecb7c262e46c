#include "apps/inspect/observer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/inspect/capture_report.h"
#include "tests/apps/made_capture.h"

/// Conversations made by hand, segment by segment; what tshark says of real ones is compared by
/// live/inspect_oracle_test.

namespace tapestry::test {
namespace {

std::vector<std::string> only(const char* name) { return {name}; }

TEST(Observer, FollowsBothEndsFromTheFirstSynToTheLastAck) {
    MadeCapture capture;
    using enum TcpState;
    const auto expect = [&](const ObservedSegment& s, TcpState client, TcpState server) {
        EXPECT_EQ(s.client, client) << name(s.client) << " in frame " << s.number;
        EXPECT_EQ(s.server, server) << name(s.server) << " in frame " << s.number;
        EXPECT_TRUE(s.analysis.empty());
    };
    expect(capture.client(kSyn, 0, 0), SynSent, SynReceived);
    expect(capture.server(kSynAck, 0, 1), Established, SynReceived);
    expect(capture.client(kAck, 1, 1), Established, Established);
    expect(capture.client(kAck, 1, 1, "GET / HTTP/1.1\r\n\r\n"), Established, Established);
    expect(capture.server(kAck, 1, 19, "HTTP/1.1 200 OK\r\n\r\n"), Established, Established);
    expect(capture.server(kFin, 20, 19), CloseWait, FinWait1);
    expect(capture.client(kAck, 19, 21), CloseWait, FinWait2);
    expect(capture.client(kFin, 19, 21), LastAck, TimeWait);
    expect(capture.server(kAck, 21, 20), Closed, TimeWait);
    const ObservedStream& stream = capture.stream();
    EXPECT_EQ(stream.ending(), "closed");
    EXPECT_EQ(stream.completeness, 31);
    EXPECT_EQ(stream.end(Side::Client).bytes, 18U);
    EXPECT_EQ(stream.end(Side::Server).bytes, 19U);
    ASSERT_EQ(stream.http.size(), 2U);
    EXPECT_EQ(stream.http[0].line, "GET / HTTP/1.1");
    EXPECT_EQ(stream.http[1].line, "HTTP/1.1 200 OK");
    EXPECT_EQ(*stream.syn_ack - *stream.syn, 1ms);
}

TEST(Observer, ARefusedConnection) {
    MadeCapture capture;
    capture.client(kSyn, 0, 0);
    capture.server(kRst, 0, 1);
    EXPECT_EQ(capture.stream().ending(), "refused by the server");
    EXPECT_EQ(capture.stream().end(Side::Client).state, TcpState::Closed);
}

TEST(Observer, WhoResetsIsNamed) {
    MadeCapture capture;
    capture.open();
    capture.client(kRst, 1, 1);
    EXPECT_EQ(capture.stream().ending(), "reset by the client");
}

TEST(Observer, TheSecondTimeIsARetransmission) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "abcd");
    capture.now += 1s;
    EXPECT_EQ(capture.client(kAck, 1, 1, "abcd").analysis.names(), only("retransmission"));
    EXPECT_EQ(capture.stream().end(Side::Client).bytes, 4U) << "counted once";
}

TEST(Observer, WhatWasAcknowledgedIsSentAgainForNothing) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "abcd");
    capture.server(kAck, 1, 5);
    capture.now += 1s;
    const auto names = capture.client(kAck, 1, 1, "abcd").analysis.names();
    EXPECT_EQ(names, (std::vector<std::string>{"retransmission", "spurious_retransmission"}));
}

TEST(Observer, ThreeEqualAcknowledgmentsAndTheAnswerToThem) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    EXPECT_EQ(capture.client(kAck, 9, 1, "cccc").analysis.names(), only("lost_segment"));
    capture.client(kAck, 13, 1, "dddd");
    capture.server(kAck, 1, 5);
    for (u32 i = 1; i <= 3; ++i) {
        const ObservedSegment& again = capture.server(kAck, 1, 5);
        EXPECT_EQ(again.analysis.names(), only("duplicate_ack"));
        EXPECT_EQ(again.duplicate_ack, i);
    }
    EXPECT_EQ(capture.client(kAck, 5, 1, "bbbb").analysis.names(),
              (std::vector<std::string>{"retransmission", "fast_retransmission"}));
}

TEST(Observer, LateIsNotAgain) {
    MadeCapture capture;
    capture.now += 1s;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    capture.client(kAck, 9, 1, "cccc");
    EXPECT_EQ(capture.client(kAck, 5, 1, "bbbb").analysis.names(), only("out_of_order"));
    EXPECT_EQ(capture.stream().end(Side::Client).bytes, 12U);
}

TEST(Observer, ZeroWindowsProbesAndUpdates) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    EXPECT_EQ(capture.server(kAck, 1, 5, "", 0).analysis.names(), only("zero_window"));
    EXPECT_EQ(capture.client(kAck, 5, 1, "b").analysis.names(), only("zero_window_probe"));
    EXPECT_EQ(capture.server(kAck, 1, 5, "", 0).analysis.names(),
              (std::vector<std::string>{"zero_window", "zero_window_probe_ack"}));
    EXPECT_EQ(capture.server(kAck, 1, 5, "", 400).analysis.names(), only("window_update"));
}

TEST(Observer, KeepAliveAndItsAnswer) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    capture.server(kAck, 1, 5);
    EXPECT_EQ(capture.client(kAck, 4, 1).analysis.names(), only("keep_alive"));
    EXPECT_EQ(capture.server(kAck, 1, 5).analysis.names(), only("keep_alive_ack"));
}

TEST(Observer, ANewSynBetweenTheSamePortsBeginsANewStream) {
    MadeCapture capture;
    capture.open();
    capture.client(kRst, 1, 1);
    EXPECT_EQ(capture.client(kSyn, 90000, 0).analysis.names(), only("reused_ports"));
    EXPECT_EQ(capture.observer.streams().size(), 2U);
    EXPECT_EQ(capture.segments.back().stream, 1U);
}

TEST(Observer, ItMayBeginInTheMiddle) {
    MadeCapture capture;
    capture.server(kAck, 700, 300, "late");
    EXPECT_EQ(capture.stream().end(Side::Server).endpoint, kServer) << "the lower port";
    EXPECT_EQ(capture.segments[0].note.seq, 1U);
    EXPECT_EQ(capture.segments[0].client, TcpState::Established);
    EXPECT_EQ(capture.stream().ending(), "open");
}

TEST(Observer, JsonHasTheFormThatIsPromised) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "GET /x HTTP/1.0\r\n\r\n");
    const auto document = nlohmann::json::parse(capture_json(
        "a.pcap", 4, 0, capture.observer.streams(), capture.segments, capture.segments[0].time));
    EXPECT_EQ(document["frames"], 4);
    const auto& stream = document["streams"][0];
    EXPECT_EQ(stream["client"]["port"], 40000);
    EXPECT_EQ(stream["handshake"]["syn"], 1);
    EXPECT_DOUBLE_EQ(stream["handshake"]["rtt_ms"], 2.0);
    EXPECT_EQ(stream["end"], "open");
    EXPECT_EQ(stream["frames"][1]["from"], "server");
    EXPECT_EQ(stream["frames"][1]["client_state"], "ESTABLISHED");
    EXPECT_EQ(stream["http"][0]["line"], "GET /x HTTP/1.0");
}

TEST(Observer, NothingThatAStrangerWroteReachesTheTerminalRaw) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "GET /\x1b]0;x\x07\xff HTTP/1.0\r\n\r\n");
    std::string all;
    CaptureReport report([&](const std::string& line) { all += line + "\n"; }, Paint(false));
    report.summary(capture.stream());
    EXPECT_NE(all.find("GET /\\x1b]0;x\\x07\\xff HTTP/1.0"), std::string::npos) << all;
    EXPECT_TRUE(
        std::ranges::all_of(all, [](char c) { return c == '\n' || (c >= ' ' && c < 127); }));
}

TEST(Observer, WhatIsNoSegmentIsPassedOver) {
    Observer observer([](const ObservedSegment&) { FAIL(); });
    const auto udp = PacketBuilder().udp(1, 2).payload({1}).build();
    EXPECT_FALSE(observer.packet(1, TimePoint{}, Bytes(udp).subspan(14), udp.size() - 14));
    const auto tcp = PacketBuilder().tcp(tcp_header(1)).build();
    for (std::size_t size = 0; size < 40; ++size) {
        EXPECT_FALSE(observer.packet(1, TimePoint{}, Bytes(tcp).subspan(14, size), size));
    }
}

}  // namespace
}  // namespace tapestry::test
