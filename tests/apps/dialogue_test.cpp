#include "apps/replay/dialogue.h"

#include <gtest/gtest.h>

#include "apps/failure.h"
#include "apps/replay/dialogue_streams.h"

/// Conversations put together segment by segment, and out of the captures of this project, where both
/// ends have to tell the same story.

namespace tapestry::test {
namespace {

constexpr u8 kSyn = TcpFlags::kSyn;
constexpr u8 kAck = TcpFlags::kAck;
constexpr u8 kFin = TcpFlags::kFin | TcpFlags::kAck;
constexpr u8 kRst = TcpFlags::kRst | TcpFlags::kAck;

/// Segments with the numbers that the observer gives them: the first byte has number 1.
struct Conversation {
    DialogueStreams streams;
    u64 frame = 0;

    struct More {
        u32 cut = 0;  ///< bytes that the capture has not kept
        bool damaged = false;
    };
    void send(Side from, u8 flags, u32 seq, u32 ack, const std::string& text, More more) {
        ObservedSegment segment;
        segment.number = ++frame;
        segment.time = TimePoint(1ms * static_cast<i64>(frame));
        segment.from = from;
        segment.note.flags = TcpFlags(flags);
        segment.note.seq = seq;
        segment.note.length = static_cast<u32>(text.size());
        if ((flags & kAck) != 0) segment.note.ack = ack;
        const Bytes bytes(reinterpret_cast<const u8*>(text.data()), text.size());
        segment.payload = bytes.first(bytes.size() - more.cut);
        streams.segment(segment, more.damaged);
    }
    void client(u8 flags, u32 seq, u32 ack, const std::string& text = "") {
        send(Side::Client, flags, seq, ack, text, {});
    }
    void server(u8 flags, u32 seq, u32 ack, const std::string& text = "") {
        send(Side::Server, flags, seq, ack, text, {});
    }
    void open() {
        client(kSyn, 0, 0);
        server(kSyn | kAck, 0, 1);
        client(kAck, 1, 1);
    }
    Dialogue finish() {
        Dialogue dialogue;
        dialogue.opened = TimePoint(3ms);
        streams.finish(dialogue, "it");
        return dialogue;
    }
};

std::string text_of(const Dialogue& dialogue, const Turn& turn) {
    const Bytes bytes = dialogue.text(turn);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// "c:GET s:200. c:." with '.' for a FIN and '!' for a reset.
std::string story(const Dialogue& dialogue) {
    std::string all;
    for (const Turn& turn : dialogue.turns) {
        all += (all.empty() ? "" : " ") + std::string(turn.from == Side::Client ? "c:" : "s:") +
               text_of(dialogue, turn);
        if (turn.ends != TurnEnd::None) all += turn.ends == TurnEnd::Fin ? '.' : '!';
    }
    return all;
}

TEST(Dialogue, AnswersFollowQuestions) {
    Conversation c;
    c.open();
    c.client(kAck, 1, 1, "GE");
    c.client(kAck, 3, 1, "T");
    c.server(kAck, 1, 4);
    c.server(kAck, 1, 4, "20");
    c.server(kFin, 3, 4, "0");
    c.client(kAck, 4, 5);
    c.client(kFin, 4, 5);
    c.server(kAck, 5, 5);
    const Dialogue dialogue = c.finish();
    EXPECT_EQ(story(dialogue), "c:GET s:200. c:.");
    EXPECT_EQ(dialogue.turns[0].frame, 4U);
    EXPECT_EQ(dialogue.turns[1].frame, 7U);
    EXPECT_EQ(dialogue.turns[1].time, TimePoint(7ms));
    EXPECT_EQ(dialogue.turns[1].last, TimePoint(8ms));
    EXPECT_EQ(dialogue.turns[1].longest_pause, 2ms);
    EXPECT_EQ(dialogue.piece_at(Side::Server, 2)->frame, 8U);
}

TEST(Dialogue, WhatIsSentAgainCountsOnce) {
    Conversation c;
    c.open();
    c.client(kAck, 1, 1, "abc");
    c.client(kAck, 1, 1, "abc");
    c.client(kAck, 2, 1, "bcde");
    c.client(kAck, 1, 1, "abcdef");
    const Dialogue dialogue = c.finish();
    EXPECT_EQ(story(dialogue), "c:abcdef");
    EXPECT_EQ(dialogue.piece_at(Side::Client, 2)->frame, 4U);
    EXPECT_EQ(dialogue.piece_at(Side::Client, 4)->frame, 6U);
    EXPECT_EQ(dialogue.piece_at(Side::Client, 5)->frame, 7U);
}

TEST(Dialogue, WhatComesLateGoesToItsPlace) {
    Conversation c;
    c.open();
    c.client(kAck, 3, 1, "cd");
    c.client(kAck, 7, 1, "gh");
    c.client(kAck, 1, 1, "abcdefghij");
    EXPECT_EQ(story(c.finish()), "c:abcdefghij");
}

TEST(Dialogue, TheOrderIsThatOfWhatWasHeard) {
    // At the server: when it asks, the client has not heard the greeting that went out before.
    Conversation c;
    c.open();
    c.server(kAck, 1, 1, "hello");
    c.client(kAck, 1, 1, "ask");
    c.server(kAck, 6, 4, "answer");
    c.client(kAck, 4, 6, "more");  // it has heard the greeting, not the answer
    const Dialogue dialogue = c.finish();
    EXPECT_EQ(story(dialogue), "s:hello c:askmore s:answer");
}

TEST(Dialogue, ARetransmissionWasWrittenBeforeWhatIsBehindIt) {
    // The capture has lost the first half of the question, and has it when the greeting has come.
    Conversation c;
    c.open();
    c.client(kAck, 5, 1, "tion");
    c.server(kAck, 1, 1, "greeting");
    c.client(kAck, 1, 9, "ques");
    c.server(kAck, 9, 9, "answer");
    EXPECT_EQ(story(c.finish()), "c:question s:greetinganswer");
}

TEST(Dialogue, AResetEndsIt) {
    Conversation c;
    c.open();
    c.client(kAck, 1, 1, "ask");
    c.server(kAck, 1, 4, "answer");
    c.client(kRst, 4, 7);
    c.server(kAck, 7, 4, "late");
    EXPECT_EQ(story(c.finish()), "c:ask s:answer c:!");
}

TEST(Dialogue, AResetAfterBothEndsIsNoMatter) {
    Conversation c;
    c.open();
    c.client(kFin, 1, 1, "ask");
    c.server(kFin, 1, 5, "answer");
    c.client(kRst, 5, 8);
    EXPECT_EQ(story(c.finish()), "c:ask. s:answer.");
}

TEST(Dialogue, AKeepAliveSaysNothing) {
    Conversation c;
    c.open();
    c.client(kAck, 0, 1, "x");
    c.client(kAck, 1, 1, "ab");
    c.client(kAck, 2, 1, "x");
    EXPECT_EQ(story(c.finish()), "c:ab");
}

TEST(Dialogue, AFrameThatIsNotThereIsAHole) {
    Conversation c;
    c.open();
    c.client(kAck, 1, 1, "abc");
    c.frame = 9;
    c.client(kAck, 6, 1, "fgh");
    const Dialogue dialogue = c.finish();
    const TurnPiece* hole = dialogue.first_hole(Side::Client);
    ASSERT_NE(hole, nullptr);
    EXPECT_EQ(hole->begin, 3U);
    EXPECT_EQ(hole->end, 5U);
    EXPECT_EQ(hole->frame, 10U);
    EXPECT_EQ(dialogue.of(Side::Client).size(), 8U);
    EXPECT_EQ(dialogue.first_hole(Side::Server), nullptr);
}

TEST(Dialogue, WhatWasAcknowledgedWasThere) {
    Conversation c;
    c.open();
    c.client(kAck, 1, 1, "abc");
    c.server(kAck, 1, 9);
    const Dialogue dialogue = c.finish();
    ASSERT_NE(dialogue.first_hole(Side::Client), nullptr);
    EXPECT_EQ(dialogue.first_hole(Side::Client)->begin, 3U);
    EXPECT_EQ(dialogue.first_hole(Side::Client)->end, 8U);
    EXPECT_EQ(dialogue.first_hole(Side::Client)->frame, 5U);
}

TEST(Dialogue, ACutFrameIsAHoleUntilItComesWhole) {
    Conversation c;
    c.open();
    c.send(Side::Client, kAck, 1, 1, "abcdef", {.cut = 4});
    c.client(kAck, 7, 1, "gh");
    Conversation whole = c;
    const Dialogue dialogue = c.finish();
    ASSERT_NE(dialogue.first_hole(Side::Client), nullptr);
    EXPECT_EQ(dialogue.first_hole(Side::Client)->begin, 2U);
    EXPECT_EQ(dialogue.first_hole(Side::Client)->end, 6U);
    EXPECT_EQ(dialogue.first_hole(Side::Client)->frame, 4U);
    whole.client(kAck, 1, 1, "abcdef");
    const Dialogue mended = whole.finish();
    EXPECT_EQ(mended.first_hole(Side::Client), nullptr);
    EXPECT_EQ(story(mended), "c:abcdefgh");
}

TEST(Dialogue, WhatWasDamagedIsNotTaken) {
    Conversation c;
    c.open();
    c.send(Side::Client, kAck, 1, 1, "aXc", {.damaged = true});
    c.client(kAck, 1, 1, "abc");
    EXPECT_EQ(story(c.finish()), "c:abc");
}

TEST(Dialogue, WhereEverythingLooksDamagedItIsNot) {
    Conversation c;
    for (const u32 at : {1U, 4U, 7U}) {
        c.send(Side::Client, kAck, at, 1, "abc", {.damaged = true});
    }
    EXPECT_EQ(story(c.finish()), "c:abcabcabc");
}

TEST(Dialogue, AHoleOfGigabytesIsRefused) {
    Conversation c;
    c.open();
    c.client(kAck, 1, 1, "abc");
    c.client(kAck, 0x7000'0000, 1, "def");
    EXPECT_THROW(c.finish(), Failure);
}

std::string capture(const std::string& name) {
    return std::string(TEST_ROOT) + "/../captures/" + name + ".pcap";
}

TEST(Dialogue, BothEndsTellTheSameStory) {
    int compared = 0;
    for (const char* name : {"http-get",
                             "http-keep-alive",
                             "chat",
                             "half-close-client",
                             "half-close-server",
                             "bulk",
                             "fast-retransmit",
                             "two-lost",
                             "sack-recovery",
                             "reordered",
                             "doubled",
                             "request-lost",
                             "fin-lost",
                             "last-ack-lost",
                             "syn-lost",
                             "syn-ack-lost",
                             "linger-reset",
                             "unread-reset",
                             "data-after-close",
                             "simultaneous-close",
                             "server-closes-first",
                             "slow-reader",
                             "small-mss",
                             "keep-alive",
                             "no-timestamps",
                             "bare"}) {
        const Dialogue client = read_dialogue(capture(std::string(name) + ".client"), {});
        const Dialogue server = read_dialogue(capture(std::string(name) + ".server"), {});
        EXPECT_EQ(story(client), story(server)) << name;
        EXPECT_EQ(client.first_hole(Side::Client), nullptr) << name;
        EXPECT_EQ(server.first_hole(Side::Server), nullptr) << name;
        ++compared;
    }
    EXPECT_EQ(compared, 26);
}

TEST(Dialogue, ACaptureOfTwoRequests) {
    const Dialogue dialogue = read_dialogue(capture("http-keep-alive.server"), {});
    ASSERT_EQ(dialogue.turns.size(), 6U);
    EXPECT_EQ(dialogue.stream, 0U);
    EXPECT_TRUE(dialogue.handshake);
    EXPECT_EQ(dialogue.turns[0].size(), 75U);
    EXPECT_EQ(dialogue.turns[1].size(), 1138U);
    EXPECT_EQ(dialogue.turns[2].size(), 86U);
    EXPECT_EQ(dialogue.turns[3].size(), 4239U);
    EXPECT_EQ(dialogue.turns[4].ends, TurnEnd::Fin);
    EXPECT_EQ(dialogue.turns[5].ends, TurnEnd::Fin);
    EXPECT_EQ(text_of(dialogue, dialogue.turns[2]).substr(0, 16), "GET /second.html");
}

std::string refusal(const std::string& file, std::optional<std::size_t> stream) {
    try {
        static_cast<void>(read_dialogue(file, stream));
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), kUsage);
        return failure.what();
    }
    return "";
}

TEST(Dialogue, FilesThatHaveNone) {
    EXPECT_NE(refusal(capture("ping.client"), {}).find("no TCP stream"), std::string::npos);
    EXPECT_NE(refusal(capture("refused.client"), {}).find("no TCP stream with a handshake"),
              std::string::npos);
    EXPECT_NE(refusal(capture("refused.client"), 0).find("no application bytes"),
              std::string::npos);
    EXPECT_NE(refusal(capture("chat.client"), 1).find("no stream 1; it has 1"), std::string::npos);
    EXPECT_NE(refusal(capture("none"), {}).find("none.pcap"), std::string::npos);
    EXPECT_NE(refusal(std::string(TEST_ROOT) + "/CMakeLists.txt", {}).find("unknown file format"),
              std::string::npos);
}

}  // namespace
}  // namespace tapestry::test
