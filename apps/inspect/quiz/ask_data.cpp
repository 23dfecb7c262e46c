#include "apps/inspect/quiz/quiz_conversation.h"

/// What is carried, and how it is acknowledged (RFC 9293 3.4, 3.8).

namespace tapestry {
namespace {

void ask_bytes(const QuizConversation& c, Side side, Questions& questions) {
    const ObservedStream& s = c.stream;
    const u64 bytes = s.end(side).bytes;
    if (bytes == 0 || s.capture.mid_stream || !s.syn) return;
    if (s.capture.missing[static_cast<std::size_t>(side)] > 0) return;
    const Bilingual who = side_text(side);
    questions.push_back(
        {side == Side::Client ? "client_bytes" : "server_bytes",
         s.number,
         {"How many bytes of text does " + who.english +
              " send in all, each counted once, headers not at all?",
          who.chinese + "一共发送了多少字节数据（每个字节只计一次，不计首部）？"},
         NumberAnswer{bytes},
         say("{1} bytes. The last relative sequence number says it too: it is one more for the "
             "SYN, and "
             "one more behind a FIN. Retransmissions do not count.",
             "{1} 字节。最后的相对序号也说明了这一点：SYN 多占一个，FIN 之后再多一个。重传不计。",
             {std::to_string(bytes)}),
         say("the highest relative sequence number of that direction", "看该方向的最大相对序号"),
         stream_filter(c) + " && tcp.len > 0"});
}

/// A segment of text that is acknowledged by itself, and was sent only once (Karn's rule, RFC 6298 3).
const QuizSegment* timed(const QuizConversation& c, const QuizSegment*& ack) {
    for (const QuizSegment& s : c.segments) {
        if (s.length == 0 || s.again != 0 || s.repeated || !s.analysis.empty()) continue;
        if (s.flags.syn() || s.flags.fin() || s.flags.rst()) continue;
        ack = c.first(
            [&](const QuizSegment& a) {
                return a.from != s.from && a.flags.ack() && a.ack.after_or_at(s.end());
            },
            c.place(s));
        if (ack == nullptr) return nullptr;  // then none of what follows is acknowledged either
        if (ack->ack == s.end() && !ack->flags.rst()) return &s;
    }
    return nullptr;
}

void ask_acknowledgment(const QuizConversation& c, Questions& questions) {
    const QuizSegment* ack = nullptr;
    const QuizSegment* s = timed(c, ack);
    if (s == nullptr) return;
    const std::string next = std::to_string(s->relative_seq + s->length);
    const std::string filter = stream_filter(c);
    questions.push_back(
        {"next_number", c.stream.number,
         say("Frame {1} has the relative sequence number {2} and {3} bytes. Which relative "
             "acknowledgment number acknowledges exactly that?",
             "帧 {1} 的相对序号为 {2}，长度 {3} 字节。恰好确认它的相对确认号是多少？",
             {s->frame(), std::to_string(s->relative_seq), std::to_string(s->length)}),
         NumberAnswer{s->relative_seq + s->length},
         say("An acknowledgment names the number that is expected next: {1} + {2} = {3}.",
             "确认号是期望的下一个序号：{1} + {2} = {3}。",
             {std::to_string(s->relative_seq), std::to_string(s->length), next}),
         say("sequence number plus length", "序号加长度"), frame_filter(s->number)});
    questions.push_back(
        {"acknowledged_by", c.stream.number,
         say("Which frame is the first to acknowledge all of frame {1}?",
             "哪一帧最先确认了帧 {1} 的全部内容？", {s->frame()}),
         FramesAnswer{{ack->number}},
         say("Frame {1} comes from the other side and has the relative acknowledgment number {2}.",
             "帧 {1} 来自另一方，其相对确认号为 {2}。", {ack->frame(), next}),
         say("the first frame of the other side with that acknowledgment number, or a higher one",
             "另一方第一个确认号达到或超过该值的帧"),
         filter});
    questions.push_back(
        {"segment_rtt", c.stream.number,
         say("What is the round-trip time of the segment in frame {1}, as this capture shows it, "
             "in "
             "milliseconds?",
             "根据这个抓包，帧 {1} 中报文段的往返时间是多少毫秒？", {s->frame()}),
         TimeAnswer{ack->time - s->time},
         say("From frame {1} to frame {2}: {3} (tcp.analysis.ack_rtt of frame {2}). That is the "
             "round trip "
             "only if the capture was taken at the sender of frame {1}; a delayed acknowledgment "
             "is in it.",
             "从帧 {1} 到帧 {2}：{3}（帧 {2} 的 tcp.analysis.ack_rtt）。只有在帧 {1} "
             "的发送方抓包时，它才是往返时间；其中可能"
             "包含延迟确认的时间。",
             {s->frame(), ack->frame(), milliseconds_text(ack->time - s->time)}),
         say("the time until the frame that acknowledges it", "看到确认它的帧为止的时间"), filter});
}

void ask_throughput(const QuizConversation& c, Questions& questions) {
    const Side side = c.stream.end(Side::Client).bytes > c.stream.end(Side::Server).bytes
                          ? Side::Client
                          : Side::Server;
    const u64 bytes = c.stream.end(side).bytes;
    if (c.stream.capture.missing[static_cast<std::size_t>(side)] > 0 || c.stream.capture.mid_stream)
        return;
    const QuizSegment* first = nullptr;
    const QuizSegment* last = nullptr;
    std::size_t count = 0;
    for (const QuizSegment& s : c.segments) {
        if (s.from != side || s.length == 0) continue;
        if (first == nullptr) first = &s;
        last = &s;
        ++count;
    }
    constexpr std::size_t kEnough = 10;
    if (count < kEnough || last->time - first->time < 1ms) return;
    const double seconds = to_seconds(last->time - first->time);
    const double rate = static_cast<double>(bytes) * 8 / seconds;
    const Bilingual who = side_text(side);
    questions.push_back(
        {"throughput",
         c.stream.number,
         {"What is the mean rate in kbit/s at which " + who.english + " sends its " +
              std::to_string(bytes) +
              " bytes of text, from its first segment with text to its last one?",
          who.chinese + "发送 " + std::to_string(bytes) +
              " 字节数据的平均速率是多少 kbit/s（从第一个到最后一个带数据的报文段）？"},
         RateAnswer{rate},
         say("{1} bytes times 8, divided by the {2} between frames {3} and {4}: {5}.",
             "{1} 字节乘以 8，除以帧 {3} 与帧 {4} 之间的 {2}：{5}。",
             {std::to_string(bytes), milliseconds_text(last->time - first->time), first->frame(),
              last->frame(), shown(RateAnswer{rate}, Language::English)}),
         say("bits divided by seconds; each byte counts once", "比特数除以秒数；每个字节只计一次"),
         stream_filter(c) + " && tcp.len > 0"});
}

}  // namespace

void ask_data(const QuizConversation& c, Questions& questions) {
    ask_bytes(c, Side::Client, questions);
    ask_bytes(c, Side::Server, questions);
    ask_acknowledgment(c, questions);
    ask_throughput(c, questions);
}

void ask_http(const QuizConversation& c, Questions& questions) {
    for (const HttpMessage& answer : c.stream.http) {
        if (!answer.request || answer.status < 200) continue;
        const std::string request = std::to_string(*answer.request);
        const std::string frame = std::to_string(answer.number);
        questions.push_back(
            {"http_status", c.stream.number,
             say("Frame {1} begins an HTTP request. Which status code answers it?",
                 "帧 {1} 开始一个 HTTP 请求。对它的应答状态码是多少？", {request}),
             NumberAnswer{answer.status},
             say("The response begins in frame {1}: status {2}.", "应答从帧 {1} 开始：状态码 {2}。",
                 {frame, std::to_string(answer.status)}),
             say("the first line of the response (http.response.code)",
                 "看应答的第一行（http.response.code）"),
             stream_filter(c) + " && http"});
        questions.push_back(
            {"http_time", c.stream.number,
             say("How many milliseconds after the request in frame {1} does the response begin?",
                 "帧 {1} 的请求之后多少毫秒开始应答？", {request}),
             TimeAnswer{answer.after},
             say("Its first byte is in frame {1}, {2} later.",
                 "应答的第一个字节在帧 {1} 中，晚 {2}。", {frame, milliseconds_text(answer.after)}),
             say("the time of the response's first segment less that of the request's first",
                 "用应答第一个报文段的时间减去请求第一个报文段的时间"),
             stream_filter(c) + " && tcp.len > 0"});
        return;
    }
}

}  // namespace tapestry
