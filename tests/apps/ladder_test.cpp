#include "apps/inspect/ladder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/packet_builder.h"

namespace tapestry {
namespace {

using test::PacketBuilder;

const Endpoint kWe{Ipv4Address(192, 168, 3, 10), 50000};
const Endpoint kPeer{Ipv4Address(192, 168, 3, 1), 80};
constexpr u32 kIss = 1000;
constexpr u32 kIrs = 5000;

/// Plays events into a ladder and gathers its lines.
class LadderTest : public testing::Test {
protected:
    LadderTest() {
        snapshot_.local = kWe;
        snapshot_.remote = kPeer;
    }

    void at(Duration time) { now_ = TimePoint(5s) + time; }

    void frame(Direction direction, u8 flags, u32 seq, u32 ack, std::string_view text = {},
               const TcpOptions& options = {}, u16 gso_size = 0) {
        const bool out = direction == Direction::Out;
        TcpHeader header;
        header.source_port = out ? kWe.port : kPeer.port;
        header.destination_port = out ? kPeer.port : kWe.port;
        header.sequence = SeqNum(seq);
        header.acknowledgment = SeqNum(ack);
        header.flags = {flags};
        header.window = 500;
        header.options = options;
        PacketBuilder builder;
        builder.tcp(header).payload({text.begin(), text.end()});
        builder.ip.source = out ? kWe.address : kPeer.address;
        builder.ip.destination = out ? kPeer.address : kWe.address;
        const auto bytes = builder.build();
        Offload offload;
        if (gso_size > 0) {
            offload.gso = Offload::Gso::Tcp4;
            offload.gso_size = gso_size;
        }
        const Bytes all(bytes);
        const std::size_t headers = builder.header_size();
        if (out) {
            ladder_.on_frame(
                {now_, direction, 0, all.first(headers), {all.subspan(headers), {}}, offload});
        } else {
            ladder_.on_frame({now_, direction, 0, all, {}, offload});
        }
    }

    /// The connection goes from what it was to what `change` makes of it.
    void tcp(Stimulus stimulus, Verdict verdict, const std::function<void(TcpSnapshot&)>& change,
             std::optional<Drop> drop = std::nullopt) {
        const TcpSnapshot before = snapshot_;
        change(snapshot_);
        ladder_.on_tcp({now_, stimulus, nullptr, verdict, drop, before, snapshot_});
    }

    void open() {
        tcp(Stimulus::User, Verdict::UserOpen, [](TcpSnapshot& s) {
            s.state = TcpState::SynSent;
            s.iss = s.snd_una = s.snd_nxt = SeqNum(kIss);
        });
    }
    void shake_hands() {
        open();
        at(1ms);
        frame(Direction::Out, TcpFlags::kSyn, kIss, 0, {}, {.mss = 1460});
        tcp(Stimulus::Flush, Verdict::FlushSent, [this](TcpSnapshot& s) {
            s.snd_nxt = SeqNum(kIss + 1);
            s.deadlines.at(static_cast<std::size_t>(TcpTimer::Rto)) = now_ + 1s;
        });
        at(2ms);
        frame(Direction::In, TcpFlags::kSyn | TcpFlags::kAck, kIrs, kIss + 1, {}, {.mss = 1400});
        tcp(Stimulus::Segment, Verdict::SynSentEstablished, [](TcpSnapshot& s) {
            s.state = TcpState::Established;
            s.irs = SeqNum(kIrs);
            s.rcv_nxt = SeqNum(kIrs + 1);
            s.snd_una = SeqNum(kIss + 1);
            s.snd_wnd = 500;
            s.deadlines.at(static_cast<std::size_t>(TcpTimer::Rto)) = kNever;
        });
        frame(Direction::Out, TcpFlags::kAck, kIss + 1, kIrs + 1);
    }
    void data_in(u32 offset, u32 length) {
        frame(Direction::In, TcpFlags::kAck, kIrs + 1 + offset, kIss + 1,
              std::string(length, '\0'));
        tcp(Stimulus::Segment, Verdict::DataInOrder,
            [&](TcpSnapshot& s) { s.rcv_nxt = SeqNum(kIrs + 1 + offset + length); });
    }

    std::string text() const {
        std::string all;
        for (const std::string& line : lines_) all += line + '\n';
        return all;
    }
    std::size_t count(std::string_view what) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            lines_, [&](const std::string& line) { return line.find(what) != std::string::npos; }));
    }

    TimePoint now_{5s};
    TcpSnapshot snapshot_;
    std::vector<std::string> lines_;
    Ladder ladder_{[this](const std::string& line) { lines_.push_back(line); }, Paint(false)};
};

