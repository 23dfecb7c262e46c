#include <gtest/gtest.h>

#include "apps/failure.h"
#include "apps/inspect/terminal/condition.h"
#include "apps/inspect/terminal/plain_steps.h"
#include "apps/inspect/terminal/screen_parts.h"
#include "apps/inspect/terminal/step_browser.h"
#include "tests/inspect/timelines.h"

namespace tapestry::test {
namespace {

Timeline handshake(const std::set<u32>& dropped = {}) {
    LabOptions options;
    options.drop = dropped;
    return run_lab(LabStory::read("three-way-handshake"), options);
}

std::string text(const Screen& screen) {
    std::string text = "\n";
    for (const std::string& line : screen.lines()) text += line + '\n';
    return text;
}

Key key(Key::Kind kind) { return {kind}; }
constexpr auto kEnglish = Language::English;
constexpr auto kChinese = Language::Chinese;
constexpr auto kNext = Key::Kind::Right;
constexpr auto kBack = Key::Kind::Left;

/// Types characters, one key each; '\n' is Enter.
Wish type(StepBrowser& browser, std::string_view keys) {
    Wish wish;
    for (const char c : keys) {
        wish = browser.press(c == '\n' ? key(Key::Kind::Enter)
                                       : Key{Key::Kind::Character, static_cast<char32_t>(c)});
    }
    return wish;
}

Screen screen_of(const Walk& walk, const StepBrowser& browser, int width = 80, int height = 24) {
    return draw(walk, browser.view(width, height, Glyphs::Ascii));
}

TEST(Terminal, TheFirstScreenSaysWhatToDo) {
    const Walk walk(handshake());
    const StepBrowser browser(walk, Phrase::None);
    EXPECT_EQ(text(screen_of(walk, browser)), R"(
 three-way-handshake:  step 1 of 43, 0.000 s
 laptop:56021             laptop                        server  server:5000
 no connection            192.168.3.10            192.168.3.20  no connection
 yet              0.000  >|                    $ listen 5000 |  yet
                          |                                  |
                          |                                  |
                          |                                  |
                          |                                  |
                          |                                  |
                          |                                  |
                          |                                  |
--------------------------------------------------------------------------------
 The program on server: listen 5000
 A program asks its TCP for something.
 This is: a TCP connection begins, carries one line each way, and ends.
 Three segments open a connection: a SYN, a SYN that also acknowledges (S.), an
 acknowledgment (.). Each side tells the number that its bytes are counted
 from; the ladder shows both as 0. S, F and P are the flags SYN, FIN and PSH, a
 dot is ACK; 1:6(5) is bytes 1 up to 6, five of them. Watch the state of each
 side change, and that each direction is closed by a FIN of its own.



 Press Enter for the next step, ? for all keys, q to quit.
)");
}

TEST(Terminal, ASegmentArrives) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    for (int i = 0; i < 9; ++i) browser.press(key(kNext));
    EXPECT_EQ(text(screen_of(walk, browser)), R"(
 three-way-handshake:  step 10 of 43, 0.040 s
 laptop:56021             laptop                        server  server:5000
*ESTABLISHED              192.168.3.10            192.168.3.20  SYN-RECEIVED
*SND.UNA 0->1     0.000   |-- ARP who has 192.168.3.20? ---->|  SND.UNA 0
*SND.WND 0->65535 0.010   |                      ARP arrives |  SND.NXT 1
*SND.WL1 0                |<- ARP I am 192.168.3.20 ---------|  SND.WND 65535
*SND.WL2 1        0.020   | ARP arrives                      |  RCV.NXT 1
*RCV.NXT 1                |-- S 0:0(0) win 65535, 1 of 3 --->|  RCV.WND 65535
*cwnd 0->14600    0.030   |           LISTEN -> SYN-RECEIVED |  cwnd 0
*SRTT 0 s->0.04 s         |<- S. 0:0(0) ack 1 win 65535 -----|  RTO 1 s
*RTO timer off    0.040  >| SYN-SENT -> ESTABLISHED          |  RTO timer 0.99 s
--------------------------------------------------------------------------------
 laptop gets frame 4, SYN-ACK (2 of 3): S. 0:0(0) ack 1 win 65535 <mss
 1460,nop,nop,sackOK>. laptop: SYN-SENT -> ESTABLISHED
 The peer has sent SYN and ACK, and the ACK is for our SYN: the connection
 stands. IRS and RCV.NXT are set, SND.UNA moves forward, the third segment
 acknowledges the peer's SYN. SYN-SENT to ESTABLISHED. Now this side knows that
 its SYN has arrived and where the peer's numbers begin. The peer l~ PgDn: more
 bytes of frame 4  tcp.flags: Flags = SYN, ACK  (byte 47)
 0000  02 00 00 00 01 01 02 00 00 00 02 01 08 00 45 00  ..............E.
 0010  00 30 00 00 40 00 40 06 b3 59 c0 a8 03 14 c0 a8  .0..@.@..Y......
 0020  03 0a 13 88 da d5 85 1a 22 18 1f 04 c3 5a 70 12  ........"....Zp.
 0030  ff ff 83 b1 00 00 02 04 05 b4 01 01 04 02        ..............
 Enter: next  Left: back  n/p: state change  d: drop frame  ?: help  q: quit
)");
}

TEST(Terminal, NumbersAreAbsoluteOnAKey) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    for (int i = 0; i < 9; ++i) browser.press(key(kNext));
    const std::string relative = text(screen_of(walk, browser, 120, 40));
    EXPECT_TRUE(relative.contains("*SND.UNA 0->1 ")) << relative;
    type(browser, "a");
    const std::string absolute = text(screen_of(walk, browser, 120, 40));
    const TcpSnapshot& state = *walk.after(walk.end(browser.stop()), browser.stop());
    const std::string change =
        std::to_string(state.iss.value()) + "->" + std::to_string(state.snd_una.value());
    EXPECT_TRUE(absolute.contains("*SND.UNA " + change)) << absolute;
    type(browser, "a");
    EXPECT_EQ(text(screen_of(walk, browser, 120, 40)), relative);
}

