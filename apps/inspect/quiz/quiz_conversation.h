#pragma once

#include <functional>
#include <span>

#include "apps/inspect/observed.h"
#include "apps/inspect/quiz/question.h"

namespace tapestry {

/// A segment of a conversation, as the questions need it.
struct QuizSegment {
    u64 number = 0;  ///< of the frame
    TimePoint time{};
    Side from = Side::Client;
    TcpFlags flags;
    SeqNum seq;
    SeqNum ack;
    u32 relative_seq = 0;
    u32 length = 0;
    u16 raw_window = 0;
    u32 window = 0;  ///< scaled
    AnalysisSet analysis;
    TcpState client = TcpState::Closed;  ///< after it
    TcpState server = TcpState::Closed;
    u64 again = 0;          ///< the frame that carried the first of its numbers before; 0: none did
    bool repeated = false;  ///< another frame is its `again`

    SeqNum end() const { return seq + length + (flags.syn() ? 1U : 0U) + (flags.fin() ? 1U : 0U); }
    /// Sent again, in any of Wireshark's words for it.
    bool retransmission() const {
        return analysis.has(Analysis::Retransmission) ||
               analysis.has(Analysis::FastRetransmission) ||
               analysis.has(Analysis::SpuriousRetransmission);
    }
    std::string frame() const { return std::to_string(number); }
};

/// One conversation with all its segments.
struct QuizConversation {
    const ObservedStream& stream;
    std::span<const QuizSegment> segments;  ///< in the order of the capture
    bool all_known = false;                 ///< of a run of which nothing is hidden

    using Test = std::function<bool(const QuizSegment&)>;
    /// The first segment for which it holds, at or behind `from`; null: there is none.
    const QuizSegment* first(const Test& test, std::size_t from = 0) const;
    /// The frames of all for which it holds.
    std::vector<u64> frames(const Test& test) const;
    /// The segment's place in the list.
    std::size_t place(const QuizSegment& segment) const {
        return static_cast<std::size_t>(&segment - segments.data());
    }
};

/// A segment that a router has changed: the same one, captured on both of its sides.
struct Crossing {
    struct Side {
        u64 frame = 0;
        bool other = false;       ///< of the capture of the router's other side
        std::vector<u8> headers;  ///< as far as it was captured, from the IPv4 header on
    };
    Side in;             ///< on its way to the router
    Side out;            ///< on its way from it
    bool opens = false;  ///< a SYN without ACK
};

/// Where questions are put. Each function below adds those of its subject that the conversation has an
/// answer to.
using Questions = std::vector<Question>;
void ask_handshake(const QuizConversation& conversation, Questions& questions);
void ask_options(const QuizConversation& conversation, Questions& questions);
void ask_data(const QuizConversation& conversation, Questions& questions);
void ask_http(const QuizConversation& conversation, Questions& questions);
void ask_loss(const QuizConversation& conversation, Questions& questions);
void ask_window(const QuizConversation& conversation, Questions& questions);
void ask_closing(const QuizConversation& conversation, Questions& questions);
void ask_nat(const std::vector<Crossing>& crossings, Questions& questions);

/// "tcp.stream == 0".
std::string stream_filter(const QuizConversation& conversation);
/// "frame.number == 4".
std::string frame_filter(u64 frame);
/// The choices turned around by `turn`, so that the right one does not always stand first. `choices`
/// begin with the right one.
ChoiceAnswer one_of(std::vector<Bilingual> choices, u64 turn);
/// Both ends as a choice, the client first.
ChoiceAnswer which_side(std::optional<Side> right, const Bilingual& none);
Bilingual side_text(Side side);

}  // namespace tapestry
