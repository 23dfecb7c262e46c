// What single captures are about, looked at closely.

#include <gtest/gtest.h>

#include <algorithm>

#include "apps/failure.h"
#include "tests/support/replayed.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

constexpr Ipv4Address kClient{192, 168, 3, 10};
constexpr Ipv4Address kServer{192, 168, 3, 1};

bool in_this_order(const std::vector<TcpState>& states, const std::vector<TcpState>& wanted) {
    return std::search(states.begin(), states.end(), wanted.begin(), wanted.end()) != states.end();
}

PlayOptions on_for(Duration afterwards) {
    PlayOptions options;
    options.afterwards = afterwards;
    return options;
}

using enum TcpState;

TEST(TcpReplayDetails, ChosenNumbersAreTheRecordedOnes) {
    for (const Ipv4Address host : {kClient, kServer}) {
        Replayed replay(capture_path(host == kClient ? "http-get.client" : "http-get.server"),
                        host);
        const RecordedFrame& recorded = *replay.script().ours.front();
        const SentFrame& sent = replay.played().sent.front();
        EXPECT_EQ(sent.segment->seq, recorded.segment->seq);
        EXPECT_EQ(sent.segment->options.timestamps, recorded.segment->options.timestamps);
        EXPECT_EQ(sent.segment->source, recorded.segment->source);
        EXPECT_EQ(Ipv4View::parse(sent.packet())->identification(),
                  Ipv4View::parse(recorded.packet())->identification());
        EXPECT_FALSE(replay.rules().has(Leeway::IpId));
        EXPECT_FALSE(replay.rules().has(Leeway::TimestampValue));
    }
}

TEST(TcpReplayDetails, FinsThatCrossLeadThroughClosing) {
    for (const Ipv4Address host : {kClient, kServer}) {
        Replayed replay(capture_path(host == kClient ? "simultaneous-close.client"
                                                     : "simultaneous-close.server"),
                        host);
        EXPECT_TRUE(
            in_this_order(replay.played().states, {Established, FinWait1, Closing, TimeWait}));
    }
}

TEST(TcpReplayDetails, SynsThatCrossLeadThroughSynReceived) {
    for (const Ipv4Address host : {kClient, kServer}) {
        Replayed replay(
            capture_path(host == kClient ? "simultaneous-open.client" : "simultaneous-open.server"),
            host);
        EXPECT_TRUE(in_this_order(replay.played().states, {SynSent, SynReceived, Established}));
    }
}

TEST(TcpReplayDetails, TimeWaitLastsTwiceTheMsl) {
    Replayed early(capture_path("http-get.server"), kServer, on_for(59s));
    EXPECT_EQ(name(early.played().state), name(TimeWait));
    Replayed late(capture_path("http-get.server"), kServer, on_for(61s));
    EXPECT_EQ(name(late.played().state), name(Closed));
}

/// RFC 9293 3.10.7.4: "If the connection is in TIME-WAIT [...] the only thing that can arrive in this
/// state is a retransmission of the remote FIN. Acknowledge it, and restart the 2 MSL timeout."
TEST(TcpReplayDetails, TimeWaitAnswersTheFinThatComesAgain) {
    Replayed replay(capture_path("last-ack-lost.client"), kClient, on_for(59900ms));
    EXPECT_EQ(name(replay.played().state), name(TimeWait))
        << "the FIN came again more than 200 ms later";
    const SeqNum past_fin = replay.script().theirs.back()->segment->end();
    const auto& sent = replay.played().sent;
    const auto answers = std::count_if(sent.begin(), sent.end(), [&](const SentFrame& s) {
        return s.segment->flags.bits == TcpFlags::kAck && s.segment->ack == past_fin;
    });
    EXPECT_EQ(answers, 2);
}

TEST(TcpReplayDetails, LostRequestIsSentAgainWithBackOff) {
    Replayed replay(capture_path("request-lost.client"), kClient);
    std::vector<TimePoint> times;
    for (const SentFrame& s : replay.played().sent) {
        if (!s.segment->payload.empty()) times.push_back(s.time);
    }
    ASSERT_EQ(times.size(), 3U);
    const double ratio = to_seconds(times[2] - times[1]) / to_seconds(times[1] - times[0]);
    EXPECT_NEAR(ratio, 2.0, 0.01) << "RFC 6298 5.5: RTO <- RTO * 2";
}

