#include "apps/inspect/explain.h"

#include <functional>
#include <map>
#include <ranges>
#include <set>

#include "apps/inspect/explain_tables.h"
#include "tests/inspect/timelines.h"

namespace tapestry::test {
namespace {

/// How often each key has a row in the parts of a table.
template <typename Rows>
std::map<unsigned, int> keys(std::initializer_list<Rows> parts) {
    std::map<unsigned, int> found;
    for (const auto& rows : parts) {
        for (const auto& row : rows) ++found[static_cast<unsigned>(row.key)];
    }
    return found;
}

template <typename T>
void expect_each_once(const std::map<unsigned, int>& found) {
    for (unsigned i = 0; i < static_cast<unsigned>(T::kCount); ++i) {
        const auto row = found.find(i);
        EXPECT_EQ(row == found.end() ? 0 : row->second, 1) << name(static_cast<T>(i));
    }
}

TEST(Explain, ASynThatComesAgainIsToldApartFromOldDuplicates) {
    LabOptions options;
    options.drop = {4};  // the SYN-ACK
    const Timeline timeline = run_lab(LabStory::read("three-way-handshake"), options);
    int told = 0;
    for (const Timeline::Step& step : timeline.steps) {
        const StepText text = explain(timeline, step);
        if (!text.what.starts_with("The SYN that opened this connection comes again")) continue;
        ++told;
        EXPECT_EQ(step.verdict, Verdict::SequenceUnacceptable);
        EXPECT_NE(text.what.find("RCV.NXT stays 1"), std::string::npos) << text.what;
        EXPECT_TRUE(
            explain(timeline, step, Language::Chinese).what.starts_with("打开这个连接的 SYN"));
    }
    EXPECT_EQ(told, 1);
}

TEST(Explain, WhatACaptureDoesNotTellIsNoZero) {
    const Timeline timeline = capture_timeline("fast-retransmit.client.pcap");
    int told = 0;
    for (const Timeline::Step& step : timeline.steps) {
        if (step.verdict != Verdict::FlushSent) continue;
        const StepText text = explain(timeline, step);
        const std::string all = text.what + text.why;
        EXPECT_FALSE(all.contains("congestion window") || all.contains("within")) << all;
        EXPECT_FALSE(all.contains('?')) << all;
        ++told;
    }
    EXPECT_GT(told, 10);
}

TEST(Explain, OfASynThatLeavesNoWindowIsTold) {
    int told = 0;
    const Timeline timeline = lab_timeline("three-way-handshake");
    for (const Timeline::Step& step : timeline.steps) {
        if (step.verdict != Verdict::FlushSent || step.kind != Timeline::Step::Kind::Sent) continue;
        const StepText text = explain(timeline, step);
        const bool syn = text.what.starts_with("The SYN leaves");
        EXPECT_EQ(syn, frame_facts(timeline)[step.frame].notation.starts_with("S"));
        if (!syn) continue;
        ++told;
        EXPECT_NE(text.what.find("SND.NXT is 1."), std::string::npos) << text.what;
        EXPECT_NE(text.why.find("within 1 s"), std::string::npos) << text.why;
        EXPECT_EQ(text.rule, "RFC 9293 3.5");
        EXPECT_TRUE(explain(timeline, step, Language::Chinese).what.starts_with("SYN 发出"));
    }
    EXPECT_EQ(told, 1) << "the SYN-ACK; the SYN waited for ARP";
}

TEST(Explain, EveryVerdictAndRefusalHasOneRowInEachLanguage) {
    expect_each_once<Verdict>(
        keys({english_calls(), english_segments(), english_acks(), english_timers()}));
    expect_each_once<Verdict>(
        keys({chinese_calls(), chinese_segments(), chinese_acks(), chinese_timers()}));
    expect_each_once<Drop>(
        keys({english_lower_drops(), english_middle_drops(), english_tcp_drops()}));
    expect_each_once<Drop>(
        keys({chinese_lower_drops(), chinese_middle_drops(), chinese_tcp_drops()}));
}

/// The placeholders of a text, in the order of the alphabet: languages differ in theirs.
std::multiset<std::string> placeholders(const Explanation& row) {
    std::multiset<std::string> found;
    for (const std::string_view text : {row.what, row.why, row.mistake}) {
        for (std::size_t at = text.find('{'); at != text.npos; at = text.find('{', at + 1)) {
            found.emplace(text.substr(at, text.find('}', at) - at + 1));
        }
    }
    return found;
}

template <typename T>
void expect_alike() {
    for (unsigned i = 0; i < static_cast<unsigned>(T::kCount); ++i) {
        const auto key = static_cast<T>(i);
        const Explanation& english = explanation(key);
        const Explanation& chinese = explanation(key, Language::Chinese);
        EXPECT_GT(english.what.size(), 15U) << name(key);
        EXPECT_GT(english.why.size(), 15U) << name(key);
        EXPECT_EQ(english.mistake.empty(), chinese.mistake.empty()) << name(key);
        EXPECT_EQ(placeholders(english), placeholders(chinese)) << name(key);
        EXPECT_NE(english.what, chinese.what) << name(key);
        const auto has_chinese = [](std::string_view text) {
            return std::ranges::any_of(text, [](char c) { return (c & 0x80) != 0; });
        };
        EXPECT_TRUE(has_chinese(chinese.what) && has_chinese(chinese.why)) << name(key);
        EXPECT_FALSE(has_chinese(english.what) || has_chinese(english.why)) << name(key);
    }
}

TEST(Explain, BothLanguagesSayTheSame) {
    expect_alike<Verdict>();
    expect_alike<Drop>();
}

TEST(Explain, EveryNumberIsFilledIn) {
    for (const BuiltinLab& lab : builtin_labs()) {
        const Timeline timeline = lab_timeline(std::string(lab.name));
        for (const Timeline::Step& step : timeline.steps) {
            for (const Language language : {Language::English, Language::Chinese}) {
                const StepText text = explain(timeline, step, language);
                const std::string all = text.what + text.why + text.mistake;
                EXPECT_EQ(all.find_first_of("{}?"), std::string::npos) << lab.name << ' ' << all;
                const bool due = step.drop || step.verdict != Verdict::None;
                EXPECT_EQ(due, !text.empty()) << lab.name;
            }
        }
    }
}

/// Every row, as it reads at a step.
void for_each_row(const Timeline& timeline, Timeline::Step step,
                  const std::function<void(std::string_view key, const StepText&)>& look) {
    for (const Language language : {Language::English, Language::Chinese}) {
        for (unsigned i = 0; i < static_cast<unsigned>(Verdict::kCount); ++i) {
            step.verdict = static_cast<Verdict>(i);
            look(name(step.verdict), explain(timeline, step, language));
        }
        step.verdict = Verdict::None;
        for (unsigned i = 0; i < static_cast<unsigned>(Drop::kCount); ++i) {
            step.drop = static_cast<Drop>(i);
            look(name(*step.drop), explain(timeline, step, language));
        }
        step.drop.reset();
    }
}

const Timeline::Step& step_with(const Timeline& timeline, Verdict verdict) {
    const auto found = std::ranges::find(timeline.steps, verdict, &Timeline::Step::verdict);
    if (found == timeline.steps.end()) throw std::runtime_error("no such step");
    return *found;
}

TEST(Explain, OfACaptureNoRowSpeaksOfWhatNobodyKnows) {
    const Timeline capture = capture_timeline("http-get.client.pcap");
    const Timeline::Step& step = step_with(capture, Verdict::DataInOrder);
    for_each_row(capture, step, [](std::string_view key, const StepText& text) {
        // What is not known would come out as "?", and as 0 if it were taken for known.
        const std::string all = text.what + text.why + text.mistake;
        EXPECT_EQ(all.find_first_of("{}[]?"), std::string::npos) << key << ' ' << all;
        EXPECT_FALSE(all.contains("cwnd 0") || all.contains("0.000 s")) << key << ' ' << all;
    });
    // The first that is sent so is the SYN-ACK, which has words of its own.
    const auto last = std::ranges::find(capture.steps | std::views::reverse, Verdict::FlushSent,
                                        &Timeline::Step::verdict);
    EXPECT_TRUE(explain(capture, *last).what.ends_with(" bytes."));
}

TEST(Explain, OfAStackOfOursEveryRowHasAllItsNumbers) {
    const Timeline lab = lab_timeline("lost-syn");
    const Timeline::Step& step = step_with(lab, Verdict::DataInOrder);
    for_each_row(lab, step, [&](std::string_view key, const StepText& text) {
        const std::string all = text.what + text.why + text.mistake;
        EXPECT_EQ(all.find_first_of("{}[]?"), std::string::npos) << key << ' ' << all;
    });
    EXPECT_TRUE(
        explain(lab, step_with(lab, Verdict::FlushSent)).what.contains("congestion window"));
    EXPECT_TRUE(explain(lab, step_with(lab, Verdict::TimerSynRetransmit))
                    .what.contains("the next wait is"));
}

TEST(Explain, TheNumbersAreThoseOfTheStep) {
    const Timeline timeline = lab_timeline("three-way-handshake");
    const auto of = [&](Verdict verdict) {
        for (const Timeline::Step& step : timeline.steps) {
            if (step.verdict == verdict) return explain(timeline, step);
        }
        return StepText();
    };
    EXPECT_TRUE(of(Verdict::UserOpen).what.ends_with("goes from CLOSED to SYN-SENT."));
    EXPECT_EQ(of(Verdict::UserOpen).rule, "RFC 9293 3.10.1");
    EXPECT_TRUE(of(Verdict::AckEstablishes)
                    .what.starts_with("The third segment: its ACK 1 acknowledges our SYN."));
    EXPECT_TRUE(
        of(Verdict::AckAdvances).what.starts_with("The ACK takes SND.UNA forward from 1 to 6"));
    EXPECT_TRUE(of(Verdict::DataInOrder)
                    .what.starts_with("Data come exactly at RCV.NXT, which goes to 6."));
}

}  // namespace
}  // namespace tapestry::test