TEST(Terminal, AScaledWindowHasItsFieldBesideIt) {
    const Timeline timeline = capture_timeline("http-get.client.pcap");
    const Walk walk(timeline);
    StepBrowser browser(walk, Phrase::None);
    // The window of the SYN-ACK is 65160 and never scaled; that of the first ACK is 502 shifted by 7.
    std::string all;
    for (int i = 0; i < 8; ++i) {
        all += text(screen_of(walk, browser, 120, 40));
        browser.press(key(kNext));
    }
    EXPECT_TRUE(all.contains("64256 (502)")) << all;
    EXPECT_TRUE(all.contains("SND.WND 0->65160 ")) << all;
    EXPECT_FALSE(all.contains("65160 (")) << all;
}

TEST(Terminal, ATinyScreenHasTheMostImportant) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    for (int i = 0; i < 9; ++i) browser.press(key(kNext));
    EXPECT_EQ(text(screen_of(walk, browser, 40, 10)), R"(
 step 10 of 43, 0.040 s
 laptop                           server
 |<- S. 0:0(0) ack 1 win 65535 --------|
>| SYN-SENT -> ESTABLISHED             |
 laptop *ESTABLISHED   server SYN-RECEI~
 laptop gets frame 4, SYN-ACK (2 of 3):
 S. 0:0(0) ack 1 win 65535 <mss
 1460,nop,nop,sackOK>. laptop: SYN-SENT
 -> ESTABLISHED              PgDn: more
 Enter: next  Left: back
)");
}

TEST(Terminal, EverySizeOfEveryStepIsDrawn) {
    for (const char* lab : {"three-way-handshake", "home-nat", "syn-cookies"}) {
        const Walk walk(lab_timeline(lab));
        View view;
        for (view.width = 0; view.width <= 200; view.width += 7) {
            for (view.height = 0; view.height <= 60; view.height += 5) {
                view.stop = (view.stop + 1) % walk.stops().size();
                view.help = view.width % 5 == 0;
                for (view.language = kEnglish;; view.language = kChinese) {
                    const auto lines = draw(walk, view).lines();
                    ASSERT_EQ(lines.size(), static_cast<std::size_t>(view.height));
                    for (const std::string& line : lines) {
                        ASSERT_LE(cells_of(line), view.width) << line;
                    }
                    if (view.language == kChinese) break;
                }
            }
        }
    }
}

