#include "apps/inspect/quiz/quiz_conversation.h"

/// How the connection begins: ports, flags, initial sequence numbers, times (RFC 9293 3.5).

namespace tapestry {
namespace {

bool is_syn(const QuizSegment& s) { return s.flags.syn() && !s.flags.ack(); }
bool is_syn_ack(const QuizSegment& s) { return s.flags.syn() && s.flags.ack(); }

const QuizSegment* segment_of(const QuizConversation& c, u64 frame) {
    return c.first([&](const QuizSegment& s) { return s.number == frame; });
}

/// The client has answered the SYN-ACK, and not with a reset.
bool completes(const QuizConversation& c) {
    return c.stream.ack && !segment_of(c, c.stream.ack_frame)->flags.rst();
}

void ask_ports(const QuizConversation& c, const QuizSegment& syn, Questions& questions) {
    const std::string client = std::to_string(c.stream.end(Side::Client).endpoint.port);
    const std::string server = std::to_string(c.stream.end(Side::Server).endpoint.port);
    questions.push_back(
        {"client_port", c.stream.number,
         say("Which port has the client chosen for itself?", "客户端为自己选择了哪个端口？"),
         NumberAnswer{c.stream.end(Side::Client).endpoint.port},
         say("Frame {1} is the SYN: its source port is {2}. Nobody has to know it beforehand, so "
             "the "
             "client takes one that is free (an ephemeral port).",
             "帧 {1} 是 SYN，其源端口为 "
             "{2}。事先没有人需要知道它，所以客户端随便取一个空闲的端口（临时端口）。",
             {syn.frame(), client}),
         say("the source port of the first segment (tcp.srcport)",
             "看第一个报文段的源端口（tcp.srcport）"),
         frame_filter(syn.number)});
    questions.push_back(
        {"server_port", c.stream.number,
         say("To which port does the client connect?", "客户端连接到哪个端口？"),
         NumberAnswer{c.stream.end(Side::Server).endpoint.port},
         say("Frame {1} is the SYN: its destination port is {2}. The service listens there, and "
             "the "
             "client has to know it.",
             "帧 {1} 是 SYN，其目的端口为 {2}。服务在这个端口上监听，客户端必须事先知道它。",
             {syn.frame(), server}),
         say("the destination port of the SYN (tcp.dstport)", "看 SYN 的目的端口（tcp.dstport）"),
         frame_filter(syn.number)});
}

void ask_flags(const QuizConversation& c, const QuizSegment& syn, const QuizSegment* syn_ack,
               Questions& questions) {
    const std::vector<Bilingual> flags{{"SYN", "SYN"}, {"ACK", "ACK"}, {"FIN", "FIN"},
                                       {"RST", "RST"}, {"PSH", "PSH"}, {"URG", "URG"}};
    const auto set = [&](const QuizSegment& s) {
        std::vector<std::size_t> right;
        const std::array<bool, 6> bits{s.flags.syn(), s.flags.ack(), s.flags.fin(),
                                       s.flags.rst(), s.flags.psh(), s.flags.urg()};
        for (std::size_t i = 0; i < bits.size(); ++i) {
            if (bits[i]) right.push_back(i);
        }
        return ChoiceAnswer{flags, right, true};
    };
    questions.push_back(
        {"syn_flag", c.stream.number,
         say("Which of these flags are set in frame {1}, the first of the connection?",
             "帧 {1}（连接的第一个报文段）中置位的有哪些标志？", {syn.frame()}),
         set(syn),
         say("SYN makes it a SYN: \"my sequence numbers begin here\". ACK is not set, since there "
             "is "
             "nothing yet to acknowledge.",
             "SYN 标志使它成为 SYN 报文段：“我的序号从这里开始”。ACK "
             "没有置位，因为还没有可以确认的东西。"),
         say("tcp.flags of frame {1}", "看帧 {1} 的 tcp.flags", {syn.frame()}),
         frame_filter(syn.number)});
    if (syn_ack == nullptr) return;
    questions.push_back({"syn_ack_flags", c.stream.number,
                         say("Which of these flags are set in frame {1}, the server's answer?",
                             "帧 {1}（服务器的应答）中置位的有哪些标志？", {syn_ack->frame()}),
                         set(*syn_ack),
                         say("SYN for the server's own sequence numbers, ACK for the client's SYN: "
                             "the two are said in "
                             "one segment.",
                             "SYN 表示服务器自己的序号从此开始，ACK 确认客户端的 "
                             "SYN：两件事放在同一个报文段里说。"),
                         say("tcp.flags of frame {1}", "看帧 {1} 的 tcp.flags", {syn_ack->frame()}),
                         frame_filter(syn_ack->number)});
}

void ask_isn(const QuizConversation& c, const QuizSegment& s, Questions& questions) {
    const Bilingual who = side_text(s.from);
    questions.push_back({s.from == Side::Client ? "client_isn" : "server_isn",
                         c.stream.number,
                         {"What is the initial sequence number (ISN) of " + who.english +
                              ", as the bytes of the frame have it?",
                          who.chinese + "的初始序号（ISN）是多少（帧中的原始值）？"},
                         NumberAnswer{s.seq.value()},
                         say("Frame {1} has it in tcp.seq_raw: {2}. Analyzers show 0 because they "
                             "count from it. It "
                             "is chosen so that nobody can guess it (RFC 9293 3.4.1).",
                             "帧 {1} 的 tcp.seq_raw 为 {2}。分析工具显示 "
                             "0，因为它们以它为起点计数。它的取值要使别人无法猜中"
                             "（RFC 9293 3.4.1）。",
                             {s.frame(), std::to_string(s.seq.value())}),
                         say("tcp.seq_raw of frame {1}, not the relative number",
                             "看帧 {1} 的 tcp.seq_raw，不是相对序号", {s.frame()}),
                         frame_filter(s.number)});
}

void ask_numbers(const QuizConversation& c, const QuizSegment& syn, const QuizSegment* syn_ack,
                 Questions& questions) {
    ask_isn(c, syn, questions);
    if (syn_ack == nullptr) return;
    ask_isn(c, *syn_ack, questions);
    if (syn_ack->ack != syn.seq + 1) return;
    questions.push_back(
        {"syn_ack_ack", c.stream.number,
         say("Which acknowledgment number does frame {1} carry, as its bytes have it?",
             "帧 {1} 携带的确认号（原始值）是多少？", {syn_ack->frame()}),
         NumberAnswer{syn_ack->ack.value()},
         say("One more than the SYN's number, though the SYN carries no text: a SYN takes a "
             "sequence "
             "number, so that it can be acknowledged (RFC 9293 3.4).",
             "比 SYN 的序号多一，尽管 SYN 不携带数据：SYN 占用一个序号，这样它才能被确认（RFC 9293 "
             "3.4）。"),
         say("the acknowledgment number is the number that is expected next",
             "确认号是期望收到的下一个序号"),
         frame_filter(syn_ack->number)});
}

void ask_syn_wait(const QuizConversation& c, const QuizSegment& syn, const QuizSegment& second,
                  Questions& questions) {
    const std::string time = milliseconds_text(second.time - syn.time);
    questions.push_back(
        {"syn_wait", c.stream.number,
         say("The SYN of frame {1} comes again in frame {2}. How many milliseconds did the client "
             "wait?",
             "帧 {1} 的 SYN 在帧 {2} 中重传。客户端等待了多少毫秒？",
             {syn.frame(), second.frame()}),
         TimeAnswer{second.time - syn.time},
         say("{1} lie between the two: the first retransmission timeout, which is about a second "
             "as long "
             "as nothing has been measured (RFC 6298 2.1). Each further one is twice as long.",
             "两者相隔 {1}：这是第一个重传超时；在没有测量值之前约为一秒（RFC 6298 "
             "2.1），之后每次加倍。",
             {time}),
         say("the times of the two frames", "比较两帧的时间"),
         stream_filter(c) + " && tcp.flags.syn == 1 && tcp.flags.ack == 0"});
}

void ask_times(const QuizConversation& c, const QuizSegment& syn, Questions& questions) {
    const ObservedStream& s = c.stream;
    const auto again = c.frames(is_syn);
    if (again.size() > 1) ask_syn_wait(c, syn, *segment_of(c, again[1]), questions);
    if (!s.syn_ack || !completes(c)) return;
    if (again.size() == 1 && c.frames(is_syn_ack).size() == 1) {
        questions.push_back(
            {"syn_rtt", s.number,
             say("How many milliseconds after the SYN is the SYN-ACK seen?",
                 "SYN 之后多少毫秒看到 SYN-ACK？"),
             TimeAnswer{*s.syn_ack - *s.syn},
             say("Frames {1} and {2} are {3} apart. Captured at the client this is a round trip; "
                 "captured "
                 "at the server it is the time that the server takes to answer.",
                 "帧 {1} 与帧 {2} 相隔 "
                 "{3}"
                 "。如果在客户端抓包，这就是一个往返时间；如果在服务器端抓包，这只是服务器的应答时"
                 "间。",
                 {std::to_string(s.syn_frame), std::to_string(s.syn_ack_frame),
                  milliseconds_text(*s.syn_ack - *s.syn)}),
             say("the times of the SYN and of the SYN-ACK", "看 SYN 与 SYN-ACK 的时间"),
             stream_filter(c) + " && tcp.flags.syn == 1"});
    }
    questions.push_back({"handshake_time", s.number,
                         say("How many milliseconds does the handshake take, from the first SYN to "
                             "the ACK that completes "
                             "it?",
                             "从第一个 SYN 到完成握手的 ACK，三次握手用了多少毫秒？"),
                         TimeAnswer{*s.ack - *s.syn},
                         say("From frame {1} to frame {2}: {3}.", "从帧 {1} 到帧 {2}：{3}。",
                             {std::to_string(s.syn_frame), std::to_string(s.ack_frame),
                              milliseconds_text(*s.ack - *s.syn)}),
                         say("the time of the third segment less that of the first",
                             "用第三个报文段的时间减去第一个的时间"),
                         stream_filter(c)});
}

void ask_states(const QuizConversation& c, const QuizSegment& syn_ack, Questions& questions) {
    const std::vector<Bilingual> states{{"SYN-SENT", "SYN-SENT"},
                                        {"SYN-RECEIVED", "SYN-RECEIVED"},
                                        {"ESTABLISHED", "ESTABLISHED"},
                                        {"LISTEN", "LISTEN"}};
    if (syn_ack.client != TcpState::Established || syn_ack.server != TcpState::SynReceived) return;
    questions.push_back(
        {"state_client", c.stream.number,
         say("In which state is the client when frame {1} has reached it?",
             "帧 {1} 到达之后，客户端处于哪个状态？", {syn_ack.frame()}),
         ChoiceAnswer{states, {2}, false},
         say("The SYN-ACK acknowledges its SYN: for the client the connection stands (SYN-SENT -> "
             "ESTABLISHED), a one-way trip before the server can say so.",
             "SYN-ACK 确认了它的 SYN：对客户端来说连接已经建立（SYN-SENT -> "
             "ESTABLISHED），比服务器早一个单程时间。"),
         say("the state diagram of RFC 9293 3.3.2", "看 RFC 9293 3.3.2 的状态图"),
         frame_filter(syn_ack.number)});
    questions.push_back(
        {"state_server", c.stream.number,
         say("And in which state is the server, before it has the third segment?",
             "在收到第三个报文段之前，服务器处于哪个状态？"),
         ChoiceAnswer{states, {1}, false},
         say("It has received the SYN and answered it, but does not know yet whether its answer "
             "has "
             "arrived: LISTEN -> SYN-RECEIVED.",
             "它收到了 SYN 并作了应答，但还不知道应答是否到达：LISTEN -> SYN-RECEIVED。"),
         say("the state diagram of RFC 9293 3.3.2", "看 RFC 9293 3.3.2 的状态图"),
         frame_filter(syn_ack.number)});
}

/// Nobody listens there: the SYN is answered by a reset.
void ask_refusal(const QuizConversation& c, const QuizSegment& syn, Questions& questions) {
    if (c.stream.syn_ack || c.stream.reset_by != Side::Server) return;
    const QuizSegment* reset = c.first([](const QuizSegment& s) { return s.flags.rst(); });
    questions.push_back(
        {"refused", c.stream.number,
         say("No connection comes into being. Which frame says so?",
             "连接没有建立。哪一帧说明了这一点？"),
         FramesAnswer{{reset->number}},
         say("Frame {1} answers the SYN of frame {2} with RST: nobody listens on that port (RFC "
             "9293 "
             "3.10.7.1). connect() ends with ECONNREFUSED.",
             "帧 {1} 用 RST 应答了帧 {2} 的 SYN：该端口上没有进程监听（RFC 9293 "
             "3.10.7.1）。connect() 返回 ECONNREFUSED。",
             {reset->frame(), syn.frame()}),
         say("which flag does the answer to the SYN have?", "看 SYN 的应答带有哪个标志"),
         stream_filter(c) + " && tcp.flags.reset == 1"});
}

}  // namespace

void ask_handshake(const QuizConversation& c, Questions& questions) {
    const ObservedStream& s = c.stream;
    if (!s.syn) return;
    const QuizSegment& syn = *segment_of(c, s.syn_frame);
    const QuizSegment* syn_ack = s.syn_ack ? segment_of(c, s.syn_ack_frame) : nullptr;
    // Two SYNs that cross, or a SYN-ACK before its SYN, are a subject of their own.
    const bool crossed = c.first([](const QuizSegment& x) {
        return is_syn(x) && x.from == Side::Server;
    }) != nullptr;
    const bool plain = !crossed && (syn_ack == nullptr ||
                                    (syn_ack->from == Side::Server && syn.time <= syn_ack->time));
    ask_ports(c, syn, questions);
    if (!plain) return;
    if (syn_ack != nullptr && completes(c)) {
        questions.push_back(
            {"handshake_frames", s.number,
             say("Which three frames are the three-way handshake?", "三次握手是哪三帧？"),
             FramesAnswer{{s.syn_frame, s.syn_ack_frame, s.ack_frame}},
             say("Frame {1} is the SYN, frame {2} the SYN-ACK, frame {3} the ACK that completes "
                 "it.",
                 "帧 {1} 是 SYN，帧 {2} 是 SYN-ACK，帧 {3} 是完成握手的 ACK。",
                 {std::to_string(s.syn_frame), std::to_string(s.syn_ack_frame),
                  std::to_string(s.ack_frame)}),
             say("SYN, SYN-ACK, and the client's first ACK behind them; of what came twice the "
                 "first",
                 "SYN、SYN-ACK 以及其后客户端的第一个 ACK；重复出现的取第一次"),
             stream_filter(c)});
    }
    ask_flags(c, syn, syn_ack, questions);
    ask_numbers(c, syn, syn_ack, questions);
    ask_times(c, syn, questions);
    if (syn_ack != nullptr && completes(c)) ask_states(c, *syn_ack, questions);
    ask_refusal(c, syn, questions);
}

}  // namespace tapestry
