#include "apps/inspect/quiz/quiz.h"

#include <algorithm>

namespace tapestry {
namespace {

QuizSegment quiz_segment(const ObservedSegment& segment) {
    QuizSegment s;
    s.number = segment.number;
    s.time = segment.time;
    s.from = segment.from;
    s.flags = segment.note.flags;
    s.seq = segment.seq;
    s.ack = segment.ack;
    s.relative_seq = segment.note.seq;
    s.length = segment.note.length;
    s.raw_window = static_cast<u16>(segment.note.window.value_or(0));
    s.window = segment.window;
    s.analysis = segment.analysis;
    s.client = segment.client;
    s.server = segment.server;
    return s;
}

}  // namespace

void Quiz::segment(const ObservedSegment& segment) {
    if (segment.stream >= seen_.size()) seen_.resize(segment.stream + 1);
    Seen& seen = seen_[segment.stream];
    QuizSegment s = quiz_segment(segment);
    s.again = again(seen, s);
    s.repeated = originals_.contains(s.number);
    seen.segments.push_back(s);
}

void Quiz::known(std::map<u64, u64> again) {
    for (const auto& [frame, original] : again) originals_.insert(original);
    known_ = std::move(again);
}

/// The frame that carried the first of the segment's numbers before; 0: none did.
u64 Quiz::again(Seen& seen, const QuizSegment& segment) const {
    if (known_) {
        const auto found = known_->find(segment.number);
        return found == known_->end() ? 0 : found->second;
    }
    if (segment.end() == segment.seq) return 0;
    const auto place = static_cast<u32>(seen.segments.size() + 1);
    SentBefore& sent = seen.sent[static_cast<std::size_t>(segment.from)];
    const u32 before = sent.note(segment.seq, segment.end(), place, 0);
    if (before == 0) return 0;
    seen.segments[before - 1].repeated = true;
    return seen.segments[before - 1].number;
}

void Quiz::packet(u64 frame, TimePoint time, Bytes ipv4, std::size_t wire_size, bool other) {
    crossings_.packet(frame, time, ipv4, wire_size, other);
}

Questions Quiz::of_conversation(const ObservedStream& stream, const Seen& seen) const {
    const QuizConversation conversation{stream, seen.segments, known_.has_value()};
    Questions questions;
    ask_handshake(conversation, questions);
    ask_options(conversation, questions);
    ask_data(conversation, questions);
    ask_http(conversation, questions);
    ask_loss(conversation, questions);
    ask_window(conversation, questions);
    ask_closing(conversation, questions);
    // The clock of a capture may be set back: then no time in it is an answer.
    if (!std::ranges::is_sorted(seen.segments, {}, &QuizSegment::time)) {
        std::erase_if(questions, [](const Question& question) {
            return std::holds_alternative<TimeAnswer>(question.answer) ||
                   std::holds_alternative<RateAnswer>(question.answer);
        });
    }
    return questions;
}

Questions Quiz::questions(const std::vector<ObservedStream>& streams) const {
    Questions questions;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        std::ranges::move(of_conversation(streams[i], seen_[i]), std::back_inserter(questions));
    }
    ask_nat(crossings_.found(), questions);
    return questions;
}

Questions worthwhile(const Questions& questions) {
    std::map<std::size_t, std::size_t> counts;
    for (const Question& question : questions) {
        if (question.stream) ++counts[*question.stream];
    }
    const auto most =
        std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; });
    return of_stream(questions, most == counts.end() ? 0 : most->first);
}

Questions of_stream(const Questions& questions, std::size_t stream) {
    Questions chosen;
    std::ranges::copy_if(questions, std::back_inserter(chosen), [&](const Question& question) {
        return question.stream.value_or(stream) == stream;
    });
    return chosen;
}

}  // namespace tapestry