TEST(Terminal, ALargeScreenHasRoomForAllThatAStepChanges) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    for (int i = 0; i < 7; ++i) browser.press(key(kNext));
    const std::string large = text(screen_of(walk, browser, 200, 60));
    for (const char* part :
         {"*SYN-RECEIVED", "*ISS 2233082392", "*IRS 520405849", "*RCV.NXT 1",
          "*effective MSS 536->1460", "S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>",
          "Rule: RFC 9293 3.10.7.2, third", "0030  ff ff 2a f5"}) {
        EXPECT_NE(large.find(part), std::string::npos) << part << large;
    }
    EXPECT_EQ(large.find("PgDn"), std::string::npos) << "nothing is left out";
}

TEST(Terminal, BackAndForwardShowTheSameScreens) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    std::vector<Screen> seen;
    for (std::size_t i = 0; i < walk.stops().size(); ++i) {
        seen.push_back(screen_of(walk, browser));
        browser.press(key(kNext));
    }
    EXPECT_EQ(browser.stop(), walk.stops().size() - 1) << "behind the last there is nothing";
    browser.press(key(Key::Kind::Tab));
    browser.press(key(Key::Kind::BackTab));
    for (std::size_t i = walk.stops().size(); i-- > 0;) {
        ASSERT_EQ(screen_of(walk, browser), seen[i]) << i;
        browser.press(key(kBack));
    }
    for (std::size_t i = 0; i < walk.stops().size(); ++i) {
        browser.press(key(Key::Kind::Escape));
        ASSERT_EQ(screen_of(walk, browser), seen[i]) << i;
        browser.press(key(kNext));
    }
}

TEST(Terminal, AnArrowReachesTheOtherSideWhenTheFrameHasArrived) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    for (int i = 0; i < 6; ++i) browser.press(key(kNext));
    EXPECT_NE(text(screen_of(walk, browser, 120)).find("1 of 3 ------->            |"),
              std::string::npos)
        << text(screen_of(walk, browser, 120));
    browser.press(key(kNext));
    EXPECT_NE(text(screen_of(walk, browser, 120)).find("->|"), std::string::npos);
}

TEST(Terminal, StateChangesAreJumpedTo) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    std::vector<std::string> turns;
    for (int i = 0; i < 20; ++i) {
        const std::size_t before = browser.stop();
        type(browser, "n");
        if (browser.stop() == before) break;
        const u32 end = walk.end(browser.stop());
        turns.emplace_back(name(walk.after(end, browser.stop())->state));
    }
    const std::vector<std::string> expected{
        "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED", "ESTABLISHED", "FIN-WAIT-1",
        "CLOSE-WAIT", "LAST-ACK",     "FIN-WAIT-2",  "TIME-WAIT",   "CLOSED"};
    EXPECT_EQ(turns, expected);
    for (std::size_t i = 1; i < expected.size(); ++i) type(browser, "p");
    EXPECT_EQ(walk.after(walk.end(browser.stop()), browser.stop())->state, TcpState::SynSent);
}

TEST(Terminal, BytesOfTheFieldUnderTheCursorAreMarked) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    for (int i = 0; i < 6; ++i) browser.press(key(kNext));
    const auto marked = [&] {
        const Screen screen = screen_of(walk, browser);
        std::string bytes;
        for (int row = 0; row < screen.height(); ++row) {
            for (int column = 0; column < screen.width(); ++column) {
                const Screen::Cell& cell = screen.at(row, column);
                if (cell.look == Look::Cursor) bytes += static_cast<char>(cell.glyph);
            }
        }
        return bytes;
    };
    EXPECT_EQ(marked(), "02") << "the flags: SYN";
    for (int i = 0; i < 9; ++i) browser.press(key(Key::Kind::Tab));  // over the single flags
    EXPECT_NE(text(screen_of(walk, browser)).find("tcp.window_size_value"), std::string::npos);
    EXPECT_EQ(marked(), "ff ff");
    browser.press(key(kNext));
    EXPECT_EQ(marked(), "ff ff") << "the cursor stays on the field";
}

