#include "apps/inspect/observer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/inspect/capture_report.h"
#include "tests/support/packet_builder.h"

/// Conversations made by hand, segment by segment; what tshark says of real ones is compared by
/// live/inspect_oracle_test.

namespace tapestry::test {
namespace {

constexpr Endpoint kClient{{10, 0, 0, 1}, 40000};
constexpr Endpoint kServer{{10, 0, 0, 2}, 80};
constexpr u8 kSyn = TcpFlags::kSyn;
constexpr u8 kAck = TcpFlags::kAck;
constexpr u8 kSynAck = TcpFlags::kSyn | TcpFlags::kAck;
constexpr u8 kFin = TcpFlags::kFin | TcpFlags::kAck;
constexpr u8 kRst = TcpFlags::kRst | TcpFlags::kAck;

/// A capture in the making: numbers count from 1000 (client) and 5000 (server).
struct Capture {
    Observer observer{[this](const ObservedSegment& s) { segments.push_back(s); }};
    std::vector<ObservedSegment> segments;
    TimePoint now{};
    u64 number = 0;

    const ObservedSegment& send(Side from, u8 flags, u32 seq, u32 ack, std::string text = "",
                                u16 window = 500) {
        const bool client = from == Side::Client;
        TcpHeader tcp = tcp_header((client ? 1000 : 5000) + seq, flags,
                                   (flags & kAck) != 0 ? (client ? 5000 : 1000) + ack : 0);
        tcp.source_port = client ? kClient.port : kServer.port;
        tcp.destination_port = client ? kServer.port : kClient.port;
        tcp.window = window;
        PacketBuilder builder;
        builder.ip.source = client ? kClient.address : kServer.address;
        builder.ip.destination = client ? kServer.address : kClient.address;
        const auto frame = builder.tcp(tcp).payload({text.begin(), text.end()}).build();
        now += 1ms;
        EXPECT_TRUE(observer.packet(++number, now, Bytes(frame).subspan(14), frame.size() - 14));
        return segments.back();
    }
    const ObservedSegment& client(u8 flags, u32 seq, u32 ack, std::string text = "",
                                  u16 window = 500) {
        return send(Side::Client, flags, seq, ack, std::move(text), window);
    }
    const ObservedSegment& server(u8 flags, u32 seq, u32 ack, std::string text = "",
                                  u16 window = 500) {
        return send(Side::Server, flags, seq, ack, std::move(text), window);
    }
    void open() {
        client(kSyn, 0, 0);
        server(kSynAck, 0, 1);
        client(kAck, 1, 1);
    }
    const ObservedStream& stream(std::size_t i = 0) { return observer.streams().at(i); }
};

std::vector<std::string> only(const char* name) { return {name}; }

TEST(Observer, FollowsBothEndsFromTheFirstSynToTheLastAck) {
    Capture capture;
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
    Capture capture;
    capture.client(kSyn, 0, 0);
    capture.server(kRst, 0, 1);
    EXPECT_EQ(capture.stream().ending(), "refused by the server");
    EXPECT_EQ(capture.stream().end(Side::Client).state, TcpState::Closed);
}

TEST(Observer, WhoResetsIsNamed) {
    Capture capture;
    capture.open();
    capture.client(kRst, 1, 1);
    EXPECT_EQ(capture.stream().ending(), "reset by the client");
}

TEST(Observer, TheSecondTimeIsARetransmission) {
    Capture capture;
    capture.open();
    capture.client(kAck, 1, 1, "abcd");
    capture.now += 1s;
    EXPECT_EQ(capture.client(kAck, 1, 1, "abcd").analysis.names(), only("retransmission"));
    EXPECT_EQ(capture.stream().end(Side::Client).bytes, 4U) << "counted once";
}

TEST(Observer, WhatWasAcknowledgedIsSentAgainForNothing) {
    Capture capture;
    capture.open();
    capture.client(kAck, 1, 1, "abcd");
    capture.server(kAck, 1, 5);
    capture.now += 1s;
    const auto names = capture.client(kAck, 1, 1, "abcd").analysis.names();
    EXPECT_EQ(names, (std::vector<std::string>{"retransmission", "spurious_retransmission"}));
}

TEST(Observer, ThreeEqualAcknowledgmentsAndTheAnswerToThem) {
    Capture capture;
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
    Capture capture;
    capture.now += 1s;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    capture.client(kAck, 9, 1, "cccc");
    EXPECT_EQ(capture.client(kAck, 5, 1, "bbbb").analysis.names(), only("out_of_order"));
    EXPECT_EQ(capture.stream().end(Side::Client).bytes, 12U);
}

TEST(Observer, ZeroWindowsProbesAndUpdates) {
    Capture capture;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    EXPECT_EQ(capture.server(kAck, 1, 5, "", 0).analysis.names(), only("zero_window"));
    EXPECT_EQ(capture.client(kAck, 5, 1, "b").analysis.names(), only("zero_window_probe"));
    EXPECT_EQ(capture.server(kAck, 1, 5, "", 0).analysis.names(),
              (std::vector<std::string>{"zero_window", "zero_window_probe_ack"}));
    EXPECT_EQ(capture.server(kAck, 1, 5, "", 400).analysis.names(), only("window_update"));
}

TEST(Observer, KeepAliveAndItsAnswer) {
    Capture capture;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    capture.server(kAck, 1, 5);
    EXPECT_EQ(capture.client(kAck, 4, 1).analysis.names(), only("keep_alive"));
    EXPECT_EQ(capture.server(kAck, 1, 5).analysis.names(), only("keep_alive_ack"));
}

TEST(Observer, ANewSynBetweenTheSamePortsBeginsANewStream) {
    Capture capture;
    capture.open();
    capture.client(kRst, 1, 1);
    EXPECT_EQ(capture.client(kSyn, 90000, 0).analysis.names(), only("reused_ports"));
    EXPECT_EQ(capture.observer.streams().size(), 2U);
    EXPECT_EQ(capture.segments.back().stream, 1U);
}

TEST(Observer, ItMayBeginInTheMiddle) {
    Capture capture;
    capture.server(kAck, 700, 300, "late");
    EXPECT_EQ(capture.stream().end(Side::Server).endpoint, kServer) << "the lower port";
    EXPECT_EQ(capture.segments[0].note.seq, 1U);
    EXPECT_EQ(capture.segments[0].client, TcpState::Established);
    EXPECT_EQ(capture.stream().ending(), "open");
}

TEST(Observer, JsonHasTheFormThatIsPromised) {
    Capture capture;
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