TEST_F(LadderTest, DrawsTheHandshake) {
    shake_hands();
    EXPECT_EQ(
        text(),
        "    time our state        we                                                           "
        "             the peer\n"
        "\n"
        "                          connection 1: 192.168.3.10:50000 <-> 192.168.3.1:80\n"
        "0.000000 SYN-SENT         OPEN call: send a SYN                                        "
        "               RFC 9293 3.10.1\n"
        "                          CLOSED -> SYN-SENT   iss 1000 (shown as 0)\n"
        "0.001000 SYN-SENT     --> S 0:0(0) win 500 <mss 1460>                                  "
        "             --> 1 of 3\n"
        "                          snd.nxt 0->1  rto armed 1.000\n"
        "0.002000 ESTABLISHED  <-- S. 0:0(0) ack 1 win 500 <mss 1400>                           "
        "             <-- 2 of 3\n"
        "                          SYN-SENT -> ESTABLISHED: our SYN has been acknowledged       "
        "     RFC 9293 3.10.7.3, fourth\n"
        "                          irs 5000 (shown as 0)  rcv.nxt 1  snd.una 0->1  snd.wnd 0->500"
        "  rto off\n"
        "0.002000 ESTABLISHED  --> . 1:1(0) ack 1 win 500                                       "
        "             --> 3 of 3\n");
}

TEST_F(LadderTest, ShowsARepeatedSynAsSuch) {
    open();
    for (int i = 0; i < 2; ++i) frame(Direction::Out, TcpFlags::kSyn, kIss, 0);
    EXPECT_TRUE(lines_.back().ends_with("--> 1 of 3 again")) << text();
}

TEST_F(LadderTest, ShowsBothEnds) {
    shake_hands();
    frame(Direction::Out, TcpFlags::kAck | TcpFlags::kFin, kIss + 1, kIrs + 1);
    EXPECT_TRUE(lines_.back().ends_with("--> FIN 1 of 2")) << text();
    frame(Direction::In, TcpFlags::kAck, kIrs + 1, kIss + 2);
    tcp(Stimulus::Segment, Verdict::FinAcked, [](TcpSnapshot& s) { s.state = TcpState::FinWait2; });
    EXPECT_EQ(count("<-- ACK of FIN"), 1U) << text();
    frame(Direction::In, TcpFlags::kAck | TcpFlags::kFin, kIrs + 1, kIss + 2);
    tcp(Stimulus::Segment, Verdict::FinReceived,
        [](TcpSnapshot& s) { s.state = TcpState::TimeWait; });
    EXPECT_EQ(count("<-- FIN 2 of 2"), 1U) << text();
    EXPECT_EQ(count("FIN-WAIT-2 -> TIME-WAIT"), 1U) << text();
}

TEST_F(LadderTest, QuotesTheFirstLineOfText) {
    shake_hands();
    frame(Direction::Out, TcpFlags::kAck | TcpFlags::kPsh, kIss + 1, kIrs + 1,
          "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(lines_.back(), std::string(26, ' ') + "\"GET / HTTP/1.1\"");
    frame(Direction::Out, TcpFlags::kAck, kIss + 30, kIrs + 1, "\x1b[31mno escapes");
    EXPECT_EQ(count("\x1b"), 0U);
}

TEST_F(LadderTest, NamesSuperFrames) {
    shake_hands();
    frame(Direction::Out, TcpFlags::kAck, kIss + 1, kIrs + 1, std::string(2800, '\0'), {}, 1400);
    EXPECT_TRUE(lines_.back().ends_with("--> 2 x 1400")) << text();
}

TEST_F(LadderTest, SumsUpALongRun) {
    shake_hands();
    const std::size_t before = lines_.size();
    for (u32 i = 0; i < 1000; ++i) data_in(i * 1000, 1000);
    EXPECT_LT(lines_.size() - before, 20U) << text();
    frame(Direction::In, TcpFlags::kAck | TcpFlags::kFin, kIrs + 1 + 1'000'000, kIss + 1);
    tcp(Stimulus::Segment, Verdict::FinReceived,
        [](TcpSnapshot& s) { s.state = TcpState::CloseWait; });
    // The ACK of the handshake was one of the eight segments that are shown.
    EXPECT_EQ(count("... 993 more segments in, 993 kB"), 1U) << text();
    EXPECT_EQ(count("ESTABLISHED -> CLOSE-WAIT"), 1U) << text();
}