TEST(Terminal, AConditionIsStoppedAt) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    type(browser, "bstate==ESTABLISHED\n");
    EXPECT_EQ(walk.headline(browser.stop(), kEnglish).substr(0, 19), "laptop gets frame 4");
    type(browser, "bserver.state==established\n");
    EXPECT_EQ(walk.headline(browser.stop(), kEnglish).substr(0, 19), "server gets frame 5");
    type(browser, "bseq>=6 && sent && !fin\n");
    EXPECT_NE(walk.headline(browser.stop(), kEnglish).find(". 6:6(0) ack 8"), std::string::npos)
        << walk.headline(browser.stop(), kEnglish);
    const std::size_t before = browser.stop();
    type(browser, "c");
    EXPECT_GT(browser.stop(), before);
}

TEST(Terminal, AFilterLeavesStepsOut) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    type(browser, "/syn && sent\n");
    EXPECT_NE(text(screen_of(walk, browser)).find("2 of 43 steps are shown"), std::string::npos);
    EXPECT_EQ(walk.frame(browser.stop()), 2U);
    browser.press(key(kNext));
    EXPECT_EQ(walk.frame(browser.stop()), 3U);
    browser.press(key(kNext));
    EXPECT_EQ(walk.frame(browser.stop()), 3U) << "there are no more";
    const std::string shown = text(screen_of(walk, browser));
    EXPECT_EQ(shown.find("ARP"), std::string::npos) << shown;
    EXPECT_NE(shown.find("[filter: syn && sent]"), std::string::npos) << shown;
    type(browser, "/x");
    browser.press(key(Key::Kind::Backspace));
    type(browser, "\n");
    browser.press(key(kNext));
    EXPECT_EQ(walk.headline(browser.stop(), kEnglish).substr(0, 19), "laptop gets frame 4");
}

TEST(Terminal, SeveralConditionsAreStoppedAtAndOneIsRemoved) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    type(browser, "bfin && sent\n");
    const std::size_t fin = browser.stop();
    type(browser, "bsyn && received\n");
    EXPECT_EQ(browser.stop(), fin) << "no SYN comes behind the FIN";
    browser.press(key(Key::Kind::Home));
    std::vector<std::string> seen;
    for (int i = 0; i < 4; ++i) {
        type(browser, "c");
        seen.push_back(walk.headline(browser.stop(), kEnglish).substr(0, 20));
    }
    const std::vector<std::string> expected{"server gets frame 3,", "laptop gets frame 4,",
                                            "laptop sends frame 1", "server sends frame 1"};
    EXPECT_EQ(seen, expected) << "where one of them holds";
    EXPECT_NE(text(screen_of(walk, browser, 120)).find("[break: 1 fin && sent, 2 syn && received]"),
              std::string::npos);

    type(browser, "b\n");
    EXPECT_NE(text(screen_of(walk, browser)).find("Stops at 1 fin && sent, 2 syn && received"),
              std::string::npos);
    type(browser, "b-3\n");
    EXPECT_NE(text(screen_of(walk, browser)).find("there is no condition 3; there are 2"),
              std::string::npos);
    browser.press(key(Key::Kind::Escape));
    type(browser, "b-1\n");
    EXPECT_NE(text(screen_of(walk, browser)).find("Removed: fin && sent. Left: 1 syn && received"),
              std::string::npos);
    browser.press(key(Key::Kind::Home));
    type(browser, "ccc");
    EXPECT_EQ(walk.headline(browser.stop(), kEnglish).substr(0, 19), "laptop gets frame 4");
    type(browser, "b-\n");
    type(browser, "c");
    EXPECT_NE(text(screen_of(walk, browser)).find("Which condition?"), std::string::npos);
}

