#include "apps/inspect/quiz/quiz_conversation.h"

/// How the connection ends (RFC 9293 3.6).

namespace tapestry {
namespace {

void ask_who(const QuizConversation& c, const QuizSegment* fin, Questions& questions) {
    const bool closed = fin != nullptr;
    const Bilingual why =
        closed
            ? say("Frame {1} is the first with a FIN: it says that its sender will send nothing "
                  "more.",
                  "帧 {1} 是第一个带 FIN 的帧：它说明发送方不再发送数据。", {fin->frame()})
            : say("No segment of this conversation has a FIN.", "这个会话中没有带 FIN 的报文段。");
    questions.push_back({"closes_first", c.stream.number,
                         say("Who closes first?", "谁先关闭连接？"),
                         which_side(closed ? std::optional(fin->from) : std::nullopt,
                                    say("neither, in this capture", "在这个抓包中都没有")),
                         why,
                         say("the first segment with a FIN (tcp.flags.fin)",
                             "看第一个带 FIN 的报文段（tcp.flags.fin）"),
                         stream_filter(c) + " && tcp.flags.fin == 1"});
}

void ask_fin_ack(const QuizConversation& c, const QuizSegment& fin, Questions& questions) {
    const QuizSegment* ack = c.first(
        [&](const QuizSegment& s) {
            return s.from != fin.from && s.flags.ack() && !s.flags.rst() && s.ack == fin.end();
        },
        c.place(fin));
    if (ack == nullptr) return;
    questions.push_back(
        {"fin_acknowledged", c.stream.number,
         say("The FIN of frame {1} takes the relative sequence number {2}. Which relative "
             "acknowledgment number acknowledges it?",
             "帧 {1} 的 FIN 占用相对序号 {2}。确认它的相对确认号是多少？",
             {fin.frame(), std::to_string(fin.relative_seq + fin.length)}),
         NumberAnswer{fin.relative_seq + fin.length + 1},
         say("One more: a FIN takes a sequence number, as a SYN does. Frame {1} has it.",
             "多一：FIN 与 SYN 一样占用一个序号。见帧 {1}。", {ack->frame()}),
         say("a FIN takes a sequence number", "FIN 占用一个序号"), frame_filter(ack->number)});
}

/// Who waits is said by the FINs alone, not by the states, which take a segment for arrived where it is
/// seen: FINs that have crossed are seen one behind the other.
void ask_time_wait(const QuizConversation& c, const QuizSegment& fin, Questions& questions) {
    const QuizSegment* second = c.first(
        [&](const QuizSegment& s) { return s.flags.fin() && s.from != fin.from; }, c.place(fin));
    if (second == nullptr || c.stream.reset_by) return;
    const auto acknowledged = [&](const QuizSegment& of) {
        return c.first([&](const QuizSegment& s) {
            return s.from != of.from && s.flags.ack() && s.ack.after_or_at(of.end());
        }) != nullptr;
    };
    if (!acknowledged(fin) || !acknowledged(*second)) return;
    const bool crossed = !second->flags.ack() || second->ack.before(fin.end());
    const std::size_t right = crossed ? 2 : fin.from == Side::Client ? 0 : 1;
    ChoiceAnswer answer{
        {side_text(Side::Client), side_text(Side::Server), {"both", "双方"}}, {right}, false};
    questions.push_back({"time_wait", c.stream.number,
                         say("Which end has to wait in TIME-WAIT after the last frame?",
                             "最后一帧之后，哪一端要在 TIME-WAIT 中等待？"),
                         std::move(answer),
                         crossed ? say("The two FINs have crossed: both have closed "
                                       "before they knew of the other's FIN, so "
                                       "both went through CLOSING to TIME-WAIT.",
                                       "两个 FIN 交错：双方都在得知对方的 FIN "
                                       "之前关闭，所以都经过 CLOSING 进入 TIME-WAIT。")
                                 : say("The one that closed first: it has sent the last "
                                       "ACK and has to be there if that is lost "
                                       "and the other's FIN comes again (RFC 9293 3.6).",
                                       "先关闭的一端：它发送了最后一个 ACK；如果这个 ACK "
                                       "丢失、对方重传 FIN，它必须还在（RFC 9293 3.6）。"),
                         say("who has sent the last ACK?", "看谁发送了最后一个 ACK"),
                         stream_filter(c) + " && tcp.flags.fin == 1"});
}

void ask_reset(const QuizConversation& c, Questions& questions) {
    const QuizSegment* reset = c.first([](const QuizSegment& s) { return s.flags.rst(); });
    if (reset == nullptr || !c.stream.syn_ack) return;
    questions.push_back(
        {"reset_by", c.stream.number,
         say("The connection ends with a reset. Who sends it?", "连接以复位结束。复位是谁发送的？"),
         which_side(reset->from, say("a router", "路由器")),
         say("Frame {1} has RST. What was on its way is lost, and there is no TIME-WAIT (RFC 9293 "
             "3.10.7).",
             "帧 {1} 带有 RST。途中的数据丢失，也没有 TIME-WAIT（RFC 9293 3.10.7）。",
             {reset->frame()}),
         say("the first segment with RST (tcp.flags.reset)",
             "看第一个带 RST 的报文段（tcp.flags.reset）"),
         stream_filter(c) + " && tcp.flags.reset == 1"});
}

}  // namespace

void ask_closing(const QuizConversation& c, Questions& questions) {
    const QuizSegment* fin = c.first([](const QuizSegment& s) { return s.flags.fin(); });
    const bool begun = !c.stream.syn || c.stream.syn_ack;
    if (begun) ask_who(c, fin, questions);
    if (fin != nullptr) {
        ask_fin_ack(c, *fin, questions);
        ask_time_wait(c, *fin, questions);
    }
    ask_reset(c, questions);
}

}  // namespace tapestry
