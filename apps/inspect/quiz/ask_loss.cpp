#include "apps/inspect/quiz/quiz_conversation.h"

/// What was sent again, and why (RFC 9293 3.8, RFC 5681 3.2); windows that are closed (RFC 9293 3.8.6).

namespace tapestry {
namespace {

/// As many frames can be listed in an answer.
constexpr std::size_t kListed = 8;

std::string listed(const std::vector<u64>& frames) {
    return shown(FramesAnswer{frames}, Language::English);
}

/// Carries what another frame has carried before. Keep-alives and window probes do so on purpose.
bool repeats(const QuizSegment& s) {
    return s.again != 0 && !s.analysis.has(Analysis::KeepAlive) &&
           !s.analysis.has(Analysis::ZeroWindowProbe);
}

void ask_repeated(const QuizConversation& c, const std::vector<u64>& repeated,
                  Questions& questions) {
    const std::string filter = stream_filter(c) + " && tcp.analysis.flags";
    const Bilingual hint = say("the same relative sequence number in two frames of one side",
                               "找同一方两帧中相同的相对序号");
    if (repeated.size() > kListed) {
        questions.push_back(
            {"retransmission_count", c.stream.number,
             say("How many frames carry sequence numbers that an earlier frame has carried "
                 "already?",
                 "有多少帧携带了前面的帧已经携带过的序号？"),
             NumberAnswer{repeated.size()},
             say("{1} of them, the first is frame {2}. (Keep-alives and window probes are not "
                 "counted.)",
                 "共 {1} 个，第一个是帧 {2}。（不计保活探测和窗口探测。）",
                 {std::to_string(repeated.size()), std::to_string(repeated.front())}),
             hint, filter});
        return;
    }
    questions.push_back(
        {"retransmissions", c.stream.number,
         say("Which frames carry sequence numbers that an earlier frame has carried already? "
             "(\"none\" if there are none)",
             "哪些帧携带了前面的帧已经携带过的序号？（没有则回答“无”）"),
         FramesAnswer{repeated},
         repeated.empty()
             ? say("Each sequence number is carried once.", "每个序号只出现一次。")
             : say("Sent again in: {1}. (Keep-alives and window probes are not counted.)",
                   "在帧 {1} 中再次发送。（不计保活探测和窗口探测。）", {listed(repeated)}),
         hint, filter});
}

/// A hole in the numbers: what was there is lost, or comes late.
void ask_hole(const QuizConversation& c, Questions& questions) {
    const QuizSegment* behind =
        c.first([](const QuizSegment& s) { return s.analysis.has(Analysis::LostSegment); });
    if (behind == nullptr) return;
    std::optional<SeqNum> next;
    for (const QuizSegment& s : c.segments.first(c.place(*behind))) {
        if (s.from == behind->from && (!next || s.end().after(*next))) next = s.end();
    }
    if (!next || !behind->seq.after(*next)) return;
    const std::string missing = std::to_string(behind->seq - *next);
    questions.push_back(
        {"hole", c.stream.number,
         say("Before which frame is a piece of its direction missing for the first time?",
             "第一次在哪一帧之前缺少了同方向的一段数据？"),
         FramesAnswer{{behind->number}},
         say("Frame {1} begins {2} numbers behind what its side had shown until then: a segment is "
             "lost, "
             "or late.",
             "帧 {1} 的序号比该方向此前出现的最大序号超前 {2}：有报文段丢失或迟到。",
             {behind->frame(), missing}),
         say("a sequence number that is higher than the one before plus its length",
             "找序号大于前一个序号加长度的帧"),
         stream_filter(c) + " && tcp.analysis.lost_segment"});
    const QuizSegment* filler = c.first(
        [&](const QuizSegment& s) {
            return s.from == behind->from && s.seq.before_or_at(*next) && s.end().after(*next);
        },
        c.place(*behind));
    if (filler == nullptr) return;
    questions.push_back({"hole_filled", c.stream.number,
                         say("Which frame brings what is missing before frame {1}?",
                             "哪一帧补上了帧 {1} 之前缺少的数据？", {behind->frame()}),
                         FramesAnswer{{filler->number}},
                         say("Frame {1}, {2} later. If the first one was lost before it reached "
                             "the place of the capture, "
                             "this is its retransmission; if it was only overtaken, it is late. "
                             "The capture alone does not "
                             "say which; duplicate ACKs in between speak for a loss.",
                             "帧 {1}，晚 "
                             "{2}"
                             "。如果第一次发送的报文段在到达抓包地点之前丢失，这就是它的重传；如果"
                             "只是被超过，它就是迟到。仅凭"
                             "抓包不能区分；其间的重复 ACK 说明更可能是丢失。",
                             {filler->frame(), milliseconds_text(filler->time - behind->time)}),
                         say("the missing sequence number", "找缺少的那个序号"), stream_filter(c)});
}

void ask_telltale(const QuizConversation& c, const QuizSegment& s, Questions& questions) {
    const std::string original = std::to_string(s.again);
    questions.push_back(
        {"retransmission_sign", c.stream.number,
         say("Frame {1} is a retransmission. How can you tell?", "帧 {1} 是重传。如何看出来？",
             {s.frame()}),
         one_of(
             {say("its sequence numbers were sent before, in frame {1}",
                  "它的序号以前在帧 {1} 中发送过", {original}),
              say("a flag of its header says so", "首部中有一个标志说明它是重传"),
              say("its checksum is that of a repeated segment", "它的校验和是重复报文段的校验和"),
              say("its acknowledgment number is lower than the one before",
                  "它的确认号比前一个小")},
             s.number),
         say("Nothing in a segment says that it is one: it only carries numbers that frame {1} has "
             "carried. "
             "Its IPv4 identification, its timestamps and its acknowledgment number may well be "
             "new.",
             "报文段本身没有任何标记：它只是携带了帧 {1} 携带过的序号。它的 IPv4 "
             "标识、时间戳和确认号都可以是新的。",
             {original}),
         say("compare frames {1} and {2}", "比较帧 {1} 与帧 {2}", {original, s.frame()}),
         frame_filter(s.again) + " || " + frame_filter(s.number)});
}

/// What the other side has said between a segment and its retransmission.
struct Between {
    u32 duplicates = 0;
    bool anything = false;
    Duration time{};
};

Between between(const QuizConversation& c, const QuizSegment& original, const QuizSegment& again) {
    Between found;
    found.time = again.time - original.time;
    for (std::size_t i = c.place(original) + 1; i < c.place(again); ++i) {
        const QuizSegment& s = c.segments[i];
        if (s.from == again.from) continue;
        found.anything = true;
        if (s.analysis.has(Analysis::DuplicateAck) && s.ack == again.seq) ++found.duplicates;
    }
    return found;
}

void ask_cause(const QuizConversation& c, const QuizSegment& again, Questions& questions) {
    const QuizSegment* original =
        c.first([&](const QuizSegment& s) { return s.number == again.again; });
    if (original == nullptr || again.flags.syn()) return;
    const Between seen = between(c, *original, again);
    constexpr u32 kDupThresh = 3;  // RFC 5681 3.2
    constexpr Duration kShortestRto = 200ms;
    const bool fast = seen.duplicates >= kDupThresh;
    const bool silence = !seen.anything && seen.time >= kShortestRto;
    if (!fast && !silence) return;  // the capture does not decide it
    const Bilingual timer =
        say("its timer went off: nothing came back", "定时器超时：没有收到任何应答");
    const Bilingual duplicates =
        say("three or more duplicate ACKs asked for it", "收到三个或更多重复 ACK");
    const Bilingual reset = say("the connection was reset", "连接被复位");
    const Bilingual window = say("the window was zero", "窗口为零");
    const std::vector<Bilingual> choices = fast ? std::vector{duplicates, timer, reset, window}
                                                : std::vector{timer, duplicates, reset, window};
    questions.push_back(
        {"retransmission_cause", c.stream.number,
         say("Why is the segment of frame {1} sent again in frame {2}?",
             "帧 {1} 的报文段为什么在帧 {2} 中重传？", {original->frame(), again.frame()}),
         one_of(choices, again.number / 2),
         fast ? say("{1} duplicate ACKs for that number stand between the two frames: a fast "
                    "retransmission, without waiting for the timer (RFC 5681 3.2).",
                    "两帧之间有 {1} 个针对该序号的重复 ACK：这是快速重传，不必等待定时器（RFC 5681 "
                    "3.2）。",
                    {std::to_string(seen.duplicates)})
              : say("The other side says nothing in the {1} between the two: the retransmission "
                    "timer has "
                    "gone off (RFC 6298 5).",
                    "两帧之间的 {1} 内对方没有任何应答：重传定时器超时（RFC 6298 5）。",
                    {milliseconds_text(seen.time)}),
         say("what does the other side send between the two frames?", "看两帧之间对方发送了什么"),
         stream_filter(c)});
    if (!silence) return;
    questions.push_back(
        {"retransmission_wait", c.stream.number,
         say("How many milliseconds did the sender wait between frame {1} and frame {2}?",
             "发送方在帧 {1} 与帧 {2} 之间等待了多少毫秒？", {original->frame(), again.frame()}),
         TimeAnswer{seen.time},
         say("{1}: the retransmission timeout (RTO) as it was then. Without an answer it doubles "
             "each time.",
             "{1}：即当时的重传超时（RTO）。如果仍没有应答，它每次加倍。",
             {milliseconds_text(seen.time)}),
         say("the times of the two frames", "比较两帧的时间"),
         frame_filter(original->number) + " || " + frame_filter(again.number)});
}

}  // namespace

void ask_loss(const QuizConversation& c, Questions& questions) {
    ask_repeated(c, c.frames(repeats), questions);
    if (!c.all_known) ask_hole(c, questions);
    const QuizSegment* known = c.first(
        [](const QuizSegment& s) { return repeats(s) && s.retransmission() && !s.flags.syn(); });
    if (known == nullptr) return;
    ask_telltale(c, *known, questions);
    ask_cause(c, *known, questions);
}

void ask_window(const QuizConversation& c, Questions& questions) {
    const QuizSegment* closed =
        c.first([](const QuizSegment& s) { return s.analysis.has(Analysis::ZeroWindow); });
    if (closed == nullptr) return;
    const std::string filter = stream_filter(c) + " && tcp.window_size == 0";
    questions.push_back({"zero_window", c.stream.number,
                         say("Which frame is the first to say that its sender can take no more?",
                             "哪一帧最先声明其发送方无法再接收数据？"),
                         FramesAnswer{{closed->number}},
                         say("Frame {1} has the window 0: the buffer is full, and the other side "
                             "has to stop (RFC 9293 "
                             "3.8.6).",
                             "帧 {1} 的窗口为 0：缓冲区已满，对方必须停止发送（RFC 9293 3.8.6）。",
                             {closed->frame()}),
                         say("a window of 0", "看窗口为 0 的帧"), filter});
    const QuizSegment* open = c.first(
        [&](const QuizSegment& s) {
            return s.from == closed->from && s.window > 0 && !s.flags.rst() && !s.flags.syn();
        },
        c.place(*closed));
    if (open == nullptr) return;
    questions.push_back({"zero_window_time", c.stream.number,
                         say("After how many milliseconds does it open its window again?",
                             "多少毫秒之后它重新打开窗口？"),
                         TimeAnswer{open->time - closed->time},
                         say("Frame {1} offers {2} bytes, {3} after frame {4}. Until then the "
                             "sender asks with window "
                             "probes, since the update could be lost.",
                             "帧 {1} 提供 {2} 字节，比帧 {4} 晚 "
                             "{3}。在此之前发送方用窗口探测询问，因为窗口更新可能丢失。",
                             {open->frame(), std::to_string(open->window),
                              milliseconds_text(open->time - closed->time), closed->frame()}),
                         say("the next frame of the same side with a window above 0",
                             "看同一方下一个窗口大于 0 的帧"),
                         stream_filter(c)});
}

}  // namespace tapestry