TEST(Terminal, ATimeIsGoneTo) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    type(browser, "g0.54\n");
    EXPECT_EQ(walk.time(browser.stop()), 540ms);
    type(browser, "gsoon\n");
    EXPECT_NE(text(screen_of(walk, browser)).find("a number of seconds"), std::string::npos);
    EXPECT_EQ(walk.time(browser.stop()), 540ms);
}

TEST(Terminal, WrongConditionsAreRefusedWithTheirPlace) {
    const auto error = [](std::string_view text) {
        const auto parsed = Condition::parse(text);
        if (parsed) return std::string("accepted");
        return std::to_string(parsed.error().column) + ": " + parsed.error().what;
    };
    EXPECT_EQ(error("state==ESTABLISHD"),
              "7: there is no state ESTABLISHD (did you mean ESTABLISHED?)");
    EXPECT_EQ(error("retransmision"),
              "0: there is no word retransmision (did you mean retransmission?)");
    EXPECT_EQ(error("syn && sqe>3"), "7: there is no value sqe");
    EXPECT_EQ(error("seq"), "0: seq has a value: compare it, as in seq==1");
    EXPECT_EQ(error("seq>="), "5: here a value is missing");
    EXPECT_EQ(error("(syn || fin"), "11: here ) is missing");
    EXPECT_EQ(error("syn fin"), "4: here && or || is missing");
    EXPECT_EQ(error(""), "0: here a name is missing, such as state or retransmission");
    EXPECT_EQ(error(std::string(500, '(')).substr(0, 4), "65: ");
    EXPECT_EQ(error("!(syn || fin) && laptop.snd_una>=1"), "accepted");
    const auto chinese = Condition::parse("retransmision", kChinese);
    ASSERT_FALSE(chinese);
    EXPECT_EQ(chinese.error().what, "没有 retransmision 这个词（是不是 retransmission？）");
}

TEST(Terminal, ADroppedSynAckIsAnsweredByTheSynOneSecondLater) {
    const Walk original(handshake());
    StepBrowser browser(original, Phrase::None);
    for (int i = 0; i < 8; ++i) browser.press(key(kNext));
    const Wish wish = type(browser, "d");
    ASSERT_EQ(wish.kind, Wish::Kind::Drop);
    ASSERT_EQ(wish.frame, 4U) << "the SYN-ACK";

    const Walk branch(handshake({4}));
    browser.follow(branch, {4}, 4);
    EXPECT_EQ(browser.stop(), 8U) << "the same step";
    const std::string shown = text(screen_of(branch, browser));
    EXPECT_NE(shown.find("[branch: frame 4 dropped]"), std::string::npos) << shown;
    EXPECT_NE(shown.find("x- SYN-ACK, 2 of 3 ---"), std::string::npos) << shown;
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(branch.headline(i, kEnglish), original.headline(i, kEnglish))
            << "up to there nothing is different";
    }
    const auto again = Condition::parse("syn && retransmission && host==laptop");
    std::size_t at = 0;
    while (at < branch.stops().size() && !again->holds(branch, at)) ++at;
    ASSERT_LT(at, branch.stops().size());
    const Timeline::Frame& first = branch.timeline().frames[2];
    const Timeline::Frame& second = branch.timeline().frames[branch.frame(at)];
    EXPECT_EQ(branch.frame(at) == 2, false);
    EXPECT_EQ(second.again, 2U);
    // The timer was set when the SYN was ready, 20 ms before ARP let it go.
    EXPECT_EQ(*second.sent, 1s);
    EXPECT_EQ(*first.sent, 20ms);

    EXPECT_EQ(type(browser, "u").kind, Wish::Kind::Undo);
    EXPECT_EQ(type(browser, "U").kind, Wish::Kind::UndoAll);
    browser.follow(original, {}, 0);
    EXPECT_EQ(browser.stop(), 8U);
    EXPECT_EQ(text(screen_of(original, browser)).find("branch"), std::string::npos);
}

