#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/inspect/language.h"
#include "apps/inspect/timeline.h"

namespace tapestry {

/// A row of the table of explanations: what a student with no other help should read when a stack has
/// decided so. The texts may have placeholders, which explain() fills in from a step: {SEG.SEQ} {SEG.ACK}
/// {SEG.LEN} {SEG.WND} {SND.UNA} {SND.NXT} {SND.WND} {RCV.NXT} {RCV.WND} {CWND} {SSTHRESH} {RTO}
/// {STATE} {WAS} and the like. A part in brackets, "It is sent again[; the next wait is {RTO}].", is for
/// those who know its numbers: of a capture nobody knows the RTO.
struct Explanation {
    std::string_view what;     ///< what happened
    std::string_view why;      ///< why the RFC wants it so
    std::string_view mistake;  ///< what is commonly got wrong there; "" where nothing is
};

/// Every verdict and every refusal has its row, in each language; a test holds that.
const Explanation& explanation(Verdict verdict, Language language = Language::English);
const Explanation& explanation(Drop drop, Language language = Language::English);

/// The row that speaks of a step; null: nothing is to be said, as of a frame that is only sent.
const Explanation* explanation_of(const Timeline& timeline, const Timeline::Step& step,
                                  Language language = Language::English);
/// A text of that row with the parts in brackets that have something to say at the step, and without
/// those that speak of what is not known there.
std::string wording(const Timeline& timeline, const Timeline::Step& step, std::string_view text);
/// The RFC's section that says so, or "".
std::string_view rule_of(const Timeline& timeline, const Timeline::Step& step);
/// The placeholders of a text in their order, each once: "SEG.SEQ".
std::vector<std::string_view> placeholders_of(std::string_view text);
/// What stands in their places at a step; "?" for what is not known there.
std::vector<std::string> placeholder_values(const Timeline& timeline, const Timeline::Step& step,
                                            const std::vector<std::string_view>& placeholders);
/// What a capture's texts begin with.
std::string_view it_seems(Language language);

/// What is said of one step.
struct StepText {
    std::string what;
    std::string why;
    std::string mistake;
    std::string rule;  ///< "RFC 9293 3.10.7.4, fifth", or ""
    bool empty() const { return what.empty(); }
};

/// The explanation of a step, with its numbers filled in; of a step without a decision or a refusal (a
/// frame that is only sent, an application's words) it is empty. Of a capture's it begins with "It
/// seems".
StepText explain(const Timeline& timeline, const Timeline::Step& step,
                 Language language = Language::English);

}  // namespace tapestry