/// RFC 5681 3.2: after the third duplicate ACK the missing segment leaves at once.
TEST(TcpReplayDetails, ThirdDuplicateAckSendsTheMissingSegment) {
    Replayed replay(capture_path("fast-retransmit.server"), kServer);
    std::optional<SeqNum> last;
    int duplicates = 0;
    const RecordedFrame* third = nullptr;
    for (const RecordedFrame* t : replay.script().theirs) {
        const Segment& seg = *t->segment;
        duplicates = last == seg.ack && seg.len() == 0 ? duplicates + 1 : 0;
        last = seg.ack;
        if (duplicates == 3 && third == nullptr) third = t;
    }
    ASSERT_NE(third, nullptr);
    const auto& sent = replay.played().sent;
    const auto again = std::find_if(sent.begin(), sent.end(), [&](const SentFrame& s) {
        return s.time >= third->time && s.segment->seq == third->segment->ack;
    });
    ASSERT_NE(again, sent.end());
    EXPECT_EQ(again->time, third->time);
}

/// We are the reader: the window closes, opens again when the program reads, and nothing is lost.
TEST(TcpReplayDetails, SlowReaderClosesAndReopensItsWindow) {
    Replayed replay(capture_path("slow-reader.client"), kClient);
    EXPECT_GT(replay.script().receive_buffer, 0U) << "the closed window was noticed";
    EXPECT_EQ(replay.diverged(), "");
    EXPECT_EQ(replay.played().read, stream_text(replay.script().theirs, replay.script().their_isn));
    const auto& sent = replay.played().sent;
    const auto closed = std::find_if(sent.begin(), sent.end(), [](const SentFrame& s) {
        return s.segment->flags.ack() && s.segment->wnd == 0;
    });
    ASSERT_NE(closed, sent.end()) << replay.text();
    const auto opened = std::find_if(closed, sent.end(), [&](const SentFrame& s) {
        return s.segment->ack == closed->segment->ack && s.segment->wnd > 0;
    });
    ASSERT_NE(opened, sent.end()) << replay.text();
    EXPECT_GE(opened->segment->wnd, 1448) << "no silly window (RFC 9293 3.8.6.2.2)";
    for (const auto& [drop, count] : replay.drops()) EXPECT_EQ(drop, "TcpOutOfWindow") << count;
}

/// We are the writer: nothing leaves beyond the window but probes, and they find it open again.
TEST(TcpReplayDetails, SlowReadersWindowIsProbedAndNeverOverrun) {
    PlayOptions options;
    options.write_ahead = true;
    Replayed replay(capture_path("slow-reader.server"), kServer, options);
    EXPECT_EQ(replay.diverged(), "");
    EXPECT_EQ(name(replay.played().state), name(TimeWait));
    EXPECT_EQ(replay.played().never_fed, 0U);
    const auto& theirs = replay.script().theirs;
    SeqNum edge = replay.script().our_isn + 1U;
    std::size_t next = 0;
    int probes = 0;
    for (const SentFrame& s : replay.played().sent) {
        for (; next < theirs.size() && theirs[next]->time <= s.time; ++next) {
            const Segment& t = *theirs[next]->segment;
            if (t.flags.ack()) edge = later(edge, t.ack + u32{t.wnd});  // its shift is 0
        }
        if (s.segment->payload.empty()) continue;
        const SeqNum end = s.segment->seq + static_cast<u32>(s.segment->payload.size());
        if (end.before_or_at(edge)) continue;
        EXPECT_EQ(s.segment->payload.size(), 1U) << "RFC 9293 3.8.6.1: a probe has one octet";
        ++probes;
    }
    EXPECT_GE(probes, 1) << replay.text();
}

TEST(TcpReplayDetails, KeepAliveIsFoundInTheRecording) {
    const Replayed replay(capture_path("keep-alive-dead.client"), kClient);
    const TcpSocketOptions& socket = replay.script().socket;
    EXPECT_TRUE(socket.keep_alive);
    EXPECT_NEAR(to_seconds(socket.keep_idle), 1, 0.1);
    EXPECT_NEAR(to_seconds(socket.keep_interval), 1, 0.1);
    EXPECT_EQ(socket.keep_count, 3U);
    EXPECT_TRUE(replay.script().dies_of_silence);
}

/// Recorded at the server: our times there are not those at the client, a wire away.
TEST(TcpReplayDetails, RecorderAwayFromTheHostIsNoticed) {
    const Replayed near(capture_path("http-get.client"), kClient);
    EXPECT_EQ(near.script().away, Duration{});
    const Replayed far(capture_path("http-get.server"), kClient);
    EXPECT_NEAR(to_seconds(far.script().away), 0.005, 0.003);
    EXPECT_EQ(far.diverged(), "");
}

TEST(TcpReplayDetails, CaptureWithoutThatHostIsRefused) {
    const Ipv4Address stranger(10, 9, 8, 7);
    try {
        const Replayed replay(capture_path("chat.client"), stranger);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), kUsage);
        EXPECT_NE(std::string(failure.what()).find("192.168.3.10, 192.168.3.1"), std::string::npos)
            << failure.what();
    }
    EXPECT_THROW(Replayed(capture_path("no-such-file"), kClient), Failure);
}