TEST(Terminal, ABranchIsTheSameEachTime) {
    EXPECT_EQ(saved(handshake({3})), saved(handshake({3})));
    EXPECT_NE(saved(handshake({3})), saved(handshake()));
    EXPECT_THROW(handshake({999}), Failure);
}

TEST(Terminal, WhatCannotBeDroppedIsRefusedInALine) {
    const Walk walk(handshake());
    StepBrowser lab(walk, Phrase::None);
    EXPECT_EQ(type(lab, "d").kind, Wish::Kind::Nothing);
    EXPECT_NE(text(screen_of(walk, lab)).find("No frame is sent or comes in at this step"),
              std::string::npos);
    StepBrowser file(walk, Phrase::CaptureIsOver);
    for (int i = 0; i < 8; ++i) file.press(key(kNext));
    EXPECT_EQ(text(screen_of(walk, file)).find("d: drop frame"), std::string::npos);
    EXPECT_NE(text(screen_of(walk, lab)).find("No frame"), std::string::npos);
    EXPECT_EQ(type(file, "d").kind, Wish::Kind::Nothing);
    EXPECT_NE(text(screen_of(walk, file)).find("A capture is over"), std::string::npos);
}

TEST(Terminal, TextCannotSteerTheTerminal) {
    Screen screen(20, 1);
    screen.put(0, 0, "a\x1b[31m\xc2\x9b\xff\n\xe4\xb8\xad");
    EXPECT_EQ(screen.lines().front(), "a?[31m???\xe4\xb8\xad");
}

TEST(Terminal, TextIsBrokenBetweenWords) {
    const std::vector<std::string> chinese{"收到 SYN 和", "ACK，连接建", "立。"};
    EXPECT_EQ(wrapped("收到 SYN 和 ACK，连接建立。", 11), chinese);
    const std::vector<std::string> comma{"报文", "段，丢", "失"};
    EXPECT_EQ(wrapped("报文段，丢失", 6), comma) << "no line begins with a comma";
    const std::vector<std::string> expected{"one two", "three", "longerthan", "that"};
    EXPECT_EQ(wrapped("one two three longerthanthat", 10), expected);
    EXPECT_TRUE(wrapped("", 10).empty());
}

TEST(Terminal, HalfAWideCharacterIsABlank) {
    Screen screen(6, 1);
    screen.put(0, 0, "报文");
    screen.put(0, 1, "x");
    EXPECT_EQ(screen.lines().front(), " x文");
    screen.put(0, 2, "y");
    EXPECT_EQ(screen.lines().front(), " xy");
}

TEST(Terminal, EveryPhraseIsThereInBothLanguages) {
    const auto places = [](std::string_view text) { return std::ranges::count(text, '{'); };
    for (int i = 1; i < static_cast<int>(Phrase::kCount); ++i) {
        const std::string_view english = phrase(static_cast<Phrase>(i), kEnglish);
        const std::string_view chinese = phrase(static_cast<Phrase>(i), kChinese);
        EXPECT_FALSE(english.empty() || chinese.empty()) << english << chinese;
        EXPECT_EQ(places(english), places(chinese)) << english;
    }
}

TEST(Terminal, WhatARouterChangesIsExplained) {
    const Walk walk(lab_timeline("home-nat"));
    const auto text_at = [&](const std::string& headline, Language language) {
        for (std::size_t stop = 0; stop < walk.stops().size(); ++stop) {
            if (walk.headline(stop, kEnglish).find(headline) == std::string::npos) continue;
            return paragraph_of(words_at(walk, stop, 70, language).lines, language);
        }
        return std::string();
    };
    const std::string out = text_at("passes it on: src 192.168.3.10", kEnglish);
    EXPECT_NE(out.find("another address over the source"), std::string::npos) << out;
    EXPECT_NE(out.find("takes one off the time to live"), std::string::npos) << out;
    EXPECT_EQ(out.find("over the destination"), std::string::npos) << out;
    const std::string back = text_at("passes it on: dst 203.0.113.5", kChinese);
    EXPECT_NE(back.find("改写目的地址"), std::string::npos) << back;
}

