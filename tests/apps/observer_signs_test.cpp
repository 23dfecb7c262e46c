#include <nlohmann/json.hpp>

#include "apps/inspect/capture_report.h"
#include "tests/apps/made_capture.h"

/// What a conversation shows about how it was captured: offloads, cuts, holes, fragments.

namespace tapestry::test {
namespace {

TEST(ObserverSigns, AWholeCaptureHasNothingToSay) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "text");
    capture.server(kFin, 1, 5);
    capture.client(kFin, 5, 2);
    capture.server(kAck, 2, 6);
    EXPECT_EQ(capture.stream().capture.text(), "");
    EXPECT_EQ(capture.segments[3].checksum, ChecksumSeen::Good);
}

TEST(ObserverSigns, PartialAndWrongChecksumsAreToldApart) {
    MadeCapture capture;
    capture.open();
    EXPECT_TRUE(capture.put(capture.packet(Side::Client, kAck, 1, 1, "abc").build_partial()));
    EXPECT_EQ(capture.segments.back().checksum, ChecksumSeen::Partial);
    PacketBuilder wrong = capture.packet(Side::Client, kAck, 4, 1, "abc");
    wrong.checksum_error = 7;
    EXPECT_TRUE(capture.put(wrong.build()));
    EXPECT_EQ(capture.segments.back().checksum, ChecksumSeen::Wrong);
    auto frame = capture.packet(Side::Client, kAck, 7, 1, "abc").build();
    frame[EthernetView::kHeaderSize + Ipv4View::kTtl] ^= 1;
    EXPECT_TRUE(capture.put(frame));
    EXPECT_EQ(capture.segments.back().checksum, ChecksumSeen::Good);
    EXPECT_EQ(capture.stream().capture.text(),
              "1 partial TCP checksum (checksum offload); 1 wrong TCP checksum; "
              "1 wrong IP checksum");
}

TEST(ObserverSigns, MoreThanAnMssWasNeverOnAWire) {
    MadeCapture capture;
    capture.mss = 1000;
    capture.open();
    capture.client(kAck, 1, 1, std::string(1000, 'a'));
    EXPECT_EQ(capture.stream().capture.super_frames, 0U);
    capture.client(kAck, 1001, 1, std::string(1001, 'a'));
    EXPECT_EQ(capture.stream().capture.text(),
              "1 segment larger than the wire allows (segmentation offload)");
}

TEST(ObserverSigns, WhatASnaplenHasCutCountsAsItWasOnTheWire) {
    MadeCapture capture;
    capture.open();
    EXPECT_TRUE(capture.put(capture.packet(Side::Client, kAck, 1, 1, "abcdef").build(), 42));
    EXPECT_EQ(capture.segments.back().checksum, ChecksumSeen::NotChecked);
    EXPECT_EQ(capture.stream().end(Side::Client).bytes, 6U);
    EXPECT_EQ(capture.stream().capture.text(), "1 segment cut short");
}

TEST(ObserverSigns, AcknowledgedButNotThereIsMissingUntilItComes) {
    MadeCapture capture;
    capture.open();
    capture.client(kAck, 1, 1, "aaaa");
    capture.client(kAck, 9, 1, "cccc");
    EXPECT_EQ(capture.stream().capture.missing[0], 0U) << "nobody has it, either";
    capture.server(kAck, 1, 13);
    EXPECT_EQ(capture.stream().capture.text(),
              "4 bytes of the client acknowledged but not captured");
    capture.client(kAck, 5, 1, "bbbb");
    EXPECT_EQ(capture.stream().capture.text(), "");
}

TEST(ObserverSigns, TheNumberOfAResetIsNoAcknowledgment) {
    MadeCapture capture;
    capture.open();
    capture.server(kRst, 1, 50000);
    EXPECT_EQ(capture.stream().capture.text(), "");
}

TEST(ObserverSigns, TheMiddleOfAConversationIsSaid) {
    MadeCapture capture;
    capture.client(kAck, 700, 300, "late");
    EXPECT_EQ(capture.stream().capture.text(), "begins in the middle of the conversation");
}

