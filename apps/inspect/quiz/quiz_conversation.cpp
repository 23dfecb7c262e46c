#include "apps/inspect/quiz/quiz_conversation.h"

#include <algorithm>

namespace tapestry {

const QuizSegment* QuizConversation::first(const Test& test, std::size_t from) const {
    for (std::size_t i = from; i < segments.size(); ++i) {
        if (test(segments[i])) return &segments[i];
    }
    return nullptr;
}

std::vector<u64> QuizConversation::frames(const Test& test) const {
    std::vector<u64> numbers;
    for (const QuizSegment& segment : segments) {
        if (test(segment)) numbers.push_back(segment.number);
    }
    return numbers;
}

std::string stream_filter(const QuizConversation& conversation) {
    return "tcp.stream == " + std::to_string(conversation.stream.number);
}

std::string frame_filter(u64 frame) { return "frame.number == " + std::to_string(frame); }

ChoiceAnswer one_of(std::vector<Bilingual> choices, u64 turn) {
    const std::size_t by = turn % choices.size();
    std::ranges::rotate(choices, choices.begin() + static_cast<std::ptrdiff_t>(by));
    const std::size_t right = (choices.size() - by) % choices.size();
    return {std::move(choices), {right}, false};
}

Bilingual side_text(Side side) {
    return side == Side::Client ? Bilingual{"the client", "客户端"}
                                : Bilingual{"the server", "服务器"};
}

ChoiceAnswer which_side(std::optional<Side> right, const Bilingual& none) {
    const std::size_t index = !right ? 2 : *right == Side::Client ? 0 : 1;
    return {{side_text(Side::Client), side_text(Side::Server), none}, {index}, false};
}

}  // namespace tapestry