TEST(Terminal, AKeyAsksForTheOtherLanguage) {
    const Walk walk(handshake());
    StepBrowser browser(walk, Phrase::None);
    EXPECT_EQ(type(browser, "l").kind, Wish::Kind::Language);
    EXPECT_NE(draw(walk, browser.view(80, 24, Glyphs::Unicode)).lines().back().find("l: 中文"),
              std::string::npos);
    browser.set_language(kChinese);
    EXPECT_EQ(screen_of(walk, browser).lines().front(),
              " three-way-handshake:  第 1 步，共 43 步，0.000 秒");
}

TEST(Terminal, ASegmentArrivesInChinese) {
    const Walk walk(handshake({4}));
    StepBrowser browser(walk, Phrase::None, kChinese);
    browser.follow(walk, {4}, 0);
    for (int i = 0; i < 9; ++i) browser.press(key(kNext));
    EXPECT_EQ(text(screen_of(walk, browser)), R"(
 three-way-handshake:  第 10 步，共 47 步，1.000 秒  [分支：丢弃了帧 4]
 laptop:56021             laptop                        server  server:5000
 SYN-SENT                 192.168.3.10            192.168.3.20  SYN-RECEIVED
 SND.UNA 0        0.000   |-- ARP who has 192.168.3.20? ---->|  SND.UNA 0
 SND.NXT 1        0.010   |                         ARP 到达 |  SND.NXT 1
 RCV.NXT 0                |<- ARP I am 192.168.3.20 ---------|  SND.WND 65535
*pipe 1->0        0.020   | ARP 到达                         |  RCV.NXT 1
*算作丢失 0->1            |-- S 0:0(0) win 65535, 握手 1/3 ->|  RCV.WND 65535
*RTO 1 s->2 s     0.030   |           LISTEN -> SYN-RECEIVED |  cwnd 0
*RTO 加倍 0->1            |        x- SYN-ACK, 握手 2/3 -----|  RTO 1 s
*RTO 定时 关      1.000  >| 定时器：重发 SYN                 |  RTO 定时 0.03 s
--------------------------------------------------------------------------------
 laptop 的定时器到时：重发 SYN
 SYN（或 SYN 和 ACK）没有得到回答：重发；下一次等待 2 s。握手的报文段和别的一样
 会丢失。还没有测量过往返时间，所以第一次等一秒，以后每次加倍。
 常见错误：这是完全相同的 SYN，ISS 也相同。换一个号码就成了新的连接。
 依据：RFC 6298 5.4






 Enter: 下一步  Left: 上一步  n/p: 状态变化  d: 丢弃此帧  ?: 帮助  q: 退出
)");
}

TEST(Terminal, WithoutATerminalEveryStepIsPrintedOnce) {
    const Walk walk(handshake());
    std::string printed;
    print_steps(walk, "", kEnglish, [&](const std::string& line) { printed += line + '\n'; });
    for (std::size_t i = 1; i <= walk.stops().size(); ++i) {
        const std::string head = "step " + std::to_string(i) + " of 43, ";
        EXPECT_EQ(printed.find(head), printed.rfind(head)) << head;
        EXPECT_NE(printed.find(head), std::string::npos) << head;
    }
    EXPECT_NE(printed.find("server: LISTEN -> SYN-RECEIVED, ISS 2233082392, "), std::string::npos);
}

TEST(Terminal, PlainStepsAreChinese) {
    const Walk walk(handshake());
    std::string printed;
    print_steps(walk, "", kChinese, [&](const std::string& line) {
        EXPECT_LE(cells_of(line), 80) << line;
        printed += line + '\n';
    });
    EXPECT_NE(printed.find("第 8 步，共 43 步，0.030 秒"), std::string::npos);
    EXPECT_NE(printed.find("server：LISTEN -> SYN-RECEIVED，ISS 2233082392，"), std::string::npos);
    EXPECT_NE(printed.find("laptop 上的程序得知：connect：已连接，本端是 192.168.3.10:56021"),
              std::string::npos);
}

}  // namespace
}  // namespace tapestry::test