/// The fragments of a packet, with so much text in each.
std::vector<std::vector<u8>> fragments(const std::vector<u8>& frame, std::size_t size) {
    constexpr std::size_t kHeaders = EthernetView::kHeaderSize + Ipv4View::kMinHeaderSize;
    std::vector<std::vector<u8>> all;
    for (std::size_t at = kHeaders; at < frame.size(); at += size) {
        const std::size_t end = std::min(at + size, frame.size());
        std::vector<u8> piece(frame.begin(), frame.begin() + kHeaders);
        piece.insert(piece.end(), frame.begin() + static_cast<std::ptrdiff_t>(at),
                     frame.begin() + static_cast<std::ptrdiff_t>(end));
        u8* ip = &piece[EthernetView::kHeaderSize];
        store_be16(ip + Ipv4View::kTotalLength,
                   static_cast<u16>(piece.size() - EthernetView::kHeaderSize));
        const auto offset = static_cast<u16>((at - kHeaders) / 8);
        store_be16(ip + Ipv4View::kFlagsAndOffset,
                   static_cast<u16>(offset | (end < frame.size() ? Ipv4View::kMoreFragments : 0)));
        store_be16(ip + Ipv4View::kChecksum, 0);
        store_be16(ip + Ipv4View::kChecksum,
                   internet_checksum(
                       Bytes(piece).subspan(EthernetView::kHeaderSize, Ipv4View::kMinHeaderSize)));
        all.push_back(std::move(piece));
    }
    return all;
}

TEST(ObserverSigns, FragmentsAreOneSegmentWhereTheLastPieceComes) {
    MadeCapture capture;
    capture.open();
    const std::string text(100, 'x');
    const auto pieces = fragments(capture.packet(Side::Client, kAck, 1, 1, text).build(), 48);
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_FALSE(capture.put(pieces[2]));
    EXPECT_FALSE(capture.put(pieces[0]));
    EXPECT_FALSE(capture.put(pieces[0])) << "twice";
    EXPECT_TRUE(capture.put(pieces[1]));
    EXPECT_EQ(capture.segments.back().note.length, 100U);
    EXPECT_EQ(capture.segments.back().number, 7U);
    EXPECT_EQ(capture.segments.back().checksum, ChecksumSeen::Good);
    EXPECT_EQ(capture.stream().capture.text(), "1 segment put together from IP fragments");
}

TEST(ObserverSigns, OldFragmentsAreForgotten) {
    MadeCapture capture;
    capture.open();
    const auto pieces =
        fragments(capture.packet(Side::Client, kAck, 1, 1, std::string(40, 'x')).build(), 32);
    EXPECT_FALSE(capture.put(pieces[0]));
    for (std::size_t i = 0; i < CaptureFragments::kMaxDatagrams; ++i) {
        auto other = pieces[0];
        store_be16(&other[EthernetView::kHeaderSize + Ipv4View::kIdentification],
                   static_cast<u16>(i + 1));
        EXPECT_FALSE(capture.put(other));
    }
    EXPECT_FALSE(capture.put(pieces[1]));
}

TEST(ObserverSigns, ScalingIsBelievedOfASynWhoseOtherSideWasNotSeen) {
    MadeCapture capture;
    TcpHeader syn = tcp_header(1000, kSyn, 0);
    syn.source_port = kClient.port;
    syn.options.window_scale = 3;
    PacketBuilder builder = capture.packet(Side::Client, kSyn, 0, 0);
    EXPECT_TRUE(capture.put(builder.tcp(syn).build()));
    EXPECT_EQ(capture.client(kAck, 1, 1, "", 10).window, 80U);
}

TEST(ObserverSigns, JsonSaysThem) {
    MadeCapture capture;
    capture.client(kAck, 700, 300, "late");
    const auto document = nlohmann::json::parse(capture_json(
        "a.pcap", 1, 0, capture.observer.streams(), capture.segments, capture.segments[0].time));
    const auto& signs = document["streams"][0]["capture"];
    EXPECT_EQ(signs["text"], "begins in the middle of the conversation");
    EXPECT_EQ(signs["mid_stream"], true);
    EXPECT_EQ(signs["missing_client"], 0);
    EXPECT_EQ(document["streams"][0]["frames"][0]["checksum"], "good");
}

}  // namespace
}  // namespace tapestry::test