/// A comparison of what was tampered with.
class Tampered : public testing::Test {
protected:
    CompareSum sum() {
        CompareSum sum;
        for (const CompareRow& row : compare_tcp(replay_.script(), played_)) {
            sum.add(row, LeewaySet::all());
            if (row.wrong) what_ += row.what + "; ";
        }
        return sum;
    }
    /// The frame that carries the request.
    SentFrame& request() {
        return *std::find_if(played_.sent.begin(), played_.sent.end(),
                             [](const SentFrame& s) { return !s.segment->payload.empty(); });
    }
    Replayed replay_{capture_path("http-get.client"), kClient};
    PlayedTcp played_ = replay_.played();
    std::string what_;
};

TEST_F(Tampered, NothingIsWrongWithoutTampering) { EXPECT_EQ(sum().count(Match::Diverged), 0U); }

TEST_F(Tampered, MissingTextDiverges) {
    std::erase_if(played_.sent, [](const SentFrame& s) { return !s.segment->payload.empty(); });
    EXPECT_EQ(sum().count(Match::Diverged), 1U);
    EXPECT_EQ(what_, "never sent by us; ");
}

TEST_F(Tampered, OtherBytesDiverge) {
    const std::vector<u8> other(request().segment->payload.size(), 'x');
    request().segment->payload = other;
    EXPECT_EQ(sum().count(Match::Diverged), 1U);
    EXPECT_EQ(what_, "other bytes; ");
}

TEST_F(Tampered, MissingFinDiverges) {
    std::erase_if(played_.sent, [](const SentFrame& s) { return s.segment->flags.fin(); });
    EXPECT_GE(sum().count(Match::Diverged), 1U);
    EXPECT_EQ(what_.find("never sent by us"), 0U) << what_;
}

TEST_F(Tampered, AnotherMssDiverges) {
    played_.sent.front().segment->options.mss = u16{536};
    EXPECT_EQ(sum().count(Match::Diverged), 1U);
    EXPECT_EQ(what_, "another MSS option; ");
}

TEST_F(Tampered, LateAcknowledgmentDiverges) {
    for (SentFrame& s : played_.sent) {
        if (s.segment->flags.bits == TcpFlags::kAck) s.time += 600ms;
    }
    EXPECT_GE(sum().count(Match::Diverged), 1U);
    EXPECT_NE(what_.find("acknowledged more than 500 ms later"), std::string::npos) << what_;
}

TEST_F(Tampered, AcknowledgmentOfWhatNeverCameDiverges) {
    played_.sent.back().segment->ack = played_.sent.back().segment->ack + 1000U;
    EXPECT_GE(sum().count(Match::Diverged), 1U);
}

TEST_F(Tampered, ResetOfOursOnlyDiverges) {
    SentFrame reset = played_.sent.back();
    reset.segment->flags = {TcpFlags::kRst};
    played_.sent.push_back(reset);
    EXPECT_EQ(sum().count(Match::Diverged), 1U);
    EXPECT_EQ(what_, "a reset of ours only; ");
}

TEST_F(Tampered, OtherCutsAreRecut) {
    SentFrame& whole = request();
    SentFrame second = whole;
    whole.segment->payload = whole.segment->payload.first(30);
    second.segment->seq = second.segment->seq + 30U;
    second.segment->payload = second.segment->payload.subspan(30);
    played_.sent.insert(played_.sent.begin() + 3, second);
    const CompareSum found = sum();
    EXPECT_EQ(found.count(Match::Diverged), 0U) << what_;
    EXPECT_GE(found.rules[static_cast<std::size_t>(Leeway::Segmentation)], 2U);
}

TEST(Leeways, HaveNamesThatAreFound) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(Leeway::kCount); ++i) {
        const auto rule = static_cast<Leeway>(i);
        EXPECT_EQ(leeway(name(rule)), rule);
        EXPECT_FALSE(text(rule).empty());
        EXPECT_EQ(rfc(rule).substr(0, 4), "RFC ");
    }
    EXPECT_FALSE(leeway("nothing"));
}

TEST(Leeways, StrictnessMakesAllowedDifferencesDiverge) {
    CompareRow row;
    EXPECT_EQ(row.match({}), Match::Equal);
    row.rules.add(Leeway::AckCoalesced);
    EXPECT_EQ(row.match(LeewaySet::all()), Match::Recut);
    row.rules.add(Leeway::Window);
    EXPECT_EQ(row.match(LeewaySet::all()), Match::Allowed);
    EXPECT_EQ(row.match({}), Match::Diverged);
    LeewaySet both;
    both.add(Leeway::Window);
    EXPECT_EQ(row.match(both), Match::Diverged);
    both.add(Leeway::AckCoalesced);
    EXPECT_EQ(row.match(both), Match::Allowed);
}

}  // namespace