TEST_F(LadderTest, ARunThatPausesIsSeenAgain) {
    shake_hands();
    for (u32 i = 0; i < 20; ++i) {
        at(1s * (i + 1));
        data_in(i, 1);
    }
    EXPECT_EQ(count("<-- . "), 20U) << text();
    EXPECT_EQ(count("..."), 0U) << text();
}

TEST_F(LadderTest, SaysWhyASegmentWasRefused) {
    shake_hands();
    frame(Direction::In, TcpFlags::kAck | TcpFlags::kRst, kIrs + 100, kIss + 1);
    tcp(
        Stimulus::Segment, Verdict::ResetChallenged, [](TcpSnapshot&) {},
        Drop::TcpUnacceptableReset);
    ladder_.on_drop({now_, Drop::TcpUnacceptableReset, {}});
    EXPECT_EQ(count("refused: "), 1U) << text();
    EXPECT_EQ(count("dropped: "), 0U) << "said twice";
    EXPECT_EQ(count(rfc(Verdict::ResetChallenged)), 1U) << text();
}

TEST_F(LadderTest, ASegmentForNobodyIsShownWithItsAnswer) {
    frame(Direction::In, TcpFlags::kSyn, kIrs, 0);
    frame(Direction::Out, TcpFlags::kRst | TcpFlags::kAck, 0, kIrs + 1);
    ladder_.on_drop({now_, Drop::TcpNoConnection, {}});
    EXPECT_EQ(count("<-- S 0:0(0)"), 1U) << text();
    EXPECT_EQ(count("--> R. 0:0(0) ack 1"), 1U) << text();
    EXPECT_EQ(count("dropped: "), 1U) << text();
}

TEST_F(LadderTest, ShowsWhatIsNotTcpToo) {
    PacketBuilder ping;
    ping.icmp_echo(7, 1);
    const auto bytes = ping.build();
    ladder_.on_frame({now_, Direction::In, 0, bytes, {}, {}});
    EXPECT_EQ(count("<-- 10.0.0.1 > 10.0.0.2: ICMP echo request, id 7, seq 1"), 1U) << text();
}

TEST_F(LadderTest, ASegmentWithoutItsEventIsPrintedByTheNextOne) {
    shake_hands();
    frame(Direction::In, TcpFlags::kAck, kIrs + 1, kIss + 1, "abc");
    EXPECT_EQ(count("1:4(3)"), 0U);
    ladder_.finish();
    EXPECT_EQ(count("1:4(3)"), 1U) << text();
    EXPECT_EQ(count("2 frames out, 2 in, 0 refused"), 1U) << text();
}

TEST_F(LadderTest, NumbersMayWrap) {
    frame(Direction::Out, TcpFlags::kSyn, 0xffffffff, 0);
    frame(Direction::Out, TcpFlags::kAck, 0, 1, "ab");
    EXPECT_EQ(count("--> . 1:3(2)"), 1U) << text();
}

TEST_F(LadderTest, KeepsToItsWidth) {
    shake_hands();
    TcpOptions options;
    options.timestamps = TcpTimestamps{4'000'000'000, 4'000'000'000};
    options.sack_count = 3;
    options.sack_blocks = {SackBlock{SeqNum(1'000'000'000), SeqNum(1'000'000'001)},
                           SackBlock{SeqNum(2'000'000'000), SeqNum(2'000'000'001)},
                           SackBlock{SeqNum(3'000'000'000), SeqNum(3'000'000'001)}};
    frame(Direction::Out, TcpFlags::kAck, kIss + 1'000'000'000, kIrs + 1'000'000'000, "x", options);
    frame(Direction::Out, TcpFlags::kAck, kIss + 1, kIrs + 1, std::string(1000, 'x'));
    for (const std::string& line : lines_) EXPECT_LE(line.size(), 120U) << line;
    EXPECT_EQ(count("sack "), 1U) << text();
}

TEST(LadderColour, IsThereOnlyWhenAskedFor) {
    std::vector<std::string> lines;
    Ladder ladder([&](const std::string& line) { lines.push_back(line); }, Paint(true));
    ladder.on_drop({TimePoint{}, Drop::ArpShort, {}});
    EXPECT_NE(lines.back().find("\x1b["), std::string::npos);
}

TEST(HumanSize, HasThreeDigits) {
    EXPECT_EQ(human_size(999), "999 B");
    EXPECT_EQ(human_size(1000), "1.00 kB");
    EXPECT_EQ(human_size(12'345), "12.3 kB");
    EXPECT_EQ(human_size(451'000), "451 kB");
    EXPECT_EQ(human_size(999'600), "1.00 MB");
    EXPECT_EQ(human_size(100'000'000), "100 MB");
}

}  // namespace
}  // namespace tapestry
